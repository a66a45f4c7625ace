"""When the daily close is due. Pure.

Invariant: every evening has its close, once; after a downtime the last evening that was missed is closed under its own
date, so that gaps due on a day that is not over yet keep the rest of that day for their answers.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

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
