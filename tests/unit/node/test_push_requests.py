"""What a request says, and what a withdrawal does to a person's rows."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from federation.errors import Code, UppropError
from federation.v1 import enrolment_pb2
from node.model import Reason, Row
from node.push import requests, wire
from node.push.deliveries import Changes, Ending, Roster, ended
from node.push.requests import Answer
from node.records.person import PersonRecord, Remark, RemarkKind
from node.records.ss12000_file import Ss12000File
from tests.harness.push_client import request
from tests.unit.node.exports import enrolment, person, write

TODAY = date(2026, 9, 21)
LAST = date(2026, 9, 18)
STANDING = Row("unit", "GR", date(2025, 8, 18))


@pytest.mark.parametrize(
    ("row", "after"),
    [
        (STANDING, replace(STANDING, end=LAST)),
        (replace(STANDING, end=date(2027, 6, 11)), replace(STANDING, end=LAST)),
        (replace(STANDING, start=None), replace(STANDING, start=None, end=LAST)),
        (replace(STANDING, start=LAST), replace(STANDING, start=LAST, end=LAST)),
        # What ended before, or never was, stays as it was.
        (replace(STANDING, end=LAST), replace(STANDING, end=LAST)),
        (replace(STANDING, end=date(2026, 6, 12)), replace(STANDING, end=date(2026, 6, 12))),
        (replace(STANDING, cancelled=True), replace(STANDING, cancelled=True)),
        # What was to begin later never does.
        (replace(STANDING, start=date(2026, 9, 19)), replace(STANDING, start=date(2026, 9, 19), cancelled=True)),
    ],
)
def test_a_withdrawal_ends_a_row_on_the_last_day(row: Row, after: Row) -> None:
    assert ended(row, LAST, None) == after
    assert ended(row, LAST, "unit") == after
    assert ended(row, LAST, "another unit") == row
    assert ended(ended(row, LAST, None), LAST, None) == after


def test_of_a_pupil_to_be_looked_for_a_row_that_has_begun_is_not_taken_back() -> None:
    begun, later = replace(STANDING, start=date(2026, 9, 21)), replace(STANDING, start=date(2026, 9, 22))
    for row, after in (
        (begun, replace(begun, end=begun.start)),
        (later, replace(later, cancelled=True)),
        (STANDING, replace(STANDING, end=LAST)),
    ):
        assert ended(row, LAST, None, TODAY) == after
        assert ended(after, LAST, None, TODAY) == after


def test_a_withdrawal_concerns_all_records_of_the_person() -> None:
    before = (
        PersonRecord("a", None, "", "", "", "", rows=(STANDING, replace(STANDING, unit="b", end=date(2025, 6, 1)))),
        PersonRecord("a", "n", "", "", "", "", rows=(replace(STANDING, unit="c"),)),
    )
    ending = Ending("a", LAST, None, b"digest")
    ending.bind(lambda ids: dict.fromkeys(ids, before), dict)
    after = list(ending.read(lambda _done, _total: None))
    assert ending.ended == 2
    # In the order in which records keep their rows.
    assert [[(row.unit, row.end) for row in record.rows] for record in after] == [
        [("b", date(2025, 6, 1)), ("unit", LAST)],
        [("c", LAST)],
    ]
    assert [record.number for record in after] == [None, "n"]


def test_a_withdrawal_of_an_unknown_person_is_refused() -> None:
    ending = Ending("a", LAST, None, b"digest")
    ending.bind(lambda _ids: {}, dict)
    with pytest.raises(UppropError) as error:
        list(ending.read(lambda _done, _total: None))
    assert error.value.code is Code.INPUT_REFUSED


PEOPLE = [
    person(1),
    person(2, enrolment(None), middleName="Mellannamn"),
    person(3, enrolment("18/8 2026"), enrolment(end="9999-12-31", schoolYear=None)),
    person(4, enrolment(schoolType="??"), securityMarking="Sekretessmarkering", civicNo=None),
    person(5, personStatus="Utvandrad", enrolments=None),
]


def test_a_person_means_the_same_pushed_and_in_a_file(tmp_path: Path) -> None:
    put = wire.parse_put(request(PEOPLE, TODAY))
    file = Ss12000File(write(tmp_path, TODAY, PEOPLE))
    assert list(Changes(put.persons, (), b"").read(_silent)) == list(file.read(_silent))


def _silent(_done: int, _total: int) -> None:
    pass


def test_positions_in_a_roster_go_on_from_part_to_part() -> None:
    parts = {1: wire.parse_put(request(PEOPLE[:2], TODAY)), 2: wire.parse_put(request(PEOPLE[2:], TODAY))}
    roster = Roster([part.digest for part in parts.values()], lambda part: parts[part].persons)
    read = list(roster.read(_silent))
    assert [each.position for each in read if isinstance(each, PersonRecord)] == [1, 2, 3, 4, 5]
    assert [each.row for each in read if isinstance(each, Remark)] == [3, 4]
    assert roster.whole


def test_the_digest_is_of_the_content_and_not_of_the_request_id() -> None:
    one = request(PEOPLE, TODAY)
    other = request(PEOPLE, TODAY)
    assert one.request_id != other.request_id
    assert wire.parse_put(one).digest == wire.parse_put(other).digest
    digests = {
        wire.parse_put(each).digest
        for each in (
            one,
            request(PEOPLE[:4], TODAY),
            request(PEOPLE, date(2026, 9, 22)),
            request(PEOPLE, TODAY, deleted=["x"]),
            request(PEOPLE, TODAY, roster_part=enrolment_pb2.RosterPart(roster_id=bytes(16), part=1, parts=1)),
        )
    }
    assert len(digests) == 5


@pytest.mark.parametrize(("name", "value"), enrolment_pb2.WithdrawalReason.items()[1:])
def test_every_reason_of_the_contract_is_one_of_the_node(
    name: str, value: enrolment_pb2.WithdrawalReason.ValueType
) -> None:
    wanted = enrolment_pb2.WithdrawRequest(
        request_id=secrets.token_bytes(16), as_of="2026-09-21", person_id="a", last_day="2026-09-18", reason=value
    )
    expected = name.removeprefix("WITHDRAWAL_REASON_").lower().replace("_", "-")
    assert wire.parse_withdraw(wanted).reason is Reason(expected)


def test_without_a_reason_none_is_said() -> None:
    wanted = enrolment_pb2.WithdrawRequest(
        request_id=secrets.token_bytes(16), as_of="2026-09-21", person_id="a", last_day="2026-09-18"
    )
    parsed = wire.parse_withdraw(wanted)
    assert (parsed.reason, parsed.unit, parsed.last_day) == (None, None, LAST)


def test_an_answer_comes_back_as_it_was_kept() -> None:
    answer = Answer((Remark(RemarkKind.NOTE, 3, "securityMarking", "why"),), 2, 1)
    assert requests.unpack(requests.pack(answer)) == answer


def test_nothing_that_is_asked_shows_who_it_is_about() -> None:
    put = wire.parse_put(request(PEOPLE, TODAY))
    assert "Förnamn" not in repr(put)
    wanted = enrolment_pb2.WithdrawRequest(
        request_id=bytes(16), as_of="2026-09-21", person_id="secret", last_day="2026-09-18"
    )
    assert "secret" not in repr(wire.parse_withdraw(wanted))
