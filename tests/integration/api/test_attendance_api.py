"""Attendance fetched over an SS 12000 API: what makes somebody present, and what never does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest

from federation.errors import Code, UppropError
from node.casework.attendance.model import Mark
from node.casework.attendance.table import DayMark
from node.records.person import Remark
from node.records.ss12000_api.attendance import WINDOW_DAYS, fetch
from node.records.ss12000_api.settings import SchoolSystem as Source
from tests.harness.school_system import SchoolSystem
from tests.integration.node_alone import CALENDAR
from tests.unit.node.exports import person_id

TODAY = date(2026, 9, 7)
FRIDAY = "2026-09-04"
ZONE = ZoneInfo("Europe/Stockholm")
AGGREGATED, EVENTS = "aggregatedAttendance", "attendanceEvents"


def sums(place: int, day: str = FRIDAY, **minutes: int) -> dict[str, Any]:
    """As the standard has an element: of one pupil in one activity."""
    references = {"student": {"id": person_id(place)}, "activity": {"id": f"activity-{place}"}}
    return {**references, "startDate": day, "endDate": day, **minutes}


def fetched(
    school: SchoolSystem, which: Literal["aggregated", "events"], limit: int = 10
) -> tuple[dict[tuple[str, date], Mark], list[Remark]]:
    source = Source(url=school.url, token_file=school.token_file, attendance=which, limit=limit)
    read = list(fetch(source, TODAY, CALENDAR, ZONE, sleep=lambda _seconds: None))
    marks = {(each.person_id, each.day): each.mark for each in read if isinstance(each, DayMark)}
    return marks, [each for each in read if isinstance(each, Remark)]


def test_minutes_of_attendance_make_somebody_present_and_nothing_else_does(school: SchoolSystem) -> None:
    school.serve_attendance(
        AGGREGATED,
        [
            sums(0, attendanceSum=240, invalidAbsenceSum=60),
            sums(1, otherAttendanceSum=60),
            sums(2, attendanceSum=0, validAbsenceSum=300),
            sums(3, validAbsenceSum=100, invalidAbsenceSum=200),
            sums(4, offeredSum=300, reportedSum=0),
            # Of each activity one: absence is valid where all of it is.
            sums(6, attendanceSum=0, validAbsenceSum=60),
            sums(6, attendanceSum=0, invalidAbsenceSum=40),
            sums(7, attendanceSum=0, invalidAbsenceSum=60),
            sums(7, attendanceSum=50),
            {"student": None, "startDate": FRIDAY, "endDate": FRIDAY},
            sums(5, "2026-08-01", attendanceSum=300),
        ],
    )
    marks, remarks = fetched(school, "aggregated", limit=2)
    day = date.fromisoformat(FRIDAY)
    assert marks == {
        (person_id(0), day): Mark.PRESENT,
        (person_id(1), day): Mark.PRESENT,
        (person_id(2), day): Mark.VALID,
        (person_id(3), day): Mark.ABSENT,
        (person_id(6), day): Mark.ABSENT,
        (person_id(7), day): Mark.PRESENT,
    }
    assert [(remark.field, remark.why) for remark in remarks] == [(AGGREGATED, "cannot be read: the row is left out")]
    first = next(request for request in school.requests if request["on"] == AGGREGATED)
    assert first["query"]["startDate"] == first["query"]["endDate"]
    # School days alone, those of two weeks.
    days = {request["query"].get("startDate", [""])[0] for request in school.requests} - {""}
    assert days == {str(TODAY - timedelta(days=n)) for n in range(WINDOW_DAYS + 1) if (n % 7) not in (1, 2)}


def test_events_are_days_in_the_federations_zone(school: SchoolSystem) -> None:
    school.serve_attendance(
        EVENTS,
        [
            {"id": "1", "person": {"id": person_id(0)}, "time": "2026-09-03T22:30:00Z", "eventType": "In"},
            {"id": "2", "person": {"id": person_id(1)}, "time": "2026-09-03T16:00:00+02:00", "eventType": "Ut"},
            {"id": "3", "person": {"id": person_id(2)}, "time": "2026-07-01T08:00:00Z"},
            {"id": "4", "person": {"id": person_id(3)}, "time": "yesterday"},
            {"id": "5", "registeredBy": {"id": person_id(5)}, "time": "2026-09-03T08:00:00Z", "eventType": "In"},
            {"id": "6", "person": {"id": person_id(6)}, "time": "9999-12-31T23:59:59-23:59"},
        ],
    )
    marks, remarks = fetched(school, "events")
    assert marks == {
        (person_id(0), date(2026, 9, 4)): Mark.PRESENT,
        (person_id(1), date(2026, 9, 3)): Mark.PRESENT,
    }
    assert [remark.row for remark in remarks] == [4, 5, 6]


@pytest.mark.parametrize("which", ["aggregated", "events"])
def test_a_school_system_without_that_list_says_so(
    school: SchoolSystem, which: Literal["aggregated", "events"]
) -> None:
    with pytest.raises(UppropError) as caught:
        fetched(school, which)
    assert caught.value.code is Code.CONFIG_INVALID


def test_a_list_that_repeats_its_page_for_ever_is_given_up(school: SchoolSystem) -> None:
    school.serve_attendance(
        EVENTS,
        [{"id": str(n), "person": {"id": person_id(n)}, "time": "2026-09-03T08:00:00Z"} for n in range(30)],
    )
    school.misbehave("same", on=EVENTS, at=2, times=100)
    with pytest.raises(UppropError) as caught:
        fetched(school, "events")
    assert caught.value.code is Code.EXPORT_UNREADABLE
