"""What can be wrong with a routine, a directory of help or a printed text that somebody wrote. Pure.

Each kind has a sentence in both languages (`node.casework.routines.wording`, key `flaw.<KIND>`) that says what to do.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class FlawKind(enum.StrEnum):
    TOO_LARGE = "TOO_LARGE"
    NOT_YAML = "NOT_YAML"
    ALIAS = "ALIAS"
    KEY_TWICE = "KEY_TWICE"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    MISSING_FIELD = "MISSING_FIELD"
    WRONG_VALUE = "WRONG_VALUE"
    NAME = "NAME"
    NAME_OF_FILE = "NAME_OF_FILE"
    TEXT_MISSING = "TEXT_MISSING"
    NO_STEPS = "NO_STEPS"
    NO_OUTCOMES = "NO_OUTCOMES"
    STEP_TWICE = "STEP_TWICE"
    OUTCOME_TWICE = "OUTCOME_TWICE"
    ENTRY_TWICE = "ENTRY_TWICE"
    UNKNOWN_STEP = "UNKNOWN_STEP"
    UNKNOWN_ROUTINE = "UNKNOWN_ROUTINE"
    CYCLE = "CYCLE"
    LOOP_NOT_BACK = "LOOP_NOT_BACK"
    LOOP_WITHOUT_CLOCK = "LOOP_WITHOUT_CLOCK"
    CLOCK_MISSING = "CLOCK_MISSING"
    CLOCK_SEVERAL = "CLOCK_SEVERAL"
    CLOCK_PAST = "CLOCK_PAST"
    CLOCK_TOO_LONG = "CLOCK_TOO_LONG"
    CLOCK_BEFORE = "CLOCK_BEFORE"
    STANDING_CLOCK = "STANDING_CLOCK"
    AT_ONCE_WAITS = "AT_ONCE_WAITS"


@dataclass(frozen=True, slots=True)
class Flaw:
    """`where` is the place in the file (`steps[2] contacts`), `what` the word that is wrong; either may be empty."""

    kind: FlawKind
    where: str = ""
    what: str = ""


class FlawedError(Exception):
    """A file is not in order. Holds every flaw that could be told; nothing of the file is used."""

    def __init__(self, flaws: tuple[Flaw, ...], file: str = "") -> None:
        super().__init__(", ".join(flaw.kind.value for flaw in flaws))
        self.flaws, self.file = flaws, file
