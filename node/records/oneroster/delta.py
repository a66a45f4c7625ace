"""What has changed since the delivery before: rows by their `sourcedId`, active or tobedeleted, the newest counting.

A delta that names one role of a pupil says nothing of the others: they are looked up in the roster as it stands, where
each row bears the id of its role.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import msgspec

from node.model import Row
from node.records.oneroster import rows as table
from node.records.oneroster.files import Files
from node.records.oneroster.rows import Role
from node.records.person import PersonRecord, Persons, Remark, unreadable
from node.records.tables import Fields
from node.records.values import form_and_year, sex_of

LOOKED_UP_AT_ONCE = 1_000
"""Persons whose records are asked for together."""


@dataclass(slots=True)
class _Change:
    """What is said of one person beside the user's own row. A role that is None is no student's role any more."""

    row: int = 0
    roles: dict[str, Role | None] = field(default_factory=dict)
    birth_date: str = ""
    sex: str = ""

    @property
    def enrols(self) -> bool:
        return any(role is not None for role in self.roles.values())


def read(files: Files, persons: Persons, gone: set[str]) -> Iterator[PersonRecord | Remark]:
    """The pupils as they stand after it. Ids of deleted users go to `gone`."""
    changes = _changes(files)
    users = files.newest_rows("users")
    while chunk := list(itertools.islice(users, LOOKED_UP_AT_ONCE)):
        known = persons([fields["sourcedId"] for _, fields in chunk])
        for row, fields in chunk:
            user = fields["sourcedId"]
            change = changes.pop(user, _Change())
            if table.is_deleted(fields):
                gone.add(user)
            elif user in known or change.enrols:
                yield from _with_user(files, row, fields, change, known.get(user, ()))
        yield from files.remarks.made()
    others = iter(changes.items())
    while part := list(itertools.islice(others, LOOKED_UP_AT_ONCE)):
        known = persons([user for user, _ in part])
        for user, change in part:
            if user in known:
                yield from _without_user(files, change, known[user])
            elif change.enrols:
                files.remarks.reject(
                    change.row, "roles.userSourcedId", "names a user who is neither in users.csv nor known"
                )
        yield from files.remarks.made()


def _changes(files: Files) -> dict[str, _Change]:
    changes: dict[str, _Change] = {}
    for row, fields in files.newest_rows("roles"):
        if not fields["userSourcedId"]:
            raise unreadable(f"Row {row} of roles.csv names no user, so that it cannot be told whose role it changes")
        change = changes.setdefault(fields["userSourcedId"], _Change(row))
        ends = table.is_deleted(fields) or fields["role"].casefold() != table.STUDENT
        change.roles[fields["sourcedId"]] = None if ends else files.role(row, fields)
    for row, fields in files.newest_rows("demographics"):
        if not table.is_deleted(fields):
            change = changes.setdefault(fields["sourcedId"], _Change(row))
            change.birth_date, change.sex = fields.get("birthDate", ""), fields.get("sex", "")
    return changes


def _with_user(
    files: Files, row: int, fields: Fields, change: _Change, known: Sequence[PersonRecord]
) -> Iterator[PersonRecord]:
    for before in known or (None,):
        record = files.person(row, fields, change.birth_date, change.sex, before)
        yield table.with_rows(record, _rows(files, row, fields, change, before))


def _without_user(files: Files, change: _Change, known: Sequence[PersonRecord]) -> Iterator[PersonRecord]:
    for before in known:
        record = msgspec.structs.replace(
            before,
            birth_date=change.birth_date or before.birth_date,
            sex=sex_of(change.sex) or before.sex,
            position=0,
        )
        yield table.with_rows(record, _rows(files, 0, {}, change, before))


def _rows(files: Files, position: int, user: Fields, change: _Change, before: PersonRecord | None) -> dict[str, Row]:
    """The person's rows by the ids of their roles. `user` is empty where users.csv does not name the person."""
    rows: dict[str, Row] = {}
    if before is not None:
        if len(before.row_ids) != len(before.rows):
            raise unreadable(
                "A delta changes roles, but what is known here of some pupils does not come from dated roles; a bulk "
                "delivery is needed"
            )
        rows = dict(zip(before.row_ids, before.rows, strict=True))
    newest = max(rows.values(), key=lambda row: row.start or date.min, default=None)
    year = None if newest is None else newest.school_year
    if "grades" in user:
        year = form_and_year(user["grades"])[1]
        rows = {role_id: replace(row, school_year=year) for role_id, row in rows.items()}
    for role_id, role in change.roles.items():
        earlier = rows.pop(role_id, None)
        if role is not None and role.unit:
            # What tells the school type may stand in files that this delta leaves out.
            alike = earlier or next((row for row in rows.values() if row.unit == role.unit), None)
            rows[role_id] = files.row_of(position, role, user, year, alike or (None if user else newest))
    return rows
