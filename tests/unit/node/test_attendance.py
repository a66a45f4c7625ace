"""Who has been absent for days: what counts, what does not, and what may never hide a child."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from federation.errors import Code, UppropError
from federation.rules.calendar import Break, SchoolCalendar
from node.casework.attendance.model import Mark, absence, absence_subject, days_of_unit
from node.casework.attendance.table import TEMPLATE, DayMark, read
from node.casework.residents import table as residents
from node.casework.residents.model import Resident, asked_again_on, of_school_age
from node.casework.tasks.model import Answer
from node.casework.tasks.terms import swept_since
from node.records.person import Remark

CALENDAR = SchoolCalendar([Break(date(2026, 6, 13), date(2026, 8, 17)), Break(date(2026, 10, 26), date(2026, 10, 30))])
MONDAY = date(2026, 9, 7)
WEEK = [MONDAY + timedelta(days=n) for n in range(5)]
LAST_WEEK = [day - timedelta(days=7) for day in WEEK]
BEGAN = date(2026, 8, 18)
TODAY = date(2026, 9, 14)


def present(*days: date) -> dict[date, Mark]:
    return dict.fromkeys(days, Mark.PRESENT)


def test_the_fifth_day_without_attendance_counts_and_the_fourth_does_not() -> None:
    days = [*LAST_WEEK, *WEEK]
    assert absence(present(*LAST_WEEK, WEEK[0]), days, BEGAN) is None
    found = absence(present(*LAST_WEEK), days, BEGAN)
    assert found is not None
    assert (found.days, found.since, found.last_attended, found.valid) == (5, MONDAY, LAST_WEEK[-1], False)


def test_no_mark_at_all_is_absence_and_one_lesson_is_attendance() -> None:
    found = absence({}, WEEK, BEGAN)
    assert found is not None
    assert (found.days, found.last_attended) == (5, None)
    assert absence({WEEK[2]: Mark.PRESENT}, WEEK, BEGAN) is None


def test_granted_leave_does_not_count_and_valid_absence_does() -> None:
    days = [*LAST_WEEK, *WEEK]
    leave = dict.fromkeys(WEEK, Mark.LEAVE)
    assert absence(present(*LAST_WEEK) | leave, days, BEGAN) is None
    # Four days before a leave and one after it are five.
    around = present(LAST_WEEK[0]) | dict.fromkeys(WEEK[:4], Mark.LEAVE)
    found = absence(around, days, BEGAN)
    assert found is not None
    assert found.days == 5
    valid = absence(present(*LAST_WEEK) | dict.fromkeys(WEEK, Mark.VALID), days, BEGAN)
    assert valid is not None
    assert valid.valid


def test_days_before_the_enrolment_and_days_without_anybody_do_not_count() -> None:
    assert absence({}, [*LAST_WEEK, *WEEK], WEEK[1]) is None
    attended = {day for day in WEEK if day != WEEK[2]}
    assert days_of_unit(attended, set(WEEK), CALENDAR, (MONDAY, WEEK[-1])) == tuple(sorted(attended))


def test_a_unit_in_which_nobody_is_there_any_more_does_not_hide_its_pupils() -> None:
    covered = {*LAST_WEEK, *WEEK}
    window = (LAST_WEEK[0], WEEK[-1])
    assert days_of_unit(set(LAST_WEEK), covered, CALENDAR, window) == (*LAST_WEEK, *WEEK)
    # Four days may be days of planning; a source that shows nobody anywhere says nothing of anyone.
    assert days_of_unit({*LAST_WEEK, WEEK[0]}, covered, CALENDAR, window) == (*LAST_WEEK, WEEK[0])
    assert days_of_unit(set(LAST_WEEK), set(LAST_WEEK), CALENDAR, window) == tuple(LAST_WEEK)
    # A unit that never reports is nothing to judge by.
    assert days_of_unit(set(), covered, CALENDAR, window) == ()


def test_an_absence_that_goes_on_is_the_same_and_the_next_is_another() -> None:
    first = absence_subject(b"p", LAST_WEEK[-1], BEGAN)
    assert first == absence_subject(b"p", LAST_WEEK[-1], WEEK[0])
    assert len({first, absence_subject(b"p", WEEK[0], BEGAN), absence_subject(b"p", None, BEGAN)}) == 3


@pytest.mark.parametrize(
    ("today", "since"),
    [
        (date(2026, 8, 17), None),
        (date(2026, 8, 18), date(2026, 8, 18)),
        (date(2026, 8, 22), date(2026, 8, 18)),
        (date(2026, 8, 31), date(2026, 8, 18)),
        (date(2026, 9, 7), None),
        (date(2026, 10, 30), None),
        (date(2026, 11, 2), date(2026, 11, 2)),
    ],
)
def test_a_sweep_begins_after_long_breaks_alone(today: date, since: date | None) -> None:
    assert swept_since(CALENDAR, today) == since
    assert swept_since(SchoolCalendar(), date(2026, 4, 7)) is None  # Easter is no long break


@pytest.mark.parametrize(
    ("born", "today", "due"),
    [
        (date(2020, 12, 31), date(2026, 7, 31), False),
        (date(2020, 12, 31), date(2026, 8, 1), True),
        (date(2010, 1, 1), date(2026, 6, 30), True),
        (date(2010, 12, 31), date(2026, 7, 1), False),
    ],
)
def test_the_duty_holds_from_the_autumn_of_the_sixth_year_to_the_spring_of_the_sixteenth(
    born: date, today: date, due: bool
) -> None:
    assert of_school_age(born, today) is due


def test_a_school_elsewhere_is_asked_about_again_each_school_year() -> None:
    assert asked_again_on(Answer.ELSEWHERE, None, date(2026, 7, 31)) == date(2026, 8, 1)
    assert asked_again_on(Answer.ELSEWHERE, None, date(2026, 8, 1)) == date(2027, 8, 1)
    assert asked_again_on(Answer.NOT_DUE, date(2026, 12, 1), TODAY) == date(2026, 12, 1)
    assert asked_again_on(Answer.NOT_PLACED, None, TODAY) is None


# -- tables -----------------------------------------------------------------------------------------------------------


def written(directory: Path, content: str | bytes) -> Path:
    path = directory / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_template_of_attendance_is_read(tmp_path: Path) -> None:
    one, two = read(written(tmp_path, TEMPLATE), TODAY)
    assert isinstance(one, DayMark)
    assert isinstance(two, DayMark)
    assert (one.person_id, one.day, one.mark) == ("exempel-1", MONDAY, Mark.PRESENT)
    assert two.mark is Mark.VALID


@pytest.mark.parametrize(
    ("row", "mark"),
    [
        ("a;20260907;45", Mark.PRESENT),
        ("a;2026-09-07;0", Mark.ABSENT),
        ("a;2026-09-07;1", Mark.PRESENT),
        ("a;2026-09-07;" + "9" * 5_000, Mark.PRESENT),
        ("a;2026-09-07;nej", Mark.ABSENT),
        ("a;2026-09-15;ja", "datum"),
        ("a;i går;ja", "datum"),
        ("a;2026-09-07;kanske", "närvaro"),
        (";2026-09-07;ja", "person_id"),
        ("a;2026-09-07", "row"),
    ],
)
def test_a_row_of_attendance_is_a_mark_or_is_remarked_on(tmp_path: Path, row: str, mark: Mark | str) -> None:
    (found,) = read(written(tmp_path, f"Elev_ID;Datum;NARVARO\n{row}\n"), TODAY)
    if isinstance(mark, Mark):
        assert isinstance(found, DayMark)
        assert found.mark is mark
    else:
        assert isinstance(found, Remark)
        assert found.field == mark
        assert "kanske" not in found.why


@pytest.mark.parametrize("content", ["", "a;b\n1;2\n", b"\xff\xfeperson_id", b"\x00" * 50, "person_id;datum\na;b\n"])
def test_what_is_no_table_is_refused_as_a_whole(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(UppropError) as caught:
        list(read(written(tmp_path, content), TODAY))
    assert caught.value.code is Code.EXPORT_UNREADABLE


def test_the_template_of_residents_is_read_and_windows_letters_too(tmp_path: Path) -> None:
    for encoding in ("utf-8", "cp1252", "utf-8-sig"):
        one, two = residents.read(written(tmp_path, residents.TEMPLATE.encode(encoding)), TODAY)
        assert isinstance(one, Resident)
        assert isinstance(two, Resident)
        assert (one.name, one.born, one.since, one.elsewhere) == (
            "Exempel Ett",
            date(2015, 5, 19),
            date(2026, 8, 3),
            False,
        )
        assert (two.elsewhere, two.protected) == (True, False)


def test_a_marking_that_is_not_known_protects(tmp_path: Path) -> None:
    rows = "personnummer;skyddad\n201505199800;kanske\n201701039818;Sekretessmarkering\n"
    assert all(isinstance(each, Resident) and each.protected for each in residents.read(written(tmp_path, rows), TODAY))
