"""Dates as school systems write them: what is a day, what means "no end", and what is a mistake."""

from __future__ import annotations

import functools
from datetime import date

EARLIEST_YEAR = 1990
"""No enrolment of a pupil began before; school systems write 0001 or 1900 for "not known"."""
OPEN_END_YEAR = 2100
"""School systems write 9999-12-31 for "no end"."""

WHY_NO_DATE = f"is not a date between {EARLIEST_YEAR} and {OPEN_END_YEAR - 1} (YYYY-MM-DD): the enrolment is left out"


class DateError(ValueError):
    """Not a date that an enrolment can begin or end on. Holds no value."""

    def __init__(self) -> None:
        super().__init__(WHY_NO_DATE)


def start_day(text: str | None) -> date | None:
    """The first day of an enrolment; None where none is given. Raises DateError."""
    if not text:
        return None
    day = _day(text)
    if day is None or not EARLIEST_YEAR <= day.year < OPEN_END_YEAR:
        raise DateError
    return day


def end_day(text: str | None) -> date | None:
    """The last day of an enrolment; None where none is given or it lies beyond all school years. Raises DateError."""
    if not text:
        return None
    day = _day(text)
    if day is None or day.year < EARLIEST_YEAR:
        raise DateError
    return None if day.year >= OPEN_END_YEAR else day


def hyphenated(text: str) -> str:
    """20260817 as 2026-08-17."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdecimal() else text


# A school year has few different dates: remembering them saves a third of the time to read a large export.
@functools.lru_cache(maxsize=4_096)
def _day(text: str) -> date | None:
    # `fromisoformat` also takes week dates and dates without hyphens, which no source of ours writes.
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
