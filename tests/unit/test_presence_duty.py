"""Each sentence of design §5 about the end of duty, by an example."""

from dataclasses import replace
from datetime import date

import pytest

from federation.rules.vocabulary import DutyEnded, Presence
from node.model import (
    Row,
    Status,
    What,
)
from tests.unit.presence_stories import BASELINE, NEW, ROW, day, gone, left, said, say, seen


def test_emigration_near_the_last_day_ends_the_duty_and_opens_nothing() -> None:
    emigrated = seen(day(9, 7), replace(NEW, end=day(9, 6)), status=Status.EMIGRATED)
    told = say(day(9, 7), seen(day(9, 4), NEW), emigrated)
    assert (told.opening, told.duty_ended) == (None, DutyEnded(day(9, 7)))


def test_emigration_while_enrolled_ends_the_presence() -> None:
    told = say(day(9, 7), seen(BASELINE, ROW), seen(day(9, 7), ROW, status=Status.EMIGRATED))
    assert told.duty_ended == DutyEnded(day(9, 7))
    assert told.presences == (Presence(None, day(9, 7), BASELINE),)


def test_emigration_shown_long_after_the_leaving_explains_nothing() -> None:
    ended = replace(ROW, end=day(8, 28))
    story = (seen(BASELINE, ROW), seen(day(8, 31), ended))
    near = say(day(9, 27), *story, seen(day(9, 27), ended, status=Status.EMIGRATED))
    assert (near.opening, near.duty_ended) == (left(day(8, 29)), DutyEnded(day(8, 29)))
    late = say(day(9, 28), *story, seen(day(9, 28), ended, status=Status.EMIGRATED))
    assert (late.opening, late.duty_ended) == (left(day(8, 29)), None)


def test_an_opening_already_said_stays_beside_the_end_of_duty() -> None:
    ended = replace(ROW, end=day(8, 28))
    story = (seen(BASELINE, ROW), seen(day(8, 31), ended), seen(day(9, 7), ended, status=Status.DECEASED))
    told = say(day(9, 7), *story)
    assert (told.opening, told.duty_ended) == (left(day(8, 29)), DutyEnded(day(8, 29)))


def test_a_death_without_an_opening_ends_the_presence_and_is_not_said() -> None:
    told = say(day(9, 14), seen(day(9, 7), NEW), seen(day(9, 14), NEW, status=Status.DECEASED))
    assert (told.opening, told.duty_ended) == (None, None)
    assert told.presences == (Presence(day(9, 4), day(9, 14), day(9, 7)),)


def test_an_end_of_duty_falls_away_when_an_export_shows_the_pupil_covered_and_active() -> None:
    told = say(day(9, 14), seen(BASELINE, ROW), seen(day(9, 7), ROW, status=Status.EMIGRATED), seen(day(9, 14), ROW))
    assert (told.duty_ended, told.in_force) == (None, True)


def test_an_end_of_duty_falls_away_when_a_presence_begins_after_it() -> None:
    rows = (replace(ROW, end=day(9, 4)), Row("other", "GR", day(9, 28)))
    told = say(
        day(9, 28),
        seen(BASELINE, ROW),
        seen(day(9, 7), rows[0], status=Status.EMIGRATED),
        seen(day(9, 28), *rows, status=Status.EMIGRATED),
    )
    assert (told.duty_ended, told.in_force) == (None, True)


@pytest.mark.parametrize(
    ("form", "year", "end", "completed"),
    [
        ("GR", 9, day(6, 11, 2027), True),
        ("GR", 9, day(6, 9, 2027), True),  # three school days before the break
        ("GR", 9, day(6, 8, 2027), False),
        ("GR", 9, day(8, 16, 2027), True),
        ("GR", 8, day(6, 11, 2027), False),
        ("SP", 10, day(6, 11, 2027), True),
        ("SP", 9, day(6, 11, 2027), False),
        ("FKLASS", 0, day(6, 11, 2027), False),
    ],
)
def test_the_last_year_that_ends_with_the_spring_term_is_completed(
    form: str, year: int, end: date, completed: bool
) -> None:
    row = replace(NEW, form=form, school_year=year, end=end)
    told = say(day(8, 24, 2027), seen(day(9, 7), row), imports=[day(8, 24, 2027)])
    assert (told.duty_ended is not None) is completed
    assert (told.opening is None) is completed


def test_who_vanishes_after_the_last_year_before_the_break_is_over_has_completed() -> None:
    row = replace(NEW, school_year=9)
    during = say(day(8, 24, 2027), seen(day(9, 7), row), gone(day(7, 5, 2027)))
    assert (during.opening, during.duty_ended) == (None, DutyEnded(day(7, 5, 2027)))
    after = say(day(8, 24, 2027), seen(day(9, 7), row), gone(day(8, 24, 2027)))
    assert (after.opening, after.duty_ended) == (left(day(8, 24, 2027)), None)


def test_an_end_of_duty_that_a_person_states_lapses_at_its_review() -> None:
    ended = replace(ROW, end=day(9, 4))
    story = (seen(BASELINE, ROW), seen(day(9, 4), ended))
    word = said(What.DUTY_ENDED, day(9, 5), day(9, 5), review=day(12, 1))
    until = say(day(12, 1), *story, sayings=[word])
    assert (until.opening, until.duty_ended) == (None, DutyEnded(day(9, 5), day(12, 1)))
    assert until.recheck_on == day(12, 2)
    assert say(day(12, 2), *story, sayings=[word]).opening == left(day(9, 5))
