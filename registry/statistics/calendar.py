"""When a release is due, and what it waits for. Pure.

Invariants
    - What is due hangs on dates alone, never on how many children there are: that a release is missing tells nothing.
    - Periods are released from the first month in which the registry closed a day, oldest first; what was missed is
      made up for.
    - No release is drawn before the last day that it speaks of was closed.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from registry.statistics.catalogue import ReleaseKind
from registry.statistics.model import Period, ReleaseId

SETTLING_DAYS = 45
"""From a period's last day to its release: late imports, corrections and descriptions come in meanwhile."""

_RANK = (ReleaseKind.MONTH, ReleaseKind.YEAR, ReleaseKind.CLOSED)


@dataclass(frozen=True, slots=True)
class Known:
    """What the calendar goes by: the first day from which releases are made, and the newest day that was closed.

    Both None before the first close has ended.
    """

    first: date | None
    closed_on: date | None


def first_day(period: Period) -> date:
    return date(period.year, period.month or 1, 1)


def last_day(period: Period) -> date:
    """The last day on which a child that is counted in it may have been first missed."""
    month = period.month or 12
    return date(period.year, month, calendar.monthrange(period.year, month)[1])


def through(period: Period) -> date:
    """The last day that the release speaks of: by then members have to have reported, and the days to be closed."""
    return date(period.year + 1, 12, 31) if period.kind is ReleaseKind.CLOSED else last_day(period)


def due_on(period: Period) -> date:
    if period.kind is ReleaseKind.CLOSED:
        return through(period) + timedelta(days=1)
    return last_day(period) + timedelta(days=SETTLING_DAYS)


def periods_of(year: int, first: date) -> tuple[Period, ...]:
    """All that is ever released of a year's children."""
    months = (Period(ReleaseKind.MONTH, year, month) for month in range(1, 13))
    periods = (*months, Period(ReleaseKind.YEAR, year), Period(ReleaseKind.CLOSED, year))
    return tuple(period for period in periods if _begun(period, first))


def due(known: Known, today: date, drawn: Collection[ReleaseId]) -> list[Period]:
    """What can be released now and is not, in the order in which it fell due."""
    if known.first is None or known.closed_on is None:
        return []
    found = [
        period
        for year in range(known.first.year, today.year + 1)
        for period in periods_of(year, known.first)
        if period.release_id not in drawn and due_on(period) <= today and through(period) <= known.closed_on
    ]
    return sorted(found, key=_order)


def upcoming(known: Known, today: date, drawn: Collection[ReleaseId]) -> list[Period]:
    """The next release of each kind, soonest first; one that is overdue included."""
    first = known.first or today
    following = [next(each for each in _all(kind, first) if each.release_id not in drawn) for kind in _RANK]
    return sorted(following, key=_order)


def refusal(period: Period, known: Known, today: date) -> str | None:
    """Why a period cannot be released now, as a sentence for whoever asks for it; None where it can."""
    name = period.release_id
    if due_on(period) > today:
        return f"{name} is not due before {due_on(period)}; today is {today}. Publish it then."
    if known.first is None or known.closed_on is None:
        return f"{name} cannot be drawn: the registry has closed no day yet. Close one: upprop registry evaluate."
    if not _begun(period, known.first):
        return (
            f"{name} cannot be drawn: releases begin with {known.first:%Y-%m}, the first month in which the registry "
            "closed a day. Ask for a later one."
        )
    if known.closed_on < through(period):
        return (
            f"{name} is due, but of the days up to {through(period)} that it speaks of, the newest that was closed is "
            f"{known.closed_on}. Close the day (upprop registry evaluate), then publish again."
        )
    return None


def _begun(period: Period, first: date) -> bool:
    """Whether the registry closed days before the period's end."""
    return last_day(period) >= first


def _all(kind: ReleaseKind, first: date) -> Iterator[Period]:
    for year in range(first.year, date.max.year):
        yield from (period for period in periods_of(year, first) if period.kind is kind)


def _order(period: Period) -> tuple[date, int]:
    return due_on(period), _RANK.index(period.kind)
