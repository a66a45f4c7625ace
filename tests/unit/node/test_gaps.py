"""The state of a gap at the node: each sentence of design §4.7 and §5 by an example, and for every history."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.rules.calendar import SchoolCalendar, due_on
from federation.rules.vocabulary import (
    DutyEnded,
    GapState,
    Handle,
    MemberId,
    Notice,
    NoticeKind,
    OpeningKind,
    Policy,
    Presence,
    Urgency,
)
from node.gaps import Gap, Judge, OpenedBy, after_fetch, restated, told
from node.identity import Route
from node.model import OpeningStated, Statement

HANDLE = Handle(b"h" * 16)
SINCE = date(2026, 9, 7)  # a Monday
DUE = date(2026, 9, 18)
HAD = Presence(date(2025, 11, 3), SINCE)
LEFT = OpeningStated(OpeningKind.LEFT, SINCE)
GONE = Statement((HAD,), LEFT, moves=True)
BACK = Statement((HAD, Presence(date(2026, 9, 14))), moves=True)
NEVER = Statement((replace(HAD, until=None),), moves=True)
JUDGE = Judge(MemberId("0180"), Policy(), SchoolCalendar())
DAY = timedelta(days=1)


def say(
    statement: Statement, today: date, route: Route = Route.REGISTRY, gaps: tuple[Gap, ...] = (), judge: Judge = JUDGE
) -> tuple[Gap, ...]:
    return restated(gaps, statement, route, handle=HANDLE, today=today, judge=judge).gaps


def only(gaps: tuple[Gap, ...]) -> Gap:
    [gap] = gaps
    return gap


def notice(kind: NoticeKind, closed_on: date, number: int = 1) -> Notice:
    return Notice(number, kind, closed_on, HANDLE, 1, b"c" * 16)


def test_a_gap_of_the_registry_is_watched_before_any_notice_even_past_due() -> None:
    gap = only(say(GONE, DUE + DAY))
    assert (gap.state, gap.due_on, gap.opened_on, gap.said_on) == (GapState.WATCH, DUE, None, DUE + DAY)


def test_a_gap_that_lost_its_answer_before_it_is_due_is_watched_and_opens_on_its_day() -> None:
    """Answered, then restated to a later day: the registry says at the next close that the answer is gone."""
    lost = told(only(say(GONE, SINCE)), notice(NoticeKind.REOPENED, DUE - DAY))
    assert (lost.state, lost.verdict, lost.opened_on) == (GapState.WATCH, GapState.OPEN, None)
    due = told(lost, notice(NoticeKind.REOPENED, DUE, number=2))
    assert (due.state, due.opened_on) == (GapState.OPEN, DUE)
    # And without a word of the registry by then, here.
    unheard = after_fetch(lost, today=DUE + DAY, closed_on=DUE, failed_day=None)
    assert unheard.state is GapState.OPEN


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (NoticeKind.OPENED, GapState.OPEN),
        (NoticeKind.REOPENED, GapState.OPEN),
        (NoticeKind.RELEASED, GapState.ANSWERED),
        (NoticeKind.ANSWERED, GapState.ANSWERED),
        (NoticeKind.ENDED, GapState.ENDED),
        (NoticeKind.VOIDED, GapState.VOID),
    ],
)
def test_the_newest_notice_gives_the_state_as_of_its_close(kind: NoticeKind, state: GapState) -> None:
    gap = told(only(say(GONE, SINCE)), notice(kind, DUE))
    assert (gap.state, gap.state_since) == (state, DUE)
    assert gap.opened_on == (DUE if state is GapState.OPEN else None)


def test_a_reopened_gap_keeps_its_first_day_and_begins_a_new_run() -> None:
    gap = only(say(GONE, SINCE))
    for kind, weeks in ((NoticeKind.OPENED, 0), (NoticeKind.ANSWERED, 1), (NoticeKind.REOPENED, 2)):
        gap = told(gap, notice(kind, DUE + timedelta(weeks=weeks)))
    assert (gap.state, gap.opened_on, gap.state_since) == (GapState.OPEN, DUE, DUE + timedelta(weeks=2))
    assert gap.opened_by is OpenedBy.NOTICE


def test_links_and_leads_leave_the_state_alone() -> None:
    gap = told(only(say(GONE, SINCE)), notice(NoticeKind.OPENED, DUE))
    for kind in (NoticeKind.LINKED, NoticeKind.LEAD):
        gap = told(gap, notice(kind, DUE + DAY))
    assert (gap.state, gap.state_since, gap.lead, gap.linked) == (GapState.OPEN, DUE, True, True)
    assert not told(gap, notice(NoticeKind.LINKED, DUE + DAY)).lead
    assert not told(gap, notice(NoticeKind.ANSWERED, DUE + 2 * DAY)).lead


def test_a_notice_taken_twice_changes_nothing() -> None:
    once = told(only(say(GONE, SINCE)), notice(NoticeKind.OPENED, DUE))
    assert told(once, notice(NoticeKind.OPENED, DUE)) == once


def test_an_immediate_opening_has_its_case_file_at_once() -> None:
    urgent = replace(GONE, opening=replace(LEFT, urgency=Urgency.IMMEDIATE))
    gap = only(say(urgent, SINCE))
    assert (gap.state, gap.opened_on, gap.opened_by) == (GapState.OPEN, SINCE, OpenedBy.IMMEDIATE)


def test_a_gap_that_becomes_immediate_after_its_answer_is_open_until_a_later_close_lets_the_answer_stand() -> None:
    answered = told(only(say(GONE, SINCE)), notice(NoticeKind.ANSWERED, DUE))
    urgent = replace(GONE, opening=replace(LEFT, urgency=Urgency.IMMEDIATE))
    said_on = DUE + 3 * DAY
    gap = only(say(urgent, said_on, gaps=(answered,), judge=replace(JUDGE, closed_on=DUE)))
    assert gap.state is GapState.OPEN
    assert after_fetch(gap, today=said_on, closed_on=said_on, failed_day=None).state is GapState.OPEN
    heard = after_fetch(gap, today=said_on + DAY, closed_on=said_on + DAY, failed_day=None)
    assert heard.state is GapState.ANSWERED
    again = say(urgent, said_on + DAY, gaps=(heard,), judge=replace(JUDGE, closed_on=said_on + DAY))
    assert only(again).state is GapState.ANSWERED


def test_an_unlinkable_gap_opens_on_its_due_day_without_the_registry() -> None:
    before = restated((), GONE, Route.UNLINKABLE, handle=HANDLE, today=SINCE, judge=JUDGE)
    assert (only(before.gaps).state, before.recheck_on) == (GapState.WATCH, DUE)
    gap = only(say(GONE, DUE, Route.UNLINKABLE, before.gaps))
    assert (gap.state, gap.opened_on, gap.opened_by) == (GapState.OPEN, DUE, OpenedBy.UNLINKABLE)


@pytest.mark.parametrize(
    ("route", "opened_by"), [(Route.PROTECTED, OpenedBy.PROTECTED), (Route.RENUMBERED, OpenedBy.RENUMBERED)]
)
def test_a_protected_gap_opens_at_once(route: Route, opened_by: OpenedBy) -> None:
    gap = only(say(GONE, SINCE, route))
    assert (gap.state, gap.due_on, gap.opened_on, gap.opened_by) == (GapState.OPEN, SINCE, SINCE, opened_by)


@pytest.mark.parametrize("route", [Route.UNLINKABLE, Route.PROTECTED, Route.RENUMBERED])
def test_a_local_gap_closes_by_the_members_own_word_alone(route: Route) -> None:
    opened = say(GONE, DUE, route)
    assert only(say(BACK, DUE + DAY, route, opened)).state is GapState.ANSWERED
    assert only(say(NEVER, DUE + DAY, route, opened)).state is GapState.VOID
    ended = replace(GONE, duty_ended=DutyEnded(SINCE))
    assert only(say(ended, DUE + DAY, route, opened)).state is GapState.ENDED


def test_an_end_of_duty_whose_review_has_passed_opens_a_local_gap_again() -> None:
    review = date(2026, 12, 1)
    ended = replace(GONE, duty_ended=DutyEnded(SINCE, review))
    first = restated((), ended, Route.UNLINKABLE, handle=HANDLE, today=DUE, judge=JUDGE)
    assert (only(first.gaps).state, first.recheck_on) == (GapState.ENDED, review + DAY)
    assert only(say(ended, review + DAY, Route.UNLINKABLE, first.gaps)).state is GapState.OPEN


def test_a_gap_at_the_registry_opens_at_once_when_the_identity_becomes_protected() -> None:
    gap = only(say(GONE, SINCE + DAY, Route.PROTECTED, say(GONE, SINCE)))
    assert (gap.route, gap.state, gap.opened_on) == (Route.PROTECTED, GapState.OPEN, SINCE + DAY)


@pytest.mark.parametrize("kind", [NoticeKind.ANSWERED, NoticeKind.ENDED])
def test_a_gap_accounted_for_before_the_marking_gets_no_local_case_file(kind: NoticeKind) -> None:
    accounted = told(only(say(GONE, SINCE)), notice(kind, DUE))
    gap = only(say(GONE, DUE + DAY, Route.PROTECTED, (accounted,)))
    assert (gap.route, gap.state, gap.opened_on) == (Route.REGISTRY, accounted.state, None)


def test_an_answer_to_what_was_said_before_the_marking_still_counts() -> None:
    marked = only(say(GONE, SINCE + DAY, Route.PROTECTED, say(GONE, SINCE)))
    answered = told(marked, notice(NoticeKind.ANSWERED, DUE))
    assert answered.state is GapState.ANSWERED
    assert only(say(GONE, DUE + DAY, Route.PROTECTED, (answered,))).state is GapState.ANSWERED


def test_a_notice_does_not_reopen_what_the_member_closed_while_protected() -> None:
    marked = say(GONE, SINCE + DAY, Route.PROTECTED, say(GONE, SINCE))
    back = only(say(BACK, date(2026, 9, 14), Route.PROTECTED, marked))
    assert told(back, notice(NoticeKind.OPENED, DUE)).state is GapState.ANSWERED


def test_a_gap_opened_as_unlinkable_stays_open_when_a_sound_number_arrives() -> None:
    opened = say(GONE, DUE, Route.UNLINKABLE)
    gap = only(say(GONE, DUE + 7 * DAY, Route.REGISTRY, opened))
    assert (gap.number, gap.route, gap.state, gap.opened_on) == (1, Route.REGISTRY, GapState.OPEN, DUE)
    assert told(gap, notice(NoticeKind.OPENED, DUE + 7 * DAY)).state_since == DUE


def test_a_return_before_the_registry_was_heard_closes_the_gap_by_the_members_own_word() -> None:
    assert only(say(BACK, date(2026, 9, 14), gaps=say(GONE, SINCE))).state is GapState.ANSWERED
    assert only(say(NEVER, date(2026, 9, 14), gaps=say(GONE, SINCE))).state is GapState.VOID


def test_a_gap_open_at_the_registry_waits_for_its_notice_to_close() -> None:
    opened = told(only(say(GONE, SINCE)), notice(NoticeKind.OPENED, DUE))
    assert only(say(NEVER, DUE + DAY, gaps=(opened,))).state is GapState.OPEN


def test_an_opening_after_a_statement_without_one_is_another_gap() -> None:
    gaps = say(NEVER, DUE, gaps=say(GONE, SINCE))
    later = OpeningStated(OpeningKind.LEFT, DUE)
    first, second = say(replace(GONE, opening=later), DUE + DAY, gaps=gaps)
    assert (first.number, first.stated, second.number, second.stated) == (1, False, 2, True)


def test_a_changed_day_keeps_the_gap_and_takes_the_newest_since() -> None:
    later = replace(GONE, opening=replace(LEFT, since=SINCE + 2 * DAY))
    gap = only(say(later, SINCE + 3 * DAY, gaps=say(GONE, SINCE)))
    assert (gap.number, gap.opening.since, gap.said_on) == (1, SINCE + 2 * DAY, SINCE + 3 * DAY)


def test_an_open_gap_restated_to_a_later_day_is_watched_until_the_close_of_its_new_day() -> None:
    opened = told(only(say(GONE, SINCE)), notice(NoticeKind.OPENED, DUE))
    later = replace(GONE, opening=replace(LEFT, since=DUE + 2 * DAY))
    restated_on = DUE + 3 * DAY
    watched = only(say(later, restated_on, gaps=(opened,)))
    assert (watched.state, watched.state_since, watched.opened_on) == (GapState.WATCH, restated_on, DUE)
    due = watched.due_on
    assert only(say(later, due, gaps=(watched,))).state is GapState.WATCH
    heard = told(watched, notice(NoticeKind.REOPENED, due, 2))
    assert (heard.state, heard.state_since, heard.opened_on) == (GapState.OPEN, due, DUE)
    assert only(say(later, due + DAY, gaps=(heard,))).state is GapState.OPEN
    assert after_fetch(watched, today=due + DAY, closed_on=due + DAY, failed_day=None).state is GapState.OPEN


# -- a registry that is silent -----------------------------------------------------------------------------------------


def test_a_gap_without_notice_after_the_first_close_past_due_is_opened() -> None:
    gap = only(say(GONE, SINCE))
    assert after_fetch(gap, today=DUE, closed_on=DUE - DAY, failed_day=None).state is GapState.WATCH
    opened = after_fetch(gap, today=DUE, closed_on=DUE, failed_day=None)
    assert (opened.state, opened.opened_on, opened.opened_by) == (GapState.OPEN, DUE, OpenedBy.SILENT_REGISTRY)


def test_a_close_that_may_not_have_seen_the_opening_proves_no_silence() -> None:
    late = only(say(GONE, DUE + 3 * DAY))
    assert after_fetch(late, today=DUE + 3 * DAY, closed_on=DUE + 3 * DAY, failed_day=None).state is GapState.WATCH
    assert after_fetch(late, today=DUE + 4 * DAY, closed_on=DUE + 4 * DAY, failed_day=None).state is GapState.OPEN


def test_a_gap_past_due_on_a_day_on_which_all_fetches_failed_is_opened() -> None:
    gap = only(say(GONE, SINCE))
    assert after_fetch(gap, today=DUE, closed_on=None, failed_day=DUE - DAY).state is GapState.WATCH
    assert after_fetch(gap, today=DUE + DAY, closed_on=None, failed_day=DUE).state is GapState.OPEN


def test_silence_opens_nothing_that_is_not_stated_or_was_heard_of() -> None:
    withdrawn = only(say(NEVER, DUE, gaps=say(GONE, SINCE)))
    answered = told(only(say(GONE, SINCE)), notice(NoticeKind.ANSWERED, DUE))
    for gap in (withdrawn, answered):
        assert after_fetch(gap, today=DUE + 9 * DAY, closed_on=DUE + 9 * DAY, failed_day=DUE + DAY) == gap


# -- for every history -------------------------------------------------------------------------------------------------

STATEMENTS = st.sampled_from(
    [
        GONE,
        BACK,
        NEVER,
        replace(GONE, opening=replace(LEFT, urgency=Urgency.IMMEDIATE)),
        replace(GONE, opening=replace(LEFT, since=SINCE + 2 * DAY)),
        replace(GONE, duty_ended=DutyEnded(SINCE)),
        Statement(),
    ]
)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 6),
        STATEMENTS,
        st.sampled_from(Route),
        st.none() | st.sampled_from(NoticeKind),
        st.booleans(),
    ),
    max_size=12,
)


@given(STEPS)
def test_what_was_opened_stays_opened_and_runs_are_unbroken(
    steps: list[tuple[int, Statement, Route, NoticeKind | None, bool]],
) -> None:
    gaps: tuple[Gap, ...] = ()
    today = SINCE
    for later, statement, route, kind, heard in steps:
        today += timedelta(days=later)
        before = {gap.number: gap for gap in gaps}
        gaps = say(statement, today, route, gaps)
        if kind is not None and gaps:
            gaps = (*gaps[:-1], told(gaps[-1], notice(kind, today)))
        closed_on = today if heard else None
        gaps = tuple(after_fetch(gap, today=today, closed_on=closed_on, failed_day=None) for gap in gaps)
        assert [gap.number for gap in gaps] == list(range(1, len(gaps) + 1))
        assert sum(gap.stated for gap in gaps) == (statement.opening is not None)
        for gap in gaps:
            was = before.get(gap.number)
            if was is not None and was.opened_on is not None:
                assert (gap.opened_on, gap.opened_by) == (was.opened_on, was.opened_by)
            assert (gap.opened_on is None) == (gap.opened_by is None)
            assert gap.state is not GapState.OPEN or gap.opened_on is not None
            assert SINCE <= gap.state_since <= today
            if was is not None and was.state is gap.state:
                assert gap.state_since >= was.state_since


@given(STEPS)
def test_a_statement_taken_in_twice_changes_nothing_the_second_time(
    steps: list[tuple[int, Statement, Route, NoticeKind | None, bool]],
) -> None:
    gaps: tuple[Gap, ...] = ()
    today = SINCE
    for later, statement, route, kind, _ in steps:
        today += timedelta(days=later)
        gaps = say(statement, today, route, gaps)
        assert say(statement, today, route, gaps) == gaps
        if kind is not None and gaps:
            gaps = (*gaps[:-1], told(gaps[-1], notice(kind, today)))


@given(st.integers(0, 60), st.sampled_from(Route))
def test_looking_again_on_the_day_named_is_enough(days: int, route: Route) -> None:
    """Between two days named by `recheck_on` nothing changes by time alone."""
    ended = replace(GONE, duty_ended=DutyEnded(SINCE, SINCE + 20 * DAY))
    for statement in (GONE, ended):
        first = restated((), statement, route, handle=HANDLE, today=SINCE, judge=JUDGE)
        seldom, daily = first, first.gaps
        for day in (SINCE + DAY * count for count in range(1, days + 1)):
            daily = say(statement, day, route, daily)
            if seldom.recheck_on is not None and seldom.recheck_on <= day:
                seldom = restated(seldom.gaps, statement, route, handle=HANDLE, today=day, judge=JUDGE)
        assert [gap.state for gap in seldom.gaps] == [gap.state for gap in daily]
        assert [gap.state_since for gap in seldom.gaps] == [gap.state_since for gap in daily]


def test_the_due_day_is_that_of_the_rules() -> None:
    gap = only(say(GONE, SINCE))
    assert gap.due_on == due_on(gap.opening, JUDGE.policy, JUDGE.calendar) == DUE
