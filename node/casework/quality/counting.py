"""Counts a year of casework. Pure: case files and steps in, the report out.

A step that fell away before it was due (its routine ended, its case file was closed) was never due. One that is due
today is still in time.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import date

from node.casework.quality.model import CountedFile, CountedStep, Days, FirstContact, Kept, Report
from node.casework.routines.model import CountsAs

FIRST_CONTACT_SCHOOL_DAYS = 3
"""As the routine *saknad elev* asks for."""

CountSchoolDays = Callable[[date, date], int]
"""School days in [first, second)."""


def report(
    files: Iterable[CountedFile], year: int, today: date, count: CountSchoolDays, *, with_protected: bool
) -> Report:
    """The report of a year. `files`: all that were opened by its end, as far as they have anything to do with it."""
    first, last = date(year, 1, 1), min(date(year, 12, 31), today)
    seen = [file for file in files if (with_protected or not file.protected) and file.opened_on <= last]
    worked = [file for file in seen if file.closed_on is None or file.closed_on >= first]
    opened = [file for file in worked if file.opened_on >= first]
    closed = [file for file in worked if _by(file.closed_on, last)]
    steps = [step for file in seen for step in file.steps]
    worries = [
        file
        for file in seen
        if any(step.counts_as is CountsAs.WORRY_REPORT and _within(step.done_on, first, last) for step in file.steps)
    ]
    return Report(
        year=year,
        until=last,
        with_protected=with_protected,
        worked=len(worked),
        opened=len(opened),
        closed=len(closed),
        open=len(worked) - len(closed),
        outcomes=Counter((file.classification, file.outcome if _by(file.closed_on, last) else None) for file in worked),
        opened_for=Counter(file.opened_for for file in opened),
        absence=Counter(file.absence for file in opened),
        first_contact=_first_contact(opened, last, count),
        closing=_days(count(file.opened_on, file.closed_on) for file in closed if file.closed_on is not None),
        steps=_kept(steps, first, last, today),
        by_routine={
            name: _kept([step for step in steps if step.routine == name], first, last, today)
            for name in sorted({step.routine for step in steps if _concerns(step, first, last)})
        },
        worry_reports=_kept(_of(steps, CountsAs.WORRY_REPORT), first, last, today),
        worry_files=len(worries),
        follow_ups=_kept(_of(steps, CountsAs.FOLLOW_UP), first, last, today),
    )


def _first_contact(opened: Collection[CountedFile], last: date, count: CountSchoolDays) -> FirstContact:
    taken, waiting, without = [], 0, 0
    for file in opened:
        days = [
            step.done_on
            for step in file.steps
            if step.counts_as is CountsAs.FIRST_CONTACT and step.done_on is not None and step.done_on <= last
        ]
        if days:
            taken.append(count(file.opened_on, min(days)))
        elif _by(file.closed_on, last):
            without += 1
        else:
            waiting += 1
    in_time = sum(each <= FIRST_CONTACT_SCHOOL_DAYS for each in taken)
    return FirstContact(_days(taken), in_time, waiting, without)


def _kept(steps: Iterable[CountedStep], first: date, last: date, today: date) -> Kept:
    in_time = late = undone = done = 0
    for step in steps:
        done += _within(step.done_on, first, last)
        if step.due_on is None or not _within(step.due_on, first, last):
            continue
        if step.done_on is not None and step.done_on <= step.due_on:
            in_time += 1
        elif step.lapsed_on is not None and step.lapsed_on <= step.due_on:
            continue
        elif _by(step.done_on, last):
            late += 1
        elif step.due_on < today:
            undone += 1
    return Kept(in_time + late + undone, in_time, late, undone, done)


def _concerns(step: CountedStep, first: date, last: date) -> bool:
    return _within(step.due_on, first, last) or _within(step.done_on, first, last)


def _of(steps: Iterable[CountedStep], kind: CountsAs) -> list[CountedStep]:
    return [step for step in steps if step.counts_as is kind]


def _by(day: date | None, last: date) -> bool:
    return day is not None and day <= last


def _within(day: date | None, first: date, last: date) -> bool:
    return day is not None and first <= day <= last


def _days(taken: Iterable[int]) -> Days:
    found = sorted(taken)
    if not found:
        return Days(0, None, None)
    # The higher of the two in the middle: nothing is made to look quicker than it was.
    return Days(len(found), statistics.median_high(found), found[-1])


def years(oldest: date | None, today: date) -> tuple[int, ...]:
    """The years that can be told of, newest first."""
    first = today if oldest is None else min(oldest, today)
    return tuple(range(today.year, first.year - 1, -1))
