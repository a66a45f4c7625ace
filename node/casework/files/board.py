"""The board: who is looked for, by whose clock runs out first. Pure.

What stands on it: case files that are not closed, suspended ones last; and gaps in WATCH, from day 0, which is the
first day without school. A clock is the day on which something must have been done: the first step of a checklist that
is due, or the day on which a watched gap opens.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from federation.rules.vocabulary import CaseStatus, GapState
from node.casework.files.model import CaseFile
from node.casework.routines.model import Words
from node.gaps import Gap

SOON_SCHOOL_DAYS = 2


class Pressure(enum.IntEnum):
    """How a line's clock stands; the order of the board."""

    LATE = 0
    TODAY = 1
    SOON = 2
    LATER = 3
    NONE = 4


@dataclass(frozen=True, slots=True)
class Clock:
    """What must be done until when: `what` is `step` (of the checklist, with its title), `opens` (a watched gap) or
    `resumes` (a suspension)."""

    due_on: date
    what: str
    title: Words | None = None


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One line. `day` counts school days: 0 on the first day without school. `asks_close`: the gap is accounted for."""

    pupil_id: bytes | None = field(repr=False)
    file: CaseFile | None
    gap: Gap | None
    pressure: Pressure
    day: int | None
    clock: Clock | None
    left: int | None
    """School days until the clock runs out; negative: so many ago."""
    asks_close: bool = False
    protected: bool = False


CountSchoolDays = Callable[[date, date], int]
"""School days in [first, second)."""


def line(
    *,
    file: CaseFile | None,
    gap: Gap | None,
    pupil_id: bytes | None,
    step: Clock | None,
    today: date,
    count: CountSchoolDays,
    protected: bool,
) -> BoardLine:
    """The line of one case file, or of one watched gap."""
    clock = step
    if file is not None and file.status is CaseStatus.SUSPENDED and file.suspended_until is not None:
        clock = Clock(file.suspended_until, "resumes")
    elif file is None and gap is not None:
        clock = Clock(gap.due_on, "opens")
    since = gap.opening.since if gap is not None else file.opened_on if file is not None else None
    accounted = gap is not None and gap.state in (GapState.ANSWERED, GapState.ENDED, GapState.VOID)
    left = None if clock is None else _left(clock.due_on, today, count)
    return BoardLine(
        pupil_id=pupil_id,
        file=file,
        gap=gap,
        pressure=_pressure(left),
        day=None if since is None or since > today else count(since, today),
        clock=clock,
        left=left,
        asks_close=file is not None and accounted,
        protected=protected,
    )


def _left(due_on: date, today: date, count: CountSchoolDays) -> int:
    return count(today, due_on) if due_on >= today else -max(1, count(due_on, today))


def _pressure(left: int | None) -> Pressure:
    if left is None:
        return Pressure.NONE
    if left < 0:
        return Pressure.LATE
    if left == 0:
        return Pressure.TODAY
    return Pressure.SOON if left <= SOON_SCHOOL_DAYS else Pressure.LATER


def ordered(lines: Iterable[BoardLine]) -> tuple[BoardLine, ...]:
    """Open case files by their clocks, then watched gaps by theirs, then what is suspended."""
    return tuple(sorted(lines, key=_place))


def _place(line: BoardLine) -> tuple[bool, bool, int, date, str]:
    suspended = line.file is not None and line.file.status is CaseStatus.SUSPENDED
    return (
        suspended,
        line.file is None,
        line.pressure.value,
        date.max if line.clock is None else line.clock.due_on,
        "" if line.file is None else line.file.reference,
    )
