"""Columns and rows of the files that are read, each row for itself.

OneRoster excludes the end date of a role, an enrolment and a session ("becomes inactive (exclusive)"); here the last
day is the day before it. `metadata.` columns are the extension that the binding leaves to the parties; which are read
stands in the manual (docs/manual/sources.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import msgspec

from node.model import Row, Status
from node.records.dates import end_day
from node.records.person import PersonRecord, row_order
from node.records.tables import Column, Fields
from node.records.values import first_of, form_and_year, form_of, marking_of, sex_of, status_of

STUDENT = "student"
SCHOOL = "school"
ACTIVE = "active"
DELETED = "tobedeleted"

_BASE = (Column("sourcedId", required=True), Column("status"), Column("dateLastModified"))
_FORM = Column("metadata.schoolType", ("metadata.skolform",))

MANIFEST = (Column("propertyName", required=True), Column("value", required=True))
ORGS = (*_BASE, Column("name"), Column("type", required=True), _FORM)
USERS = (
    *_BASE,
    Column("givenName", required=True),
    Column("middleName"),
    Column("familyName", required=True),
    Column("identifier"),
    Column("userMasterIdentifier"),
    Column("userIds"),
    Column("grades"),
    Column("metadata.civicNo", ("metadata.personnummer",)),
    Column("metadata.securityMarking", ("metadata.skyddad",)),
    Column("metadata.personStatus"),
    _FORM,
)
ROLES = (
    *_BASE,
    Column("userSourcedId", required=True),
    Column("role", required=True),
    Column("orgSourcedId", required=True),
    Column("beginDate"),
    Column("endDate"),
    _FORM,
)
ENROLLMENTS = (
    *_BASE,
    Column("classSourcedId", required=True),
    Column("schoolSourcedId"),
    Column("userSourcedId", required=True),
    Column("role", required=True),
    Column("beginDate"),
    Column("endDate"),
)
CLASSES = (*_BASE, Column("schoolSourcedId"), Column("termSourcedIds"))
SESSIONS = (*_BASE, Column("startDate", required=True), Column("endDate", required=True))
DEMOGRAPHICS = (*_BASE, Column("birthDate"), Column("sex"))

_NUMBER_COLUMNS = ("metadata.civicNo", "userIds", "userMasterIdentifier", "identifier")
_NUMBER_TYPES = frozenset({"civicno", "personnummer", "samordningsnummer"})
_USER_ID = re.compile(r"\{\s*([^:{}]+?)\s*:\s*([^{}]*?)\s*\}")
_NUMBER_SHAPE = re.compile(r"(?:18|19|20)?[0-9]{6}[-+]?[0-9A-Za-zÅÄÖåäö]{2}[0-9]{2}")
"""A national number, or a temporary one, among the identifiers that mean something else elsewhere."""


class Org(NamedTuple):
    """`form` is empty where the row gives no school type."""

    school: bool
    form: str


class Role(NamedTuple):
    """A student's role. `unit` is empty where the org is no school, `form` where the row gives no school type."""

    id: str
    unit: str
    start: date | None
    end: date | None
    form: str


class Span(NamedTuple):
    """A student's enrolment in one class, as far as it tells when the student is at which school."""

    unit: str
    start: date | None
    end: date | None


def status(fields: Fields) -> str:
    return fields.get("status", "").casefold()


def is_deleted(fields: Fields) -> bool:
    return status(fields) == DELETED


def list_of(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def last_day(text: str | None) -> date | None:
    """The day before an excluded end. Raises DateError."""
    excluded = end_day(text)
    return None if excluded is None else excluded - timedelta(days=1)


def modified(fields: Fields) -> datetime:
    """`dateLastModified`; what cannot be read is older than all."""
    try:
        when = datetime.fromisoformat(fields.get("dateLastModified", ""))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def number_of(fields: Fields) -> str | None:
    """The national number: the first that is given, in the order of the manual."""
    listed = _USER_ID.findall(fields.get("userIds", ""))
    return (
        first_of(
            (
                fields.get("metadata.civicNo", ""),
                *(number for kind, number in listed if kind.casefold() in _NUMBER_TYPES),
                *(
                    text
                    for column in ("userMasterIdentifier", "identifier")
                    if _NUMBER_SHAPE.fullmatch(text := fields.get(column, ""))
                ),
            )
        )
        or None
    )


def is_marked(fields: Fields) -> bool:
    """Whether a user's row says something that matters though the user has no role."""
    marking, status = fields.get("metadata.securityMarking", ""), fields.get("metadata.personStatus", "")
    return marking_of(marking) != marking_of("") or status_of(status) != Status.ACTIVE


def person_of(fields: Fields, birth_date: str, sex: str, before: PersonRecord | None, position: int) -> PersonRecord:
    """What a user's row says. In a delta a column that the file lacks says nothing: what was known `before` stands."""
    marking, status = fields.get("metadata.securityMarking"), fields.get("metadata.personStatus")
    number = number_of(fields)
    if before is not None:
        birth_date, sex = birth_date or before.birth_date, sex or before.sex
        marking = before.marking if marking is None else marking
        status = before.status if status is None else status
        if not any(column in fields for column in _NUMBER_COLUMNS):
            number = before.number
    return PersonRecord(
        person_id=fields["sourcedId"],
        number=number,
        given_name=" ".join(filter(None, (fields["givenName"], fields.get("middleName")))),
        family_name=fields["familyName"],
        birth_date=birth_date,
        sex=sex_of(sex),
        status=status_of(status or ""),
        marking=marking_of(marking or ""),
        position=position,
    )


def form_for(role_form: str, user: Fields, org: Org | None, known: str) -> str | None:
    """School type: what the role says, else the user, the school, a row like it that is known, the user's grade."""
    stated = first_of((role_form, form_of(user.get("metadata.schoolType", "")), "" if org is None else org.form, known))
    return stated or form_and_year(user.get("grades", ""))[0]


def with_rows(record: PersonRecord, rows: Mapping[str, Row]) -> PersonRecord:
    """The record with rows by their ids, in the order in which equal content compares equal."""
    listed = sorted(rows.items(), key=lambda item: (row_order(item[1]), item[0]))
    return msgspec.structs.replace(
        record, rows=tuple(row for _, row in listed), row_ids=tuple(row_id for row_id, _ in listed)
    )
