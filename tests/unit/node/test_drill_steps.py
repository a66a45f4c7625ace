"""The steps of a drill, its test numbers and its days: examples of each way to fail, and what always holds."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.rules.vocabulary import GapState, MemberId
from node.drill.pupil import BIRTH_NUMBERS, SCHOOL_AGES, number, random_number
from node.drill.schedule import drill_day, is_due
from node.drill.steps import (
    CLOSES,
    PATIENCE,
    Done,
    Drill,
    Failure,
    Fault,
    Sight,
    State,
    Step,
    awaited,
    expected_on,
    failure,
    reached,
)
from node.drill.texts import AHEAD, DONE, LATE, DrillText, advice
from node.wording import CATALOGUES
from privacy.identifiers import NumberKind, Sound, parse

MONDAY = date(2026, 9, 7)
NOON = datetime(2026, 9, 7, 10, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
ORDER = list(Step)


def drill(*steps: Step, on: date = MONDAY) -> Drill:
    return Drill(1, b"p" * 16, b"h" * 16, State.RUNNING, {step: Done(on, NOON) for step in (Step.MADE, *steps)})


def through(step: Step) -> Drill:
    """A drill that has come so far."""
    return drill(*ORDER[1 : ORDER.index(step) + 1])


SENT = through(Step.ROSTER)


def test_every_step_is_reached_by_what_the_store_shows_and_once() -> None:
    sight = Sight("1,3", True, True, None, MONDAY, GapState.OPEN, MONDAY)
    new = reached(drill(), sight)
    assert new == {
        Step.PSEUDONYMISED: "1,3",
        Step.ACCEPTED: "",
        Step.ROSTER: "2026-09-07",
        Step.OPENED: "2026-09-07",
        Step.TAKEN_BACK: "",
    }
    assert reached(drill(*new), sight) == {}


def test_a_gap_that_never_was_confirms_only_what_was_opened() -> None:
    void = Sight(verdict=GapState.VOID, verdict_on=MONDAY)
    assert reached(SENT, void) == {}
    assert reached(through(Step.TAKEN_BACK), void) == {Step.CONFIRMED: "2026-09-07"}


@pytest.mark.parametrize(("closed_on", "day"), [(None, MONDAY), (MONDAY - ONE_DAY, MONDAY), (MONDAY, MONDAY + ONE_DAY)])
def test_a_close_is_awaited_on_the_day_of_the_step_before_or_the_next_if_that_has_been(
    closed_on: date | None, day: date
) -> None:
    assert expected_on(SENT, Step.OPENED, closed_on) == day
    assert expected_on(through(Step.TAKEN_BACK), Step.CONFIRMED, closed_on) == day
    assert expected_on(SENT, Step.CONFIRMED, closed_on) is None


def test_a_refused_signal_fails_at_once_with_its_code() -> None:
    refused = Sight("1,2", refused="EPOCH_UNKNOWN")
    assert failure(drill(Step.PSEUDONYMISED), refused, MONDAY) == Failure(Step.ACCEPTED, Fault.REFUSED, "EPOCH_UNKNOWN")
    assert failure(through(Step.OPENED), refused, MONDAY) == Failure(Step.TAKEN_BACK, Fault.REFUSED, "EPOCH_UNKNOWN")


@pytest.mark.parametrize("verdict", [GapState.ANSWERED, GapState.ENDED])
def test_a_registry_that_accounts_for_a_pupil_who_does_not_exist_fails_the_drill(verdict: GapState) -> None:
    assert failure(SENT, Sight(verdict=verdict, verdict_on=MONDAY), MONDAY) == Failure(Step.OPENED, Fault.ANSWERED)


@pytest.mark.parametrize("step", sorted(CLOSES))
def test_a_close_of_a_later_day_that_says_nothing_fails_the_drill(step: Step) -> None:
    waiting = through(ORDER[ORDER.index(step) - 1])
    tomorrow = MONDAY + ONE_DAY
    assert failure(waiting, Sight(closed_on=MONDAY), tomorrow) is None
    assert failure(waiting, Sight(closed_on=tomorrow), tomorrow) == Failure(step, Fault.UNHEARD)


@pytest.mark.parametrize("step", ORDER[1:])
def test_each_step_has_its_day_and_two_more(step: Step) -> None:
    waiting = through(ORDER[ORDER.index(step) - 1])
    assert awaited(waiting) is step
    assert failure(waiting, Sight(), MONDAY + PATIENCE) is None
    assert failure(waiting, Sight(), MONDAY + PATIENCE + ONE_DAY) == Failure(step, Fault.LATE)


def test_an_import_that_the_registry_does_not_know_fails_a_drill_that_is_opened_all_the_same() -> None:
    stale = drill(Step.PSEUDONYMISED, Step.ACCEPTED, Step.OPENED, Step.TAKEN_BACK, Step.CONFIRMED)
    assert awaited(stale) is Step.ROSTER
    assert failure(stale, Sight(), MONDAY + PATIENCE + ONE_DAY) == Failure(Step.ROSTER, Fault.LATE)


def test_nothing_is_awaited_of_a_drill_that_is_through() -> None:
    assert awaited(through(Step.CONFIRMED)) is None
    assert failure(through(Step.CONFIRMED), Sight(), MONDAY + timedelta(days=400)) is None


@given(st.sets(st.sampled_from(ORDER[1:])), st.integers(0, 10), st.none() | st.integers(-3, 10))
def test_a_drill_waits_for_something_that_may_yet_come_or_has_failed_or_is_through(
    done: set[Step], days: int, closed: int | None
) -> None:
    closed_on = None if closed is None else MONDAY + timedelta(days=closed)
    at = drill(*done)
    waits = awaited(at)
    failed = failure(at, Sight(closed_on=closed_on), MONDAY + timedelta(days=days))
    assert (waits is None) == (done >= set(ORDER[1:]))
    if failed is not None:
        assert failed.step not in at.steps
        assert expected_on(at, failed.step, closed_on) is not None
    elif waits is not None:
        due = expected_on(at, waits, closed_on)
        assert due is not None
        assert MONDAY + timedelta(days=days) <= due + PATIENCE


# -- numbers ---------------------------------------------------------------------------------------------------------


@given(st.dates(date(2024, 1, 1), date(2060, 1, 1)), st.integers(0, SCHOOL_AGES - 1), st.integers(0, BIRTH_NUMBERS - 1))
def test_every_number_is_a_sound_test_number_of_school_age(today: date, day: int, birth_number: int) -> None:
    given_numbers = iter((day, birth_number))
    drawn = random_number(today, lambda _below: next(given_numbers))
    assert drawn.kind is NumberKind.DRILL
    assert 980 <= int(drawn.number[8:11]) <= 999
    assert isinstance(parse(drawn.number, today), Sound)
    born = date(int(drawn.number[:4]), int(drawn.number[4:6]), int(drawn.number[6:8]))
    assert 6 <= (today - born).days / 365.25 <= 16


def test_what_is_read_from_outside_is_never_a_drills_number() -> None:
    drawn = number(date(2015, 3, 1), 985, MONDAY)
    read = parse(drawn.number, MONDAY)
    assert isinstance(read, Sound)
    assert (read.number, read.kind) == (drawn.number, NumberKind.PERSONNUMMER)


# -- days ------------------------------------------------------------------------------------------------------------

MEMBERS = st.integers(1, 9_999).map(lambda code: MemberId(f"{code:04}"))


@given(MEMBERS, st.integers(1, 90), st.dates(date(2024, 1, 1), date(2060, 1, 1)))
def test_a_node_that_looks_daily_drills_once_in_every_round(member: MemberId, every: int, first: date) -> None:
    begun: list[date] = []
    for day in range(4 * every):
        today = first + timedelta(days=day)
        if is_due(member, every, today, baseline=first, last_begun=begun[-1] if begun else None):
            begun.append(today)
    assert len(begun) in (3, 4)
    assert {(later - earlier).days for earlier, later in itertools.pairwise(begun)} == {every}


@given(MEMBERS, st.integers(1, 90), st.dates(date(2024, 1, 1), date(2060, 1, 1)), st.integers(0, 89))
def test_a_day_that_was_missed_is_made_up_for(member: MemberId, every: int, today: date, down: int) -> None:
    due = drill_day(member, every, today)
    assert 0 <= (today - due).days < every
    late = due + timedelta(days=down % every)
    assert is_due(member, every, late, baseline=date(2020, 1, 1), last_begun=due - ONE_DAY)
    assert not is_due(member, every, late, baseline=date(2020, 1, 1), last_begun=due)


def test_the_nation_is_spread_over_the_days() -> None:
    days = {drill_day(MemberId(f"{code:04}"), 30, MONDAY) for code in range(114, 2_600)}
    assert len(days) == 30


def test_a_setting_of_0_means_never() -> None:
    assert not is_due(MemberId("0180"), 0, MONDAY, baseline=date(2020, 1, 1), last_begun=None)


# -- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", list(CATALOGUES))
def test_every_word_of_a_drill_is_there_in_every_language(language: object) -> None:
    sentences = CATALOGUES[language].sentences  # type: ignore[index]  # a language
    assert set(DrillText) <= set(sentences)
    used = {*DONE.values(), *AHEAD.values(), *LATE.values()}
    used |= {advice(step, fault) for step in LATE for fault in Fault}
    used |= {DrillText[state] for state in State} | {DrillText.BEGUN, DrillText.AFTER_CLOSE}
    assert used == set(DrillText)
