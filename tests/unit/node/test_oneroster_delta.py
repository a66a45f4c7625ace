"""A delta says what has changed, role by role; together with what was known it is the whole again, or it is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from federation.errors import Code, UppropError
from node.model import Row
from node.records.oneroster.delivery import OneRoster
from node.records.person import PersonRecord, RemarkKind
from tests.harness.convert import Table, as_csv, delta_tables, oneroster_tables
from tests.unit.node.exports import OTHER_UNIT, UNIT, enrolment, number, person, person_id
from tests.unit.node.rosters import Read, read_delivery, write_directory

WHEN = "2026-09-07T06:00:00.000Z"
EARLIER = "2026-09-07T05:00:00+00:00"
MOVED = enrolment("2026-08-17", enroledAt={"id": OTHER_UNIT})

Known = Mapping[str, tuple[PersonRecord, ...]]


class System:
    """A school system: what was delivered, and the records that a node has of it."""

    def __init__(self, directory: Path, *persons: Any) -> None:
        self._directory = directory
        self._count = 0
        self.tables = oneroster_tables(persons)
        write_directory(directory / "bulk", list(persons))
        bulk = read_delivery(OneRoster(directory / "bulk"))
        self.units = dict(bulk.units)
        self.known = {record.person_id: (record,) for record in bulk.persons}

    def lookup(self, person_ids: Collection[str]) -> Known:
        return {person_id: self.known[person_id] for person_id in person_ids if person_id in self.known}

    def deliver(self, **tables: Any) -> Read:
        """Read a delta of these tables and keep what it says."""
        self._count += 1
        directory = self._directory / str(self._count)
        nothing = dict.fromkeys(("orgs", "users", "roles", "demographics"))
        write_directory(directory, [], "delta", **{**nothing, **tables})
        delivery = OneRoster(directory)
        assert not delivery.whole
        delivery.bind(self.lookup, lambda: self.units)
        read = read_delivery(delivery)
        assert not {record.person_id for record in read.persons} & read.gone
        for gone in read.gone:
            self.known.pop(gone, None)
        for record in read.persons:
            self.known[record.person_id] = (record,)
        self.units |= read.units
        return read

    def roles(self, place: int) -> Table:
        """The role rows of a person, as they would stand in a delta."""
        rows = [row for row in self.tables["roles"] if row["userSourcedId"] == person_id(place)]
        return [{**row, "status": "active", "dateLastModified": WHEN} for row in rows]

    def user(self, place: int, **values: str) -> dict[str, str]:
        row = next(row for row in self.tables["users"] if row["sourcedId"] == person_id(place))
        return {**row, "status": "active", "dateLastModified": WHEN, **values}

    def rows(self, place: int) -> tuple[Row, ...]:
        return self.known[person_id(place)][0].rows

    def refusal(self, **tables: Any) -> str:
        with pytest.raises(UppropError) as caught:
            self.deliver(**tables)
        assert caught.value.code is Code.EXPORT_UNREADABLE
        return caught.value.sentence


def test_weeks_of_deltas_come_to_what_whole_deliveries_say(tmp_path: Path) -> None:
    weeks: list[list[Any]] = [
        [person(place) for place in range(6)],
        [person(0, enrolment(end="2026-09-04")), *(person(place) for place in range(1, 6))],
        [person(0, enrolment(end="2026-09-04"), MOVED), *(person(place) for place in range(1, 5)), person(7)],
        [person(0, MOVED), person(1, securityMarking="Sekretessmarkering"), person(3, personStatus="Avliden")],
        [person(1, enrolment(schoolYear=5)), person(3, givenName="Ny"), person(5), person(8, MOVED)],
        [],
    ]
    system = System(tmp_path / "deltas", *weeks[0])
    for week, persons in enumerate(weeks[1:], start=1):
        after = oneroster_tables(persons)
        system.deliver(**delta_tables(system.tables, after, WHEN))
        system.tables = after
        write_directory(tmp_path / f"whole{week}", persons)
        whole = read_delivery(OneRoster(tmp_path / f"whole{week}"))
        known = [record for records in system.known.values() for record in records]
        assert Read(tuple(known), (), frozenset(), {}, b"").said() == whole.said()


def test_a_role_that_changes_leaves_the_others(tmp_path: Path) -> None:
    system = System(tmp_path, person(1, enrolment("2025-08-18", "2026-06-12"), MOVED), person(2))
    role = next(row for row in system.roles(1) if row["orgSourcedId"] == OTHER_UNIT)
    read = system.deliver(roles=[{**role, "endDate": "2026-09-05"}])
    assert [record.person_id for record in read.persons] == [person_id(1)]
    assert {(row.unit, row.end) for row in system.rows(1)} == {
        (UNIT, date(2026, 6, 12)),
        (OTHER_UNIT, date(2026, 9, 4)),
    }


def test_a_role_whose_first_day_or_school_changes_does_not_stand_twice(tmp_path: Path) -> None:
    system = System(tmp_path, person(1), person(2, MOVED))
    role = system.roles(1)[0]
    system.deliver(roles=[{**role, "beginDate": "2025-08-20"}])
    system.deliver(roles=[{**role, "beginDate": "2025-08-20", "orgSourcedId": OTHER_UNIT}])
    assert [(row.unit, row.start, row.end) for row in system.rows(1)] == [(OTHER_UNIT, date(2025, 8, 20), None)]
    system.deliver(roles=[{**role, "beginDate": "2025-08-20", "endDate": "2026-09-05"}])
    assert [(row.unit, row.end) for row in system.rows(1)] == [(UNIT, date(2026, 9, 4))]


def test_a_deleted_role_is_gone_and_a_deleted_user_too(tmp_path: Path) -> None:
    system = System(tmp_path, person(1), person(2))
    read = system.deliver(
        roles=[{**system.roles(1)[0], "status": "tobedeleted"}], users=[system.user(2, status="tobedeleted")]
    )
    assert system.rows(1) == ()
    assert read.gone == {person_id(2)}


def test_a_role_that_is_no_students_any_more_is_gone(tmp_path: Path) -> None:
    system = System(tmp_path, person(1))
    system.deliver(roles=[{**system.roles(1)[0], "role": "teacher"}])
    assert system.rows(1) == ()


def test_a_role_that_moves_to_no_school_is_gone(tmp_path: Path) -> None:
    system = System(tmp_path, person(1))
    district = {"sourcedId": "kommunen", "type": "district", "status": "active", "dateLastModified": WHEN}
    system.deliver(roles=[{**system.roles(1)[0], "orgSourcedId": "kommunen"}], orgs=[district])
    assert system.rows(1) == ()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"endDate": "snart"}, "roles.endDate"),
        ({"beginDate": "18/8 2025"}, "roles.beginDate"),
        ({"orgSourcedId": "okänd"}, "roles.orgSourcedId"),
        ({"status": "inactive"}, "roles.status"),
    ],
)
def test_a_role_that_cannot_be_read_keeps_nobody_enrolled(tmp_path: Path, values: dict[str, str], field: str) -> None:
    system = System(tmp_path, person(1))
    read = system.deliver(roles=[{**system.roles(1)[0], **values}])
    assert system.rows(1) == ()
    assert [(remark.kind, remark.row, remark.field) for remark in read.remarks] == [(RemarkKind.REJECTED, 2, field)]


@pytest.mark.parametrize("turned", [False, True])
def test_the_row_that_was_modified_last_counts(tmp_path: Path, turned: bool) -> None:
    system = System(tmp_path, person(1), person(2))
    role, user = system.roles(1)[0], system.user(2)
    roles = [{**role, "endDate": "2026-09-05"}, {**role, "status": "tobedeleted", "dateLastModified": EARLIER}]
    users = [{**user, "givenName": "Ny"}, {**user, "status": "tobedeleted", "dateLastModified": "no time"}]
    step = -1 if turned else 1
    read = system.deliver(roles=roles[::step], users=users[::step])
    assert [row.end for row in system.rows(1)] == [date(2026, 9, 4)]
    assert system.known[person_id(2)][0].given_name == "Ny"
    assert read.gone == frozenset()


def test_a_user_alone_changes_what_is_said_of_the_person_and_no_role(tmp_path: Path) -> None:
    system = System(tmp_path, person(1), person(2))
    user = system.user(1, userIds=f"{{civicNo:{number(9)}}}", grades="5", **{"metadata.personStatus": "Utvandrad"})
    system.deliver(users=[user])
    record = system.known[person_id(1)][0]
    assert (record.number, record.status, record.birth_date) == (number(9), "Utvandrad", "2015-01-01")
    assert [(row.unit, row.school_year) for row in record.rows] == [(UNIT, 5)]


def test_columns_that_a_delta_lacks_say_nothing(tmp_path: Path) -> None:
    system = System(tmp_path, person(1, securityMarking="Sekretessmarkering", personStatus="Avliden"))
    row = {name: system.user(1)[name] for name in ("sourcedId", "status", "dateLastModified", "familyName")}
    system.deliver(users=[{**row, "givenName": "Ny"}])
    record = system.known[person_id(1)][0]
    assert (record.given_name, record.marking, record.status) == ("Ny", "Sekretessmarkering", "Avliden")
    assert record.number == number(1)
    assert [row.school_year for row in record.rows] == [4]


def test_columns_that_are_empty_take_back(tmp_path: Path) -> None:
    system = System(tmp_path, person(1, personStatus="Avliden"))
    system.deliver(users=[system.user(1, userIds="", **{"metadata.personStatus": ""})])
    record = system.known[person_id(1)][0]
    assert (record.number, record.status) == (None, "Aktiv")


def test_demographics_alone_change_the_person(tmp_path: Path) -> None:
    system = System(tmp_path, person(1))
    row = {"sourcedId": person_id(1), "status": "active", "dateLastModified": WHEN}
    system.deliver(demographics=[{**row, "birthDate": "2015-02-02", "sex": "male"}])
    record = system.known[person_id(1)][0]
    assert (record.birth_date, record.sex, len(record.rows)) == ("2015-02-02", "Man", 1)


def test_what_tells_the_school_type_may_be_left_out_of_a_delta(tmp_path: Path) -> None:
    system = System(tmp_path, person(1, enrolment(schoolType="GRS")))
    role = {**system.roles(1)[0], "metadata.schoolType": ""}
    system.deliver(roles=[{**role, "endDate": "2026-09-05"}, {**role, "sourcedId": "new", "beginDate": "2026-09-07"}])
    assert [(row.form, row.school_year) for row in system.rows(1)] == [("GRS", 4)] * 2


def test_users_who_are_no_pupils_are_passed_over(tmp_path: Path) -> None:
    system = System(tmp_path, person(1))
    teacher = oneroster_tables([person(7)])
    read = system.deliver(users=teacher["users"], roles=[{**row, "role": "teacher"} for row in teacher["roles"]])
    assert (read.persons, read.remarks, read.gone) == ((), (), frozenset())


def test_a_role_of_somebody_unknown_is_reported(tmp_path: Path) -> None:
    system = System(tmp_path, person(1))
    read = system.deliver(roles=oneroster_tables([person(7)])["roles"])
    assert [(remark.row, remark.field) for remark in read.remarks] == [(2, "roles.userSourcedId")]
    assert read.persons == ()


def test_a_delta_of_many_is_looked_up_in_parts(tmp_path: Path) -> None:
    places = range(2_500)
    system = System(tmp_path, *(person(place) for place in places))
    roles = [{**row, "status": "active", "endDate": "2026-09-05"} for row in system.tables["roles"]]
    users = [{**row, "status": "active"} for row in system.tables["users"][:1_700]]
    assert len(system.deliver(users=users, roles=roles).persons) == len(places)
    assert {row.end for place in places for row in system.rows(place)} == {date(2026, 9, 4)}


def test_a_delta_on_what_bears_no_role_ids_is_refused(tmp_path: Path) -> None:
    system = System(tmp_path, person(1))
    record = system.known[person_id(1)][0]
    system.known[person_id(1)] = (PersonRecord(record.person_id, None, "", "", "", "", rows=record.rows),)
    assert "a bulk delivery is needed" in system.refusal(roles=system.roles(1))


@pytest.mark.parametrize("values", [{"sourcedId": ""}, {"userSourcedId": ""}])
def test_a_row_that_cannot_be_told_refuses_the_delta(tmp_path: Path, values: dict[str, str]) -> None:
    system = System(tmp_path, person(1), person(2))
    before = dict(system.known)
    assert "Row 3" in system.refusal(roles=[system.roles(1)[0], {**system.roles(2)[0], **values}])
    assert system.known == before


def test_a_row_of_another_width_refuses_the_delta(tmp_path: Path) -> None:
    system = System(tmp_path, person(1), person(2))
    text = as_csv([*system.roles(1), *system.roles(2)]).replace("student,", "student,,", 1)
    assert "Row 2" in system.refusal(roles=text)


def test_classes_alone_make_no_delta(tmp_path: Path) -> None:
    system = System(tmp_path, person(1))
    row = {"sourcedId": "e", "status": "tobedeleted", "classSourcedId": "4a", "userSourcedId": "", "role": ""}
    assert "A delta needs roles.csv" in system.refusal(enrollments=[row], users=[system.user(1)])
