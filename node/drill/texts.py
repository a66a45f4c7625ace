"""What `upprop node drill` says, by key: what has happened, what is awaited, what went wrong and what to do then."""

from __future__ import annotations

import enum
from typing import Final

from node.drill.steps import Fault, Step


class DrillText(enum.Enum):
    """One sentence; parameters stand in its catalogue entry."""

    BEGUN = enum.auto()
    PASSED = enum.auto()
    FAILED = enum.auto()
    RUNNING = enum.auto()
    # -- done
    MADE = enum.auto()
    PSEUDONYMISED = enum.auto()
    ACCEPTED = enum.auto()
    ROSTER = enum.auto()
    OPENED = enum.auto()
    TAKEN_BACK = enum.auto()
    CONFIRMED = enum.auto()
    # -- awaited, or ahead
    TO_PSEUDONYMISE = enum.auto()
    TO_ACCEPT = enum.auto()
    TO_KNOW_ROSTER = enum.auto()
    TO_OPEN = enum.auto()
    TO_TAKE_BACK = enum.auto()
    TO_CONFIRM = enum.auto()
    AFTER_CLOSE = enum.auto()
    # -- failed: what to do
    NO_PSEUDONYMS = enum.auto()
    NOT_ACCEPTED = enum.auto()
    NO_ROSTER = enum.auto()
    NO_NOTICE = enum.auto()
    NOT_TAKEN_BACK = enum.auto()
    UNHEARD = enum.auto()
    ANSWERED = enum.auto()
    REFUSED = enum.auto()


DONE: Final = {
    Step.MADE: DrillText.MADE,
    Step.PSEUDONYMISED: DrillText.PSEUDONYMISED,
    Step.ACCEPTED: DrillText.ACCEPTED,
    Step.ROSTER: DrillText.ROSTER,
    Step.OPENED: DrillText.OPENED,
    Step.TAKEN_BACK: DrillText.TAKEN_BACK,
    Step.CONFIRMED: DrillText.CONFIRMED,
}
AHEAD: Final = {
    Step.PSEUDONYMISED: DrillText.TO_PSEUDONYMISE,
    Step.ACCEPTED: DrillText.TO_ACCEPT,
    Step.ROSTER: DrillText.TO_KNOW_ROSTER,
    Step.OPENED: DrillText.TO_OPEN,
    Step.TAKEN_BACK: DrillText.TO_TAKE_BACK,
    Step.CONFIRMED: DrillText.TO_CONFIRM,
}
LATE: Final = {
    Step.PSEUDONYMISED: DrillText.NO_PSEUDONYMS,
    Step.ACCEPTED: DrillText.NOT_ACCEPTED,
    Step.ROSTER: DrillText.NO_ROSTER,
    Step.OPENED: DrillText.NO_NOTICE,
    Step.TAKEN_BACK: DrillText.NOT_TAKEN_BACK,
    Step.CONFIRMED: DrillText.NO_NOTICE,
}
FAULTS: Final = {Fault.UNHEARD: DrillText.UNHEARD, Fault.ANSWERED: DrillText.ANSWERED, Fault.REFUSED: DrillText.REFUSED}


def advice(step: Step, fault: Fault) -> DrillText:
    """What to do about a step that failed."""
    return LATE[step] if fault is Fault.LATE else FAULTS[fault]
