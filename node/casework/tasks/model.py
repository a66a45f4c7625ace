"""Tasks as values. Pure.

State of a task: OPEN → DONE (a person answered it) or DROPPED (what it asked about is no more), and from either back to
OPEN: on `again_on`, which an answer may set, or where what it asked about stands again. Moved by `node.store.tasks`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date
from typing import NewType

TaskId = NewType("TaskId", bytes)
"""16 random bytes; in addresses of pages as 32 hexadecimal digits. It names no person."""

TASK_ID_BYTES = 16

SEEN_SCHOOL_DAYS = 5
"""An arrival is to be seen in school within so many school days."""
ABSENT_SCHOOL_DAYS = 5
"""Without attendance and without granted leave: then somebody looks into it."""
ABSENCE_DUE_SCHOOL_DAYS = 1
RESIDENT_DUE_SCHOOL_DAYS = 5
SWEEP_DUE_SCHOOL_DAYS = 2


class TaskKind(enum.StrEnum):
    SEEN = "SEEN"
    """Has the pupil who came been seen in school?"""
    ABSENCE = "ABSENCE"
    """No attendance for days and no granted leave: problematic absence, or missing?"""
    NOT_PLACED = "NOT_PLACED"
    """A resident of school age without a school that is known here."""
    SWEEP = "SWEEP"
    """At term start and after long breaks: who of this school unit has not come?"""


class TaskState(enum.StrEnum):
    OPEN = "OPEN"
    DONE = "DONE"
    DROPPED = "DROPPED"


class Answer(enum.StrEnum):
    """What a person can answer; which of them goes with which kind is in `ANSWERS`."""

    SEEN = "SEEN"
    NOT_SEEN = "NOT_SEEN"
    """The pupil never came: a no-show."""
    PROBLEMATIC = "PROBLEMATIC"
    """Known where the pupil is, but not in school."""
    MISSING = "MISSING"
    """Not known where the pupil is, or the family cannot be reached."""
    GONE = "GONE"
    """Missing, and said so to the federation: gone though enrolled."""
    LEAVE = "LEAVE"
    """Granted leave, or known illness, up to a day."""
    BACK = "BACK"
    """In school again, or the record of attendance was wrong."""
    NOT_PLACED = "NOT_PLACED"
    ELSEWHERE = "ELSEWHERE"
    """At a school that a person knows of; asked again when the next school year begins."""
    NOT_DUE = "NOT_DUE"
    """Not under the duty to attend school: decided abroad or taught otherwise, up to a day."""
    SWEPT = "SWEPT"
    """Looked through; whoever had not come has been stated."""


ANSWERS: dict[TaskKind, tuple[Answer, ...]] = {
    TaskKind.SEEN: (Answer.SEEN, Answer.NOT_SEEN),
    TaskKind.ABSENCE: (Answer.PROBLEMATIC, Answer.MISSING, Answer.GONE, Answer.LEAVE, Answer.BACK),
    TaskKind.NOT_PLACED: (Answer.NOT_PLACED, Answer.ELSEWHERE, Answer.NOT_DUE),
    TaskKind.SWEEP: (Answer.SWEPT,),
}

NEEDS_WHY = frozenset({Answer.PROBLEMATIC, Answer.MISSING, Answer.GONE, Answer.ELSEWHERE, Answer.NOT_DUE, Answer.LEAVE})
"""Answers that say what decided them."""
NEEDS_UNTIL = frozenset({Answer.LEAVE, Answer.NOT_DUE})

MAX_WHY = 2_000
"""Characters."""
MAX_UNTIL_DAYS = 366
"""What nobody looks at for over a year has slipped out of sight."""


@dataclass(frozen=True, slots=True)
class About:
    """Whom or what a task is about; sealed in the store. Names and number are of one who is no pupil here; of a pupil
    they are read from the pupil.

    `since`: the day the presence began (SEEN), the last day attended (ABSENCE; None where there was none), the day of
    the list (NOT_PLACED), the first school day after the break (SWEEP).
    """

    since: date | None = None
    number: str = ""
    name: str = ""
    unit: str = ""
    """Of a SWEEP: the school system's id of the unit."""
    resident_since: date | None = None
    hint: str = ""
    """ABSENCE: `valid` where the school system calls the absence valid, which is no granted leave."""

    def __repr__(self) -> str:
        return "About()"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a person answered; sealed in the store."""

    answer: Answer
    by: str
    on: date
    why: str = ""
    until: date | None = None

    def __repr__(self) -> str:
        return f"Answered(answer={self.answer.value})"


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `pupil_id` is None for a resident who is no pupil here and for a sweep of a unit."""

    task_id: TaskId
    kind: TaskKind
    pupil_id: bytes | None = field(repr=False)
    about: About
    protected: bool
    made_on: date
    due_on: date
    state: TaskState = TaskState.OPEN
    settled_on: date | None = None
    again_on: date | None = None
    answered: Answered | None = None
