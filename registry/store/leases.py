"""Portions of a close's work, and who may write what comes of one.

Invariants
    - A portion is one worker's from `take` until its lease has run out by the clock of the database's server. Every
      taking has a token of its own; `hold` locks the portion and refuses an older token in the very transaction that
      writes, so that a worker that was paused past its lease writes nothing, whatever it believes.
    - A portion's number is never used again on its day, so that no token fits another portion.
    - SQLite has one process, which works at one close at a time: a lease found there is of its own past, and over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, literal, or_, select, update

from federation.clock import utc_now
from federation.database import Instant
from registry.model import REF_BYTES, Ref
from registry.store.bulk import insert
from registry.store.schema import closes, portions


class LeaseLostError(Exception):
    """The portion was taken by another worker, or is done: nothing may be written for it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One taking of a portion. `seeds` are the handles it was cut for; some may have been looked at since."""

    closed_on: date
    number: int
    token: int
    seeds: tuple[Ref, ...]


def add(tx: Connection, on: date, cut: Iterable[Sequence[Ref]]) -> None:
    """Put these portions to the close's work. The close is locked."""
    rows: list[dict[str, Any]] = [
        {"closed_on": on, "seeds": b"".join(seeds), "handles": len(seeds), "token": 0} for seeds in cut
    ]
    if not rows:
        return
    following = closes.c.next_portion + len(rows)
    counted = update(closes).where(closes.c.closed_on == on).values(next_portion=following)
    after = tx.execute(counted.returning(closes.c.next_portion)).scalar_one()
    for number, row in enumerate(rows, start=after - len(rows)):
        row["number"] = number
    insert(tx, portions, rows)


def queued(tx: Connection, on: date) -> set[Ref]:
    """The handles of the portions that are not done."""
    held = tx.scalars(select(portions.c.seeds).where(portions.c.closed_on == on))
    return {ref for seeds in held for ref in _cut(seeds)}


def left(tx: Connection, on: date) -> int:
    """How many handles the portions hold that are not done."""
    query = select(func.coalesce(func.sum(portions.c.handles), 0)).where(portions.c.closed_on == on)
    return int(tx.execute(query).scalar_one())


def take(tx: Connection, on: date, span: timedelta) -> Lease | None:
    """The first portion that nobody holds, for `span`; None where all are held or done. Waits for nobody."""
    free: tuple[ColumnElement[bool], ...] = ()
    until: ColumnElement[Any] = literal(utc_now() + span, Instant)
    if tx.dialect.name == "postgresql":
        free = (or_(portions.c.leased_until.is_(None), portions.c.leased_until < func.clock_timestamp()),)
        until = func.clock_timestamp() + literal(span)
    first = (
        select(portions.c.number)
        .where(portions.c.closed_on == on, *free)
        .order_by(portions.c.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(portions)
        .where(portions.c.closed_on == on, portions.c.number == first.scalar_subquery())
        .values(token=portions.c.token + 1, leased_until=until)
        .returning(portions.c.number, portions.c.token, portions.c.seeds)
    )
    row = tx.execute(taken).one_or_none()
    return None if row is None else Lease(on, row.number, row.token, _cut(row.seeds))


def hold(tx: Connection, lease: Lease) -> None:
    """Lock the portion until the transaction ends. Raises LeaseLostError. Call it first."""
    own = (portions.c.closed_on == lease.closed_on, portions.c.number == lease.number)
    if tx.execute(select(portions.c.token).where(*own).with_for_update()).scalar_one_or_none() != lease.token:
        raise LeaseLostError
    # A statement of its own: time may have passed while the first one waited for the lock.
    if (
        tx.dialect.name == "postgresql"
        and not tx.execute(select(portions.c.leased_until > func.clock_timestamp()).where(*own)).scalar_one()
    ):
        raise LeaseLostError


def end(tx: Connection, lease: Lease) -> None:
    """The portion is done."""
    tx.execute(delete(portions).where(portions.c.closed_on == lease.closed_on, portions.c.number == lease.number))


def drop_before(tx: Connection, on: date) -> None:
    """Take away what earlier closes left undone; whoever works at it can write no more."""
    tx.execute(delete(portions).where(portions.c.closed_on < on))


def _cut(seeds: bytes) -> tuple[Ref, ...]:
    return tuple(Ref(seeds[start : start + REF_BYTES]) for start in range(0, len(seeds), REF_BYTES))
