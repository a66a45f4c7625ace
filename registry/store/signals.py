"""Signals: the highest version of every (member, handle), its keyed pseudonyms, and the mark that it changed.

Invariant: a member's batch reads and writes rows of that member alone, so that nothing another member said can show in
the answer or in the time it takes. Whom a handle met before a change is left for the close to find (`live` false).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, Select, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from federation.rules.vocabulary import Handle, MemberId, Pseudonym, Signal
from registry.model import KeyedSignal, Ref, Standing, Statement
from registry.store.bulk import among, chunks, upsert
from registry.store.schema import dirty, pseudonyms, signals

MARK_BITS = 63
"""What a BIGINT holds of non-negative numbers: two changes of one handle never bear the same mark."""

_STANDING = (signals.c.ref, signals.c.version, signals.c.content_digest, signals.c.drill)
_decoder = msgspec.json.Decoder(Statement)


def standing(tx: Connection, refs: Collection[Ref]) -> dict[Ref, Standing]:
    """What stands of these handles; one that was never stated is absent."""
    found = {}
    for chunk in chunks(refs):
        query = select(*_STANDING).where(among(tx, signals.c.ref, chunk))
        for ref, version, digest, drill in tx.execute(query).all():
            found[Ref(ref)] = Standing(version, digest, drill)
    return found


def write(tx: Connection, member: MemberId, accepted: Sequence[KeyedSignal], known: Collection[Ref]) -> None:
    """Put these versions in place and mark their handles dirty. `known` are handles that had a version before."""
    accepted = sorted(accepted, key=lambda keyed: keyed.ref)
    upsert(
        tx,
        signals,
        [
            {
                "ref": keyed.ref,
                "member": member,
                "handle": keyed.signal.handle,
                "version": keyed.signal.version,
                "content_digest": keyed.content_digest,
                "retracted": keyed.signal.retracted,
                "statement": encode(keyed),
                "drill": keyed.signal.drill,
                "purged_on": None,
            }
            for keyed in accepted
        ],
        update=("version", "content_digest", "retracted", "statement", "purged_on"),
    )
    # Before the pseudonyms, as a close locks them.
    mark(tx, [keyed.ref for keyed in accepted])
    for chunk in chunks(keyed.ref for keyed in accepted if keyed.ref in known):
        tx.execute(update(pseudonyms).where(among(tx, pseudonyms.c.ref, chunk)).values(live=False))
    upsert(
        tx,
        pseudonyms,
        [
            {"epoch": pseudonym.epoch, "keyed": pseudonym.value, "ref": keyed.ref, "live": True}
            for keyed in accepted
            for pseudonym in keyed.signal.pseudonyms
        ],
        update=("live",),
    )


def mark(tx: Connection, refs: Collection[Ref]) -> None:
    """Have the next close look at the groups of these handles."""
    fresh = _new_mark()
    upsert(tx, dirty, [{"ref": ref, "mark": fresh} for ref in sorted(refs)], update=("mark",))


def of_member(tx: Connection, member: MemberId, after: bytes, limit: int) -> list[tuple[Ref, Signal]]:
    """What stands of a member's next handles after one; pseudonyms by their epochs alone.

    Left out are drills, and handles of which retention has left nothing but the version.
    """
    query = (
        select(signals.c.ref, signals.c.handle, signals.c.version, signals.c.retracted, signals.c.statement)
        .where(signals.c.member == member, signals.c.handle > after, ~signals.c.drill, signals.c.purged_on.is_(None))
        .order_by(signals.c.handle)
        .limit(limit)
    )
    rows = tx.execute(query).all()
    borne: dict[bytes, list[Pseudonym]] = {row.ref: [] for row in rows}
    for chunk in chunks(borne):
        pairs = select(pseudonyms.c.ref, pseudonyms.c.epoch).where(
            among(tx, pseudonyms.c.ref, chunk), pseudonyms.c.live
        )
        for ref, epoch in tx.execute(pairs.order_by(pseudonyms.c.epoch)):
            borne[ref].append(Pseudonym(epoch, b""))
    found = []
    for row in rows:
        said = decode(row.statement)
        signal = Signal(
            Handle(row.handle),
            row.version,
            tuple(borne[row.ref]),
            said.presences,
            said.opening,
            said.duty_ended,
            retracted=row.retracted,
        )
        found.append((Ref(row.ref), signal))
    return found


def pairs_of_member(tx: Connection, member: MemberId) -> Iterator[tuple[Pseudonym, Handle]]:
    """Every keyed pseudonym that a live handle of the member bears, drills left out."""
    query = (
        select(pseudonyms.c.epoch, pseudonyms.c.keyed, signals.c.handle)
        .select_from(signals.join(pseudonyms, pseudonyms.c.ref == signals.c.ref))
        .where(signals.c.member == member, ~signals.c.retracted, ~signals.c.drill, pseudonyms.c.live)
    )
    for epoch, keyed, handle in tx.execute(query):
        yield Pseudonym(epoch, keyed), Handle(handle)


def touch_member(tx: Connection, member: MemberId) -> None:
    """Mark every handle of a member dirty: what its presences answer may have changed without a new version."""
    # What is left of a purged handle is final: looked at, it would come to nothing.
    touch(tx, select(signals.c.ref).where(signals.c.member == member, signals.c.purged_on.is_(None)))


def touch(tx: Connection, refs: Select[tuple[Any]]) -> None:
    """Mark the handles that a query of names gives dirty, each once, in the order in which all writers lock them."""
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert
    [ref] = refs.selected_columns
    source = refs.add_columns(literal(_new_mark(), BigInteger)).distinct().order_by(ref)
    statement = insert(dirty).from_select(["ref", "mark"], source)
    tx.execute(statement.on_conflict_do_update(index_elements=["ref"], set_={"mark": statement.excluded.mark}))


def _new_mark() -> int:
    return secrets.randbits(MARK_BITS)


def encode(keyed: KeyedSignal) -> str:
    signal = keyed.signal
    return msgspec.json.encode(Statement(signal.presences, signal.opening, signal.duty_ended)).decode()


def decode(text: str) -> Statement:
    return _decoder.decode(text)


def count(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(signals)).scalar_one()
