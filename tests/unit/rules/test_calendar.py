"""School days and due days, on the Swedish calendar of the autumn of 2026."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.rules.calendar import Break, SchoolCalendar, due_on
from federation.rules.vocabulary import Opening, OpeningKind, Policy, Urgency

AUTUMN_BREAK = Break(date(2026, 10, 26), date(2026, 10, 30))
SUMMER = Break(date(2026, 6, 13), date(2026, 8, 17))
CHRISTMAS = Break(date(2026, 12, 21), date(2027, 1, 8))
CALENDAR = SchoolCalendar([AUTUMN_BREAK, SUMMER, CHRISTMAS])
DAYS = st.dates(date(2025, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("day", "school"),
    [
        (date(2026, 9, 2), True),
        (date(2026, 9, 5), False),  # Saturday
        (date(2026, 10, 28), False),  # in the break, its last days included
        (date(2026, 10, 30), False),
        (date(2026, 11, 2), True),
        (date(2026, 5, 14), False),  # Ascension Day
        (date(2027, 1, 6), False),  # Epiphany
        (date(2026, 8, 17), False),
        (date(2026, 8, 18), True),
    ],
)
def test_weekends_public_holidays_and_breaks_are_no_school_days(day: date, school: bool) -> None:
    assert CALENDAR.is_school_day(day) is school


@given(DAYS, st.integers(1, 60))
def test_the_nth_school_day_has_n_school_days_up_to_it(day: date, n: int) -> None:
    nth = CALENDAR.nth_on_or_after(day, n)
    assert CALENDAR.is_school_day(nth)
    assert CALENDAR.count(day, nth + timedelta(days=1)) == n


@given(DAYS, st.integers(1, 30))
def test_the_last_n_before_a_day_are_n(day: date, n: int) -> None:
    first = CALENDAR.last_n_before(day, n)
    assert CALENDAR.is_school_day(first)
    assert CALENDAR.count(first, day) == n


@given(DAYS, DAYS)
def test_count_is_the_number_of_school_days_one_by_one(start: date, end: date) -> None:
    days = [start + timedelta(days=n) for n in range(max(0, (end - start).days))]
    assert CALENDAR.count(start, end) == sum(CALENDAR.is_school_day(day) for day in days)


def test_the_summer_break_is_the_one_that_holds_the_first_of_july() -> None:
    assert CALENDAR.summer_break(2026) == SUMMER
    assert CALENDAR.summer_break(2027) is None


def test_a_calendar_without_school_days_is_refused() -> None:
    always_off = SchoolCalendar([Break(date(2020, 1, 1), date(2040, 1, 1))])
    with pytest.raises(ValueError, match="too few school days"):
        always_off.first_on_or_after(date(2026, 1, 1))


def opening(urgency: Urgency = Urgency.NORMAL, planned_start: date | None = None) -> Opening:
    return Opening(1, OpeningKind.LEFT, date(2026, 9, 2), urgency, planned_start)


@pytest.mark.parametrize(
    ("gap", "due"),
    [
        (opening(), date(2026, 9, 15)),  # the tenth school day
        (opening(Urgency.IMMEDIATE), date(2026, 9, 2)),
        (opening(planned_start=date(2026, 9, 4)), date(2026, 9, 15)),  # never before the watch
        (opening(planned_start=date(2026, 9, 19)), date(2026, 9, 21)),  # a Saturday: the school day after
        (opening(planned_start=date(2030, 1, 1)), date(2026, 9, 29)),  # never after the twentieth
    ],
)
def test_due_day(gap: Opening, due: date) -> None:
    assert due_on(gap, Policy(), CALENDAR) == due


def test_due_day_skips_the_autumn_break() -> None:
    gap = Opening(1, OpeningKind.LEFT, date(2026, 10, 20))
    assert due_on(gap, Policy(), CALENDAR) == date(2026, 11, 9)
