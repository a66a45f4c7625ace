"""For how long what is known of a handle may bear on a gap; and what is left of it afterwards. Pure.

Invariants
    - A handle goes only when nothing that stands, and nothing that a member may still say, would come out otherwise
      without it: an unanswered gap and all that it could meet are never taken; an arrival stays for as long as an
      opening may go back to it; an answer, until it can no longer fall away of itself.
    - What is left of a gap is as good as the gap: stated again, it is as answered as it was, and answered anew where
      the arrival is still there.
    - A longer rule wins over a shorter one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from federation.rules.calendar import DAY, SchoolCalendar
from federation.rules.matching import SHORT_STAY_SCHOOL_DAYS, Answer, MemberSignal, entered_on, months_before
from federation.rules.vocabulary import GapState, MemberId, Policy, Presence
from registry.model import Case, Gap

UNANSWERED = frozenset({GapState.WATCH, GapState.OPEN})

_AT_ONCE = date.min


@dataclass(frozen=True, slots=True)
class Known:
    """One handle with all that hangs on it.

    `cases` are those of its gaps; `answers`: its presence answers a gap; `beside` are the gaps of the handles that it
    meets, directly or over others.
    """

    own: MemberSignal
    gaps: Sequence[Gap]
    cases: Sequence[Case]
    beside: Sequence[Gap]
    answers: bool


def months_after(day: date, months: int) -> date:
    """The same day of the month `months` later, or that month's last day."""
    return months_before(day, -months)


def given_up_on(gap: Gap, policy: Policy) -> date:
    """The day on which an unanswered gap is one of an adult, should its member not have ended it before."""
    return months_after(gap.opening.since, 12 * policy.retention.unanswered_years)


def may_go_on(known: Known, on: date, policy: Policy, calendars: Callable[[MemberId], SchoolCalendar]) -> date | None:
    """The first day on which what the handle says may be taken away; None while something unsettled needs it."""
    if any(gap.state in UNANSWERED and on < given_up_on(gap, policy) for gap in (*known.gaps, *known.beside)):
        return None
    days = [_AT_ONCE]
    for gap in known.gaps:
        if gap.state in UNANSWERED:
            days.append(given_up_on(gap, policy))
        elif gap.recheck_on is not None:
            # Its state may yet change by time alone.
            return None
        else:
            days.append(_settled_on(gap, policy, calendars))
    given_up = {gap.case_id for gap in known.gaps if gap.state in UNANSWERED}
    for case in known.cases:
        if case.closed_on is not None:
            days.append(unlinked_on(case, policy))
        elif case.case_id not in given_up:
            return None
    lasting = (presence for presence in known.own.signal.presences if not _surpassed(presence, known))
    days += [stays_until(presence, policy) for presence in lasting]
    return max(days)


def unlinked_on(case: Case, policy: Policy) -> date:
    """The day on which a closed case loses its names, and its handles what they are met by.

    Not before the year of its opening is over: a child that is missed again in it is counted once.
    """
    assert case.closed_on is not None
    return max(case.closed_on + timedelta(days=policy.retention.closed_case_days), date(case.opened_on.year + 1, 1, 1))


def stays_until(presence: Presence, policy: Policy) -> date:
    """The first day on which no opening that is said then goes back to the presence.

    A leaver's own begin lies at most 13 months before its leaving, and a leaving counts from at most `backdating_days`
    before it is said.
    """
    entered = entered_on(presence)
    if entered is None:
        return _AT_ONCE
    return months_after(entered, policy.retention.arrival_months) + timedelta(days=policy.backdating_days) + DAY


def _settled_on(gap: Gap, policy: Policy, calendars: Callable[[MemberId], SchoolCalendar]) -> date:
    told_on = max(gap.state_since, gap.due_on)
    # A leaving restated within `answer_kept_days` keeps its answer: until then that is known.
    days = [told_on + timedelta(days=max(policy.retention.answered_pair_days, policy.answer_kept_days))]
    if gap.answer is not None and gap.answer.entered_on is not None:
        # Until then an end of duty may show that the stay was too short to answer anybody.
        calendar = calendars(gap.answer.member)
        days.append(calendar.nth_on_or_after(gap.answer.entered_on, SHORT_STAY_SCHOOL_DAYS + 1) + DAY)
    return max(days)


def _surpassed(presence: Presence, known: Known) -> bool:
    """Whether the leaving that ended it is answered: whatever it could answer, that arrival, which came later, does."""
    stated = known.own.signal.opening
    return (
        stated is not None
        and presence.until is not None
        and presence.until <= stated.since
        and not known.answers
        and any(gap.key.number == stated.number and gap.state is GapState.ANSWERED for gap in known.gaps)
    )


def left_of(gap: Gap, on: date) -> Gap:
    """What is left of a gap once its handle says nothing any more: number, dates and state, and no trace of the other.

    An answer becomes one of the member's own handle: it ages as it would have. A gap of an adult ends as void.
    """
    if gap.state in UNANSWERED:
        told = None if gap.told is None else GapState.VOID
        return replace(
            gap,
            state=GapState.VOID,
            state_since=on,
            told=told,
            answer=None,
            linked=False,
            leads=False,
            recheck_on=None,
        )
    if gap.answer is None:
        return gap
    return replace(gap, answer=Answer(gap.key.member, gap.key.handle, gap.answer.entered_on))


def closed_with(cases: Iterable[Case], gaps: Iterable[Gap], on: date) -> tuple[Case, ...]:
    """Those of the cases that no gap holds open any more. `gaps`: all of the group, as they stand now."""
    held = {gap.case_id for gap in gaps if gap.state is GapState.OPEN}
    return tuple(replace(case, closed_on=on) for case in cases if case.closed_on is None and case.case_id not in held)
