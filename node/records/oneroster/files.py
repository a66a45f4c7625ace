"""The files of one delivery, row by row, with what every reader of them needs: remarks, schools, roles, dates.

Invariant: in a delta nothing may be lost, for the next one does not repeat it: a row that cannot be told there by its
id refuses the delivery. In a bulk file it is left out with a remark.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from federation.errors import UppropError
from node.coverage import is_known
from node.model import Row
from node.records.archive import Archive
from node.records.dates import DateError, start_day
from node.records.oneroster import rows as table
from node.records.oneroster.manifest import FILES, Mode, Modes, is_whole, modes_of
from node.records.oneroster.rows import Org, Role
from node.records.person import PersonRecord, Progress, unreadable
from node.records.remarks import Remarks
from node.records.tables import Column, Fields, Table, TableError, decoded
from node.records.values import (
    DEFAULT_FORM,
    MARKINGS,
    STATUSES,
    WHY_UNKNOWN_FORM,
    WHY_UNKNOWN_MARKING,
    WHY_UNKNOWN_STATUS,
    form_of,
)

COLUMNS: Mapping[str, Sequence[Column]] = {
    "orgs": table.ORGS,
    "users": table.USERS,
    "roles": table.ROLES,
    "enrollments": table.ENROLLMENTS,
    "classes": table.CLASSES,
    "academicSessions": table.SESSIONS,
    "demographics": table.DEMOGRAPHICS,
}

WHY_GUESSED = "gives no known grade, nor is a school type given: taken for GR"
WHY_NO_SCHOOL = "names an org that is no school: it enrols nobody"


class Files:
    """One delivery, open. `units` are the schools it names; `remarks` what was found since they were last taken."""

    def __init__(self, path: Path) -> None:
        self._archive = Archive(path, {"manifest.csv", *(f"{name}.csv" for name in FILES)})
        self._progress: Progress = lambda _done, _total: None
        self._done = self._total = 0
        self._orgs: dict[str, Org] = {}
        self.remarks = Remarks()
        self.units: dict[str, str] = {}
        try:
            self.modes: Modes = modes_of(self._manifest(), self._archive.names)
        except UppropError:
            self.close()
            raise

    def close(self) -> None:
        self._archive.close()

    @property
    def whole(self) -> bool:
        return is_whole(self.modes)

    @property
    def digest(self) -> bytes:
        return self._archive.digest

    def report_to(self, progress: Progress) -> None:
        """Report bytes read. The rows of a delta are read twice: first to find which are the newest."""
        self._progress = progress
        self._done = 0
        self._total = sum(self._archive.size(f"{name}.csv") for name in self.modes) * (1 if self.whole else 2)

    # -- rows -------------------------------------------------------------------------------------------------------

    def rows(self, name: str) -> Iterator[tuple[int, Fields]]:
        """Rows of a file that is there; of a bulk file without those that are to be deleted."""
        mode = self.modes.get(name)
        if mode is None:
            return
        for row, fields in self._table(name, COLUMNS[name]):
            if fields is None or not fields["sourcedId"]:
                where = name if fields is None else f"{name}.sourcedId"
                why = "has more or fewer fields than the header" if fields is None else "is empty"
                if mode is Mode.DELTA:
                    raise unreadable(f"Row {row} of a delta is broken ({where} {why}), and what it says would be lost")
                self.remarks.reject(row, where, f"{why}: the row is left out")
            elif mode is Mode.DELTA or not table.is_deleted(fields):
                yield row, fields

    def newest_rows(self, name: str) -> Iterator[tuple[int, Fields]]:
        """Of a delta: the row of each id that was modified last."""
        newest: dict[str, tuple[datetime, int]] = {}
        repeated = self._repeated(name)
        for row, fields in self.rows(name) if repeated else ():
            if (sourced_id := fields["sourcedId"]) in repeated:
                stamp = (table.modified(fields), row)
                newest[sourced_id] = max(newest.get(sourced_id, stamp), stamp)
        for row, fields in self.rows(name):
            stands = newest.get(fields["sourcedId"])
            if stands is None or stands[1] == row:
                yield row, fields

    def _repeated(self, name: str) -> set[str]:
        """Ids that stand in several rows."""
        seen: set[str] = set()
        repeated: set[str] = set()
        for _, fields in self.rows(name):
            (repeated if fields["sourcedId"] in seen else seen).add(fields["sourcedId"])
        return repeated

    def _manifest(self) -> dict[str, str]:
        if "manifest.csv" not in self._archive.names:
            raise unreadable("The delivery has no manifest.csv, which says what is in it")
        stated: dict[str, str] = {}
        for _, fields in self._table("manifest", table.MANIFEST):
            if fields is None or fields["propertyName"] in stated:
                raise unreadable("manifest.csv has a row that is broken, or says something twice")
            stated[fields["propertyName"]] = fields["value"]
        return stated

    def _table(self, name: str, columns: Sequence[Column]) -> Iterator[tuple[int, Fields | None]]:
        with self._archive.open(f"{name}.csv", self._seen) as stream:
            try:
                yield from Table(decoded(stream), columns).rows()
            except TableError as error:
                raise unreadable(f"{name}.csv cannot be read: {error}") from None
            except UnicodeDecodeError:
                raise unreadable(f"{name}.csv is not UTF-8 text, which OneRoster asks for") from None

    def _seen(self, count: int) -> None:
        self._done += count
        self._progress(min(self._done, self._total), self._total)

    # -- schools, roles, persons ------------------------------------------------------------------------------------

    def read_orgs(self, known_units: Mapping[str, str]) -> None:
        """Learn which orgs are schools. `known_units`: schools that earlier deliveries named; a delta adds to them."""
        if not self.whole:
            self._orgs = {unit: Org(school=True, form="") for unit in known_units}
        for row, fields in self.rows("orgs"):
            if table.is_deleted(fields):
                # Whose enrolments end with it is told by the roles.
                continue
            form = self._form(row, "orgs", fields)
            org = Org(fields["type"].casefold() == table.SCHOOL, form)
            self._orgs[fields["sourcedId"]] = org
            if org.school:
                self.units[fields["sourcedId"]] = fields.get("name", "")

    def unit(self, row: int, where: str, org_id: str) -> str | None:
        """The school unit: empty where the org is known to be none, None, with a remark, where it is not known."""
        org = self._orgs.get(org_id)
        if org is not None:
            return sys.intern(org_id) if org.school else ""
        if org_id and not self._orgs:
            return sys.intern(org_id)
        self.remarks.reject(row, where, "names an org that no orgs.csv has named: the enrolment is left out")
        return None

    def interval(
        self, row: int, name: str, fields: Fields, begins: str = "beginDate", ends: str = "endDate"
    ) -> tuple[date | None, date | None] | None:
        """First and last day; None, with a remark, where they cannot be read."""
        at = begins
        try:
            start = start_day(fields.get(begins))
            at = ends
            return start, table.last_day(fields.get(ends))
        except DateError as error:
            self.remarks.reject(row, f"{name}.{at}", str(error))
            return None

    def active(self, row: int, name: str, fields: Fields) -> bool:
        """Whether the row says that it holds; if not, with a remark, it is left out."""
        if table.status(fields) not in ("", table.ACTIVE):
            self.remarks.reject(row, f"{name}.status", "is neither active nor tobedeleted: the enrolment is left out")
            return False
        return True

    def role(self, row: int, fields: Fields) -> Role | None:
        """A student's role; None, with a remark, where it cannot be read: then it keeps nobody enrolled."""
        if not self.active(row, "roles", fields):
            return None
        days = self.interval(row, "roles", fields)
        unit = self.unit(row, "roles.orgSourcedId", fields["orgSourcedId"])
        if days is None or unit is None:
            return None
        return Role(fields["sourcedId"], unit, *days, self._form(row, "roles", fields))

    def row_of(self, position: int, role: Role, user: Fields, year: int | None, known: Row | None = None) -> Row:
        """The enrolment that a role is. `known`: a row like it that is known, for what the delivery leaves out."""
        org = self._orgs.get(role.unit)
        form = table.form_for(role.form, user, org, "" if known is None else known.form)
        if form is None:
            self.remarks.count(position, "users.grades", WHY_GUESSED)
        return Row(role.unit, form or DEFAULT_FORM, role.start, role.end, school_year=year)

    def person(
        self, row: int, fields: Fields, birth_date: str, sex: str, before: PersonRecord | None = None
    ) -> PersonRecord:
        record = table.person_of(fields, birth_date, sex, before, row)
        if record.marking not in MARKINGS:
            self.remarks.note(row, "users.metadata.securityMarking", WHY_UNKNOWN_MARKING)
        if record.status not in STATUSES:
            self.remarks.note(row, "users.metadata.personStatus", WHY_UNKNOWN_STATUS)
        self._form(row, "users", fields)
        return record

    def _form(self, row: int, name: str, fields: Fields) -> str:
        form = form_of(fields.get("metadata.schoolType", ""))
        if form and not is_known(form):
            self.remarks.note(row, f"{name}.metadata.schoolType", WHY_UNKNOWN_FORM)
        return sys.intern(form)
