"""What a whole OneRoster 1.2 delivery may look like, and what is refused, left out or noted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from federation.errors import Code, UppropError
from node.model import Row
from node.records.oneroster.delivery import OneRoster
from node.records.person import Remark, RemarkKind
from tests.harness.convert import as_csv, manifest, oneroster_tables, write_oneroster
from tests.unit.node.exports import OTHER_UNIT, UNIT, enrolment, number, person, person_id
from tests.unit.node.rosters import READ_FILES, Read, read_delivery, write_directory

Change = Callable[[dict[str, str]], None]


def only(remarks: tuple[Remark, ...]) -> Remark:
    assert len(remarks) == 1
    return remarks[0]


def read(path: Path, persons: list[Any] | None = None, **changes: Any) -> Read:
    """Read a directory of persons; `changes` are files' rows or texts instead."""
    write_directory(path, persons if persons is not None else [person(1), person(2)], **changes)
    return read_delivery(OneRoster(path))


def refusal(path: Path, persons: list[Any] | None = None, **changes: Any) -> str:
    with pytest.raises(UppropError) as caught:
        read(path, persons, **changes)
    assert caught.value.code is Code.EXPORT_UNREADABLE
    return caught.value.sentence


def tables(*persons: Any) -> dict[str, Any]:
    return dict(oneroster_tables(persons))


def changed(rows: list[dict[str, str]], place: int, **values: str) -> list[dict[str, str]]:
    """The rows with other values in one of them; `__` stands for the dot of a metadata column."""
    named = {name.replace("__", "."): value for name, value in values.items()}
    return [{**row, **named} if at == place else dict(row) for at, row in enumerate(rows)]


# -- what is read ------------------------------------------------------------------------------------------------------


def test_a_pupil_is_read(tmp_path: Path) -> None:
    export = read(tmp_path, [person(1, enrolment("2025-08-18", "2026-06-12"))])
    record = export.persons[0]
    assert (record.person_id, record.number) == (person_id(1), number(1))
    assert (record.given_name, record.family_name) == ("Förnamn1", "Efternamn1")
    assert (record.birth_date, record.sex, record.status, record.marking) == ("2015-01-01", "Kvinna", "Aktiv", "Ingen")
    assert record.rows == (Row(UNIT, "GR", date(2025, 8, 18), date(2026, 6, 12), False, 4),)
    assert len(record.row_ids) == 1
    assert export.remarks == ()
    assert export.units == {UNIT: "Skola 0"}


def test_the_end_date_is_the_first_day_without(tmp_path: Path) -> None:
    roles = changed(tables(person(1))["roles"], 0, beginDate="2026-08-17", endDate="2026-09-05")
    assert read(tmp_path, [person(1)], roles=roles).persons[0].rows[0].end == date(2026, 9, 4)


@pytest.mark.parametrize("end", ["9999-12-31", "2100-01-01", ""])
def test_a_far_end_is_no_end(tmp_path: Path, end: str) -> None:
    roles = changed(tables(person(1))["roles"], 0, endDate=end)
    assert read(tmp_path, [person(1)], roles=roles).persons[0].rows[0].end is None


def test_zip_and_directory_are_read_alike(tmp_path: Path) -> None:
    persons = [person(1), person(2, enrolment(), enrolment("2026-08-17", enroledAt={"id": OTHER_UNIT}))]
    directory = read(tmp_path / "directory", persons)
    write_oneroster(tmp_path / "delivery.zip", oneroster_tables(persons))
    assert read_delivery(OneRoster(tmp_path / "delivery.zip")) == directory


def test_order_of_rows_and_of_columns_does_not_matter(tmp_path: Path) -> None:
    persons = [
        person(place, enrolment("2025-08-18", "2026-06-12"), enrolment("2026-08-17", enroledAt={"id": OTHER_UNIT}))
        for place in range(5)
    ]
    given = tables(*persons)
    turned: dict[str, Any] = {
        name: [dict(reversed(row.items())) for row in reversed(rows)] for name, rows in given.items()
    }
    one, other = read(tmp_path / "one", persons), read(tmp_path / "other", persons, **turned)
    assert one.said() == other.said()


def test_byte_order_mark_and_line_ends_are_passed_over(tmp_path: Path) -> None:
    given = tables(person(1), person(2))
    texts: dict[str, Any] = {
        name: "\ufeff" + as_csv(rows).replace("\r\n", "\n").rstrip("\n") for name, rows in given.items()
    }
    assert read(tmp_path / "bare", **texts).said() == read(tmp_path / "plain").said()


def test_files_and_columns_nobody_asked_for_are_passed_over(tmp_path: Path) -> None:
    given = tables(person(1), person(2))
    users = [{**row, "password": "hemlig", "pronouns": "x", "metadata.hjärtefråga": "y"} for row in given["users"]]
    (tmp_path / "results.csv").write_bytes(b"\xff\xfe no table")
    assert read(tmp_path, users=users).said() == read(tmp_path / "plain").said()


def test_only_those_with_a_students_role_are_pupils(tmp_path: Path) -> None:
    given = tables(person(1), person(2), person(3))
    roles = changed(changed(given["roles"], 0, role="teacher"), 1, role="guardian")
    export = read(tmp_path, [person(1), person(2), person(3)], roles=roles)
    assert [record.person_id for record in export.persons] == [person_id(3)]
    assert export.remarks == ()


def test_users_that_are_disabled_stay_pupils(tmp_path: Path) -> None:
    users = changed(tables(person(1))["users"], 0, enabledUser="false")
    assert len(read(tmp_path, [person(1)], users=users).persons[0].rows) == 1


def test_rows_to_be_deleted_are_not_there_in_bulk(tmp_path: Path) -> None:
    persons = [person(1, enrolment(), enrolment("2026-08-17")), person(2)]
    given = tables(*persons)
    export = read(
        tmp_path,
        persons,
        users=changed(given["users"], 1, status="ToBeDeleted"),
        roles=changed(changed(given["roles"], 1, status="tobedeleted"), 2, status="tobedeleted"),
    )
    assert [len(record.rows) for record in export.persons] == [1]
    assert export.remarks == ()
    assert export.gone == frozenset()


def test_user_who_has_no_role_left_but_is_marked_is_still_read(tmp_path: Path) -> None:
    persons = [
        person(1, personStatus="Avliden"),
        person(2, securityMarking="Sekretessmarkering"),
        person(3),
    ]
    export = read(tmp_path, persons, roles=[{**row, "role": "x"} for row in tables(person(9))["roles"]])
    assert [(record.person_id, record.rows) for record in export.persons] == [(person_id(1), ()), (person_id(2), ())]


def test_a_role_ended_before_it_began_never_was(tmp_path: Path) -> None:
    roles = changed(tables(person(1))["roles"], 0, beginDate="2026-08-17", endDate="2026-08-17")
    row = read(tmp_path, [person(1)], roles=roles).persons[0].rows[0]
    assert row.end is not None
    assert row.start is not None
    assert row.end < row.start


# -- numbers, types, markings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"metadata__civicNo": "A", "userIds": "{civicNo:B}"}, "A"),
        ({"metadata__personnummer": "A", "identifier": "20121212-9812"}, "A"),
        ({"userIds": "{Fed:1},{Personnummer: B }"}, "B"),
        ({"userIds": "{Fed:1},{samordningsnummer:B}", "identifier": "20121212-9812"}, "B"),
        ({"userIds": "{Fed:201212129812}"}, None),
        ({"userIds": "201212129812"}, None),
        ({"userMasterIdentifier": "201212129812", "identifier": "20130101TF01"}, "201212129812"),
        ({"identifier": "121212-9812"}, "121212-9812"),
        ({"identifier": "20130101TF01"}, "20130101TF01"),
        ({"identifier": "elev-17"}, None),
        ({"identifier": "12345"}, None),
        ({}, None),
    ],
)
def test_the_number_is_found_in_the_order_of_the_manual(
    tmp_path: Path, columns: dict[str, str], expected: str | None
) -> None:
    users = changed(tables(person(1))["users"], 0, **{"userIds": "", **columns})
    assert read(tmp_path, [person(1)], users=users).persons[0].number == expected


@pytest.mark.parametrize(
    ("role", "user", "org", "grades", "form", "year"),
    [
        ("GRS", "SAM", "SP", "4", "GRS", 4),
        ("", "sameskola", "SP", "4", "SAM", 4),
        ("", "", "sp", "10", "SP", 10),
        ("", "", "", "KG", "FKLASS", 0),
        ("", "", "", "F", "FKLASS", 0),
        ("", "", "", "09", "GR", 9),
        ("", "", "", "11", "GY", 11),
        ("", "", "", "PK", "FS", None),
        ("", "", "", "4,5", "GR", None),
        ("Nytt", "", "", "4", "Nytt", 4),
    ],
)
def test_the_school_type_is_found_in_the_order_of_the_manual(
    tmp_path: Path, role: str, user: str, org: str, grades: str, form: str, year: int | None
) -> None:
    given = tables(person(1))
    export = read(
        tmp_path,
        [person(1)],
        roles=changed(given["roles"], 0, metadata__schoolType=role),
        users=changed(given["users"], 0, metadata__schoolType=user, grades=grades),
        orgs=changed(given["orgs"], 0, metadata__schoolType=org),
    )
    row = export.persons[0].rows[0]
    assert (row.form, row.school_year) == (form, year)
    assert [remark.kind for remark in export.remarks] == ([RemarkKind.NOTE] if form == "Nytt" else [])


def test_without_a_school_type_or_grade_a_pupil_counts_as_in_compulsory_school(tmp_path: Path) -> None:
    given = tables(person(1), person(2), person(3))
    export = read(
        tmp_path,
        [person(1), person(2), person(3)],
        roles=[{**row, "metadata.schoolType": ""} for row in given["roles"]],
        users=changed([{**row, "grades": "UG"} for row in given["users"]], 0, grades="4"),
    )
    assert [record.rows[0].form for record in export.persons] == ["GR"] * 3
    remark = only(export.remarks)
    assert (remark.kind, remark.row, remark.field) == (RemarkKind.NOTE, 3, "users.grades")
    assert "2 rows" in remark.why


@pytest.mark.parametrize(
    ("marking", "expected", "notes"),
    [
        ("", "Ingen", 0),
        ("ingen", "Ingen", 0),
        ("nej", "Ingen", 0),
        ("true", "Sekretessmarkering", 0),
        ("skyddad FOLKBOKFÖRING", "Skyddad folkbokföring", 0),
        ("kanske", "kanske", 1),
    ],
)
def test_a_marking_that_is_not_understood_protects(tmp_path: Path, marking: str, expected: str, notes: int) -> None:
    users = changed(tables(person(1))["users"], 0, metadata__securityMarking=marking)
    export = read(tmp_path, [person(1)], users=users)
    assert export.persons[0].marking == expected
    assert [remark.kind for remark in export.remarks] == [RemarkKind.NOTE] * notes


# -- schools -----------------------------------------------------------------------------------------------------------


def test_a_role_at_an_org_that_is_no_school_enrols_nowhere(tmp_path: Path) -> None:
    given = tables(person(1))
    orgs = [*given["orgs"], {**given["orgs"][0], "sourcedId": "kommunen", "type": "district"}]
    roles = [*given["roles"], {**given["roles"][0], "sourcedId": "r2", "orgSourcedId": "kommunen", "beginDate": ""}]
    export = read(tmp_path, [person(1)], orgs=orgs, roles=roles)
    assert [row.unit for row in export.persons[0].rows] == [UNIT]
    assert export.units == {UNIT: "Skola 0"}
    assert export.remarks == ()


def test_pupils_whose_orgs_are_all_no_schools_are_noted_once(tmp_path: Path) -> None:
    given = tables(person(1), person(2), person(3))
    orgs = [*given["orgs"], {**given["orgs"][0], "sourcedId": "kommunen", "type": "district"}]
    roles = changed(changed(given["roles"], 1, orgSourcedId="kommunen"), 2, orgSourcedId="kommunen")
    export = read(tmp_path, [person(1), person(2), person(3)], orgs=orgs, roles=roles)
    assert [len(record.rows) for record in export.persons] == [1, 0, 0]
    remark = only(export.remarks)
    assert (remark.kind, remark.row, remark.field) == (RemarkKind.NOTE, 3, "roles.orgSourcedId")
    assert remark.why.endswith("in 2 rows")


def test_a_role_at_an_org_that_is_not_named_is_left_out(tmp_path: Path) -> None:
    roles = changed(tables(person(1), person(2))["roles"], 1, orgSourcedId="okänd")
    export = read(tmp_path, roles=roles)
    assert [len(record.rows) for record in export.persons] == [1, 0]
    remark = only(export.remarks)
    assert (remark.kind, remark.row, remark.field) == (RemarkKind.REJECTED, 3, "roles.orgSourcedId")


def test_without_orgs_every_org_is_a_school(tmp_path: Path) -> None:
    assert [len(record.rows) for record in read(tmp_path, orgs=None).persons] == [1, 1]


# -- enrolments in classes ---------------------------------------------------------------------------------------------

SESSIONS = [
    {"sourcedId": "ht", "startDate": "2026-08-17", "endDate": "2026-12-19"},
    {"sourcedId": "vt", "startDate": "2027-01-11", "endDate": "2027-06-12"},
]
CLASSES = [
    {"sourcedId": "4a", "schoolSourcedId": UNIT, "termSourcedIds": "ht,vt"},
    {"sourcedId": "4b", "schoolSourcedId": UNIT, "termSourcedIds": "ht"},
    {"sourcedId": "4c", "schoolSourcedId": OTHER_UNIT, "termSourcedIds": ""},
]


def in_class(place: int, name: str, **values: str) -> dict[str, str]:
    row = {"sourcedId": f"e{place}{name}", "classSourcedId": name, "schoolSourcedId": "", "role": "student"}
    return {**row, "userSourcedId": person_id(place), "beginDate": "", "endDate": "", **values}


def classed(*rows: dict[str, str]) -> dict[str, Any]:
    return {"enrollments": list(rows), "classes": CLASSES, "academicSessions": SESSIONS}


def test_enrolments_in_classes_date_what_roles_do_not(tmp_path: Path) -> None:
    undated = [{**row, "beginDate": "", "endDate": ""} for row in tables(person(1), person(2), person(3))["roles"]]
    export = read(
        tmp_path,
        [person(1), person(2), person(3)],
        roles=undated,
        orgs=None,
        **classed(
            in_class(1, "4a"),
            in_class(1, "4a", sourcedId="twice"),
            in_class(2, "4b", beginDate="2026-09-01"),
            in_class(2, "4c", beginDate="2026-08-17", endDate="2026-09-01"),
        ),
    )
    assert [record.rows for record in export.persons] == [
        (Row(UNIT, "GR", date(2026, 8, 17), date(2027, 6, 11), False, 4),),
        (
            Row(OTHER_UNIT, "GR", date(2026, 8, 17), date(2026, 8, 31), False, 4),
            Row(UNIT, "GR", date(2026, 9, 1), date(2026, 12, 18), False, 4),
        ),
        (Row(UNIT, "GR", None, None, False, 4),),
    ]
    assert [len(record.row_ids) for record in export.persons] == [0, 0, 1]


def test_dated_roles_count_and_enrolments_in_classes_do_not(tmp_path: Path) -> None:
    export = read(tmp_path, **classed(in_class(1, "4b", endDate="2026-09-01")))
    assert export.said() == read(tmp_path / "plain").said()


def test_without_roles_enrolments_in_classes_say_who_is_a_pupil(tmp_path: Path) -> None:
    export = read(tmp_path, roles=None, **classed(in_class(2, "4a"), in_class(1, "4a", role="teacher")))
    assert [record.person_id for record in export.persons] == [person_id(2)]
    assert export.persons[0].rows == (Row(UNIT, "GR", date(2026, 8, 17), date(2027, 6, 11), False, 4),)


@pytest.mark.parametrize("values", [{"endDate": "snart"}, {"status": "inactive"}])
def test_an_enrolment_in_a_class_that_cannot_be_read_is_left_out(tmp_path: Path, values: dict[str, str]) -> None:
    given = classed(in_class(2, "4a", **values))
    given["enrollments"].append(in_class(1, "4a"))
    export = read(tmp_path, roles=None, **given)
    assert {record.person_id: len(record.rows) for record in export.persons} == {person_id(1): 1, person_id(2): 0}
    assert only(export.remarks).field == f"enrollments.{next(iter(values))}"


# -- what is left out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "values", "field"),
    [
        ("roles", {"beginDate": "2026-02-30"}, "roles.beginDate"),
        ("roles", {"beginDate": "18/8 2025"}, "roles.beginDate"),
        ("roles", {"beginDate": "20250818"}, "roles.beginDate"),
        ("roles", {"beginDate": "0001-01-01"}, "roles.beginDate"),
        ("roles", {"beginDate": "2025-08-18T00:00:00Z"}, "roles.beginDate"),
        ("roles", {"endDate": "2026-13-01"}, "roles.endDate"),
        ("roles", {"endDate": "1900-01-01"}, "roles.endDate"),
        ("roles", {"orgSourcedId": ""}, "roles.orgSourcedId"),
        ("roles", {"sourcedId": ""}, "roles.sourcedId"),
        ("roles", {"status": "inactive"}, "roles.status"),
    ],
)
def test_a_role_that_cannot_be_read_is_left_out_with_row_field_and_reason(
    tmp_path: Path, file: str, values: dict[str, str], field: str
) -> None:
    persons = [person(1), person(2, enrolment(), enrolment("2026-08-17"))]
    export = read(tmp_path, persons, **{file: changed(tables(*persons)[file], 1, **values)})
    remark = only(export.remarks)
    assert (remark.kind, remark.row, remark.field) == (RemarkKind.REJECTED, 3, field)
    assert remark.why
    assert [len(record.rows) for record in export.persons] == [1, 1]


def test_a_row_of_another_width_is_left_out(tmp_path: Path) -> None:
    lines = as_csv(tables(person(1), person(2), person(3))["users"]).splitlines()
    lines[2] += ",too,many"
    export = read(tmp_path, [person(1), person(2), person(3)], users="\r\n".join([*lines, ""]))
    assert [record.person_id for record in export.persons] == [person_id(1), person_id(3)]
    assert [(remark.row, remark.field) for remark in export.remarks] == [(3, "users"), (3, "roles.userSourcedId")]


def test_a_pupil_whom_users_lacks_is_reported(tmp_path: Path) -> None:
    export = read(tmp_path, users=tables(person(1))["users"])
    remark = only(export.remarks)
    assert (remark.kind, remark.row, remark.field) == (RemarkKind.REJECTED, 3, "roles.userSourcedId")


def test_a_role_id_that_stands_twice_for_a_pupil_counts_once(tmp_path: Path) -> None:
    roles = tables(person(1))["roles"]
    export = read(tmp_path, [person(1)], roles=[*roles, {**roles[0], "endDate": ""}])
    assert len(export.persons[0].rows) == 1
    assert only(export.remarks).field == "roles.sourcedId"


def test_no_remark_repeats_a_value(tmp_path: Path) -> None:
    secret = "20121212-9812"
    persons = [person(place) for place in range(8)]
    given = tables(*persons)
    roles = changed(given["roles"], 0, beginDate=secret)
    roles = changed(roles, 1, endDate=secret)
    roles = changed(roles, 2, orgSourcedId=secret)
    roles = changed(roles, 3, metadata__schoolType=secret)
    roles = changed(roles, 4, status=secret)
    roles = changed(roles, 5, userSourcedId=secret)
    users = changed(given["users"], 6, metadata__securityMarking=secret, metadata__personStatus=secret)
    users = changed(users, 7, metadata__schoolType=secret)
    export = read(tmp_path, persons, roles=roles, users=users)
    assert len(export.remarks) >= len(persons)
    assert not [remark for remark in export.remarks if secret in f"{remark.field}{remark.why}"]


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READ_FILES)
def test_a_file_that_is_no_utf_8_is_refused(tmp_path: Path, name: str) -> None:
    content = as_csv([dict.fromkeys(READ_FILES[name], "Åsa")]).encode("cp1252")
    given = {**classed(), "roles": None, name: content}
    assert f"{name}.csv is not UTF-8" in refusal(tmp_path, **given)


@pytest.mark.parametrize(("name", "column"), [(name, column) for name in READ_FILES for column in READ_FILES[name]])
def test_a_file_that_lacks_a_column_is_refused_and_the_column_named(tmp_path: Path, name: str, column: str) -> None:
    columns = [each for each in READ_FILES[name] if each != column] or ["other"]
    given = {**classed(), "roles": None, name: as_csv([], columns=columns)}
    assert f"{name}.csv cannot be read: its header lacks the column {column}" in refusal(tmp_path, **given)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n",
        "\0",
        'sourcedId,"givenName\r\n',
        "x" * 2_000_000,
        "sourcedId,SOURCEDID,givenName,familyName\r\n",
        'sourcedId,givenName,familyName\r\n1,"Åsa,Berg\r\n',
        'sourcedId,givenName,familyName\r\n1,"Åsa"x,Berg\r\n',
        "sourcedId,givenName,familyName",
        "sourcedId,givenName,familyName\r\n1,Åsa",
        "sourcedId,givenName,familyName\r\n1,Å\0sa,Berg\r\n",
    ],
)
def test_text_that_is_no_table_or_breaks_off_is_refused(tmp_path: Path, text: str) -> None:
    assert "users.csv cannot be read" in refusal(tmp_path, users=text)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "has no manifest.csv"),
        ("propertyName,value\r\nfile.users,bulk\r\n", "oneroster.version"),
        ("propertyName,value\r\noneroster.version,1.1\r\nfile.users,bulk\r\n", "oneroster.version"),
        ("propertyName,value\r\noneroster.version,1.2\r\nfile.users,all\r\n", "neither bulk, delta nor absent"),
        ("propertyName,value\r\noneroster.version,1.2\r\noneroster.version,1.2\r\n", "twice"),
        ("propertyName,value\r\noneroster.version\r\nx,y\r\n", "broken"),
        ("propertyName\r\n", "lacks the column value"),
        (manifest({"users": "bulk", "roles": "delta"}), "all be bulk or all be delta"),
        (manifest({"users": "delta", "roles": "bulk"}), "all be bulk or all be delta"),
        (manifest({"users": "bulk", "roles": "bulk", "demographics": "delta"}), "all be bulk or all be delta"),
        (manifest({"users": "bulk"}), "does not say who is a pupil"),
        (manifest({"roles": "bulk"}), "does not say who is a pupil"),
        (manifest({"users": "bulk", "roles": "bulk", "enrollments": "bulk"}), "lacks it"),
        (manifest({"users": "delta", "enrollments": "delta"}), "lacks it"),
        (manifest({"orgs": "bulk"}), "none of the files about persons"),
        (manifest({}), "none of the files about persons"),
    ],
)
def test_a_manifest_that_makes_no_delivery_is_refused(tmp_path: Path, given: str | None, why: str) -> None:
    assert why in refusal(tmp_path, manifest=given)


def test_a_delivery_without_the_schools_dates_of_a_term_is_read_with_a_remark(tmp_path: Path) -> None:
    broken = [{**SESSIONS[0], "startDate": "hösten"}]
    given = {**classed(in_class(1, "4b")), "academicSessions": broken}
    export = read(tmp_path, roles=None, **given)
    assert only(export.remarks).field == "academicSessions.startDate"
    assert export.persons[0].rows == (Row(UNIT, "GR", None, None, False, 4),)


def test_progress_ends_where_it_should(tmp_path: Path) -> None:
    write_directory(tmp_path, [person(place) for place in range(50)])
    calls: list[tuple[int, int]] = []
    assert len(read_delivery(OneRoster(tmp_path), lambda done, total: calls.append((done, total))).persons) == 50
    assert calls[-1][0] == calls[-1][1]
