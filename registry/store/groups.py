"""Groups: handles that share pseudonym pairs, directly or over others, as the close reads them.

Invariants
    - A group is whole: expansion follows every pair, those taken back since the last close too, so that handles that
      met before a change are looked at together once more.
    - Each round of expansion costs one statement, whatever the number of new handles (`bulk.KEYS_A_STATEMENT`).
    - Whoever looks at a group takes away a mark or moves the day of a gap that made it a seed: two workers that reach
      it from different seeds meet at one of the rows that `lock` and `gaps.lock` take.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, delete, select, union

from federation.rules.matching import MemberSignal
from federation.rules.vocabulary import GapState, Handle, MemberId, Pseudonym, Signal
from registry.model import Ref
from registry.store import overlaps
from registry.store.bulk import among, chunks
from registry.store.schema import dirty, gaps, pseudonyms, signals
from registry.store.schema_limits import overlap_days
from registry.store.signals import decode, touch


@dataclass(frozen=True, slots=True)
class Group:
    """One group, and the marks that were read with it: what changes later stays dirty."""

    signals: Mapping[Ref, MemberSignal]
    marks: Mapping[Ref, int]
    taken_back: bool
    """Whether a pair of it was taken back since the last close that looked at it."""


def placed(tx: Connection, on: date) -> list[tuple[bytes, Ref]]:
    """Every handle that changed, or whose gap or overlap has a day that has come, by its place and in that order.

    Handles with one pseudonym have one place, so that a whole group nearly always stands together. They meet over more
    where one pupil's handles bear several; then two portions may reach one group, and its locks decide.
    """
    due = (select(gaps.c.ref).where(gaps.c.recheck_on <= on), overlaps.due(on))
    seeds = [Ref(ref) for ref in tx.scalars(union(select(dirty.c.ref), *due))]
    first: dict[Ref, tuple[int, bytes]] = {}
    # Not joined in SQL, where too much would hang on what the server believes of these tables' sizes.
    for chunk in chunks(seeds):
        pairs = select(pseudonyms.c.ref, pseudonyms.c.epoch, pseudonyms.c.keyed)
        for ref, epoch, keyed in tx.execute(pairs.where(among(tx, pseudonyms.c.ref, chunk))):
            first[ref] = min(first.get(ref, (epoch, keyed)), (epoch, keyed))
    return sorted((first[ref][1] if ref in first else bytes(ref), ref) for ref in seeds)


def still(tx: Connection, seeds: Collection[Ref], on: date) -> list[Ref]:
    """Those of these handles that are dirty or due still, in order."""
    found: set[Ref] = set()
    for chunk in chunks(seeds):
        changed = select(dirty.c.ref).where(among(tx, dirty.c.ref, chunk))
        due = select(gaps.c.ref).where(among(tx, gaps.c.ref, chunk), gaps.c.recheck_on <= on)
        overlapping = overlaps.due(on).where(among(tx, overlap_days.c.ref, chunk))
        found.update(Ref(ref) for ref in tx.scalars(union(changed, due, overlapping)))
    return sorted(found)


def load(tx: Connection, seeds: Collection[Ref]) -> list[Group]:
    """The whole groups of these handles, in a fixed order."""
    pairs_of, members_of_pair, taken_back = _expand(tx, seeds)
    stated, marks = _signals(tx, pairs_of)
    groups = []
    for refs in _components(pairs_of, members_of_pair):
        groups.append(
            Group(
                signals={ref: stated[ref] for ref in refs},
                marks={ref: marks[ref] for ref in refs if ref in marks},
                taken_back=any(ref in taken_back for ref in refs),
            )
        )
    return groups


def lock(tx: Connection, refs: Iterable[Ref]) -> dict[Ref, int]:
    """Lock the marks of these handles until the transaction ends, in order, and return them.

    A member's batch waits for them where it changes one of these handles anew, and for nothing that others said.
    """
    marks: dict[Ref, int] = {}
    for chunk in chunks(sorted(refs)):
        query = select(dirty.c.ref, dirty.c.mark).where(among(tx, dirty.c.ref, chunk)).order_by(dirty.c.ref)
        marks.update((Ref(ref), mark) for ref, mark in tx.execute(query.with_for_update()))
    return marks


def looked_at(tx: Connection, groups: Collection[Group]) -> None:
    """These groups, locked and as they were read, have been looked at: forget their marks and pairs taken back."""
    for chunk in chunks(sorted(ref for group in groups if group.taken_back for ref in group.marks)):
        tx.execute(delete(pseudonyms).where(among(tx, pseudonyms.c.ref, chunk), ~pseudonyms.c.live))
    for chunk in chunks(sorted(ref for group in groups for ref in group.marks)):
        tx.execute(delete(dirty).where(among(tx, dirty.c.ref, chunk)))


def touch_unanswered(tx: Connection) -> None:
    """Mark the handles of all unanswered gaps dirty: another policy or calendar may make their due days new."""
    touch(tx, select(gaps.c.ref).where(gaps.c.state.in_([GapState.WATCH.value, GapState.OPEN.value])))


_Pair = tuple[int, bytes]

_near = pseudonyms.alias("near")


def _shared(tx: Connection, refs: Sequence[Ref]) -> Select[Any]:
    """Every handle that shares a pair with one of these. The pairs first, each once, and then their holders: joined
    row by row, a pair with n holders would give n² rows.
    """
    met = select(_near.c.epoch, _near.c.keyed).where(among(tx, _near.c.ref, refs)).distinct().subquery("met")
    return select(pseudonyms.c.epoch, pseudonyms.c.keyed, pseudonyms.c.ref, pseudonyms.c.live).join_from(
        met, pseudonyms, (pseudonyms.c.epoch == met.c.epoch) & (pseudonyms.c.keyed == met.c.keyed)
    )


def _expand(
    tx: Connection, seeds: Collection[Ref]
) -> tuple[dict[Ref, list[Pseudonym]], dict[_Pair, list[Ref]], set[Ref]]:
    """Every handle reached with its live pseudonyms, the handles of every pair, and the handles that lost a pair."""
    live: dict[Ref, list[Pseudonym]] = {ref: [] for ref in seeds}
    of_pair: dict[_Pair, list[Ref]] = {}
    taken_back: set[Ref] = set()
    seen: set[tuple[int, bytes, bytes]] = set()
    frontier = sorted(live)
    while frontier:
        reached: set[Ref] = set()
        for chunk in chunks(frontier):
            for epoch, keyed, name, is_live in tx.execute(_shared(tx, chunk)).all():
                if (epoch, keyed, name) in seen:
                    continue
                seen.add((epoch, keyed, name))
                ref = Ref(name)
                of_pair.setdefault((epoch, keyed), []).append(ref)
                if ref not in live:
                    live[ref] = []
                    reached.add(ref)
                if is_live:
                    live[ref].append(Pseudonym(epoch, keyed))
                else:
                    taken_back.add(ref)
        frontier = sorted(reached)
    return live, of_pair, taken_back


def _components(refs: Iterable[Ref], of_pair: Mapping[_Pair, Sequence[Ref]]) -> list[list[Ref]]:
    """Sorted lists of handles that share pairs, directly or over others, in a fixed order."""
    root = {ref: ref for ref in refs}

    def find(ref: Ref) -> Ref:
        while root[ref] != ref:
            root[ref] = root[root[ref]]
            ref = root[ref]
        return ref

    for holders in of_pair.values():
        for other in holders[1:]:
            root[find(other)] = find(holders[0])
    components: dict[Ref, list[Ref]] = {}
    for ref in sorted(root):
        components.setdefault(find(ref), []).append(ref)
    return list(components.values())


def _signals(tx: Connection, live: Mapping[Ref, Sequence[Pseudonym]]) -> tuple[dict[Ref, MemberSignal], dict[Ref, int]]:
    """What stands of these handles, and the marks of those that changed."""
    stated: dict[Ref, MemberSignal] = {}
    marks: dict[Ref, int] = {}
    columns = (
        signals.c.ref,
        signals.c.member,
        signals.c.handle,
        signals.c.version,
        signals.c.retracted,
        signals.c.drill,
        signals.c.statement,
    )
    for chunk in chunks(live):
        query = (
            select(*columns, dirty.c.mark).select_from(signals.outerjoin(dirty)).where(among(tx, signals.c.ref, chunk))
        )
        for ref, member, handle, version, retracted, drill, text, mark in tx.execute(query).all():
            if mark is not None:
                marks[Ref(ref)] = mark
            said = decode(text)
            stated[Ref(ref)] = MemberSignal(
                MemberId(member),
                Signal(
                    handle=Handle(handle),
                    version=version,
                    pseudonyms=tuple(sorted(live[Ref(ref)])),
                    presences=said.presences,
                    opening=said.opening,
                    duty_ended=said.duty_ended,
                    retracted=retracted,
                    drill=drill,
                ),
            )
    return stated, marks
