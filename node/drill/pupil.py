"""The test pupil of a drill: its number, and what is said of it. Pure, from randomness and a date.

What is said makes the ordinary rules open a gap at once on any day of the year, in holidays too: of school age,
resident here, without a place, urgent. Nothing of it follows a calendar, an export or a pupil.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from privacy.identifiers import NumberKind, Sound, parse

FIRST_BIRTH_NUMBER, BIRTH_NUMBERS = 980, 20
"""Sweden keeps the birth numbers 980–999 for test numbers: nobody is given one."""

YOUNGEST, SCHOOL_AGES = timedelta(days=7 * 366), 8 * 365
"""Days of birth to choose from: of those who turn 7 to 15."""

SAID_BY = "drill"


def number(born: date, birth_number: int, today: date) -> Sound:
    """The test number of a day of birth."""
    nine = f"{born:%Y%m%d}{birth_number}"
    # The library knows which of the ten check digits is right; it makes none itself.
    found = next(sound for digit in range(10) if isinstance(sound := parse(f"{nine}{digit}", today), Sound))
    return Sound(NumberKind.DRILL, found.number)


def random_number(today: date, below: Callable[[int], int]) -> Sound:
    """One of some 58 000 test numbers of school age; `below(n)` gives a random number from 0 to n − 1."""
    born = today - YOUNGEST - timedelta(days=below(SCHOOL_AGES))
    return number(born, FIRST_BIRTH_NUMBER + below(BIRTH_NUMBERS), today)
