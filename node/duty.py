"""The end of the duty to attend school (design §5, Duty ended): pure, from one pupil's timeline."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from federation.rules.calendar import DAY
from federation.rules.vocabulary import DutyEnded
from node.coverage import Run, Span
from node.held import held
from node.model import Status, What
from node.timeline import Timeline

EMIGRATION_DAYS = 30
"""An emigration explains a leaving only if the last covered day is so near the import that first showed it."""

LAST_YEAR = {"GR": 9, "GRS": 9, "GRAN": 9, "SAM": 9, "TR": 9, "SP": 10}
COMPLETION_SCHOOL_DAYS = 3
"""The last school year may end so many school days before the summer break."""


class Cause(enum.StrEnum):
    """Why the duty ended."""

    DECEASED = "DECEASED"
    EMIGRATED = "EMIGRATED"
    COMPLETED = "COMPLETED"
    DECIDED = "DECIDED"
    """Decided abroad, or taught in another way, as a person stated."""


@dataclass(frozen=True, slots=True)
class Duty:
    """An end of duty, the day it was first shown or said, and why."""

    ended: DutyEnded
    shown_on: date
    cause: Cause

    @property
    def death(self) -> bool:
        return self.cause is Cause.DECEASED


def duty_of(time: Timeline) -> Duty | None:
    """The end of duty that stands today, the newest first."""
    duties = [duty for duty in (_by_status(time), _by_word(time), _by_completion(time)) if duty is not None]
    return max(duties, key=lambda duty: duty.ended.begins, default=None)


def _by_status(time: Timeline) -> Duty | None:
    """Deceased or emigrated, as exports show it."""
    duty: Duty | None = None
    before = None
    for known in time.known:
        if known.status != before and known.status in (Status.DECEASED, Status.EMIGRATED):
            duty = _duty_shown(time, known.as_of, known.status)
        elif duty is not None and known.status == Status.ACTIVE and _covers(known.runs, known.as_of):
            duty = None
        before = known.status
    if duty is not None and _begins_after(time, duty.ended.begins):
        return None
    return duty


def _duty_shown(time: Timeline, shown_on: date, status: str) -> Duty | None:
    death = status == Status.DECEASED
    cause = Cause.DECEASED if death else Cause.EMIGRATED
    run = next((run for run in reversed(time.runs) if run.begins <= shown_on), None)
    if run is None:
        return Duty(DutyEnded(shown_on), shown_on, cause) if death else None
    if run.until > shown_on:
        return Duty(DutyEnded(shown_on), shown_on, cause)
    if death or (shown_on - (run.until - DAY)).days <= EMIGRATION_DAYS:
        return Duty(DutyEnded(run.until), shown_on, cause)
    return None


def _by_word(time: Timeline) -> Duty | None:
    """Decided abroad or alternative fulfilment, as a person stated it, until its review has passed."""
    said = [saying for saying in time.history.sayings if saying.what is What.DUTY_ENDED and saying.on <= time.today]
    if not said:
        return None
    newest = max(said, key=lambda saying: (saying.said_on, saying.on))
    if newest.review is not None and newest.review < time.today:
        # A stay abroad that nobody looked at again accounts for nobody.
        return None
    if _begins_after(time, newest.on):
        return None
    # While a withdrawal waits the school lists the pupil because it was asked to: that shows nobody to be there.
    if held(time) is None and _shown_active_after(time, newest.said_on):
        return None
    return Duty(DutyEnded(newest.on, newest.review), newest.said_on, Cause.DECIDED)


def _by_completion(time: Timeline) -> Duty | None:
    """The last school year ended at the end of the spring term."""
    last = time.last_run()
    if last is None or not time.shows(last.until):
        return None
    if any(_completes(time, span) for span in last.last):
        return Duty(DutyEnded(last.until), last.until, Cause.COMPLETED)
    return None


def _completes(time: Timeline, span: Span) -> bool:
    if LAST_YEAR.get(span.form) != span.school_year or span.school_year is None:
        return False
    day = span.until if span.vanished else span.until - DAY
    pause = time.calendar.summer_break(day.year)
    if pause is None:
        return False
    return time.calendar.last_n_before(pause.start, COMPLETION_SCHOOL_DAYS) <= day <= pause.end


def _begins_after(time: Timeline, day: date) -> bool:
    return any(day < span.begins <= time.today for span in time.spans)


def _shown_active_after(time: Timeline, day: date) -> bool:
    """Whether an export after `day` showed the pupil covered and active."""
    for as_of in time.facts.imports:
        if not day < as_of <= time.today:
            continue
        known = next((known for known in reversed(time.known) if known.as_of <= as_of), None)
        if known is not None and known.status == Status.ACTIVE and _covers(known.runs, as_of):
            return True
    return False


def _covers(runs: Sequence[Run], day: date) -> bool:
    return any(run.begins <= day < run.until for run in runs)
