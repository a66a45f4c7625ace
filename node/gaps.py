"""The gaps of one pupil as this node holds them (design §4.7, §5, §6): pure, from statements, notices and dates.

A gap on the route `registry` is in the state of the registry's newest notice about it, and watched before any. A gap on
another route is judged here by the registry's own rule over this member's own signal alone. Whatever is silent, late or
in doubt leaves a gap open or opens it: an open gap closes only by a notice or by the member's own word.

Invariants: `opened_on` is the first day the gap was OPEN and never changes; `state_since` the first day of the present
unbroken run of `state`; a statement, a notice or a date taken in twice changes nothing the second time.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from federation.rules.calendar import SchoolCalendar, due_on
from federation.rules.matching import Answer, GapVerdict, KnownGap, MemberSignal, evaluate
from federation.rules.vocabulary import (
    GapState,
    Handle,
    MemberId,
    Notice,
    NoticeKind,
    Opening,
    Policy,
    Signal,
    Urgency,
)
from node.identity import Route
from node.model import Statement

SECRET_ROUTES = frozenset({Route.PROTECTED, Route.RENUMBERED})
"""Due at once, and for the protected-identity role alone."""


class OpenedBy(enum.StrEnum):
    """Why this node opened a case file."""

    NOTICE = "notice"
    IMMEDIATE = "immediate"
    UNLINKABLE = "unlinkable"
    PROTECTED = "protected"
    RENUMBERED = "renumbered"
    SILENT_REGISTRY = "silent registry"
    """The registry could not be reached, closed no day, or had not taken the gap."""
    WITHHELD = "withheld"
    """The registry had taken the gap, closed its day, and said nothing about it."""


_OPENED_BY_ROUTE = {
    Route.REGISTRY: OpenedBy.IMMEDIATE,  # the one opening that does not wait for the registry
    Route.UNLINKABLE: OpenedBy.UNLINKABLE,
    Route.PROTECTED: OpenedBy.PROTECTED,
    Route.RENUMBERED: OpenedBy.RENUMBERED,
}

_VERDICTS = {
    NoticeKind.OPENED: GapState.OPEN,
    NoticeKind.REOPENED: GapState.OPEN,
    NoticeKind.ANSWERED: GapState.ANSWERED,
    NoticeKind.RELEASED: GapState.ANSWERED,
    NoticeKind.ENDED: GapState.ENDED,
    NoticeKind.VOIDED: GapState.VOID,
}

_ACCOUNTED_FOR = frozenset({GapState.ANSWERED, GapState.ENDED})
_CLOSED = frozenset({GapState.ANSWERED, GapState.ENDED, GapState.VOID})


@dataclass(frozen=True, slots=True)
class Gap:
    """One opening of one handle, and its state.

    `said_on` is the day the opening was first said with its present due day and urgency; `stated`: the newest statement
    still says it; `verdict` and `verdict_on` are the registry's newest word and the close that gave it.
    """

    handle: Handle
    opening: Opening
    route: Route
    stated: bool
    due_on: date
    said_on: date
    state: GapState
    state_since: date
    opened_on: date | None = None
    opened_by: OpenedBy | None = None
    verdict: GapState | None = None
    verdict_on: date | None = None
    case_id: bytes | None = None
    lead: bool = False
    linked: bool = False
    coverage_incomplete: bool = False

    @property
    def number(self) -> int:
        return self.opening.number

    def __repr__(self) -> str:
        # Handles name a pupil within the member: they stay out of tracebacks and logs.
        return f"Gap(number={self.number}, route={self.route.value}, state={self.state.value})"


@dataclass(frozen=True, slots=True)
class Judge:
    """What local judgement rests on: who we are, the policy, our calendar and the registry's newest known close."""

    member: MemberId
    policy: Policy
    calendar: SchoolCalendar
    closed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Restated:
    """All gaps of a handle after a statement; `recheck_on` is the first later day on which time may change one."""

    gaps: tuple[Gap, ...]
    recheck_on: date | None


def opening_number(gaps: Sequence[Gap]) -> int:
    """The number of a statement's opening: that of the gap still stated, else one more than any before."""
    stated = [gap.number for gap in gaps if gap.stated]
    return stated[0] if stated else 1 + max((gap.number for gap in gaps), default=0)


def restated(
    gaps: Sequence[Gap], statement: Statement, route: Route, *, handle: Handle, today: date, judge: Judge
) -> Restated:
    """The gaps of `handle` after `statement`; a handle that is taken back states nothing (`Statement()`)."""
    opening = None if statement.opening is None else statement.opening.numbered(opening_number(gaps))
    current: dict[int, Gap] = {}
    for gap in gaps:
        if opening is not None and gap.number == opening.number:
            current[gap.number] = _said_again(gap, opening, route, today, judge)
        else:
            current[gap.number] = replace(gap, stated=False)
    if opening is not None and opening.number not in current:
        current[opening.number] = Gap(
            handle=handle,
            opening=opening,
            route=route,
            stated=True,
            due_on=_due_on(opening, route, judge),
            said_on=today,
            state=GapState.WATCH,
            state_since=today,
        )
    verdicts = _judged(tuple(current.values()), statement, handle, today, judge)
    judged = tuple(
        _enter(gap, _state(gap, verdicts[number].state, judge.closed_on), today, _OPENED_BY_ROUTE[gap.route])
        for number, gap in sorted(current.items())
    )
    days = [
        day
        for gap in judged
        if (day := verdicts[gap.number].recheck_on) is not None
        and (gap.verdict is None or gap.route is not Route.REGISTRY)
    ]
    return Restated(judged, min(days, default=None))


def told(gap: Gap, notice: Notice) -> Gap:
    """The gap after a notice about it. Notices are taken in the order of their numbers.

    Of LINKED and LEAD the newest says whether this member leads.
    """
    gap = replace(gap, case_id=notice.case_id or gap.case_id)
    if notice.kind is NoticeKind.LEAD:
        gap = replace(gap, lead=True)
    if notice.kind is NoticeKind.LINKED:
        gap = replace(gap, linked=True, lead=False)
    verdict = _VERDICTS.get(notice.kind)
    if verdict is None:
        return gap
    by_verdict = gap.state is gap.verdict or gap.state not in _CLOSED
    told_gap = replace(
        gap, verdict=verdict, verdict_on=notice.closed_on, coverage_incomplete=notice.coverage_incomplete
    )
    if verdict in _CLOSED:
        told_gap = replace(told_gap, lead=False)
    if gap.route is Route.REGISTRY or by_verdict:
        # Reopened before it is due: restated to a later day, it has lost its answer and is watched anew.
        watched = notice.kind is NoticeKind.REOPENED and gap.stated and notice.closed_on < gap.due_on
        # A close is never entered as earlier than what the node knew before it.
        entered_on = max(notice.closed_on, gap.state_since)
        return _enter(told_gap, GapState.WATCH if watched else verdict, entered_on, OpenedBy.NOTICE)
    return told_gap


def after_fetch(
    gap: Gap, *, today: date, closed_on: date | None, failed_day: date | None, taken_on: date | None = None
) -> Gap:
    """The gap after notices were fetched, or could not be.

    `closed_on` is the newest finished close the registry told of; `failed_day` the newest past school day on which
    every fetch tried failed; `taken_on` the day on which the registry took what stands of the gap, None where it has
    not. A gap past due about which the registry says nothing is opened here.
    """
    if gap.route is not Route.REGISTRY:
        return gap
    if gap.state is GapState.WATCH and gap.stated and gap.due_on <= today:
        # The close must have come after the day the opening was said: one on that day may not have seen it.
        unheard = closed_on is not None and gap.due_on <= closed_on and gap.said_on < closed_on
        unreached = failed_day is not None and gap.due_on <= failed_day and gap.said_on <= failed_day
        withheld = unheard and taken_on is not None and closed_on is not None and taken_on < closed_on
        if unheard or unreached:
            return _enter(gap, GapState.OPEN, today, OpenedBy.WITHHELD if withheld else OpenedBy.SILENT_REGISTRY)
    if gap.verdict is None or gap.verdict not in _ACCOUNTED_FOR or gap.state is not GapState.OPEN:
        return gap
    # Opened here because it became immediate after the answer: a close since then let the answer stand.
    let_stand = closed_on is not None and gap.said_on < closed_on
    return _enter(gap, gap.verdict, today, OpenedBy.NOTICE) if let_stand else gap


def _said_again(gap: Gap, opening: Opening, route: Route, today: date, judge: Judge) -> Gap:
    if route in SECRET_ROUTES and gap.route is Route.REGISTRY and gap.verdict in _ACCOUNTED_FOR:
        # Accounted for before the identity became protected: no local case file.
        route = Route.REGISTRY
    due = _due_on(opening, route, judge)
    same = due == gap.due_on and opening.urgency is gap.opening.urgency
    return replace(gap, opening=opening, route=route, stated=True, due_on=due, said_on=gap.said_on if same else today)


def _due_on(opening: Opening, route: Route, judge: Judge) -> date:
    return due_on(_as_judged(opening, route), judge.policy, judge.calendar)


def _as_judged(opening: Opening, route: Route) -> Opening:
    if route in SECRET_ROUTES:
        return replace(opening, urgency=Urgency.IMMEDIATE, planned_start=None)
    return opening


def _judged(
    gaps: Sequence[Gap], statement: Statement, handle: Handle, today: date, judge: Judge
) -> dict[int, GapVerdict]:
    """The registry's own rule over this member's signal alone."""
    if not gaps:
        return {}
    stated = next((gap for gap in gaps if gap.stated), None)
    signal = Signal(
        handle=handle,
        version=1,
        pseudonyms=(),
        presences=statement.presences,
        opening=None if stated is None else _as_judged(stated.opening, stated.route),
        duty_ended=statement.duty_ended,
    )
    verdicts = evaluate(
        [MemberSignal(judge.member, signal)],
        [
            KnownGap(
                judge.member, handle, _as_judged(gap.opening, gap.route), gap.state, _own_answer(gap, judge.member)
            )
            for gap in gaps
        ],
        {judge.member: today},
        today,
        judge.policy,
        lambda _member: judge.calendar,
    )
    return {verdict.opening.number: verdict for verdict in verdicts}


def _own_answer(gap: Gap, member: MemberId) -> Answer | None:
    """What keeps a gap answered by an own presence so when that presence is no longer told with its date."""
    if gap.stated or gap.state is not GapState.ANSWERED:
        return None
    return Answer(member, gap.handle, gap.opening.since)


def _state(gap: Gap, own: GapState, closed_on: date | None) -> GapState:
    """The state of a gap after a statement; `own` is what this member's signal alone makes of it."""
    if gap.route is not Route.REGISTRY:
        # What was said before the identity became protected stands at the registry, and so does its answer.
        return gap.verdict if gap.verdict in _ACCOUNTED_FOR and own not in _CLOSED else own
    immediate = gap.opening.urgency is Urgency.IMMEDIATE and own is GapState.OPEN
    if gap.verdict is GapState.OPEN and (own is GapState.WATCH or gap.state is GapState.WATCH):
        # Restated to a later day: watched anew, of which the registry says nothing until that day's close.
        return GapState.OPEN if immediate else GapState.WATCH
    if gap.verdict is not None:
        reopened = gap.verdict in _ACCOUNTED_FOR and immediate and _said_since_verdict(gap, closed_on)
        return GapState.OPEN if reopened else gap.verdict
    if own in _CLOSED:
        return own
    if immediate:
        return GapState.OPEN
    return GapState.OPEN if gap.state is GapState.OPEN else GapState.WATCH


def _said_since_verdict(gap: Gap, closed_on: date | None) -> bool:
    """Whether the opening was said with its present urgency after the verdict, and no later close has judged it so."""
    return (
        gap.verdict_on is not None and gap.verdict_on < gap.said_on and (closed_on is None or closed_on <= gap.said_on)
    )


def _enter(gap: Gap, state: GapState, on: date, opened_by: OpenedBy) -> Gap:
    if state is not gap.state:
        gap = replace(gap, state=state, state_since=on)
    if state is GapState.OPEN and gap.opened_on is None:
        gap = replace(gap, opened_on=on, opened_by=opened_by)
    return gap
