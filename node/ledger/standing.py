"""What the registry must still have: the retention rules as far as a member can know that they spare its words. Pure.

Invariant: what a registry that keeps to the policy may have deleted is never called missing. What another member's
words keep there longer is not counted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from federation.rules.matching import entered_on, months_before
from federation.rules.vocabulary import GapState, Policy, Presence, Signal
from node.gaps import Gap, OpenedBy

_UNANSWERED = frozenset({GapState.WATCH, GapState.OPEN})


def must_stand(signal: Signal, gaps: Sequence[Gap], today: date, policy: Policy) -> bool:
    """Whether the registry must have the newest version of a handle; `gaps` are all that were said under it."""
    if signal.retracted:
        # It says nothing that could be missed.
        return False
    if any(_is_needed(gap, today, policy) for gap in gaps if gap.stated):
        return True
    forgotten = months_before(today, policy.retention.arrival_months)
    return any(
        (entered := entered_on(presence)) is not None and entered > forgotten and not _surpassed(presence, signal, gaps)
        for presence in signal.presences
    )


def _is_needed(gap: Gap, today: date, policy: Policy) -> bool:
    """A gap is kept while it is unanswered, and for some time after the close that told how it ended."""
    if gap.state in _UNANSWERED and gap.verdict not in (GapState.ANSWERED, GapState.ENDED, GapState.VOID):
        return gap.opening.since > months_before(today, 12 * policy.retention.unanswered_years)
    # One that was answered before anybody was told of it may have been so for long when the notice came.
    changed_on = gap.verdict_on if gap.opened_by is OpenedBy.NOTICE else None
    settled_on = max(gap.due_on, changed_on or gap.due_on)
    return today < settled_on + timedelta(days=policy.retention.answered_pair_days)


def _surpassed(presence: Presence, signal: Signal, gaps: Sequence[Gap]) -> bool:
    """Whether the leaving that ended it is answered: the arrival that answers came later."""
    opening = signal.opening
    return (
        opening is not None
        and presence.until is not None
        and presence.until <= opening.since
        and any(gap.number == opening.number and gap.state is GapState.ANSWERED for gap in gaps)
    )
