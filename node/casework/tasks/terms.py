"""When a sweep is due: at term start and after long breaks. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from federation.rules.calendar import DAY, SchoolCalendar

LONG_BREAK = timedelta(days=9)
"""From the last school day to the first one after it: longer than Easter's days, shorter than a week off with both its
weekends. Whoever is taken abroad goes in the summer, at Christmas, or in such a week."""
SWEPT_WITHIN = 10
"""School days after the first one in which a sweep still begins, where the node was not running before."""


def swept_since(calendar: SchoolCalendar, today: date) -> date | None:
    """The first school day after the newest long break, if that was within `SWEPT_WITHIN` school days up to today."""
    day = calendar.last_n_before(today + DAY, 1)
    for _ in range(SWEPT_WITHIN):
        before = calendar.last_n_before(day, 1)
        if day - before > LONG_BREAK:
            return day
        day = before
    return None
