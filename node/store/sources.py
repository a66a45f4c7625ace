"""The aggregate "source": how current attendance and the list of residents are, what was left out, what was refused."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, delete, insert, select

from node.records.person import Remark, RemarkKind
from node.store.schema_sources import refusals, source_imports, source_remarks

MAX_REMARKS = 1_000
"""Kept of one import: whoever has more of them mends the first, and imports again."""


class SourceName(enum.StrEnum):
    ATTENDANCE = "attendance"
    RESIDENTS = "residents"


@dataclass(frozen=True, slots=True)
class SourceImport:
    """The newest import of a source. `unknown`: rows about whom nobody is known here."""

    source: SourceName
    system: str
    as_of: date
    received_at: datetime
    rows: int
    unknown: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the newest attempt came to nothing: a code of the error catalogue, and when."""

    source: str
    code: str
    refused_at: datetime


class SourceImports:
    """Every method works on the connection of the caller's transaction."""

    def taken(self, tx: Connection, done: SourceImport, remarks: Sequence[Remark]) -> None:
        """Keep an import in place of the one before; a refusal of the same source is over."""
        for table in (source_remarks, source_imports):
            tx.execute(delete(table).where(table.c.source == done.source.value, table.c.system == done.system))
        tx.execute(
            insert(source_imports).values(
                source=done.source.value,
                system=done.system,
                as_of=done.as_of,
                received_at=done.received_at,
                rows=done.rows,
                unknown=done.unknown,
                rejected=done.rejected,
            )
        )
        rows = [
            {
                "source": done.source.value,
                "system": done.system,
                "position": position,
                "row": remark.row,
                "field": remark.field,
                "why": remark.why,
            }
            for position, remark in enumerate(remarks[:MAX_REMARKS], start=1)
        ]
        if rows:
            tx.execute(insert(source_remarks), rows)
        self.not_refused(tx, f"{done.source.value}/{done.system}")

    def newest(self, tx: Connection, source: SourceName | None = None) -> tuple[SourceImport, ...]:
        """Of each source and school system its newest import."""
        query = select(source_imports).order_by(source_imports.c.source, source_imports.c.system)
        if source is not None:
            query = query.where(source_imports.c.source == source.value)
        return tuple(
            SourceImport(
                SourceName(row.source), row.system, row.as_of, row.received_at, row.rows, row.unknown, row.rejected
            )
            for row in tx.execute(query)
        )

    def remarks(self, tx: Connection, source: SourceName, system: str) -> tuple[Remark, ...]:
        """What was left out of the newest import."""
        query = (
            select(source_remarks)
            .where(source_remarks.c.source == source.value, source_remarks.c.system == system)
            .order_by(source_remarks.c.position)
        )
        return tuple(Remark(RemarkKind.REJECTED, row.row, row.field, row.why) for row in tx.execute(query))

    def refused(self, tx: Connection, source: str, code: str, at: datetime) -> None:
        """The newest attempt of a source (a school system, or `attendance/NAME`) came to nothing."""
        self.not_refused(tx, source)
        tx.execute(insert(refusals).values(source=source, code=code, refused_at=at))

    def not_refused(self, tx: Connection, source: str) -> None:
        tx.execute(delete(refusals).where(refusals.c.source == source))

    def refusals(self, tx: Connection) -> dict[str, Refusal]:
        """Source → why its newest attempt came to nothing."""
        return {row.source: Refusal(row.source, row.code, row.refused_at) for row in tx.execute(select(refusals))}
