"""When a withdrawal that waits is let go without anybody's decision. Pure."""

from __future__ import annotations

from datetime import date

from federation.rules.calendar import DAY, due_day
from federation.rules.vocabulary import GapState, Urgency
from node.casework.holds.model import Hold, ReleasedBy
from node.held import placed_since
from node.model import IMMEDIATE_REASONS
from node.presence import grounds_of
from node.timeline import Timeline


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
    return any(span.unit != hold.asked.unit and span.begins <= day < span.until for span in time.spans)


def withdrawn(hold: Hold, *, live: bool, enrolled_until: date | None) -> bool:
    """Whether no school lists the pupil beyond the last day, by the newest of what they told."""
    return not live or enrolled_until is None or enrolled_until <= hold.asked.last_day


def _documented(time: Timeline) -> bool:
    """Whether the end of the duty to attend stands in the place of an opening: then no gap of the hold is made."""
    grounds = grounds_of(time)
    return grounds.duty is not None and (grounds.opening is None or grounds.explained)
