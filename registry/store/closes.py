"""Closes: which days were closed, and whether to the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select, update

from registry.store.bulk import upsert
from registry.store.schema import closes, sequence


@dataclass(frozen=True, slots=True)
class Close:
    closed_on: date
    descriptor_serial: int
    started_at: datetime
    finished_at: datetime | None
    through_position: int | None


def newest(tx: Connection, *, finished: bool) -> Close | None:
    """The newest close, begun or finished."""
    query = select(closes).order_by(closes.c.closed_on.desc()).limit(1)
    if finished:
        query = query.where(closes.c.finished_at.is_not(None))
    row = tx.execute(query).one_or_none()
    if row is None:
        return None
    return Close(row.closed_on, row.descriptor_serial, row.started_at, row.finished_at, row.through_position)


def begin(tx: Connection, on: date, descriptor_serial: int, at: datetime) -> None:
    """Note that the close of a day has begun; one begun before keeps its start and, if it ended, its end."""
    row = {"closed_on": on, "descriptor_serial": descriptor_serial, "started_at": at}
    upsert(tx, closes, [row], update=("descriptor_serial",))


def finish(tx: Connection, on: date, at: datetime) -> None:
    """From here on the notices there are now are delivered."""
    through = select(sequence.c.next_position - 1).scalar_subquery()
    tx.execute(update(closes).where(closes.c.closed_on == on).values(finished_at=at, through_position=through))
