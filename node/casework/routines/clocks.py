"""When a step is due, by the calendar of the member's own schools. Pure."""

from __future__ import annotations

import calendar as months_of
from datetime import date, timedelta

from federation.rules.calendar import SchoolCalendar
from node.casework.routines.model import Clock

LONG_BREAK_DAYS = 9
"""Days in a row without school, from a Saturday to the Sunday a week later: a winter or autumn week, and all longer."""

_SEARCH_DAYS = 400
_WITHOUT_BREAKS = 6
"""Months, where a calendar states no breaks: half a year, as the terms would have it."""


def due_on(clock: Clock, begun_on: date, school: SchoolCalendar) -> date:
    """The day on which a step that begins on `begun_on` is due, itself still in time."""
    if clock.school_days is not None:
        return school.nth_on_or_after(begun_on, clock.school_days + 1)
    if clock.days is not None:
        return begun_on + timedelta(days=clock.days)
    if clock.months is not None:
        return months_after(begun_on, clock.months)
    return after_long_break(begun_on, school)


def months_after(day: date, months: int) -> date:
    """The same day so many months on, or the last of a month that has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, months_of.monthrange(year, month + 1)[1]))


def after_long_break(day: date, school: SchoolCalendar) -> date:
    """The first school day after the next long break that is not over on `day`; a day within one counts to it."""
    here = school.first_on_or_after(day)
    if here > day and (here - school.last_n_before(day, 1)).days > LONG_BREAK_DAYS:
        return here
    while (here - day).days < _SEARCH_DAYS:
        following = school.first_on_or_after(here + timedelta(days=1))
        if (following - here).days > LONG_BREAK_DAYS:
            return following
        here = following
    return months_after(day, _WITHOUT_BREAKS)
