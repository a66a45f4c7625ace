"""Attendance from a school system's API: `/aggregatedAttendance`, a day at a time, or `/attendanceEvents`.

    a window of days → pages → one mark for each pupil and day

Invariants
    - Minutes of attendance, or of another school activity, are attendance; nothing else is. Absence that is called
      valid is a guardian's word: neither list tells granted leave.
    - An element that cannot be read is remarked on and left out: it makes nobody present.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from federation.errors import Code, UppropError
from federation.rules.calendar import DAY, SchoolCalendar
from node.casework.attendance.model import Mark
from node.casework.attendance.table import DayMark
from node.records.person import Remark, RemarkKind
from node.records.ss12000_api.api import Api, PageTokenError, UnsupportedError
from node.records.ss12000_api.pages import List, Page
from node.records.ss12000_api.settings import SchoolSystem
from node.records.ss12000_api.transport import Transport

WINDOW_DAYS = 14
"""Teachers report late: so many days are asked for again each time."""
MAX_ELEMENTS = 5_000_000
MAX_PAGES = 100_000


class _Reference(msgspec.Struct):
    id: str


class _Aggregated(msgspec.Struct, rename="camel"):
    """Minutes of one pupil in one activity from `startDate` to `endDate`, both inclusive: several make up a day.

    The standard requires `attendanceSum` alone of the sums; `reportedSum` and `offeredSum` do not
    say who was there.
    """

    student: _Reference
    attendance_sum: float | None = None
    valid_absence_sum: float | None = None
    invalid_absence_sum: float | None = None
    other_attendance_sum: float | None = None


class _Event(msgspec.Struct):
    """Somebody comes or goes, by `eventType` (In, Ut): either way the child was there."""

    time: str
    person: _Reference


_aggregated = msgspec.json.Decoder(_Aggregated).decode
_event = msgspec.json.Decoder(_Event).decode


def fetch(
    source: SchoolSystem,
    today: date,
    calendar: SchoolCalendar,
    zone: ZoneInfo,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[DayMark | Remark]:
    """Marks and remarks of the last days. Raises UppropError, as a fetch of persons does."""
    first = today - timedelta(days=WINDOW_DAYS)
    with contextlib.closing(Transport(source, sleep=sleep)) as transport:
        api = Api(source, transport)
        if source.attendance == "aggregated":
            yield from _by_day(api, source.limit, first, today, calendar)
        else:
            yield from _by_event(api, source.limit, first, today, zone)


def _by_day(api: Api, limit: int, first: date, today: date, calendar: SchoolCalendar) -> Iterator[DayMark | Remark]:
    day = calendar.first_on_or_after(first)
    position = 0
    while day <= today:
        query = {"startDate": day.isoformat(), "endDate": day.isoformat()}
        ways = [{**query, "limit": str(limit)}, query]
        of_day: dict[str, _Day] = {}
        for element in _walk(api, List.AGGREGATED_ATTENDANCE, ways):
            position += 1
            try:
                one = _aggregated(element)
            except msgspec.DecodeError:
                yield _unreadable(position, "aggregatedAttendance")
                continue
            of_day.setdefault(one.student.id, _Day(position)).add(one)
        for student, minutes in of_day.items():
            mark = minutes.mark()
            if mark is not None:
                yield DayMark(student, "", day, mark, minutes.position)
        day = calendar.first_on_or_after(day + DAY)


def _by_event(api: Api, limit: int, first: date, today: date, zone: ZoneInfo) -> Iterator[DayMark | Remark]:
    since = {"meta.modified.after": f"{first.isoformat()}T00:00:00Z"}
    some = {"limit": str(limit)}
    for position, element in enumerate(_walk(api, List.ATTENDANCE_EVENTS, [since | some, since, some, {}]), start=1):
        try:
            event = _event(element)
            day = _day(event.time, zone)
        except (msgspec.DecodeError, ValueError, OverflowError):
            yield _unreadable(position, "attendanceEvents")
            continue
        if first <= day <= today:
            yield DayMark(event.person.id, "", day, Mark.PRESENT, position)


def _walk(api: Api, which: List, ways: list[dict[str, str]]) -> Iterator[msgspec.Raw]:
    """The elements of a list, page by page."""
    try:
        page: Page = api.first(which, ways, misread="").page
    except UnsupportedError as error:
        raise error.as_failure(which) from None
    tokens: set[str] = set()
    elements = 0
    while True:
        yield from page.elements
        elements += len(page.elements)
        if page.token is None:
            return
        if page.token in tokens or len(tokens) > MAX_PAGES or elements > MAX_ELEMENTS:
            raise UppropError(
                Code.EXPORT_UNREADABLE,
                f"The school system's list /{which} does not end. Nothing was changed. Ask its supplier.",
            )
        tokens.add(page.token)
        try:
            page = api.next(which, page.token).page
        except PageTokenError:
            raise UppropError(
                Code.EXPORT_UNREADABLE,
                f"The school system forgets its own pages of /{which}. Nothing was changed. Try a larger limit.",
            ) from None


@dataclass(slots=True)
class _Day:
    """Minutes of one pupil on one day, in all activities."""

    position: int
    attended: float = 0
    valid: float = 0
    invalid: float = 0

    def add(self, one: _Aggregated) -> None:
        self.attended += (one.attendance_sum or 0) + (one.other_attendance_sum or 0)
        self.valid += one.valid_absence_sum or 0
        self.invalid += one.invalid_absence_sum or 0

    def mark(self) -> Mark | None:
        """None where nothing was reported: that day says nothing of this pupil's absence, and makes nobody present."""
        if self.attended > 0:
            return Mark.PRESENT
        if self.invalid > 0:
            return Mark.ABSENT
        return Mark.VALID if self.valid > 0 else None


def _day(text: str, zone: ZoneInfo) -> date:
    instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo is None else instant.astimezone(zone)).date()


def _unreadable(position: int, where: str) -> Remark:
    return Remark(RemarkKind.REJECTED, position, where, "cannot be read: the row is left out")
