"""What each step of retention looks through, and what of it goes.

Invariants
    - A sweep looks at a portion of one table, in the order of its keys, and says where the next portion begins: it can
      be stopped after any portion and gone on with, by whichever replica.
    - What somebody else works at, and what a close has yet to look at, is left for the next round.
    - With `write` false nothing is changed, and the same is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from federation.rules.calendar import SchoolCalendar
from federation.rules.contact import CONTACT_DAYS, REQUEST_DAYS
from federation.rules.vocabulary import MemberId, Policy
from registry.model import CASE_ID_BYTES, Case, Gap, Ref
from registry.retention.rules import Known, closed_with, left_of, may_go_on, months_after, stays_until, unlinked_on
from registry.statistics.calendar import periods_of
from registry.store import Transaction, cases, contacts, gaps, groups, statistics
from registry.store import retention as store
from registry.store.retention import ROWS, HandleRow


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a round works by: the close it comes after, the policy and the calendars of the descriptor."""

    on: date
    policy: Policy
    calendars: Callable[[MemberId], SchoolCalendar]

    @property
    def years_ago(self) -> date:
        """What lies before it is about nobody of school age."""
        return months_after(self.on, -12 * self.policy.retention.unanswered_years)

    def days_ago(self, days: int) -> date:
        return self.on - timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rows were due, and after which the next portion begins; None: there is none."""

    due: int
    rest: bytes | None


class Sweep(Protocol):
    def __call__(self, tx: Transaction, grounds: Grounds, after: bytes | None, *, write: bool) -> Swept: ...


def sweep_handles(tx: Transaction, grounds: Grounds, after: bytes | None, *, write: bool) -> Swept:
    """What handles say, with their pseudonyms and what their gaps were answered by; and, much later, the handles."""
    looked_at = store.handles(tx, after)
    candidates = {row.ref: row for row in looked_at if row.purged_on is None and not _lasts(row, grounds)}
    free = store.lock_handles(tx, candidates) if write else set(candidates)
    due, left, closed = _due(tx, {ref: candidates[ref] for ref in free}, grounds)
    if write and due:
        store.purge_handles(tx, due, left, closed, grounds.on)
    over = [row for row in looked_at if row.purged_on is not None and row.purged_on < grounds.years_ago]
    if write and over:
        store.forget_handles(tx, over)
    return Swept(len(due) + len(over), looked_at[-1].ref if len(looked_at) == ROWS else None)


def _lasts(row: HandleRow, grounds: Grounds) -> bool:
    """Whether a presence keeps a handle that states no opening, whatever else there is of it."""
    return row.said.opening is None and any(
        stays_until(presence, grounds.policy) > grounds.on for presence in row.said.presences
    )


def _due(
    tx: Transaction, candidates: Mapping[Ref, HandleRow], grounds: Grounds
) -> tuple[list[HandleRow], list[Gap], list[Case]]:
    """Those of the handles that may go, what is left of their gaps, and the cases that close with them."""
    found = groups.load(tx, sorted(candidates))
    known = gaps.load(
        tx, {ref: (own.member, own.signal.handle) for group in found for ref, own in group.signals.items()}
    )
    standing = cases.load(tx, {gap.case_id for gap in known.values() if gap.case_id is not None})
    due: list[HandleRow] = []
    left: list[Gap] = []
    closed: list[Case] = []
    for group in found:
        if group.marks or group.taken_back:
            # A close has yet to look at it.
            continue
        names = {(own.member, own.signal.handle) for own in group.signals.values()}
        beside = {key: gap for key, gap in known.items() if (key.member, key.handle) in names}
        answering = {(gap.answer.member, gap.answer.handle) for gap in beside.values() if gap.answer is not None}
        gone: dict[object, Gap] = {}
        for ref, own in group.signals.items():
            name = (own.member, own.signal.handle)
            its = [gap for key, gap in beside.items() if (key.member, key.handle) == name]
            its_cases = [standing[gap.case_id] for gap in its if gap.case_id is not None]
            whole = Known(own, its, its_cases, list(beside.values()), name in answering)
            day = may_go_on(whole, grounds.on, grounds.policy, grounds.calendars) if ref in candidates else None
            if day is not None and day <= grounds.on:
                due.append(candidates[ref])
                gone.update((gap.key, left_of(gap, grounds.on)) for gap in its)
        left += gone.values()
        held = {gap.case_id for gap in beside.values() if gap.case_id is not None}
        stand = [gone.get(key, gap) for key, gap in beside.items()]
        closed += closed_with([standing[case_id] for case_id in sorted(held)], stand, grounds.on)
    return due, left, closed


def sweep_cases(tx: Transaction, grounds: Grounds, after: bytes | None, *, write: bool) -> Swept:
    """The names of closed cases; and, much later, the cases."""
    looked_at = cases_of(tx, after)
    closed = [case for case in looked_at if case.closed_on is not None]
    free = store.lock_cases(tx, closed) if write and closed else closed
    old = [case for case in free if case.closed_on is not None and case.closed_on < grounds.years_ago]
    ids = [case.case_id for case in old]
    needed = store.in_gaps(tx, ids) | statistics.counts(tx, ids) if ids else set()
    over = [case for case in old if case.case_id not in needed]
    nameless = [case for case in free if case.names and unlinked_on(case, grounds.policy) <= grounds.on]
    if write and over:
        store.forget_cases(tx, over)
    if write and (nameless := [case for case in nameless if case not in over]):
        store.drop_names(tx, nameless)
    return Swept(len(nameless) + len(over), looked_at[-1].case_id if len(looked_at) == ROWS else None)


def cases_of(tx: Transaction, after: bytes | None) -> list[Case]:
    return store.cases_after(tx, after or bytes(CASE_ID_BYTES))


def sweep_notices(tx: Transaction, grounds: Grounds, after: bytes | None, *, write: bool) -> Swept:
    """Notices that are acknowledged, old, and about nothing that stands."""
    looked_at = store.notices_after(tx, 0 if after is None else int.from_bytes(after))
    before = grounds.days_ago(grounds.policy.retention.notice_days)
    old = [
        row for row in looked_at if row.closed_on < before and (row.acknowledged or row.closed_on < grounds.years_ago)
    ]
    speaking = store.that_speak(tx, {row.ref for row in old if row.ref is not None}) if old else set()
    due = [row.position for row in old if row.ref not in speaking]
    if write and due:
        store.forget_notices(tx, due)
    more = len(looked_at) == ROWS and looked_at[-1].closed_on < before
    return Swept(len(due), looked_at[-1].position.to_bytes(8) if more else None)


def sweep_batches(tx: Transaction, grounds: Grounds, after: bytes | None, *, write: bool) -> Swept:
    """Answers to batches that nobody asks for again. A batch that comes after all is judged anew, by its versions."""
    place = None if after is None else (after[:-16].decode(), after[-16:])
    looked_at = store.batches_after(tx, place)
    before = grounds.days_ago(grounds.policy.retention.answer_days)
    due = [row for row in looked_at if row.received_on < before]
    if write and due:
        store.forget_batches(tx, due)
    last = looked_at[-1] if len(looked_at) == ROWS else None
    return Swept(len(due), None if last is None else last.member.encode() + last.batch_id)


def sweep_closes(tx: Transaction, grounds: Grounds, after: bytes | None, *, write: bool) -> Swept:
    """Closes of long ago."""
    place = None if after is None else date.fromordinal(int.from_bytes(after))
    looked_at = store.closes_after(tx, place)
    before = grounds.days_ago(grounds.policy.retention.notice_days)
    due = [day for day in looked_at if day < before]
    if write and due:
        store.forget_closes(tx, due)
    return Swept(len(due), looked_at[-1].toordinal().to_bytes(4) if len(looked_at) == ROWS else None)


def sweep_statistics(
    tx: Transaction,
    grounds: Grounds,  # noqa: ARG001 - what every sweep is given
    after: bytes | None,
    *,
    write: bool,
) -> Swept:
    """What statistics keep of the cases of a year, once all its releases are drawn and no paid question waits."""
    first, drawn = statistics.known(tx).first, statistics.drawn(tx)
    over = [
        year
        for year in statistics.years_kept(tx)
        if first is not None
        and all(period.release_id in drawn for period in periods_of(year, first))
        and not statistics.waits_for_answer(tx, year)
    ]
    due = statistics.cases_kept(tx, over, after or b"", ROWS)
    if write and due:
        statistics.forget_cases(tx, due)
    return Swept(len(due), due[-1] if len(due) == ROWS else None)


def sweep_contacts(tx: Transaction, grounds: Grounds, after: bytes | None, *, write: bool) -> Swept:
    """Contacts that nobody accepted in time, or in which nothing is said any more; then requests of long ago."""
    due, rest = contacts.over(tx, after or b"", ROWS, grounds.on, grounds.days_ago(CONTACT_DAYS))
    if write and due:
        contacts.forget(tx, due)
    # Counted against what a member may file for as long, and as long again.
    requests = [] if rest is not None else contacts.requests_over(tx, grounds.days_ago(2 * REQUEST_DAYS), ROWS)
    if write and requests:
        contacts.forget_requests(tx, requests)
    return Swept(len(due) + len(requests), rest)


SWEEPS: Mapping[str, Sweep] = {
    "handles": sweep_handles,
    "statistics": sweep_statistics,
    "cases": sweep_cases,
    "notices": sweep_notices,
    "batches": sweep_batches,
    "closes": sweep_closes,
    "contacts": sweep_contacts,
}
"""The steps of a round, in their order: a case goes after the gaps that name it and the statistics that count it."""
