"""One person in the shape of SS 12000:2020 `Person`, from a file or an API.

Unknown fields are passed over, unknown enumeration values are kept for the rules to judge, an enrolment that cannot be
read is left out with a remark. A person whose enrolment was left out is not in force by it: what is broken never reads
as accounted for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from node.coverage import is_known
from node.model import UNMARKED, Row, Status
from node.records.dates import DateError, end_day, start_day
from node.records.person import PersonRecord, Remark, RemarkKind, row_order
from node.records.values import MARKINGS, STATUSES, WHY_UNKNOWN_FORM, WHY_UNKNOWN_MARKING, WHY_UNKNOWN_STATUS

MAX_UNIT_NAME = 200
_SWEDISH = frozenset({"SE", "SWE", ""})


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


class _Unit(msgspec.Struct, rename="camel"):
    id: str
    display_name: Any = None


class _Enrolment(msgspec.Struct, rename="camel"):
    enroled_at: _Unit
    school_type: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    cancelled: bool | None = None
    school_year: Any = None


_decode_person = msgspec.json.Decoder(_Person).decode
_decode_enrolment = msgspec.json.Decoder(_Enrolment).decode


def parse(raw: msgspec.Raw, position: int, units: dict[str, str]) -> Iterator[PersonRecord | Remark]:
    """Remarks on one JSON object, and its record unless it is none. `position` counts persons from 1.

    `units` is given the names of school units (`displayName`) that it lacks: for people to read, nothing hangs on them.
    """
    remarks: list[Remark] = []
    record = _record(raw, position, remarks, units)
    yield from remarks
    if record is not None:
        yield record


def _record(raw: msgspec.Raw, position: int, remarks: list[Remark], units: dict[str, str]) -> PersonRecord | None:
    try:
        person = _decode_person(raw)
    except msgspec.ValidationError as error:
        remarks.append(Remark(RemarkKind.REJECTED, position, _field(error), reason(error)))
        return None
    if not person.id:
        remarks.append(Remark(RemarkKind.REJECTED, position, "id", "is empty"))
        return None
    marking = person.security_marking or UNMARKED
    if marking not in MARKINGS:
        remarks.append(Remark(RemarkKind.NOTE, position, "securityMarking", WHY_UNKNOWN_MARKING))
    status = person.person_status or Status.ACTIVE.value
    if status not in STATUSES:
        remarks.append(Remark(RemarkKind.NOTE, position, "personStatus", WHY_UNKNOWN_STATUS))
    rows = [row for entry in person.enrolments or () if (row := _row(entry, position, remarks, units)) is not None]
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


def _row(raw: msgspec.Raw, position: int, remarks: list[Remark], units: dict[str, str]) -> Row | None:
    at = ""
    try:
        entry = _decode_enrolment(raw)
        at = "startDate"
        start = start_day(entry.start_date)
        at = "endDate"
        end = end_day(entry.end_date)
    except DateError as error:
        remarks.append(Remark(RemarkKind.REJECTED, position, f"enrolments.{at}", str(error)))
        return None
    except msgspec.ValidationError as error:
        why = f"{reason(error)}: the enrolment is left out"
        remarks.append(Remark(RemarkKind.REJECTED, position, f"enrolments.{_field(error)}", why))
        return None
    form = entry.school_type or ""
    if not is_known(form):
        remarks.append(Remark(RemarkKind.NOTE, position, "enrolments.schoolType", WHY_UNKNOWN_FORM))
    if name := _text(entry.enroled_at.display_name):
        units.setdefault(entry.enroled_at.id, name[:MAX_UNIT_NAME])
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


def _field(error: msgspec.ValidationError) -> str:
    """`enroledAt.id` from "Expected `str`, got `int` - at `$.enroledAt.id`"."""
    text = str(error)
    if "missing required field" in text:
        return text.split("`")[1]
    _, _, path = text.partition(" - at `$.")
    return path.rstrip("`") or "person"


def reason(error: Exception) -> str:
    """The decoder's sentence without the path; it names types and positions, never values."""
    text = str(error).partition(" - at ")[0]
    if "missing required field" in text:
        return "is missing"
    return text[:1].lower() + text[1:]
