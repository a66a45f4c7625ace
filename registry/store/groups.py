"""Groups: handles that share pseudonym pairs, directly or over others, as the close reads them.

Invariants
    - A group is whole: expansion follows every pair, those taken back since the last close too, so that handles that
      met before a change are looked at together once more.
    - Each round of expansion costs one statement per `bulk.KEYS_A_STATEMENT` new handles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, bindparam, delete, func, literal, select, tuple_

from federation.rules.matching import MemberSignal
from federation.rules.vocabulary import GapState, Handle, MemberId, Pseudonym, Signal
from registry.model import Ref
from registry.store.bulk import chunks
from registry.store.schema import dirty, gaps, pseudonyms, signals
from registry.store.signals import decode, touch


@dataclass(frozen=True, slots=True)
class Group:
    """One group, and the marks that were read with it: what a later change counts up stays dirty."""

    signals: Mapping[Ref, MemberSignal]
    marks: Mapping[Ref, int]
    taken_back: bool
    """Whether a pair of it was taken back since the last close that looked at it."""


def dirty_after(tx: Connection, after: Ref | None, limit: int) -> list[Ref]:
    """The next handles that changed, by name, after one."""
    query = select(dirty.c.ref).order_by(dirty.c.ref).limit(limit)
    if after is not None:
        query = query.where(dirty.c.ref > after)
    return [Ref(ref) for ref in tx.scalars(query)]


def due_after(tx: Connection, on: date, after: tuple[date, Ref] | None, limit: int) -> list[tuple[date, Ref]]:
    """The next handles with a gap whose day has come, by day and name, after one."""
    query = select(gaps.c.recheck_on, gaps.c.ref).where(gaps.c.recheck_on <= on)
    if after is not None:
        query = query.where(tuple_(gaps.c.recheck_on, gaps.c.ref) > tuple_(literal(after[0]), literal(after[1])))
    query = query.order_by(gaps.c.recheck_on, gaps.c.ref).limit(limit)
    return [(day, Ref(ref)) for day, ref in tx.execute(query)]


def count(tx: Connection, on: date) -> int:
    """How many handles changed or have a gap whose day has come."""
    changed = tx.execute(select(func.count()).select_from(dirty)).scalar_one()
    due = tx.execute(select(func.count()).select_from(gaps).where(gaps.c.recheck_on <= on)).scalar_one()
    return changed + due


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


def looked_at(tx: Connection, groups: Iterable[Group]) -> None:
    """These groups have been looked at: forget the marks that were read and the pairs that were taken back."""
    by_mark: dict[int, list[Ref]] = {}
    broken: list[Ref] = []
    for group in groups:
        for ref, mark in group.marks.items():
            by_mark.setdefault(mark, []).append(ref)
        if group.taken_back:
            broken.extend(group.signals)
    for chunk in chunks(sorted(broken)):
        tx.execute(delete(pseudonyms).where(pseudonyms.c.ref.in_(chunk), ~pseudonyms.c.live))
    for mark, refs in sorted(by_mark.items()):
        for chunk in chunks(sorted(refs)):
            tx.execute(delete(dirty).where(dirty.c.ref.in_(chunk), dirty.c.mark == mark))


def touch_unanswered(tx: Connection) -> None:
    """Mark the handles of all unanswered gaps dirty: another policy or calendar may make their due days new."""
    touch(tx, select(gaps.c.ref).where(gaps.c.state.in_([GapState.WATCH.value, GapState.OPEN.value])))


_Pair = tuple[int, bytes]

_near = pseudonyms.alias("near")
# The pairs first, each once, and then their holders: joined row by row, a pair with n holders would give n² rows.
_pairs = select(_near.c.epoch, _near.c.keyed).where(_near.c.ref.in_(bindparam("refs", expanding=True))).distinct()
_met = _pairs.subquery("met")
_SHARED = select(pseudonyms.c.epoch, pseudonyms.c.keyed, pseudonyms.c.ref, pseudonyms.c.live).join_from(
    _met, pseudonyms, (pseudonyms.c.epoch == _met.c.epoch) & (pseudonyms.c.keyed == _met.c.keyed)
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
            for epoch, keyed, name, is_live in tx.execute(_SHARED, {"refs": chunk}).all():
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
        query = select(*columns, dirty.c.mark).select_from(signals.outerjoin(dirty)).where(signals.c.ref.in_(chunk))
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
