"""One portion of a close: its groups are read, judged and written, by whichever replica has its lease.

Invariants
    - Read on one snapshot, judged with no transaction open, written in one short transaction that first proves the
      lease and locks the rows of every group in sorted order: marks, gaps, cases.
    - A group that changed between reading and locking, by a member's batch or under another worker's hands, is not
      written but read again. So a group changes once, by what stood at one moment, and nobody waits in a circle.
    - Notices come last, under the sequence row.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from federation.database import Database, Isolation
from federation.descriptor import Descriptor
from federation.observability import place_of
from federation.rules.calendar import SchoolCalendar
from federation.rules.limits import Remembered
from federation.rules.matching import GapName, GapVerdict, KnownGap, coverage_incomplete, evaluate
from federation.rules.vocabulary import Handle, MemberId
from registry.cases import Settlement, settle
from registry.limits import asking, remembering
from registry.model import CASE_ID_BYTES, Asked, Case, CaseStated, CloseReport, Gap, GapKey, Ref
from registry.store import (
    Transaction,
    case_statements,
    cases,
    gaps,
    groups,
    leases,
    members,
    notices,
    overlaps,
    statistics_cases,
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What one close works by."""

    on: date
    descriptor: Descriptor
    random_bytes: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Failure:
    """A group that could not be evaluated, without anything it holds."""

    exception: str
    where: str


def look_at(database: Database, lease: leases.Lease, terms: Terms) -> tuple[CloseReport, list[Failure]]:
    """Look at every group of the portion and end it. Raises LeaseLostError where it is another worker's by now."""
    report, failures, left = CloseReport(terms.on), list[Failure](), set(lease.seeds)
    while True:
        seen = database.view("close_read", functools.partial(_read, seeds=left, terms=terms))
        settled, failed = _settle(seen, terms)
        write = functools.partial(_write, lease=lease, settled=settled, on=terms.on)
        written, left = database.run("close_portion", write, isolation=Isolation.READ_COMMITTED)
        failures += failed
        report = report.plus(written)
        if not left:
            return report.plus(CloseReport(terms.on, failed=len(failures))), failures


@dataclass(frozen=True, slots=True)
class _Seen:
    """Whole groups with all that is known of them, as they stood at one moment."""

    groups: Sequence[groups.Group]
    gaps: Mapping[GapKey, Gap]
    cases: Mapping[bytes, Case]
    asked: Collection[Asked]
    last_contacts: Mapping[MemberId, date]
    remembered: Mapping[GapName, Remembered]
    overlap_days: Mapping[Ref, date]
    overlaps_asked: Mapping[tuple[Ref, Ref], date]
    stated: Mapping[GapKey, CaseStated]


@dataclass(frozen=True, slots=True)
class _Settled:
    """One group, the gaps, cases and days that stood for it, and what becomes of them."""

    group: groups.Group
    before: Mapping[GapKey, Gap]
    cases: Mapping[bytes, Case]
    overlap_days: Mapping[Ref, date]
    settlement: Settlement
    answers: remembering.Answers
    asking: asking.Asking


def _read(tx: Transaction, seeds: Collection[Ref], terms: Terms) -> _Seen:
    found = groups.load(tx, groups.still(tx, seeds, terms.on))
    named = _named(found)
    known = gaps.load(tx, named)
    return _Seen(
        found,
        known,
        cases.load(tx, {gap.case_id for gap in known.values() if gap.case_id is not None}),
        gaps.asked(tx, named),
        members.last_contacts(tx),
        remembering.read(tx, found, terms.on, terms.descriptor.policy),
        overlaps.days(tx, named),
        overlaps.asked(tx, named),
        case_statements.load(tx, named),
    )


def _settle(seen: _Seen, terms: Terms) -> tuple[list[_Settled], list[Failure]]:
    rules = _Rules(seen.last_contacts, terms)
    settled: list[_Settled] = []
    failures: list[Failure] = []
    for group, before in _known_of(seen.groups, seen.gaps):
        standing = {gap.case_id: seen.cases[gap.case_id] for gap in before.values() if gap.case_id is not None}
        try:
            verdicts = rules.verdicts(group, before, seen.remembered)
            asks = rules.asking(group, seen.overlaps_asked)
        except Exception as error:  # noqa: BLE001 - one group that the rules cannot take must not hold up the nation
            failures.append(Failure(type(error).__name__, place_of(error)))
            continue
        settlement = settle(
            verdicts,
            before,
            standing,
            seen.asked,
            terms.on,
            coverage_incomplete=rules.coverage_incomplete,
            new_id=lambda: terms.random_bytes(CASE_ID_BYTES),
            stated=seen.stated,
        )
        answers = remembering.answers(group, verdicts, before, seen.remembered, terms.on, terms.descriptor.policy)
        days = _of(group, seen.overlap_days)
        settled.append(_Settled(group, before, standing, days, settlement, answers, asks))
    return settled, failures


def _write(tx: Transaction, lease: leases.Lease, settled: Sequence[_Settled], on: date) -> tuple[CloseReport, set[Ref]]:
    """Write the groups that stand as they were read and return the handles of the others; without any, it ends."""
    leases.hold(tx, lease)
    named = _named(each.group for each in settled)
    marks = groups.lock(tx, named)
    known = gaps.load(tx, named, lock=True)
    standing = cases.load(tx, {case_id for each in settled for case_id in each.cases}, lock=True)
    days = overlaps.days(tx, named, lock=True)
    ours: list[_Settled] = []
    again: set[Ref] = set()
    for each, (group, before) in zip(settled, _known_of([each.group for each in settled], known), strict=True):
        now = {ref: marks[ref] for ref in group.signals if ref in marks}
        stood = (group.marks, each.before, each.overlap_days)
        if (now, before, _of(group, days)) == stood and all(
            standing.get(case_id) == case for case_id, case in each.cases.items()
        ):
            ours.append(each)
        else:
            again.update(group.signals)
    changes = [each.settlement for each in ours]
    drafts = [notice for each in ours for notice in (*each.settlement.notices, *each.asking.notices)]
    cases.write(tx, [case for settlement in changes for case in settlement.cases])
    cases.follow(tx, {before: after for each in ours for before, after in _joined(each)})
    statistics_cases.freeze(tx, [opening for settlement in changes for opening in settlement.first_openings])
    gaps.write(tx, [gap for settlement in changes for gap in settlement.gaps])
    gaps.write_asked(tx, [asked for settlement in changes for asked in settlement.asked])
    remembering.write(tx, [each.answers for each in ours])
    overlaps.write(
        tx,
        before=[ref for each in ours for ref in each.overlap_days],
        after={ref: day for each in ours for ref, day in each.asking.days.items()},
        asked_now=[pair for each in ours for pair in each.asking.asked],
        on=on,
    )
    groups.looked_at(tx, [each.group for each in ours])
    if not again:
        leases.end(tx, lease)
    notices.append(tx, drafts, on)
    changed = sum(len(settlement.gaps) for settlement in changes)
    return CloseReport(on, groups=len(ours), changes=changed, notices=len(drafts)), again


class _Rules:
    """The rules with what they are given of the federation, at one close."""

    def __init__(self, last_contacts: Mapping[MemberId, date], terms: Terms) -> None:
        self._last_contacts, self._on, self._descriptor = last_contacts, terms.on, terms.descriptor
        # A member that left the federation has no calendar any more; its last words are read by public holidays alone.
        self._plain = SchoolCalendar()
        self.coverage_incomplete = coverage_incomplete(
            last_contacts,
            [member.member_id for member in terms.descriptor.members],
            terms.on,
            terms.descriptor.policy,
            self._calendar,
        )

    def _calendar(self, member: MemberId) -> SchoolCalendar:
        return self._descriptor.calendar(member) if self._descriptor.has_member(member) else self._plain

    def asking(self, group: groups.Group, asked: Mapping[tuple[Ref, Ref], date]) -> asking.Asking:
        return asking.ask(group, asked, self._last_contacts, self._on, self._descriptor.policy, self._calendar)

    def verdicts(
        self, group: groups.Group, before: Mapping[GapKey, Gap], remembered: Mapping[GapName, Remembered]
    ) -> tuple[GapVerdict, ...]:
        known = [
            KnownGap(gap.key.member, gap.key.handle, gap.opening, gap.state, gap.answer) for gap in before.values()
        ]
        stated = list(group.signals.values())
        if not known and all(own.signal.opening is None for own in stated):
            return ()
        return evaluate(
            stated, known, self._last_contacts, self._on, self._descriptor.policy, self._calendar, remembered
        )


def _joined(settled: _Settled) -> Iterable[tuple[bytes, bytes]]:
    """The child-year ids that its cases bore, and those that they bear in their place."""
    for case in settled.settlement.cases:
        before = settled.cases.get(case.case_id)
        if before is not None and before.child_year_id != case.child_year_id:
            yield before.child_year_id, case.child_year_id


def _of(group: groups.Group, days: Mapping[Ref, date]) -> dict[Ref, date]:
    return {ref: days[ref] for ref in group.signals if ref in days}


def _named(found: Iterable[groups.Group]) -> dict[Ref, tuple[MemberId, Handle]]:
    return {ref: (own.member, own.signal.handle) for group in found for ref, own in group.signals.items()}


def _known_of(
    found: Iterable[groups.Group], known: Mapping[GapKey, Gap]
) -> Iterable[tuple[groups.Group, dict[GapKey, Gap]]]:
    """Every group with the gaps known of its handles."""
    by_handle: dict[tuple[MemberId, Handle], list[Gap]] = {}
    for gap in known.values():
        by_handle.setdefault((gap.key.member, gap.key.handle), []).append(gap)
    for group in found:
        own = ((each.member, each.signal.handle) for each in group.signals.values())
        yield group, {gap.key: gap for name in own for gap in by_handle.get(name, ())}
