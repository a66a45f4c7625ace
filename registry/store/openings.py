"""Openings as the limits against misuse remember them: first receipt, newest answer, and whether they wait.

Invariant: intake only ever adds a row, of the sending member; what becomes of it is decided by closes and by persons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from federation.rules.limits import Given
from federation.rules.vocabulary import Handle, MemberId
from registry.model import KeyedSignal, Ref
from registry.store.bulk import among, chunks, insert, upsert
from registry.store.schema_limits import answered_pairs, openings, releases
from registry.store.signals import touch

Name = tuple[Ref, int]
"""The handle's name and the opening's number."""

_GIVEN = ("answered_on", "answered_since", "answer_member", "answer_handle")


@dataclass(frozen=True, slots=True)
class Kept:
    """One opening. `waits` is None until a close has decided."""

    member: MemberId
    received_on: date
    waits: bool | None
    given: Given | None


@dataclass(frozen=True, slots=True)
class Received:
    """An opening of which no close has decided whether it waits."""

    ref: Ref
    number: int
    member: MemberId
    received_on: date


def received(tx: Connection, member: MemberId, stated: Iterable[KeyedSignal], on: date) -> None:
    """Note the day of those openings that had not been received before."""
    names = {
        (keyed.ref, keyed.signal.opening.number)
        for keyed in stated
        if keyed.signal.opening is not None and not keyed.signal.drill
    }
    rows = [{"ref": ref, "number": number, "member": member, "received_on": on} for ref, number in sorted(names)]
    upsert(tx, openings, rows)


def load(tx: Connection, refs: Iterable[Ref]) -> dict[Name, Kept]:
    """All openings of these handles."""
    found = {}
    for chunk in chunks(sorted(refs)):
        for row in tx.execute(select(openings).where(among(tx, openings.c.ref, chunk))):
            found[Ref(row.ref), row.number] = Kept(MemberId(row.member), row.received_on, row.waits, _given(row))
    return found


def answered_by_pair(tx: Connection, keyed: Iterable[bytes], since: date) -> dict[bytes, list[tuple[Ref, Kept, int]]]:
    """Keyed pseudonym → the openings answered after a day whose handles bore it at the answer."""
    found: dict[bytes, list[tuple[Ref, Kept, int]]] = {}
    for chunk in chunks(sorted(keyed)):
        query = (
            select(answered_pairs.c.keyed, openings)
            .join_from(answered_pairs, openings, openings.c.ref == answered_pairs.c.ref)
            .where(among(tx, answered_pairs.c.keyed, chunk), openings.c.answered_on > since)
        )
        for row in tx.execute(query):
            kept = Kept(MemberId(row.member), row.received_on, row.waits, _given(row))
            found.setdefault(row.keyed, []).append((Ref(row.ref), kept, row.number))
    return found


def write_given(
    tx: Connection, given: Mapping[Name, tuple[MemberId, Given]], pairs: Mapping[tuple[bytes, Ref], date]
) -> None:
    """Keep the newest answers to these openings; `pairs`: (keyed pseudonym, handle) → the day of the answer."""
    upsert(
        tx,
        openings,
        [
            {
                "ref": ref,
                "number": number,
                # Of an opening that was received before receipts were kept.
                "member": member,
                "received_on": each.since,
                "waits": False,
                "answered_on": each.on,
                "answered_since": each.since,
                "answer_member": each.member,
                "answer_handle": each.handle,
            }
            for (ref, number), (member, each) in sorted(given.items(), key=lambda item: item[0])
        ],
        update=_GIVEN,
    )
    rows = [{"keyed": keyed, "ref": ref, "answered_on": day} for (keyed, ref), day in sorted(pairs.items())]
    upsert(tx, answered_pairs, rows, update=("answered_on",))


def forget(tx: Connection, answered_through: date) -> None:
    """Drop the pairs of answers given up to a day."""
    tx.execute(delete(answered_pairs).where(answered_pairs.c.answered_on <= answered_through))


# -- what waits -----------------------------------------------------------------------------------------------------


def undecided(tx: Connection) -> list[Received]:
    """Openings of which no close has decided yet, in the order of their receipt."""
    query = select(openings.c.ref, openings.c.number, openings.c.member, openings.c.received_on).where(
        openings.c.waits.is_(None)
    )
    found = [Received(Ref(row.ref), row.number, MemberId(row.member), row.received_on) for row in tx.execute(query)]
    return sorted(found, key=lambda each: (each.member, each.received_on, each.ref, each.number))


def counted(tx: Connection, members: Iterable[MemberId], since: date) -> dict[tuple[MemberId, date], int]:
    """(member, day) → how many of its openings were received on that day, from a day on, and have been decided of."""
    query = (
        select(openings.c.member, openings.c.received_on, func.count())
        .where(openings.c.received_on >= since, openings.c.waits.is_not(None))
        .group_by(openings.c.member, openings.c.received_on)
    )
    found = {}
    for chunk in chunks(sorted(members)):
        for member, day, number in tx.execute(query.where(among(tx, openings.c.member, chunk))):
            found[MemberId(member), day] = number
    return found


def decide(tx: Connection, decided: Sequence[tuple[Received, bool]]) -> None:
    """Note which of these wait. One that a close has looked at meanwhile, or is looking at, is looked at again."""
    rows = [
        {
            "ref": each.ref,
            "number": each.number,
            "member": each.member,
            "received_on": each.received_on,
            "waits": waits,
        }
        for each, waits in sorted(decided, key=lambda pair: (pair[0].ref, pair[0].number))
    ]
    upsert(tx, openings, rows, update=("waits",))
    for chunk in chunks(row["ref"] for row in rows if not row["waits"]):
        touch(tx, select(openings.c.ref).where(among(tx, openings.c.ref, chunk)))


def waiting(tx: Connection, member: MemberId | None = None) -> dict[tuple[MemberId, date], int]:
    """(member, day of receipt) → how many of its openings wait; of all members, or of one."""
    query = (
        select(openings.c.member, openings.c.received_on, func.count())
        .where(openings.c.waits)
        .group_by(openings.c.member, openings.c.received_on)
    )
    if member is not None:
        query = query.where(openings.c.member == member)
    return {(MemberId(row.member), row.received_on): row[2] for row in tx.execute(query)}


def release(tx: Connection, member: MemberId, on: date, by: str, reason: str) -> None:
    """Let all openings of a member that wait be answered, by the next close; note who did and why."""
    touch(tx, select(openings.c.ref).where(openings.c.waits, openings.c.member == member))
    tx.execute(update(openings).where(openings.c.waits, openings.c.member == member).values(waits=False))
    insert(tx, releases, [{"member": member, "released_on": on, "released_by": by, "reason": reason}])


def _given(row: Any) -> Given | None:
    if row.answered_on is None:
        return None
    return Given(row.answered_on, row.answered_since, MemberId(row.answer_member), Handle(row.answer_handle))
