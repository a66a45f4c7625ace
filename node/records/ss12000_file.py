"""Source: a file in the shape of SS 12000:2020 `GET /persons`, `{"data": [...], "pageToken": null}`.

What is refused whole: bytes that are no JSON, JSON of another shape, and a page that another should follow. Everything
else is settled person by person and row by row: unknown fields are passed over, unknown enumeration values are kept
for the rules to judge, an enrolment that cannot be read is left out with a remark. A person whose enrolment was left
out is not in force by it: what is broken never reads as accounted for.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec

from federation.errors import Code, UppropError
from node.coverage import is_known
from node.model import UNMARKED, Row, Status
from node.records.person import Export, PersonRecord, Remark, RemarkKind, row_order

EARLIEST_YEAR = 1990
"""No enrolment of a pupil began before; school systems write 0001 or 1900 for "not known"."""
OPEN_END_YEAR = 2100
"""School systems write 9999-12-31 for "no end"."""
PROGRESS_EVERY = 2_000
"""Persons between two reports of progress."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MARKINGS = frozenset({UNMARKED, "Sekretessmarkering", "Skyddad folkbokföring"})
_STATUSES = frozenset(status.value for status in Status)
_SWEDISH = frozenset({"SE", "SWE", ""})

Progress = Callable[[int, int], None]
"""Called with (persons done, persons in all)."""


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    pageToken: Any = None  # noqa: N815 (the standard's name)


class _Person(msgspec.Struct, rename="camel"):
    id: str
    civic_no: Any = None
    given_name: Any = None
    middle_name: Any = None
    family_name: Any = None
    birth_date: Any = None
    sex: Any = None
    security_marking: str | None = None
    person_status: str | None = None
    enrolments: list[msgspec.Raw] | None = None


class _Unit(msgspec.Struct):
    id: str


class _Enrolment(msgspec.Struct, rename="camel"):
    enroled_at: _Unit
    school_type: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    cancelled: bool | None = None
    school_year: Any = None


class _DateError(ValueError):
    """Carries the field's name in place of its value."""


def read(content: bytes, progress: Progress = lambda _done, _total: None) -> Export:
    """Parse an export file. UppropError(EXPORT_UNREADABLE) where it is not one whole export."""
    try:
        # Persons are decoded one by one below; what is no UTF-8 must not turn up half-way.
        content.decode()
        page = msgspec.json.decode(content.removeprefix(_BYTE_ORDER_MARK), type=_Page)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # The decoder's message names a position or a field, never a value.
        raise UppropError(
            Code.EXPORT_UNREADABLE,
            f"The file is not a whole SS 12000 export ({_reason(error)}). Nothing was changed; export it again.",
        ) from None
    if page.pageToken is not None:
        raise UppropError(
            Code.EXPORT_UNREADABLE,
            "The file is one page of several (its pageToken is not null). Nothing was changed; export all persons.",
        )
    persons: list[PersonRecord] = []
    remarks: list[Remark] = []
    total = len(page.data)
    for position, raw in enumerate(page.data, start=1):
        record = _person(raw, position, remarks)
        if record is not None:
            persons.append(record)
        if position % PROGRESS_EVERY == 0:
            progress(position, total)
    progress(total, total)
    return Export(tuple(persons), tuple(remarks), hashlib.sha256(content).digest())


_decode_person = msgspec.json.Decoder(_Person).decode
_decode_enrolment = msgspec.json.Decoder(_Enrolment).decode


def _person(raw: msgspec.Raw, position: int, remarks: list[Remark]) -> PersonRecord | None:
    try:
        person = _decode_person(raw)
    except msgspec.ValidationError as error:
        remarks.append(Remark(RemarkKind.REJECTED, position, _field(error), _reason(error)))
        return None
    if not person.id:
        remarks.append(Remark(RemarkKind.REJECTED, position, "id", "is empty"))
        return None
    marking = person.security_marking or UNMARKED
    if marking not in _MARKINGS:
        why = "is not a value of the standard: the person is treated as protected"
        remarks.append(Remark(RemarkKind.NOTE, position, "securityMarking", why))
    status = person.person_status or Status.ACTIVE.value
    if status not in _STATUSES:
        why = "is not a value of the standard: it ends no duty of attendance"
        remarks.append(Remark(RemarkKind.NOTE, position, "personStatus", why))
    rows = [row for entry in person.enrolments or () if (row := _row(entry, position, remarks)) is not None]
    if len(rows) > 1:
        # Exports do not keep the order of rows; equal content must compare equal.
        rows.sort(key=row_order)
    return PersonRecord(
        person_id=person.id,
        number=_number(person.civic_no),
        given_name=" ".join(filter(None, (_text(person.given_name), _text(person.middle_name)))),
        family_name=_text(person.family_name),
        birth_date=_text(person.birth_date),
        sex=_text(person.sex),
        status=status,
        marking=marking,
        rows=tuple(rows),
        position=position,
    )


def _row(raw: msgspec.Raw, position: int, remarks: list[Remark]) -> Row | None:
    try:
        entry = _decode_enrolment(raw)
        start = _start(entry.start_date)
        end = _end(entry.end_date)
    except _DateError as error:
        why = "is not a date between 1990 and 2099 (YYYY-MM-DD): the enrolment is left out"
        remarks.append(Remark(RemarkKind.REJECTED, position, f"enrolments.{error}", why))
        return None
    except msgspec.ValidationError as error:
        why = f"{_reason(error)}: the enrolment is left out"
        remarks.append(Remark(RemarkKind.REJECTED, position, f"enrolments.{_field(error)}", why))
        return None
    form = entry.school_type or ""
    if not is_known(form):
        why = "is not a known school type: it counts as enrolled, and its end opens no case"
        remarks.append(Remark(RemarkKind.NOTE, position, "enrolments.schoolType", why))
    return Row(
        unit=entry.enroled_at.id,
        form=form,
        start=start,
        end=end,
        cancelled=bool(entry.cancelled),
        school_year=_school_year(entry.school_year),
    )


def _number(civic_no: Any) -> str | None:
    """The national number as given; None where there is none or it is another country's."""
    if not isinstance(civic_no, dict):
        return None
    value = civic_no.get("value")
    nationality = civic_no.get("nationality") or ""
    if not isinstance(value, str) or not value.strip():
        return None
    if not isinstance(nationality, str) or nationality.upper() not in _SWEDISH:
        return None
    return value.strip()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _school_year(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) <= 2:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# A school year has few different dates: remembering them saves a third of the time to read a large export.
@functools.lru_cache(maxsize=4_096)
def _date(value: str) -> date | None:
    # `fromisoformat` also takes week dates and dates without hyphens, which SS 12000 does not.
    if len(value) != 10 or value[4] != "-" or value[7] != "-":
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _start(value: str | None) -> date | None:
    if not value:
        return None
    day = _date(value)
    if day is None or not EARLIEST_YEAR <= day.year < OPEN_END_YEAR:
        raise _DateError("startDate")
    return day


def _end(value: str | None) -> date | None:
    if not value:
        return None
    day = _date(value)
    if day is None or day.year < EARLIEST_YEAR:
        raise _DateError("endDate")
    return None if day.year >= OPEN_END_YEAR else day


def _field(error: msgspec.ValidationError) -> str:
    """`enroledAt.id` from "Expected `str`, got `int` - at `$.enroledAt.id`"."""
    text = str(error)
    if "missing required field" in text:
        return text.split("`")[1]
    _, _, path = text.partition(" - at `$.")
    return path.rstrip("`") or "person"


def _reason(error: Exception) -> str:
    """The decoder's sentence without the path; it names types and positions, never values."""
    text = str(error).partition(" - at ")[0]
    if "missing required field" in text:
        return "is missing"
    return text[:1].lower() + text[1:]
