"""When the daily close is due. Pure.

Invariant: every evening has its close, once; after a downtime the last evening that was missed is closed under its own
date, so that gaps due on a day that is not over yet keep the rest of that day for their answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from federation.rules.calendar import SchoolCalendar

CLOSE_AT = time(18, 0)
"""In the federation's zone (design §4.6): after the schools' day, before the nodes' evening fetch."""

LOOK_SECONDS = 20.0
"""How often the daemon looks whether a close is due."""


def close_due(
    now: datetime, zone: ZoneInfo, newest_begun: date | None, last_finished_at: datetime | None
) -> date | None:
    """The day to close now, or None. `now` and `last_finished_at` are aware.

    A close that was begun under a later date, by hand, and not finished is finished under that date: dates never go
    back.
    """
    local = now.astimezone(zone)
    day = local.date() if local.time() >= CLOSE_AT else local.date() - timedelta(days=1)
    evening = datetime.combine(day, CLOSE_AT, zone)
    if last_finished_at is not None and last_finished_at >= evening:
        return None
    return max(day, newest_begun) if newest_begun is not None else day


@dataclass(frozen=True, slots=True)
class Behind:
    """How far the closes are behind: since when one is missing, and how many business days lack theirs."""

    seconds: float = 0.0
    days: int = 0


def behind(now: datetime, zone: ZoneInfo, newest_finished: date | None, last_finished_at: datetime | None) -> Behind:
    """As `close_due` sees it. Weekends and holidays are no business days: no gap falls due on them."""
    day = close_due(now, zone, None, last_finished_at)
    if day is None:
        return Behind()
    seconds = (now - datetime.combine(day, CLOSE_AT, zone)).total_seconds()
    return Behind(seconds, _business_days(newest_finished or day - timedelta(days=1), day))


def behind_by_hand(today: date, newest_finished: date | None) -> Behind:
    """Under a manual clock, by the business date alone: each day before today has to be closed, once one was."""
    day = today - timedelta(days=1)
    if newest_finished is None or newest_finished >= day:
        return Behind()
    return Behind((day - newest_finished).total_seconds(), _business_days(newest_finished, day))


def _business_days(after: date, through: date) -> int:
    return SchoolCalendar().count(after + timedelta(days=1), through + timedelta(days=1))
