"""School days: Monday to Friday less public holidays less the breaks of a member's calendar (design §5, Clocks)."""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import holidays

from federation.rules.vocabulary import Opening, Policy, Urgency

DAY = timedelta(days=1)

LATEST_AFTER_WATCH = 10
"""A planned start postpones the due day by at most this many school days: due by S[watch + 9]."""

_SEARCH_LIMIT = 5 * 366
"""A calendar without a school day for five years is a mistake in the descriptor; days."""


@dataclass(frozen=True, slots=True, order=True)
class Break:
    """Days without school, both inclusive."""

    start: date
    end: date


@functools.cache
def _public_holidays(country: str, year: int) -> frozenset[date]:
    # Sundays are public holidays in Sweden by law; weekends are no school days here anyway.
    return frozenset(holidays.country_holidays(country, years=year))


class SchoolCalendar:
    """The school days of one member. Immutable; equal breaks make equal calendars."""

    def __init__(self, breaks: Iterable[Break] = (), country: str = "SE") -> None:
        self._breaks = tuple(sorted(breaks))
        self._country = country
        self._years: dict[int, tuple[date, ...]] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SchoolCalendar):
            return NotImplemented
        return (self._breaks, self._country) == (other._breaks, other._country)

    def __hash__(self) -> int:
        return hash((self._breaks, self._country))

    def _year(self, year: int) -> tuple[date, ...]:
        days = self._years.get(year)
        if days is None:
            off = _public_holidays(self._country, year)
            first, last = date(year, 1, 1), date(year, 12, 31)
            free: set[date] = set()
            for pause in self._breaks:
                day = max(pause.start, first)
                while day <= min(pause.end, last):
                    free.add(day)
                    day += DAY
            days = tuple(
                day
                for day in (first + timedelta(days=n) for n in range((last - first).days + 1))
                if day.weekday() < 5 and day not in off and day not in free
            )
            self._years[year] = days
        return days

    def is_school_day(self, day: date) -> bool:
        return self.first_on_or_after(day) == day

    def first_on_or_after(self, day: date) -> date:
        """The first school day ≥ `day`."""
        return self.nth_on_or_after(day, 1)

    def nth_on_or_after(self, day: date, n: int) -> date:
        """S[n−1], where S are the school days ≥ `day` in order; `n` ≥ 1.

        Raises ValueError for `n` < 1 and where five years hold too few school days.
        """
        if n < 1:
            raise ValueError("school days are counted from 1")
        year = day.year
        position = bisect_left(self._year(year), day)
        wanted = n - 1
        while True:
            days = self._year(year)
            if position + wanted < len(days):
                return days[position + wanted]
            wanted -= len(days) - position
            position = 0
            year += 1
            if (year - day.year) * 366 > _SEARCH_LIMIT:
                raise ValueError("the calendar holds too few school days")

    def count(self, start: date, end: date) -> int:
        """How many school days there are in [start, end)."""
        if end <= start:
            return 0
        total = -bisect_left(self._year(start.year), start)
        for year in range(start.year, end.year):
            total += len(self._year(year))
        return total + bisect_left(self._year(end.year), end)

    def last_n_before(self, day: date, n: int) -> date:
        """The earliest of the last `n` school days before `day`."""
        year = day.year
        days = list(self._year(year)[: bisect_left(self._year(year), day)])
        while len(days) < n:
            year -= 1
            if (day.year - year) * 366 > _SEARCH_LIMIT:
                raise ValueError("the calendar holds too few school days")
            days = [*self._year(year), *days]
        return days[-n]

    def summer_break(self, year: int) -> Break | None:
        """The break that holds 1 July of `year`."""
        midsummer = date(year, 7, 1)
        return next((pause for pause in self._breaks if pause.start <= midsummer <= pause.end), None)


def due_on(opening: Opening, policy: Policy, calendar: SchoolCalendar) -> date:
    """The day on which an unanswered gap opens (design §5, Clocks).

    Immediate: `since`. Normal: S[watch−1]; with a planned start P the first school day ≥ P, but neither before
    S[watch−1] nor after S[watch+9].
    """
    return due_day(opening.since, opening.urgency, opening.planned_start, policy, calendar)


def due_day(
    since: date,
    urgency: Urgency,
    planned_start: date | None,
    policy: Policy,
    calendar: SchoolCalendar,
) -> date:
    """`due_on` for an opening that has no number yet. Every kind of opening has the same clock."""
    if urgency is Urgency.IMMEDIATE:
        return since
    due = calendar.nth_on_or_after(since, policy.watch_school_days)
    if planned_start is None or planned_start <= due:
        return due
    latest = calendar.nth_on_or_after(since, policy.watch_school_days + LATEST_AFTER_WATCH)
    if planned_start >= latest:
        # Asked first, so that a start planned centuries ahead is not searched for.
        return latest
    return min(calendar.first_on_or_after(planned_start), latest)
