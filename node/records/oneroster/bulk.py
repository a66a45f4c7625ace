"""A whole delivery: every pupil whom the school system has, with all roles.

roles.csv is read before users.csv and kept, a few hundred bytes a pupil; the rest streams past.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import msgspec

from node.model import Row
from node.records.oneroster import rows as table
from node.records.oneroster.files import WHY_NO_SCHOOL, Files
from node.records.oneroster.rows import Role, Span
from node.records.person import PersonRecord, Remark, row_order
from node.records.tables import Fields
from node.records.values import form_and_year

Days = tuple[date | None, date | None]
"""First and last day of a session."""


@dataclass(slots=True)
class _Pupil:
    """A user with a student's role. `row` is where it was named first, `named` whether users.csv has it."""

    row: int
    roles: tuple[Role, ...] = ()
    spans: frozenset[Span] = frozenset()
    birth_date: str = ""
    sex: str = ""
    named: bool = False

    @property
    def dated(self) -> bool:
        return any(role.unit and (role.start is not None or role.end is not None) for role in self.roles)


_Pupils = dict[str, _Pupil | None]
"""User → pupil; None for a user who has roles, but none of them a student's."""


def read(files: Files) -> Iterator[PersonRecord | Remark]:
    """The pupils, in the order of users.csv."""
    pupils = _pupils(files)
    _read_enrollments(files, pupils)
    for _, fields in files.rows("demographics"):
        if (pupil := pupils.get(fields["sourcedId"])) is not None:
            pupil.birth_date, pupil.sex = fields.get("birthDate", ""), sys.intern(fields.get("sex", ""))
    for row, fields in files.rows("users"):
        yield from files.remarks.made()
        pupil = pupils.get(fields["sourcedId"])
        if pupil is None:
            if fields["sourcedId"] in pupils or not table.is_marked(fields):
                continue
            # No role is left, but what the row says of the person decides what a leaving means.
            pupil = _Pupil(row)
        pupil.named = True
        if pupil.roles and not pupil.spans and not any(role.unit for role in pupil.roles):
            files.remarks.count(row, "roles.orgSourcedId", WHY_NO_SCHOOL)
        yield _with_rows(files, files.person(row, fields, pupil.birth_date, pupil.sex), fields, pupil)
    where = f"{'roles' if 'roles' in files.modes else 'enrollments'}.userSourcedId"
    for pupil in pupils.values():
        if pupil is not None and not pupil.named:
            files.remarks.reject(
                pupil.row, where, "names a user whom users.csv does not have: the enrolment is left out"
            )


def _pupils(files: Files) -> _Pupils:
    pupils: _Pupils = {}
    for row, fields in files.rows("roles"):
        user = fields["userSourcedId"]
        if fields["role"].casefold() != table.STUDENT:
            pupils.setdefault(user, None)
            continue
        pupil = pupils.get(user) or _Pupil(row)
        pupils[user] = pupil
        role = files.role(row, fields)
        if role is not None and any(role.id == other.id for other in pupil.roles):
            files.remarks.reject(row, "roles.sourcedId", "stands twice for one pupil: the second enrolment is left out")
        elif role is not None:
            pupil.roles = (*pupil.roles, role)
    return pupils


def _read_enrollments(files: Files, pupils: _Pupils) -> None:
    """Give pupils whose roles bear no dates the days of their classes."""
    without_roles = "roles" not in files.modes
    if not without_roles and all(pupil is None or pupil.dated for pupil in pupils.values()):
        return
    sessions = {
        fields["sourcedId"]: files.interval(row, "academicSessions", fields, "startDate", "endDate") or (None, None)
        for row, fields in files.rows("academicSessions")
    }
    classes = {
        fields["sourcedId"]: (
            fields.get("schoolSourcedId", ""),
            _days_of(table.list_of(fields.get("termSourcedIds", "")), sessions),
        )
        for _, fields in files.rows("classes")
    }
    for row, fields in files.rows("enrollments"):
        if fields["role"].casefold() != table.STUDENT:
            continue
        pupil = pupils.get(fields["userSourcedId"])
        if pupil is None and without_roles:
            pupil = pupils[fields["userSourcedId"]] = _Pupil(row)
        if pupil is None or pupil.dated or not files.active(row, "enrollments", fields):
            continue
        days = files.interval(row, "enrollments", fields)
        school, term = classes.get(fields["classSourcedId"], ("", (None, None)))
        unit = files.unit(row, "enrollments.schoolSourcedId", fields.get("schoolSourcedId") or school)
        if days is not None and unit:
            pupil.spans |= {Span(unit, days[0] or term[0], days[1] or term[1])}


def _days_of(terms: Iterable[str], sessions: Mapping[str, Days]) -> Days:
    """From the first day of the earliest term to the last day of the latest; a term that is not known opens neither."""
    listed = [sessions[term] for term in terms if term in sessions]
    starts = [start for start, _ in listed if start is not None]
    ends = [end for _, end in listed if end is not None]
    return min(starts, default=None), max(ends, default=None)


def _with_rows(files: Files, record: PersonRecord, user: Fields, pupil: _Pupil) -> PersonRecord:
    year = form_and_year(user.get("grades", ""))[1]

    def row_of(role: Role) -> Row:
        return files.row_of(record.position, role, user, year)

    if not pupil.spans:
        return table.with_rows(record, {role.id: row_of(role) for role in pupil.roles if role.unit})
    # What comes from classes bears no ids: there is no role by which a delta could change it.
    schools = {span.unit for span in pupil.spans}
    roles = [Role("", *span, "") for span in pupil.spans]
    roles += [role for role in pupil.roles if role.unit and role.unit not in schools]
    return msgspec.structs.replace(record, rows=tuple(sorted({row_of(role) for role in roles}, key=row_order)))
