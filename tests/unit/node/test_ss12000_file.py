"""What an export file may look like, and what is refused, left out or noted."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from federation.errors import Code, UppropError
from node.model import Row
from node.records import framing
from node.records.person import PersonRecord, Remark, RemarkKind
from node.records.ss12000_file import Ss12000Changes, Ss12000File
from tests.unit.node.exports import UNIT, content, enrolment, number, person, person_id


@dataclass(frozen=True)
class Read:
    persons: tuple[PersonRecord, ...]
    remarks: tuple[Remark, ...]
    digest: bytes
    gone: Collection[str]


def read(
    text: bytes,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    kind: type[Ss12000File] = Ss12000File,
) -> Read:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "export.json"
        path.write_bytes(text)
        file = kind(path)
        items = list(file.read(progress))
    return Read(
        tuple(item for item in items if isinstance(item, PersonRecord)),
        tuple(item for item in items if isinstance(item, Remark)),
        file.digest,
        file.gone,
    )


def only(remarks: tuple[Remark, ...]) -> Remark:
    assert len(remarks) == 1
    return remarks[0]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"data": null}',
        b'{"data": {}, "pageToken": null}',
        content([person(1)])[:-1],
        content([person(1)])[:200],
        content([person(1)]) + b"}",
        content([person(1, givenName="Åsa")]).decode().encode("latin-1"),
        b"\xff\xfe",
        b"PK\x03\x04",
    ],
)
def test_what_is_no_whole_export_is_refused(broken: bytes) -> None:
    with pytest.raises(UppropError) as caught:
        read(broken)
    assert caught.value.code is Code.EXPORT_UNREADABLE


def test_one_page_of_several_is_refused() -> None:
    with pytest.raises(UppropError) as caught:
        read(content([person(1)], token="more"))
    assert caught.value.code is Code.EXPORT_UNREADABLE


def test_every_prefix_of_an_export_is_refused() -> None:
    whole = content([person(1), person(2)])
    for length in range(len(whole)):
        with pytest.raises(UppropError):
            read(whole[:length])


def test_a_person_is_read() -> None:
    export = read(content([person(1, enrolment("2025-08-18", "2026-06-12"))]))
    record = export.persons[0]
    assert record.number == number(1)
    assert (record.given_name, record.family_name, record.status, record.marking) == (
        "Förnamn1",
        "Efternamn1",
        "Aktiv",
        "Ingen",
    )
    assert record.rows == (Row(UNIT, "GR", date(2025, 8, 18), date(2026, 6, 12), False, 4),)
    assert export.remarks == ()


def test_school_units_are_named_by_the_first_name_that_is_given(tmp_path: Path) -> None:
    units = ({"id": UNIT, "displayName": "Ekbackaskolan"}, {"id": UNIT, "displayName": 7}, {"id": "b"})
    rows = [enrolment(enroledAt=unit) for unit in units]
    path = tmp_path / "export.json"
    path.write_bytes(content([person(0, *rows)]))
    file = Ss12000File(path)
    assert not [item for item in file.read(lambda _done, _total: None) if isinstance(item, Remark)]
    assert file.units == {UNIT: "Ekbackaskolan"}


def test_a_byte_order_mark_is_passed_over() -> None:
    assert len(read(b"\xef\xbb\xbf" + content([person(1)])).persons) == 1


def test_the_reference_person_without_dates_is_present_by_being_in_the_export() -> None:
    reference = {
        "id": "123456789",
        "givenName": "Given Name Test",
        "middleName": "Middle Name Test",
        "familyName": "Family Name Test",
        "eduPersonPrincipalNames": ["elev1@example.org"],
        "civicNo": {"value": number(3), "nationality": "SE"},
        "emails": [{"value": "elev1@example.org", "type": "Skola elev"}],
        "enrolments": [
            {
                "enroledAt": {"id": UNIT, "displayName": "enroledAt test value 1"},
                "schoolYear": 1,
                "schoolType": "GR",
                "cancelled": False,
                "educationCode": "TEST_ED_1",
                "programme": {"id": "p", "displayName": "programme displayName test value 1"},
                "specification": "Additional information regarding the education",
            }
        ],
    }
    export = read(content([reference]))
    assert export.remarks == ()
    assert export.persons[0].rows == (Row(UNIT, "GR", school_year=1),)
    assert export.persons[0].given_name == "Given Name Test Middle Name Test"


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (enrolment("2026-02-30"), "enrolments.startDate"),
        (enrolment("18/8 2025"), "enrolments.startDate"),
        (enrolment("20250818"), "enrolments.startDate"),
        (enrolment("2025-W34-1"), "enrolments.startDate"),
        (enrolment("0001-01-01"), "enrolments.startDate"),
        (enrolment(end="2026-13-01"), "enrolments.endDate"),
        (enrolment(end="1900-01-01"), "enrolments.endDate"),
        (enrolment(startDate=20250818), "enrolments.startDate"),
        (enrolment(cancelled="kanske"), "enrolments.cancelled"),
        (enrolment(enroledAt=None), "enrolments.enroledAt"),
        (enrolment(enroledAt={"displayName": "Skolan"}), "enrolments.id"),
        ({"schoolType": "GR"}, "enrolments.enroledAt"),
        ("GR", "enrolments.person"),
    ],
)
def test_an_enrolment_that_cannot_be_read_is_left_out_with_row_field_and_reason(row: Any, field: str) -> None:
    export = read(content([person(1), person(2, row, enrolment("2026-08-17"))]))
    remark = only(export.remarks)
    assert (remark.kind, remark.row, remark.field) == (RemarkKind.REJECTED, 2, field)
    assert remark.why
    assert [len(record.rows) for record in export.persons] == [1, 1]


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (17, "person"),
        ({"civicNo": {"value": number(1)}}, "id"),
        (person(1, id=""), "id"),
        (person(1, id=7), "id"),
        (person(1, enrolments="GR"), "enrolments"),
        (person(1, securityMarking=1), "securityMarking"),
    ],
)
def test_a_person_that_cannot_be_read_is_rejected_and_the_others_are_not(broken: Any, field: str) -> None:
    export = read(content([broken, person(2)]))
    remark = only(export.remarks)
    assert (remark.kind, remark.row, remark.field) == (RemarkKind.REJECTED, 1, field)
    assert [record.position for record in export.persons] == [2]


def test_no_remark_repeats_a_value() -> None:
    secret = "20121212-9812"
    persons = [
        person(1, enrolment(secret)),
        person(2, enrolment(end=secret)),
        person(3, enrolment(schoolType=secret)),
        person(4, securityMarking=secret, personStatus=secret),
        person(5, enrolment(startDate={secret: secret})),
        person(6, enrolment(cancelled=secret)),
        {secret: secret},
        secret,
    ]
    export = read(content(persons))
    assert len(export.remarks) >= len(persons)
    assert not [remark for remark in export.remarks if secret in f"{remark.field}{remark.why}"]


@pytest.mark.parametrize("end", ["9999-12-31", "2100-01-01", "", None])
def test_a_far_end_is_no_end(end: str | None) -> None:
    export = read(content([person(1, enrolment(endDate=end))]))
    assert export.persons[0].rows[0].end is None


@pytest.mark.parametrize(
    "civic_no",
    [None, {}, {"value": None}, {"value": " "}, {"value": 201212129812}, {"value": "010190-123", "nationality": "DK"}],
)
def test_no_number_or_another_countrys_is_none(civic_no: Any) -> None:
    export = read(content([person(1, civicNo=civic_no)]))
    assert export.persons[0].number is None


def test_unknown_values_of_the_standard_are_kept_and_noted() -> None:
    export = read(content([person(1, enrolment(schoolType="NYTT"), securityMarking="Annan", personStatus="Okänd")]))
    record = export.persons[0]
    assert (record.rows[0].form, record.marking, record.status) == ("NYTT", "Annan", "Okänd")
    assert [remark.kind for remark in export.remarks] == [RemarkKind.NOTE] * 3


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [enrolment("2025-08-18", "2026-06-12"), enrolment("2026-08-17"), enrolment("2026-08-17", schoolType="FTH")]
    one = read(content([person(1, *rows)])).persons
    other = read(content([person(1, *reversed(rows))])).persons
    assert one == other


def test_progress_ends_with_the_whole_file() -> None:
    calls: list[tuple[int, int]] = []
    text = content([person(place) for place in range(200)])
    assert len(read(text, lambda done, total: calls.append((done, total))).persons) == 200
    assert calls[-1] == (len(text), len(text))


AWKWARD = [
    person(1, enrolment("2025-08-18", "2026-06-12"), enrolment("2026-08-17")),
    person(2, givenName='Å"}, {"data": [', familyName="\\"),
    person(3, contact=[{"a": [{"b": {}}, {}]}, [], ["},", "]}"]]),
    {"id": "no rows"},
    17,
    person(4, enrolment(enroledAt={"displayName": "},{"})),
    "},",
    None,
    [],
    person(5),
]


@pytest.mark.parametrize("window", [1, 2, 3, 7, 64, 500, 1_000])
def test_however_the_file_is_cut_it_is_read_the_same(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = content(AWKWARD)
    whole = read(text)
    monkeypatch.setattr(framing, "WINDOW", window)
    assert read(text) == whole
    assert len(whole.persons) == 6


@pytest.mark.parametrize("window", [5, 100_000])
def test_the_list_may_stand_anywhere_in_the_object(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "WINDOW", window)
    members = [
        '"pageToken": null',
        '"data" :\n [{"id": "a"} , {"id": "b"}]',
        '"meta": {"data": [{"id": "c"}], "x": "\\"data\\":["}',
    ]
    for order in itertools.permutations(members):
        found = read(("{" + ", ".join(order) + " }\n").encode())
        assert [record.person_id for record in found.persons] == ["a", "b"]


def test_a_list_that_stands_twice_is_no_export() -> None:
    with pytest.raises(UppropError) as caught:
        read(b'{"data": [{"id": "a"}], "data": []}')
    assert caught.value.code is Code.EXPORT_UNREADABLE


def test_an_element_beyond_all_measure_is_no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "WINDOW", 100)
    monkeypatch.setattr(framing, "LONGEST_ELEMENT", 1_000)
    with pytest.raises(UppropError) as caught:
        read(content([person(1), person(2, givenName="x" * 2_000), person(3)]))
    assert caught.value.code is Code.EXPORT_UNREADABLE


def changes(persons: list[Any], deleted: Any, token: str | None = None) -> bytes:
    return json.dumps({"data": persons, "deletedEntities": deleted, "pageToken": token}).encode()


@pytest.mark.parametrize(
    "deleted",
    [
        [person_id(7), person_id(8)],
        [{"id": person_id(7)}, {"id": person_id(8), "entityType": "person"}, {"id": "x", "entityType": "group"}],
        {"persons": [person_id(7), person_id(8)], "groups": ["x"]},
    ],
    ids=["ids", "entities", "ids by type"],
)
def test_changes_name_who_has_changed_and_who_is_gone(deleted: Any) -> None:
    found = read(changes([person(1)], deleted), kind=Ss12000Changes)
    assert [each.person_id for each in found.persons] == [person_id(1)]
    assert found.gone == {person_id(7), person_id(8)}
    assert found.digest != read(changes([person(1)], []), kind=Ss12000Changes).digest


def test_changes_may_be_of_nobody() -> None:
    found = read(changes([], []), kind=Ss12000Changes)
    assert (found.persons, found.gone) == ((), frozenset())


@pytest.mark.parametrize(
    ("file", "kind", "said"),
    [
        (content([person(1)]), Ss12000Changes, "does not say that it holds changes alone"),
        (changes([person(1)], []), Ss12000File, "import it with --changes"),
        (changes([person(1)], [person_id(1)]), Ss12000Changes, "both as changed and as deleted"),
        (changes([person(1)], [], token="more"), Ss12000Changes, "one page of several"),
        (changes([person(1)], [7]), Ss12000Changes, "something else than ids"),
        (changes([person(1)], "all"), Ss12000Changes, "not JSON of that shape"),
    ],
)
def test_one_kind_of_file_is_never_taken_for_the_other(file: bytes, kind: type[Ss12000File], said: str) -> None:
    with pytest.raises(UppropError, match=said) as caught:
        read(file, kind=kind)
    assert caught.value.code is Code.EXPORT_UNREADABLE
