"""Cases as statistics count them, and releases. A release is written once, whole, and never changed.

Invariant: whoever draws a release first inserts its row: a second one, on another replica, waits for it and finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, case, delete, func, select, update

from federation.rules.vocabulary import GapState, MemberId
from registry.statistics.calendar import Known, first_day
from registry.statistics.catalogue import DimensionId, ReleaseKind, TableId
from registry.statistics.counting import CaseRow
from registry.statistics.model import (
    Period,
    Record,
    Release,
    ReleasedTable,
    ReleaseId,
    Values,
    parse_release_id,
)
from registry.store.bulk import among, chunks, insert, upsert
from registry.store.schema import cases, closes, gaps
from registry.store.schema_statistics import (
    statistics_cases,
    statistics_queries,
    statistics_releases,
    statistics_tables,
)

_COUNTED_IN = {
    ReleaseKind.MONTH: statistics_cases.c.month_release,
    ReleaseKind.YEAR: statistics_cases.c.year_release,
    ReleaseKind.CLOSED: statistics_cases.c.closed_release,
}

_Codes = dict[DimensionId, tuple[str, ...]]


# -- cases -------------------------------------------------------------------------------------------------------------


def cases_of(tx: Connection, year: int) -> list[CaseRow]:
    """All cases of a year's children, drills left out, in the order of their ids."""
    of, known = statistics_cases.c, cases.c
    columns = (
        *(of.case_id, known.child_year_id, known.opened_on, known.closed_on, of.lead, of.kind, of.age_band, of.sex),
        *_COUNTED_IN.values(),
    )
    void = func.sum(case((gaps.c.state == GapState.VOID.value, 1), else_=0))
    query = (
        select(*columns, func.count(gaps.c.ref).label("gaps"), void.label("void_gaps"))
        .join(cases, known.case_id == of.case_id)
        .outerjoin(gaps, gaps.c.case_id == of.case_id)
        .where(of.year == year)
        .group_by(*columns)
        .order_by(of.case_id)
    )
    return [
        CaseRow(
            case_id=row.case_id,
            child_year_id=row.child_year_id,
            opened_on=row.opened_on,
            closed_on=row.closed_on,
            lead=MemberId(row.lead),
            kind=row.kind,
            age=row.age_band,
            sex=row.sex,
            gaps=row.gaps,
            void_gaps=row.void_gaps,
            counted_in={
                ReleaseKind.MONTH: row.month_release,
                ReleaseKind.YEAR: row.year_release,
                ReleaseKind.CLOSED: row.closed_release,
            },
        )
        for row in tx.execute(query)
    ]


def mark_counted(tx: Connection, case_ids: Iterable[bytes], period: Period) -> None:
    """Note that the period's release has counted the children of these cases."""
    for chunk in chunks(sorted(case_ids)):
        tx.execute(
            update(statistics_cases)
            .where(among(tx, statistics_cases.c.case_id, chunk))
            .values({_COUNTED_IN[period.kind]: period.release_id})
        )


def years_kept(tx: Connection) -> list[int]:
    """The years of which cases are kept, in order."""
    return list(tx.scalars(select(statistics_cases.c.year).distinct().order_by(statistics_cases.c.year)))


def waits_for_answer(tx: Connection, year: int) -> bool:
    """Whether a further question about the year is paid for and not answered."""
    query = select(statistics_queries.c.query_id).where(
        statistics_queries.c.year == year, statistics_queries.c.answered_at.is_(None)
    )
    return tx.execute(query.limit(1)).first() is not None


def cases_kept(tx: Connection, years: Sequence[int], after: bytes, limit: int) -> list[bytes]:
    """The next cases of these years after one, by id."""
    query = select(statistics_cases.c.case_id).where(
        statistics_cases.c.year.in_(years), statistics_cases.c.case_id > after
    )
    return list(tx.scalars(query.order_by(statistics_cases.c.case_id).limit(limit)))


def counts(tx: Connection, case_ids: Sequence[bytes]) -> set[bytes]:
    """Those of these cases that a release may yet count."""
    query = select(statistics_cases.c.case_id).where(among(tx, statistics_cases.c.case_id, case_ids))
    return set(tx.scalars(query))


def forget_cases(tx: Connection, case_ids: Sequence[bytes]) -> None:
    """Take away what statistics keep of these cases."""
    tx.execute(delete(statistics_cases).where(among(tx, statistics_cases.c.case_id, case_ids)))


# -- releases ----------------------------------------------------------------------------------------------------------


def known(tx: Connection) -> Known:
    """From which day on releases are made: the first that was closed, or that was released of."""
    of = closes.c
    first, newest = tx.execute(
        select(func.min(of.closed_on), func.max(of.closed_on)).where(of.finished_at.is_not(None))
    ).one()
    # Retention takes closes away after a year; the first month that was released stays.
    released = map(parse_release_id, drawn(tx))
    months = [first_day(period) for period in released if period.kind is ReleaseKind.MONTH]
    days = [day for day in (first, min(months, default=None)) if day is not None]
    return Known(min(days, default=None), newest)


def drawn(tx: Connection) -> set[ReleaseId]:
    return set(map(ReleaseId, tx.scalars(select(statistics_releases.c.release_id))))


def releases(tx: Connection) -> list[Release]:
    """All releases, oldest first."""
    query = select(statistics_releases).order_by(statistics_releases.c.drawn_at, statistics_releases.c.release_id)
    return [_release(row) for row in tx.execute(query)]


def release(tx: Connection, release_id: ReleaseId) -> Release | None:
    query = select(statistics_releases).where(statistics_releases.c.release_id == release_id)
    row = tx.execute(query).one_or_none()
    return None if row is None else _release(row)


def begin(tx: Connection, new: Release) -> None:
    """Insert a release whose tables follow in this transaction.

    Where another replica's has come meanwhile, the database has the transaction run again.
    """
    row = {
        "release_id": new.release_id,
        "kind": new.period.kind.value,
        "year": new.period.year,
        "drawn_on": new.drawn_on,
        "drawn_at": new.drawn_at,
        "record": msgspec.json.encode(new.record).decode(),
    }
    upsert(tx, statistics_releases, [row])


def write_tables(tx: Connection, release_id: ReleaseId, tables: Iterable[ReleasedTable]) -> None:
    insert(
        tx,
        statistics_tables,
        [
            {
                "release_id": release_id,
                "table_id": table.table_id.value,
                "dimensions": msgspec.json.encode(table.dimensions).decode(),
                "authority_values": msgspec.json.encode(table.authority).decode(),
                "public_values": msgspec.json.encode(table.public).decode(),
            }
            for table in tables
        ],
    )


def tables(tx: Connection, release_id: ReleaseId) -> dict[TableId, ReleasedTable]:
    """The tables of a release."""
    query = select(statistics_tables).where(statistics_tables.c.release_id == release_id)
    return {table.table_id: table for table in map(_table, tx.execute(query.order_by(statistics_tables.c.table_id)))}


def table(tx: Connection, table_id: TableId) -> dict[ReleaseId, ReleasedTable]:
    """One table as it stands in every release that holds it, by release id."""
    query = select(statistics_tables).where(statistics_tables.c.table_id == table_id.value)
    return {
        ReleaseId(row.release_id): _table(row) for row in tx.execute(query.order_by(statistics_tables.c.release_id))
    }


def _release(row: Row[Any]) -> Release:
    record = msgspec.json.decode(row.record, type=Record)
    return Release(parse_release_id(row.release_id), row.drawn_on, row.drawn_at, record)


def _table(row: Row[Any]) -> ReleasedTable:
    return ReleasedTable(
        TableId(row.table_id),
        msgspec.json.decode(row.dimensions, type=_Codes),
        msgspec.json.decode(row.authority_values, type=Values),
        msgspec.json.decode(row.public_values, type=Values),
    )
