"""What a withdrawal that waits makes a member say of a pupil whom its school still lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from federation.rules.vocabulary import GapState, OpeningKind, Policy
from node.casework.holds.model import Asked, Hold, HoldId, ReleasedBy
from node.casework.holds.rules import let_go, withdrawn
from node.model import History, ImportFacts, Observation, Reason, Row, Saying, Statement, Status, What
from node.timeline import Timeline
from tests.unit.presence_stories import BASELINE, CALENDAR, ROW, day, said, say, seen

ASKED, LAST_DAY, SINCE, AFTER = day(9, 8), day(9, 11), day(9, 12), day(9, 16)
HELD = said(What.HELD, SINCE, ASKED)
BEFORE = seen(day(9, 4), ROW)
ELSEWHERE_HERE = Row("other unit", "GR", day(9, 14), school_year=5)
NEXT_YEAR = Row("unit", "GR", day(9, 14), school_year=6)


def waits(now: Statement) -> bool:
    return now.opening is not None and now.opening.kind is OpeningKind.HELD and not now.in_force


def freed(today: date, *observations: Observation, sayings: tuple[Saying, ...] = (HELD,)) -> ReleasedBy | None:
    facts = ImportFacts(BASELINE, tuple(sorted({BASELINE, *(each.as_of for each in observations)})))
    hold = Hold(Asked(HoldId(bytes(16)), LAST_DAY, Reason.MOVED, "Rut"), b"", ASKED)
    time = Timeline(History(observations, sayings), facts, today, Policy(), CALENDAR)
    return let_go(hold, GapState.WATCH, time, today)


def test_the_school_that_still_lists_the_pupil_has_it_no_more_after_the_last_day() -> None:
    before, after = say(ASKED, BEFORE, sayings=[HELD]), say(AFTER, BEFORE, sayings=[HELD])
    assert before.opening is not None
    assert before.in_force
    assert waits(after)
    assert [presence.until for presence in after.presences] == [SINCE]
    assert freed(AFTER, BEFORE) is None


def test_a_row_of_the_unit_that_asks_answers_nothing() -> None:
    known = seen(day(9, 4), ROW, NEXT_YEAR)
    assert waits(say(AFTER, known, sayings=[HELD]))
    assert waits(say(AFTER, BEFORE, seen(day(9, 15), ROW, NEXT_YEAR), sayings=[HELD]))
    # Nor does a place at another unit that was known when the withdrawal was asked for.
    known = seen(day(9, 4), ROW, ELSEWHERE_HERE)
    assert waits(say(AFTER, known, sayings=[HELD]))
    assert freed(AFTER, known) is None


def test_a_new_place_at_another_unit_here_lets_the_hold_go() -> None:
    placed = seen(day(9, 15), ROW, ELSEWHERE_HERE)
    now = say(AFTER, BEFORE, placed, sayings=[HELD])
    assert now.opening is None
    assert now.in_force
    assert freed(AFTER, BEFORE, placed) is ReleasedBy.PLACED_HERE
    assert freed(day(9, 13), BEFORE, placed) is None


def test_the_same_word_said_before_the_request_does_not_find_the_pupil() -> None:
    found = said(What.FOUND, day(9, 14))
    now = say(AFTER, BEFORE, sayings=[HELD, found])
    assert now.opening is None
    assert now.in_force
    earlier = said(What.FOUND, day(9, 14), day(9, 7))
    assert waits(say(AFTER, BEFORE, sayings=[earlier, HELD]))


def test_what_is_taken_back_is_as_if_never_asked_and_can_be_asked_again() -> None:
    over = said(What.HOLD_OVER, SINCE, day(9, 9))
    assert say(AFTER, BEFORE, sayings=[HELD, over]) == say(AFTER, BEFORE)
    again = replace(HELD, said_on=day(9, 10))
    assert waits(say(AFTER, BEFORE, sayings=[HELD, over, again]))
    assert waits(say(AFTER, BEFORE, sayings=[HELD, over, HELD]))


@pytest.mark.parametrize("status", [Status.DECEASED, Status.EMIGRATED])
def test_a_documented_end_of_duty_lets_go_whether_it_came_before_the_request_or_after(status: str) -> None:
    """Said before, no opening is made: no gap would ever tell that the hold is over."""
    before = (seen(day(9, 4), ROW), seen(day(9, 7), ROW, status=status))
    assert say(AFTER, *before, sayings=[HELD]).opening is None
    assert freed(ASKED, *before) is ReleasedBy.DUTY_ENDED
    # After it, the gap stands beside the end of duty, and is ENDED by it.
    after = say(AFTER, BEFORE, seen(day(9, 14), ROW, status=status), sayings=[HELD])
    assert after.opening is not None
    assert after.duty_ended is not None


def test_no_answer_comes_on_the_day_of_the_request() -> None:
    hold = Hold(Asked(HoldId(bytes(16)), LAST_DAY, Reason.MOVED, "Rut"), b"", ASKED)
    assert let_go(hold, GapState.ANSWERED, None, ASKED) is None
    assert let_go(hold, GapState.ANSWERED, None, day(9, 9)) is ReleasedBy.ANSWER
    assert [let_go(hold, state, None, AFTER) for state in (None, GapState.WATCH, GapState.OPEN, GapState.VOID)] == [
        None
    ] * 4


def test_what_a_school_lists_while_a_withdrawal_waits_does_not_end_a_documented_end_of_duty() -> None:
    decided = said(What.DUTY_ENDED, SINCE, day(9, 14), review=day(11, 2))
    listed = seen(day(9, 15), replace(ROW, school_year=6))
    assert say(AFTER, BEFORE, listed, sayings=[HELD, decided]).duty_ended is not None
    # Taken back, the pupil is there as any other.
    over = said(What.HOLD_OVER, SINCE, day(9, 15))
    assert say(AFTER, BEFORE, listed, sayings=[HELD, decided, over]).duty_ended is None


@pytest.mark.parametrize(
    ("end", "unit", "today", "made"),
    [
        (None, "", AFTER, False),
        (LAST_DAY, "", AFTER, True),
        # An end on the last day may have been set long before the withdrawal was asked for.
        (LAST_DAY, "", LAST_DAY, False),
        (ASKED, "", ASKED, True),
        # Left is the one school unit alone.
        (LAST_DAY, "unit", AFTER, True),
        (LAST_DAY, "other unit", AFTER, False),
    ],
)
def test_a_withdrawal_is_made_once_no_row_of_what_is_left_goes_beyond_it(
    end: date | None, unit: str, today: date, made: bool
) -> None:
    rows = [replace(ROW, end=end), *([ELSEWHERE_HERE] if unit else []), replace(NEXT_YEAR, cancelled=True)]
    rows.append(Row("care after school", "FTH", day(9, 1)))
    assert withdrawn(rows, LAST_DAY, unit, today) is made
