"""Further questions: what was asked, by whom, and what it was answered.

Invariants
    - The same question is one row, whoever asks it. It is answered once, and its answer is never changed.
    - A question is written in the transaction that pays for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from registry.statistics.questions import Posed, Question
from registry.store.bulk import insert, upsert
from registry.store.schema_statistics import statistics_askings, statistics_queries


def posed(tx: Connection, query_id: str, *, lock: bool = False) -> Posed | None:
    """The question of this id, where it was asked."""
    query = select(statistics_queries).where(statistics_queries.c.query_id == query_id)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _posed(row)


def pose(tx: Connection, question: Question, nano_rho: int, at: datetime) -> Posed:
    """Write down a question that is paid for."""
    row = {"query_id": question.query_id, "year": question.year, "selection": question.selection}
    insert(tx, statistics_queries, [row | {"nano_rho": nano_rho, "asked_at": at}])
    return Posed(question, nano_rho, at)


def note_asking(tx: Connection, reader: str, query_id: str, at: datetime) -> None:
    """Note who asked; the first time stands."""
    upsert(tx, statistics_askings, [{"reader": reader, "query_id": query_id, "asked_at": at}])


def has_asked(tx: Connection, reader: str, query_id: str) -> bool:
    of = statistics_askings.c
    query = select(of.query_id).where(of.reader == reader, of.query_id == query_id)
    return tx.execute(query).one_or_none() is not None


def waiting(tx: Connection) -> list[str]:
    """Ids of the questions that are not answered, in the order in which they were asked."""
    of = statistics_queries.c
    return list(tx.scalars(select(of.query_id).where(of.answered_at.is_(None)).order_by(of.asked_at, of.query_id)))


def answer(tx: Connection, query_id: str, value: int, at: datetime) -> None:
    """Answer a question that is not answered yet."""
    of = statistics_queries.c
    tx.execute(
        update(statistics_queries)
        .where(of.query_id == query_id, of.answered_at.is_(None))
        .values(value=value, answered_at=at)
    )


def asked_by(tx: Connection, reader: str) -> Sequence[tuple[Posed, datetime]]:
    """The questions of a reader and when it asked them, oldest first."""
    asking = statistics_askings.c
    query = (
        select(statistics_queries, asking.asked_at.label("reader_asked_at"))
        .join(statistics_askings, asking.query_id == statistics_queries.c.query_id)
        .where(asking.reader == reader)
        .order_by(asking.asked_at, asking.query_id)
    )
    return [(_posed(row), row.reader_asked_at) for row in tx.execute(query)]


def _posed(row: Row[Any]) -> Posed:
    return Posed(Question.read(row.selection), row.nano_rho, row.asked_at, row.value, row.answered_at)
