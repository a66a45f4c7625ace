"""Calendar arithmetic of the generator: which days are school days, and which date of the scenario is which.

It is written apart from `federation.rules.calendar` on purpose: the truth of a generated scenario has to be able to
disagree with the rules it is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)
SATURDAY = 5
FIXED_HOLIDAYS = frozenset({(1, 1), (1, 6), (5, 1), (6, 6), (12, 25), (12, 26)})
"""Month and day of the Swedish public holidays that can fall on a weekday and keep their date."""
EASTER_OFFSETS = frozenset({-2, 1, 39})
"""Good Friday, Easter Monday and Ascension Day, in days from Easter Sunday. All others fall on weekends."""


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar: the Sunday after the first full moon from 21 March on.

    Gauss's rule with the constants of the years 1900 to 2099.
    """
    moon = (19 * (year % 19) + 24) % 30
    sunday = (2 * (year % 4) + 4 * (year % 7) + 6 * moon + 5) % 7
    if (moon, sunday) == (29, 6) or (moon == 28 and sunday == 6 and year % 19 > 10):
        sunday -= 7
    return date(year, 3, 22) + (moon + sunday) * DAY


@dataclass(frozen=True)
class Term:
    """The dates of a scenario. `breaks` are inclusive at both ends; `watch` counts school days."""

    as_of: tuple[date, ...]
    breaks: tuple[tuple[date, date], ...]
    watch: int

    def is_school_day(self, day: date) -> bool:
        return (
            day.weekday() < SATURDAY
            and (day.month, day.day) not in FIXED_HOLIDAYS
            and (day - easter(day.year)).days not in EASTER_OFFSETS
            and not any(start <= day <= end for start, end in self.breaks)
        )

    def nth(self, day: date, n: int) -> date:
        """The n-th school day on or after `day`, counted from one."""
        while True:
            if self.is_school_day(day):
                n -= 1
                if n == 0:
                    return day
            day += DAY

    def due(self, since: date) -> date:
        """The day on which an unanswered gap since `since` opens."""
        return self.nth(since, self.watch)

    def between(self, start: date, end: date) -> int:
        """School days in [start, end)."""
        return sum(self.is_school_day(start + n * DAY) for n in range((end - start).days))

    def index(self, day: date) -> int:
        """The first date of the scenario on or after `day`, as an index; the number of dates where there is none."""
        return next((i for i, as_of in enumerate(self.as_of) if as_of >= day), len(self.as_of))

    @property
    def last(self) -> int:
        return len(self.as_of) - 1


def dates(start: date, weeks: int, every: int) -> tuple[date, ...]:
    """A date every so many days, from `start` on, for so many weeks."""
    return tuple(start + n * DAY for n in range(0, 7 * weeks, every))
