"""When a withdrawal that waits is let go without anybody's decision. Pure."""

from __future__ import annotations

from datetime import date

from federation.rules.vocabulary import GapState
from node.casework.holds.model import Hold, ReleasedBy
from node.held import placed_since
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
    return ReleasedBy.PLACED_HERE if time is not None and placed_since(time) else None


def _documented(time: Timeline) -> bool:
    """Whether the end of the duty to attend stands in the place of an opening: then no gap of the hold is made."""
    grounds = grounds_of(time)
    return grounds.duty is not None and (grounds.opening is None or grounds.explained)
