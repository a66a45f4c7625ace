"""The checklist of a case file: which steps stand, which are done, what is due. Pure.

State of a line: open → done(outcome), moved by `finish` alone; a step that is taken again is a line of its own, a
further round. What is open when its routine ends lapses and stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from node.casework.files.model import FileId
from node.casework.routines.model import Outcome, Routine, Step


@dataclass(frozen=True, slots=True)
class LineName:
    """One line within a case file: which run of a routine (1, 2, …), which step, which round of it (1, 2, …)."""

    run: int
    step_id: str
    round: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a checklist. `due_on` is None of a standing step; `waits_for` are steps that must be done before.

    `position` is the journal entry that tells who did it and what they wrote.
    """

    name: LineName
    routine: Routine
    step: Step
    begun_on: date
    due_on: date | None
    done_on: date | None = None
    outcome: Outcome | None = None
    position: int | None = None
    waits_for: tuple[Step, ...] = ()
    lapsed: bool = False

    @property
    def open(self) -> bool:
        return self.done_on is None and not self.lapsed

    def late(self, today: date) -> bool:
        """Whether it was, or is still to be, done after the day it was due."""
        if self.due_on is None or (self.lapsed and self.done_on is None):
            return False
        return (self.done_on or today) > self.due_on


@dataclass(frozen=True, slots=True)
class Due:
    """An open line of some case file that has a day."""

    file_id: FileId = field(repr=False)
    name: LineName
    routine: Routine
    step: Step
    due_on: date


class StepError(Exception):
    """A step cannot be finished so. `key` names the page's sentence, `parameters` are its own; no personal data."""

    def __init__(self, key: str, **parameters: object) -> None:
        super().__init__(key)
        self.key, self.parameters = key, parameters


class StepDoneError(StepError):
    """Somebody was quicker: `line` is what they did. Nothing was changed."""

    def __init__(self, line: Line) -> None:
        super().__init__("step.error.done")
        self.line = line
