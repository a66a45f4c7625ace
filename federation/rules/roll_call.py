"""From when on a gap is called: at the registry, which lists it, and at its member, which offers it."""

from __future__ import annotations

from datetime import date

from federation.rules.calendar import SchoolCalendar

CALLED_SCHOOL_DAYS = 5
"""Long enough for every node to fetch the list, and for a person to look, before a case is opened."""


def called_from(due_on: date, calendar: SchoolCalendar) -> date:
    """The first day on which a gap that is due on `due_on` is called; it is called until it is answered."""
    return calendar.last_n_before(due_on, CALLED_SCHOOL_DAYS)
