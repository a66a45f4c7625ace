"""When a withdrawal that waits is let go without anybody's decision. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from federation.rules.calendar import DAY, due_day
from federation.rules.vocabulary import GapState, Urgency
from node.casework.holds.model import (
    MAX_AHEAD_DAYS,
    MAX_BEHIND_DAYS,
    MAX_TEXT,
    Asked,
    Hold,
    HoldError,
    ReleasedBy,
)
from node.coverage import counts, is_void
from node.held import placed_since
from node.model import IMMEDIATE_REASONS, Row
from node.presence import grounds_of
from node.timeline import Timeline


def check(asked: Asked, today: date) -> None:
    """Raises HoldError for what a request lacks, or what is wrong in itself."""
    if not asked.responsible.strip():
        raise HoldError("responsible")
    if max(len(asked.note), len(asked.responsible), len(asked.unit)) > MAX_TEXT:
        raise HoldError("too-long")
    if asked.last_day > today + timedelta(days=MAX_AHEAD_DAYS):
        raise HoldError("too-far")
    if asked.last_day < today - timedelta(days=MAX_BEHIND_DAYS):
        raise HoldError("too-long-ago")


def let_go(hold: Hold, gap: GapState | None, time: Timeline | None, today: date) -> ReleasedBy | None:
    """What lets go of the hold today; None: it waits on.

    `gap` is the state of the pupil's stated gap. What is documented here may be told at once: whoever documented it
    knows it. An answer never comes on the day of the request, even one that this node had before.
    """
    if gap is GapState.ENDED or (time is not None and _documented(time)):
        return ReleasedBy.DUTY_ENDED
    if hold.asked_on >= today:
        return None
    if gap is GapState.ANSWERED:
        return ReleasedBy.ANSWER
    if time is not None and (placed_since(time) or stays_elsewhere_here(hold, time)):
        return ReleasedBy.PLACED_HERE
    return None


def needs_a_look(hold: Hold, gap: GapState | None, time: Timeline | None, today: date) -> bool:
    """Whether a hold has waited as long as a gap is watched: its gap is open, or would be where it has none."""
    if gap is None and time is not None:
        return due_day(hold.asked.last_day + DAY, Urgency.NORMAL, None, time.policy, time.calendar) <= today
    return gap is GapState.OPEN


def stays_elsewhere_here(hold: Hold, time: Timeline) -> bool:
    """Whether the pupil leaves one school unit and has a place at another one here on the first school day after.

    Where all are left none of them accounts for the pupil, nor does a row for one whose whereabouts are unknown.
    """
    if not hold.asked.unit or hold.asked.reason in IMMEDIATE_REASONS:
        return False
    day = time.calendar.first_on_or_after(hold.asked.last_day + DAY)
    if not any(run.begins <= day < run.until for run in time.runs):
        return False
    return any(
        span.unit != hold.asked.unit and span.known_form and span.begins <= day < span.until for span in time.spans
    )


def enrolled_at(rows: Iterable[Row], last_day: date, unit: str) -> bool:
    """Whether rows have the pupil at a school unit up to the last day."""
    return any(row.unit == unit and _is_place(row) and (row.end is None or row.end >= last_day) for row in rows)


def has_place_beside(rows: Iterable[Row], last_day: date, unit: str) -> bool:
    """Whether rows have the pupil at another school unit on the day after the last day: it leaves the one alone."""
    return any(
        row.unit != unit
        and _is_place(row)
        and (row.start is None or row.start <= last_day + DAY)
        and (row.end is None or row.end > last_day)
        for row in rows
    )


def withdrawn(rows: Iterable[Row], last_day: date, unit: str, today: date) -> bool:
    """Whether rows list the pupil no longer than the last day, at the school unit that is left or at all of them.

    Until that day is over an end on it may be one that was set long before.
    """
    ends = [row.end or date.max for row in rows if _is_place(row) and unit in ("", row.unit)]
    until = max(ends, default=date.min)
    return until < last_day or (until == last_day and last_day < today)


def _is_place(row: Row) -> bool:
    return not is_void(row) and counts(row.form, upper_secondary=True)


def _documented(time: Timeline) -> bool:
    """Whether the end of the duty to attend stands in the place of an opening: then no gap of the hold is made."""
    grounds = grounds_of(time)
    return grounds.duty is not None and (grounds.opening is None or grounds.explained)
