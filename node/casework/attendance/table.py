"""Source: attendance as one CSV file, a row for each pupil and day (docs/manual/sources.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from node.casework.attendance.model import Mark, stronger
from node.records.dates import DateError, hyphenated, start_day
from node.records.person import Remark
from node.records.remarks import Remarks
from node.records.tables import Column, Fields
from node.records.text_files import read_table
from node.records.values import yes_or_no

COLUMNS = (
    Column("person_id", ("elev_id",)),
    Column("personnummer", ("civic_no",)),
    Column("datum", ("date",), required=True),
    Column("närvaro", ("narvaro", "attendance"), required=True),
    Column("ledighet", ("granted_leave",)),
    Column("giltig", ("valid_absence",)),
)

TEMPLATE = """\
person_id;personnummer;datum;närvaro;ledighet;giltig
exempel-1;20150519-9800;2026-09-07;ja;nej;nej
exempel-2;20170103-9818;2026-09-07;nej;nej;ja
"""


@dataclass(frozen=True, slots=True)
class DayMark:
    """What one row says; the pupil by a school system's id or by number."""

    person_id: str
    number: str
    day: date
    mark: Mark
    position: int

    def __repr__(self) -> str:
        return f"DayMark(position={self.position})"


def read(path: Path, today: date) -> Iterator[DayMark | Remark]:
    """Marks and remarks. UppropError(EXPORT_UNREADABLE) where the file is no such table."""
    remarks = Remarks()
    for row, fields in read_table(path, COLUMNS, "attendance", "upprop node attendance import --template"):
        mark = None if fields is None else _mark(row, fields, today, remarks)
        if fields is None:
            remarks.reject(row, "row", "has more or fewer fields than the header: the row is left out")
        yield from remarks.made()
        if mark is not None:
            yield mark


def _mark(row: int, fields: Fields, today: date, remarks: Remarks) -> DayMark | None:
    person_id, number = fields.get("person_id", ""), fields.get("personnummer", "")
    if not (person_id or number):
        remarks.reject(row, "person_id", "is empty: the row is left out")
        return None
    try:
        day = start_day(hyphenated(fields["datum"]))
    except DateError:
        day = None
    if day is None or day > today:
        remarks.reject(row, "datum", "is not a day up to today: the row is left out")
        return None
    present, leave = _attended(fields["närvaro"]), yes_or_no(fields.get("ledighet", ""))
    valid = yes_or_no(fields.get("giltig", ""))
    for name, value in (("närvaro", present), ("ledighet", leave), ("giltig", valid)):
        if value is None:
            remarks.reject(row, name, "is neither ja nor nej: the row is left out")
            return None
    if present:
        mark = Mark.PRESENT
    elif leave:
        mark = Mark.LEAVE
    else:
        mark = Mark.VALID if valid else Mark.ABSENT
    return DayMark(person_id, number, day, mark, row)


def _attended(text: str) -> bool | None:
    """Yes, no, or minutes."""
    return bool(text.strip("0")) if text.isdecimal() else yes_or_no(text)


def together(marks: dict[date, Mark], day: date, mark: Mark) -> None:
    """Add a mark to those of a pupil."""
    marks[day] = stronger(mark, marks[day]) if day in marks else mark
