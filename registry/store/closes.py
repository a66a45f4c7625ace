"""Closes: which days were closed, and whether to the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select, text, update

from registry.store.bulk import upsert
from registry.store.schema import closes, sequence


@dataclass(frozen=True, slots=True)
class Close:
    closed_on: date
    descriptor_serial: int
    started_at: datetime
    finished_at: datetime | None
    through_position: int | None
    working: bool


def newest(tx: Connection, *, finished: bool) -> Close | None:
    """The newest close, begun or finished."""
    query = select(closes).order_by(closes.c.closed_on.desc()).limit(1)
    if finished:
        query = query.where(closes.c.finished_at.is_not(None))
    row = tx.execute(query).one_or_none()
    if row is None:
        return None
    return Close(
        row.closed_on, row.descriptor_serial, row.started_at, row.finished_at, row.through_position, row.working
    )


def lock(tx: Connection) -> None:
    """Begin and end closes one after the other, on whichever replica. Call it first."""
    if tx.dialect.name == "postgresql":
        # There may be no row yet that could be locked. Whoever only reads does not wait.
        tx.execute(text("LOCK TABLE closes IN SHARE ROW EXCLUSIVE MODE"))


def begin(tx: Connection, on: date, descriptor_serial: int, at: datetime) -> None:
    """Note that the close of a day has begun; one begun before keeps its start and, if it ended, its end.

    An earlier one that was not brought to its end never will be.
    """
    tx.execute(update(closes).where(closes.c.closed_on < on, closes.c.working).values(working=False))
    row = {"closed_on": on, "descriptor_serial": descriptor_serial, "started_at": at, "working": True}
    upsert(tx, closes, [row], update=("descriptor_serial", "working"))


def finish(tx: Connection, on: date, at: datetime) -> bool:
    """From here on the notices there are now are delivered; False where the close had ended already."""
    through = select(sequence.c.next_position - 1).scalar_subquery()
    done = (
        update(closes)
        .where(closes.c.closed_on == on, closes.c.working)
        .values(finished_at=at, through_position=through, working=False)
    )
    return tx.execute(done.returning(closes.c.closed_on)).one_or_none() is not None
