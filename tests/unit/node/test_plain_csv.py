"""What a plain CSV may look like, and what is refused, left out or noted."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from federation.errors import Code, UppropError
from node.model import Row
from node.records.person import Remark, RemarkKind
from node.records.plain_csv import COLUMNS, TEMPLATE, PlainCsv
from privacy.identifiers import Sound, parse
from tests.harness.convert import as_csv, plain_rows
from tests.unit.node.exports import OTHER_UNIT, UNIT, enrolment, number, person, person_id
from tests.unit.node.rosters import Read, read_delivery

HEADER = "person_id;personnummer;skolenhet;startdatum;slutdatum\r\n"
COLUMNS_WRITTEN = plain_rows([person(1)])[0].keys()
ENGLISH = {
    "personnummer": "civic_no",
    "förnamn": "given_name",
    "efternamn": "family_name",
    "födelsedatum": "birth_date",
    "kön": "sex",
    "skolenhet": "school_unit",
    "skolform": "school_type",
    "årskurs": "school_year",
    "startdatum": "start_date",
    "slutdatum": "end_date",
    "inställd": "cancelled",
    "skyddad": "security_marking",
    "status": "person_status",
}


def read(path: Path, content: str | bytes) -> Read:
    file = path / "roster.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_delivery(PlainCsv(file))


def read_rows(path: Path, rows: list[dict[str, str]], delimiter: str = ";") -> Read:
    return read(path, as_csv(rows, delimiter))


def refusal(path: Path, content: str | bytes) -> str:
    with pytest.raises(UppropError) as caught:
        read(path, content)
    assert caught.value.code is Code.EXPORT_UNREADABLE
    return caught.value.sentence


def only(remarks: tuple[Remark, ...]) -> Remark:
    assert len(remarks) == 1
    return remarks[0]


def row(place: int = 1, **values: str) -> dict[str, str]:
    return {**plain_rows([person(place)])[0], **values}


# -- what is read ------------------------------------------------------------------------------------------------------


def test_a_pupil_is_read(tmp_path: Path) -> None:
    export = read_rows(tmp_path, plain_rows([person(1, enrolment("2025-08-18", "2026-06-12"))]))
    record = export.persons[0]
    assert (record.person_id, record.number) == (person_id(1), number(1))
    assert (record.given_name, record.family_name) == ("Förnamn1", "Efternamn1")
    assert (record.birth_date, record.sex, record.status, record.marking) == ("2015-01-01", "Kvinna", "Aktiv", "Ingen")
    assert record.rows == (Row(UNIT, "GR", date(2025, 8, 18), date(2026, 6, 12), False, 4),)
    assert export.remarks == ()


def test_the_template_is_read_and_bears_test_numbers(tmp_path: Path) -> None:
    export = read(tmp_path, TEMPLATE)
    assert [len(record.rows) for record in export.persons] == [1, 1]
    assert export.remarks == ()
    assert export.units == {"12345678": "Exempelskolan"}
    for record in export.persons:
        parsed = parse(record.number, date(2026, 8, 24))
        assert isinstance(parsed, Sound)
        assert 980 <= int(parsed.number[8:11]) <= 999
    assert TEMPLATE.splitlines()[0].split(";") == [column.name for column in COLUMNS]


def test_rows_of_a_pupil_are_enrolments_wherever_they_stand(tmp_path: Path) -> None:
    persons = [
        person(place, enrolment("2025-08-18", "2026-06-12"), enrolment("2026-08-17", enroledAt={"id": OTHER_UNIT}))
        for place in range(20)
    ]
    rows = plain_rows(persons)
    in_order = read_rows(tmp_path, rows)
    assert [len(record.rows) for record in in_order.persons] == [2] * 20
    for others in (rows[::2] + rows[1::2], list(reversed(rows)), rows + rows):
        assert read_rows(tmp_path, others).said() == in_order.said()


def test_a_pupil_is_given_when_the_last_row_has_passed(tmp_path: Path) -> None:
    rows = plain_rows([person(1), person(2), person(1, enrolment("2026-08-17")), person(3)])
    assert [record.person_id for record in read_rows(tmp_path, rows).persons] == [person_id(n) for n in (2, 1, 3)]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_spreadsheets_of_all_kinds_are_read_alike(tmp_path: Path, delimiter: str, encoding: str, end: str) -> None:
    persons = [person(1, givenName="Åsa; Märta, Ö", familyName="Sköld")]
    text = as_csv(plain_rows(persons), delimiter).replace("\r\n", end)
    for whole in (text, text.removesuffix(end)):
        record = read(tmp_path, whole.encode(encoding)).persons[0]
        assert (record.given_name, record.family_name) == ("Åsa; Märta, Ö", "Sköld")


def test_columns_may_have_english_names_in_any_case_and_order(tmp_path: Path) -> None:
    swedish = plain_rows([person(1), person(2)])
    english = [{ENGLISH.get(name, name).upper(): value for name, value in reversed(each.items())} for each in swedish]
    assert read_rows(tmp_path, english, ",").said() == read_rows(tmp_path, swedish).said()


def test_only_five_columns_are_needed(tmp_path: Path) -> None:
    export = read(tmp_path, f"{HEADER}a;{number(1)};{UNIT};2026-08-17;\r\n")
    assert export.persons[0].rows == (Row(UNIT, "GR", date(2026, 8, 17), None, False, None),)
    remark = only(export.remarks)
    assert (remark.kind, remark.row, remark.field) == (RemarkKind.NOTE, 2, "skolform")


def test_columns_nobody_asked_for_and_empty_rows_are_passed_over(tmp_path: Path) -> None:
    rows = [{**each, "mobil": "070", "anteckning": "hemlig"} for each in plain_rows([person(1)])]
    text = as_csv(rows, ";") + ";" * (len(rows[0]) - 1) + "\r\n\r\n"
    assert read(tmp_path, text).said() == read_rows(tmp_path, plain_rows([person(1)])).said()


def test_both_days_are_included_and_may_lack_hyphens(tmp_path: Path) -> None:
    export = read_rows(tmp_path, [row(startdatum="20260817", slutdatum="20260904")])
    assert (export.persons[0].rows[0].start, export.persons[0].rows[0].end) == (date(2026, 8, 17), date(2026, 9, 4))


@pytest.mark.parametrize("end", ["9999-12-31", "21000101", ""])
def test_a_far_end_is_no_end(tmp_path: Path, end: str) -> None:
    assert read_rows(tmp_path, [row(slutdatum=end)]).persons[0].rows[0].end is None


def test_without_a_first_day_the_row_says_that_the_pupil_is_here(tmp_path: Path) -> None:
    assert read_rows(tmp_path, [row(startdatum="")]).persons[0].rows[0].start is None


def test_a_row_without_a_school_names_a_pupil_who_is_not_enrolled(tmp_path: Path) -> None:
    export = read_rows(tmp_path, plain_rows([person(1, enrolments=[], personStatus="Avliden")]))
    assert (export.persons[0].rows, export.persons[0].status) == ((), "Avliden")
    assert export.remarks == ()


@pytest.mark.parametrize(
    ("form", "grade", "expected"),
    [
        ("gr", "4", ("GR", 4)),
        ("Grundskola", "4", ("GR", 4)),
        ("förskoleklass", "", ("FKLASS", None)),
        ("Anpassad grundskola", "9", ("GRAN", 9)),
        ("", "F", ("FKLASS", 0)),
        ("", "9", ("GR", 9)),
        ("Nytt", "1", ("Nytt", 1)),
    ],
)
def test_school_types_are_read_by_code_and_by_name(
    tmp_path: Path, form: str, grade: str, expected: tuple[str, int | None]
) -> None:
    export = read_rows(tmp_path, [row(skolform=form, årskurs=grade)])
    assert (export.persons[0].rows[0].form, export.persons[0].rows[0].school_year) == expected
    assert [remark.kind for remark in export.remarks] == ([RemarkKind.NOTE] if form == "Nytt" else [])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("nej", "ja", "Sekretessmarkering"),
        ("Skyddad folkbokföring", "", "Skyddad folkbokföring"),
        ("Ingen", "0", "Ingen"),
        ("Ingen", "vet ej", "vet ej"),
    ],
)
def test_one_row_that_marks_a_pupil_protects_the_pupil(tmp_path: Path, one: str, other: str, expected: str) -> None:
    rows = [row(skyddad=one), row(skyddad=other, startdatum="2026-08-17")]
    for given in (rows, rows[::-1]):
        export = read_rows(tmp_path, given)
        assert export.persons[0].marking == expected
        assert len(export.remarks) == (expected == "vet ej")


def test_an_end_of_duty_needs_all_rows(tmp_path: Path) -> None:
    for statuses, expected in ((("avliden", "Avliden"), "Avliden"), (("Avliden", ""), "Aktiv")):
        rows = [row(status=status, startdatum=f"2026-08-1{place}") for place, status in enumerate(statuses)]
        assert read_rows(tmp_path, rows).persons[0].status == expected


def test_two_numbers_of_one_id_are_left_to_the_import(tmp_path: Path) -> None:
    rows = [row(personnummer=number(1)), row(personnummer=number(2)), row(3)]
    export = read_rows(tmp_path, rows)
    assert sorted((record.person_id, record.number or "") for record in export.persons) == [
        (person_id(1), number(1)),
        (person_id(1), number(2)),
        (person_id(3), number(3)),
    ]


# -- what is left out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"startdatum": "2026-02-30"}, "startdatum"),
        ({"startdatum": "18/8 2025"}, "startdatum"),
        ({"startdatum": "2025-W34-1"}, "startdatum"),
        ({"startdatum": "45887"}, "startdatum"),
        ({"startdatum": "0001-01-01"}, "startdatum"),
        ({"slutdatum": "2026-13-01"}, "slutdatum"),
        ({"slutdatum": "19000101"}, "slutdatum"),
        ({"inställd": "kanske"}, "inställd"),
        ({"skolenhet": ""}, "skolenhet"),
    ],
)
def test_an_enrolment_that_cannot_be_read_is_left_out_with_row_field_and_reason(
    tmp_path: Path, values: dict[str, str], field: str
) -> None:
    export = read_rows(tmp_path, [row(1), row(2, **values), row(2, startdatum="2026-08-17")])
    remark = only(export.remarks)
    assert (remark.kind, remark.row, remark.field) == (RemarkKind.REJECTED, 3, field)
    assert remark.why
    assert [len(record.rows) for record in export.persons] == [1, 1]


def test_a_row_without_an_id_or_of_another_width_is_left_out(tmp_path: Path) -> None:
    text = HEADER + f";{number(1)};{UNIT};;\r\nb;{number(2)};{UNIT};;;\r\nc;{number(3)};{UNIT}\r\nd;;{UNIT};;\r\n"
    export = read(tmp_path, text)
    assert [record.person_id for record in export.persons] == ["d"]
    rejected = [remark for remark in export.remarks if remark.kind is RemarkKind.REJECTED]
    assert [(remark.row, remark.field) for remark in rejected] == [(2, "person_id"), (3, "row"), (4, "row")]


def test_no_remark_repeats_a_value(tmp_path: Path) -> None:
    secret = "20121212-9812"
    names = ("startdatum", "slutdatum", "inställd", "skyddad", "status", "skolform")
    rows: list[dict[str, Any]] = [row(place, **{name: secret}) for place, name in enumerate(names)]
    export = read_rows(tmp_path, rows)
    assert len(export.remarks) == len(names)
    assert not [remark for remark in export.remarks if secret in f"{remark.field}{remark.why}"]


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "does not name the columns"),
        (b"\r\n", "does not name the columns"),
        (f"a;{number(1)};{UNIT};2026-08-17;\r\n".encode(), "does not name the columns"),
        (b"PK\x03\x04\x14\x00\x08\x08\x08\x00", "does not name the columns"),
        (b'{"data": []}', "does not name the columns"),
        (HEADER.replace("person_id", "id").encode(), "lacks the column person_id"),
        (HEADER.replace("slutdatum", "t.o.m.").encode(), "lacks the column slutdatum"),
        (HEADER.replace("slutdatum\r", "slutdatum;end_date\r").encode(), "slutdatum stands twice"),
        ((HEADER + f"a;{number(1)}").encode(), "breaks off in its last row"),
        ((HEADER + f'a;{number(1)};"{UNIT}').encode(), "breaks off"),
        ((HEADER + f"a;\0{number(1)};{UNIT};;\r\n").encode(), "not a text file"),
        (HEADER.encode("utf-16"), "UTF-16"),
        ((HEADER + f"å;{number(1)};{UNIT};;\r\n").encode() + "ö".encode("cp1252"), "throughout"),
        (b"\xef\xbb\xbf" + (HEADER + f"å;{number(1)};{UNIT};;\r\n").encode("cp1252"), "throughout"),
        ((HEADER + f"a;{number(1)};{UNIT};;\r\n").encode() + b"\x81\xff", "throughout"),
    ],
)
def test_what_is_no_table_of_enrolments_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    assert why in refusal(tmp_path, content)


def test_a_cut_before_the_last_field_of_a_row_is_told(tmp_path: Path) -> None:
    text = as_csv(plain_rows([person(1), person(2)]), ";")
    told = 0
    for length in range(len(text)):
        last = text[:length].rpartition("\n")[2]
        if last.strip() and last.count(";") < len(COLUMNS_WRITTEN) - 1:
            refusal(tmp_path, text[:length])
            told += 1
    assert told > len(text) * 0.8


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UppropError, match=r"none\.csv cannot be read"):
        read_delivery(PlainCsv(tmp_path / "none.csv"))


def test_progress_ends_where_it_should(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text(as_csv(plain_rows([person(place) for place in range(50)])), encoding="utf-8")
    calls: list[tuple[int, int]] = []
    read_delivery(PlainCsv(file), lambda done, total: calls.append((done, total)))
    assert calls[-1] == (file.stat().st_size, file.stat().st_size)
