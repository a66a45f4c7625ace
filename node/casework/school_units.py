"""Which school units a pupil belongs to, by the newest that school systems have shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from node.coverage import is_void
from node.model import Observation, Row


def units_at(observations: Sequence[Observation], today: date) -> frozenset[str]:
    """The units of the enrolments that cover today; where none does, of those that end last.

    Who is shown no more, or only without an enrolment, belongs to the units that were shown last. `observations`:
    oldest first.
    """
    for seen in reversed(observations):
        rows = [row for row in seen.rows or () if not is_void(row)]
        if rows:
            return frozenset(row.unit for row in _newest(rows, today))
    return frozenset()


def _newest(rows: Sequence[Row], today: date) -> list[Row]:
    current = [
        row for row in rows if (row.start is None or row.start <= today) and (row.end is None or row.end >= today)
    ]
    if current:
        return current
    last = max(row.end or date.max for row in rows)
    return [row for row in rows if (row.end or date.max) == last]
