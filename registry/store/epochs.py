"""Epochs: when closes saw them begin and end, who still lacks which, and the taking away of one's pairs.

Invariants
    - A handle that carries every epoch in force meets after one has gone whomever it met before, and is stated by the
      digest of what is left: the ledger is told of it.
    - What a close would find otherwise without a pair is marked before the pair goes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from federation.rules.canonical import content_digest
from federation.rules.vocabulary import Handle, MemberId, Pseudonym, Signal
from registry.ledger import contents
from registry.ledger.leaves import StoredSignal
from registry.store import ledger
from registry.store.bulk import among
from registry.store.schema import pseudonyms, signals
from registry.store.schema_epochs import epochs
from registry.store.schema_roll_call import roll_call_lists, roll_call_offers
from registry.store.signals import decode, touch


@dataclass(frozen=True, slots=True)
class Life:
    """One epoch's life as this registry has seen it."""

    epoch: int
    begun_on: date
    ended_on: date | None = None
    destroyed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handles:
    """A member's live handles, and how many of them lack an epoch in force; drills are left out."""

    live: int
    lacking: int


def lives(tx: Connection) -> dict[int, Life]:
    rows = tx.execute(select(epochs).order_by(epochs.c.epoch))
    return {row.epoch: Life(row.epoch, row.begun_on, row.ended_on, row.destroyed_at) for row in rows}


def begin(tx: Connection, epoch: int, on: date) -> None:
    """Also one that had ended and is listed again."""
    if tx.execute(update(epochs).where(epochs.c.epoch == epoch).values(ended_on=None, destroyed_at=None)).rowcount == 0:
        tx.execute(insert(epochs).values(epoch=epoch, begun_on=on))


def end(tx: Connection, epoch: int, on: date) -> None:
    tx.execute(update(epochs).where(epochs.c.epoch == epoch).values(ended_on=on))


def destroyed(tx: Connection, epoch: int, on: date, at: datetime) -> None:
    """Its key is about to be destroyed, perhaps before a close has seen the end of it, or even its begin.

    What is sealed under that key goes too: without a list there is no roll call until the next close.
    """
    for table in (roll_call_offers, roll_call_lists):
        tx.execute(delete(table).where(table.c.epoch == epoch))
    if epoch not in lives(tx):
        begin(tx, epoch, on)
    tx.execute(update(epochs).where(epochs.c.epoch == epoch).values(destroyed_at=at))


def handles(tx: Connection, wanted: Collection[int]) -> dict[MemberId, Handles]:
    """The handles of every member that has any, and how many lack one of the wanted epochs."""
    carried = (
        select(pseudonyms.c.ref, func.count(pseudonyms.c.epoch.distinct()).label("number"))
        .where(pseudonyms.c.epoch.in_(wanted), pseudonyms.c.live)
        .group_by(pseudonyms.c.ref)
        .subquery()
    )
    lacks = func.coalesce(carried.c.number, 0) < len(set(wanted))
    query = (
        select(signals.c.member, func.count(), func.count().filter(lacks))
        .select_from(signals.outerjoin(carried, carried.c.ref == signals.c.ref))
        .where(*_live())
        .group_by(signals.c.member)
    )
    return {MemberId(member): Handles(live, lacking) for member, live, lacking in tx.execute(query)}


def pairs(tx: Connection, epoch: int) -> int:
    return tx.execute(select(func.count()).select_from(pseudonyms).where(pseudonyms.c.epoch == epoch)).scalar_one()


def touch_left_behind(tx: Connection, epoch: int, standing: Collection[int]) -> None:
    """Mark the handles that lack an epoch that stays, and all that they meet by the one that goes."""
    other = pseudonyms.alias("other")
    has = select(pseudonyms.c.ref).where(pseudonyms.c.epoch.in_(standing), pseudonyms.c.live)
    has = has.group_by(pseudonyms.c.ref).having(func.count(pseudonyms.c.epoch.distinct()) == len(set(standing)))
    left_behind = select(pseudonyms.c.keyed).where(pseudonyms.c.epoch == epoch, pseudonyms.c.ref.not_in(has))
    touch(tx, select(other.c.ref).where(other.c.epoch == epoch, other.c.keyed.in_(left_behind)))


def remove_pairs(tx: Connection, epoch: int, limit: int) -> int:
    """Take away the pairs of at most `limit` handles; returns how many pairs went."""
    query = select(pseudonyms.c.ref).where(pseudonyms.c.epoch == epoch).order_by(pseudonyms.c.keyed).limit(limit)
    refs = sorted(set(tx.scalars(query)))
    if not refs:
        return 0
    # Locked as a member's batch locks them, so that no newer version gets the digest of this one.
    rows = tx.execute(select(signals).where(among(tx, signals.c.ref, refs)).order_by(signals.c.ref).with_for_update())
    stated = {row.ref: row for row in rows.all()}
    gone = delete(pseudonyms).where(pseudonyms.c.epoch == epoch, among(tx, pseudonyms.c.ref, refs))
    removed = tx.execute(gone).rowcount
    left: dict[bytes, list[Pseudonym]] = {ref: [] for ref in refs}
    of_refs = select(pseudonyms.c.ref, pseudonyms.c.epoch, pseudonyms.c.keyed)
    for ref, of_epoch, keyed in tx.execute(of_refs.where(among(tx, pseudonyms.c.ref, refs), pseudonyms.c.live)):
        left[ref].append(Pseudonym(of_epoch, keyed))
    restated = []
    for ref, row in stated.items():
        said = decode(row.statement)
        signal = Signal(
            Handle(row.handle),
            row.version,
            tuple(left[ref]),
            said.presences,
            said.opening,
            said.duty_ended,
            retracted=row.retracted,
            drill=row.drill,
        )
        restated.append(StoredSignal(ref, row.version, content_digest(signal)))
    by_ref = update(signals).where(signals.c.ref == bindparam("of")).values(content_digest=bindparam("now"))
    tx.execute(by_ref, [{"of": each.ref, "now": each.content_digest} for each in restated])
    ledger.note(tx, map(contents.of_signal, restated))
    return removed


def _live() -> tuple[ColumnElement[bool], ...]:
    """What is not retracted, no drill's, and not taken away by retention."""
    return ~signals.c.retracted, ~signals.c.drill, signals.c.purged_on.is_(None)
