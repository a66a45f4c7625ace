"""What an answer to a task must say: pure."""

from __future__ import annotations

import enum
from datetime import date, timedelta

from federation.rules.calendar import DAY, SchoolCalendar
from node.casework.residents.model import asked_again_on
from node.casework.tasks.model import (
    ABSENT_SCHOOL_DAYS,
    ANSWERS,
    MAX_UNTIL_DAYS,
    MAX_WHY,
    NEEDS_UNTIL,
    NEEDS_WHY,
    Answer,
    Task,
    TaskKind,
)


class Refused(enum.StrEnum):
    """Why an answer is not taken; each has a text `task.refused.<value>`."""

    NOTHING_CHOSEN = "nothing-chosen"
    NOT_OF_KIND = "not-of-kind"
    WHY_MISSING = "why-missing"
    WHY_TOO_LONG = "why-too-long"
    DAY_MISSING = "day-missing"
    DAY_AHEAD = "day-ahead"
    DAY_TOO_EARLY = "day-too-early"
    UNTIL_MISSING = "until-missing"
    UNTIL_PAST = "until-past"
    UNTIL_TOO_LATE = "until-too-late"


class RefusedError(Exception):
    """An answer that is not taken; `why` says why."""

    def __init__(self, why: Refused) -> None:
        super().__init__(why.value)
        self.why = why


def check(task: Task, answer: Answer, today: date, *, on: date | None, until: date | None, why: str) -> None:
    """Raises RefusedError where the answer lacks something. `on`: the day seen, or the last day attended."""
    if answer not in ANSWERS[task.kind]:
        raise RefusedError(Refused.NOT_OF_KIND)
    if len(why) > MAX_WHY:
        raise RefusedError(Refused.WHY_TOO_LONG)
    if answer in NEEDS_WHY and not why:
        raise RefusedError(Refused.WHY_MISSING)
    if answer in (Answer.SEEN, Answer.GONE):
        _check_day(task, answer, today, on)
    if answer in NEEDS_UNTIL:
        if until is None:
            raise RefusedError(Refused.UNTIL_MISSING)
        if until < today:
            raise RefusedError(Refused.UNTIL_PAST)
        if until > today + timedelta(days=MAX_UNTIL_DAYS):
            raise RefusedError(Refused.UNTIL_TOO_LATE)


def _check_day(task: Task, answer: Answer, today: date, on: date | None) -> None:
    if on is None:
        raise RefusedError(Refused.DAY_MISSING)
    if on > today:
        raise RefusedError(Refused.DAY_AHEAD)
    # Somebody seen before the presence began has not been seen in it.
    too_early = task.about.since if answer is Answer.SEEN else today - timedelta(days=MAX_UNTIL_DAYS)
    if too_early is not None and on < too_early:
        raise RefusedError(Refused.DAY_TOO_EARLY)


def again_on(task: Task, answer: Answer, today: date, until: date | None, calendar: SchoolCalendar) -> date | None:
    """The day on which the answer is looked at again; None: it stands."""
    if task.kind is TaskKind.NOT_PLACED:
        return asked_again_on(answer, until, today)
    if answer is Answer.LEAVE and until is not None:
        return until + DAY
    if answer is Answer.BACK:
        # Whoever is back shows in the attendance of a week; else the question stands again.
        return calendar.nth_on_or_after(today + DAY, ABSENT_SCHOOL_DAYS)
    return None
