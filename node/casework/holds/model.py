"""A hold as values. Pure.

State: HELD → RELEASED(by) → (the school system withdraws the pupil), or HELD | RELEASED → CANCELLED (the pupil stays).
Moved by `node.casework.holds.holding` alone. CANCELLED is the end; what was withdrawn is taken back by enrolling anew.

Invariants
    - A hold is let go by another member's presence, by a place here that is not the one withdrawn, by a documented end
      of the duty to attend, or by a named person's decision with its reason. The law lets nobody be kept enrolled by
      software alone: a person can always decide.
    - Where the pupil is stands nowhere in it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date
from typing import NewType

from node.model import Reason

HoldId = NewType("HoldId", bytes)
"""16 bytes, chosen by whoever asks, before the first attempt."""

HOLD_ID_BYTES = 16
MAX_AHEAD_DAYS = 366
MAX_BEHIND_DAYS = 366
MAX_TEXT = 2_000


class HoldState(enum.StrEnum):
    HELD = "HELD"
    RELEASED = "RELEASED"
    CANCELLED = "CANCELLED"


class ReleasedBy(enum.StrEnum):
    ANSWER = "ANSWER"
    """Another member has the pupil. Who, nobody is told."""
    PLACED_HERE = "PLACED_HERE"
    """This member has the pupil: anew, or at another unit than the one that is left."""
    DUTY_ENDED = "DUTY_ENDED"
    """A reason that ends the duty to attend is documented."""
    OVERRIDE = "OVERRIDE"
    """A named person decided, with a reason; the pupil is looked for all the same."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What whoever asks says. `system` is the school system that asks; empty: a person, by the form.

    `unit`: the school unit that the pupil leaves, staying at others here; empty: the pupil leaves them all.
    """

    hold_id: HoldId = field(repr=False)
    last_day: date
    reason: Reason
    responsible: str = field(repr=False)
    system: str = ""
    note: str = field(default="", repr=False)
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold. `decided_by` and `decision` stand where a person decided."""

    asked: Asked
    pupil_id: bytes = field(repr=False)
    asked_on: date
    state: HoldState = HoldState.HELD
    state_since: date | None = None
    released_by: ReleasedBy | None = None
    decided_by: str = field(default="", repr=False)
    decision: str = field(default="", repr=False)


class HoldError(Exception):
    """What was asked cannot be taken; `key` names the sentence `hold.error.<key>`."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key
