"""A year of casework, counted: every case file once, every step by the day that it was due."""

from __future__ import annotations

from datetime import date

from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import CaseOutcome
from node.casework.files.model import Absence, Classification, OpenedFor
from node.casework.quality.counting import report
from node.casework.quality.model import CountedFile, CountedStep, Kept, Report
from node.casework.routines.model import CountsAs

TODAY = date(2027, 1, 20)
OPENED = date(2026, 9, 7)


def step(
    due: date | None, done: date | None = None, kind: CountsAs | None = None, lapsed: date | None = None
) -> CountedStep:
    return CountedStep("saknad-elev", kind, OPENED, due, done, lapsed)


def file(
    *steps: CountedStep, opened: date = OPENED, closed: date | None = None, protected: bool = False
) -> CountedFile:
    return CountedFile(
        OpenedFor.GAP,
        opened,
        closed,
        None if closed is None else CaseOutcome.PLACED,
        Classification.ADMIN_LAG,
        Absence.MISSING,
        protected,
        steps,
    )


def counted(*files: CountedFile, year: int = 2026, with_protected: bool = False) -> Report:
    return report(files, year, TODAY, SchoolCalendar().count, with_protected=with_protected)


def test_a_case_file_over_new_year_is_open_in_the_one_and_closed_in_the_other() -> None:
    over = file(closed=date(2027, 1, 11))
    before, after = counted(over), counted(over, year=2027)
    assert (before.opened, before.closed, before.open) == (1, 0, 1)
    assert (after.worked, after.opened, after.closed, after.open) == (1, 0, 1, 0)
    assert before.outcomes == {(Classification.ADMIN_LAG, None): 1}
    assert after.outcomes == {(Classification.ADMIN_LAG, CaseOutcome.PLACED): 1}


def test_protected_case_files_and_their_steps_are_left_out_but_for_their_role() -> None:
    files = (file(), file(step(date(2026, 9, 9), kind=CountsAs.WORRY_REPORT), protected=True))
    assert (counted(*files).worked, counted(*files).steps.due) == (1, 0)
    assert (counted(*files, with_protected=True).worked, counted(*files, with_protected=True).steps.due) == (2, 1)


def test_the_first_contact_is_counted_in_school_days_from_the_first_that_was_made() -> None:
    first = CountsAs.FIRST_CONTACT
    found = counted(
        file(step(None, date(2026, 9, 9), first), step(None, date(2026, 9, 30), first)),
        # Over a weekend: five school days.
        file(step(None, date(2026, 9, 14), first)),
        file(),
        file(closed=date(2026, 9, 8)),
    ).first_contact
    assert (found.taken.counted, found.taken.median, found.taken.longest) == (2, 5, 5)
    assert (found.in_time, found.waiting, found.closed_without) == (1, 1, 1)


def test_a_step_is_late_after_its_day_and_what_fell_away_before_it_never_was_due() -> None:
    due = date(2026, 9, 10)
    found = counted(
        file(
            step(due, due),
            step(due, date(2026, 9, 11)),
            step(due),
            step(due, lapsed=date(2026, 9, 9)),
            step(None, date(2026, 9, 20)),
            step(date(2027, 1, 20)),
        )
    )
    assert found.steps == Kept(due=3, in_time=1, late=1, undone=1, done=3)
    # That of today is still in time.
    assert counted(file(step(TODAY)), year=2027).steps.due == 0


def test_worry_reports_and_follow_ups_count_in_the_year_in_which_they_were_done() -> None:
    worried = file(
        step(date(2026, 9, 7), date(2026, 9, 7), CountsAs.WORRY_REPORT),
        step(date(2026, 10, 7), date(2026, 10, 7), CountsAs.WORRY_REPORT),
        step(date(2026, 12, 30), date(2027, 1, 8), CountsAs.FOLLOW_UP),
    )
    this, following = counted(worried), counted(worried, year=2027)
    assert (this.worry_reports.done, this.worry_files, this.follow_ups.done) == (2, 1, 0)
    assert (following.worry_reports.done, following.worry_files, following.follow_ups.done) == (0, 0, 1)
    assert (this.follow_ups.undone, following.follow_ups.due) == (1, 0)
