"""Who has been absent without granted leave for days: pure, from days and marks.

Invariants
    - A day counts against a pupil only where somebody of the school unit was there: a day of planning, or a unit that
      reports nothing, makes nobody absent. But a unit that did report and in which nobody is there any more for
      `ABSENT_SCHOOL_DAYS`, while others report, does not hide its pupils.
    - Granted leave is skipped: it neither counts nor begins the count anew. Valid absence is no granted leave, since a
      guardian's word makes it valid; it is told beside.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from federation.rules.calendar import DAY, SchoolCalendar
from node.casework.tasks.model import ABSENT_SCHOOL_DAYS


class Mark(enum.StrEnum):
    """What a source shows of one pupil on one day."""

    PRESENT = "PRESENT"
    LEAVE = "LEAVE"
    """Granted leave."""
    VALID = "VALID"
    """Absence that is called valid: told by a guardian, or illness."""
    ABSENT = "ABSENT"


_STRENGTH = (Mark.PRESENT, Mark.LEAVE, Mark.VALID, Mark.ABSENT)


def stronger(one: Mark, other: Mark) -> Mark:
    """Of two marks of one day: whoever was there for a lesson was there."""
    return min(one, other, key=_STRENGTH.index)


@dataclass(frozen=True, slots=True)
class Absence:
    """`since`: the first day that counts; `last_attended` None where no attendance is on record."""

    days: int
    since: date
    last_attended: date | None
    valid: bool
    """All of its days that have a mark are called valid."""


def days_of_unit(
    attended: Collection[date], covered: Collection[date], calendar: SchoolCalendar, window: tuple[date, date]
) -> tuple[date, ...]:
    """The days that count for the pupils of a unit, ascending.

    `attended`: days on which somebody of the unit was there; `covered`: days on which anybody of the source was;
    `window`: first and last day looked at.
    """
    school = _school_days(calendar, *window)
    counted = [day for day in school if day in attended]
    if not counted:
        return ()
    silent = [day for day in school if day > counted[-1] and day in covered]
    return tuple(counted + (silent if len(silent) >= ABSENT_SCHOOL_DAYS else []))


def absence(marks: Mapping[date, Mark], days: Sequence[date], enrolled_from: date) -> Absence | None:
    """The absence that stands on the last of a unit's days; None where it is shorter than `ABSENT_SCHOOL_DAYS`."""
    last_attended = max((day for day, mark in marks.items() if mark is Mark.PRESENT), default=None)
    begins = enrolled_from if last_attended is None else max(enrolled_from, last_attended + DAY)
    missed = [day for day in days if day >= begins and marks.get(day) is not Mark.LEAVE]
    if len(missed) < ABSENT_SCHOOL_DAYS:
        return None
    marked = [marks[day] for day in missed if day in marks]
    valid = bool(marked) and all(mark is Mark.VALID for mark in marked)
    return Absence(len(missed), missed[0], last_attended, valid)


def absence_subject(pupil_id: bytes, last_attended: date | None, enrolled_from: date | None) -> bytes:
    """Names an absence: one that goes on is the same, the next one is another."""
    if last_attended is not None:
        return pupil_id + last_attended.isoformat().encode()
    return pupil_id + b"never" + (b"" if enrolled_from is None else enrolled_from.isoformat().encode())


def _school_days(calendar: SchoolCalendar, first: date, last: date) -> list[date]:
    days = []
    day = calendar.first_on_or_after(first)
    while day <= last:
        days.append(day)
        day = calendar.first_on_or_after(day + DAY)
    return days
