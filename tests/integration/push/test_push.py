"""School systems push to a running node: what is taken, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import grpc
import pytest

from federation.v1 import enrolment_pb2
from tests.harness.push_client import PushClient, code_of, request, roster
from tests.integration.push_parties import DAY, MOVED, TODAY, UNKNOWN, PushNode, content_of, refused, stored
from tests.unit.node.exports import enrolment, person, person_id

# -- what is taken -----------------------------------------------------------------------------------------------------


def test_a_pupil_who_is_put_with_an_end_has_left(running: PushNode, skola: PushClient) -> None:
    assert skola.heard() is None
    skola.put_roster([person(place) for place in range(12)], TODAY - 7 * DAY)
    assert skola.heard() == "2026-09-14"
    skola.put([person(3, enrolment(end="2026-09-18"))], TODAY)
    skola.put([person(4, civicNo={"value": "20130101TF01"}, enrolments=[enrolment(end="2026-09-18")])], TODAY)
    running.upprop("sync")
    listed = {case["person_id"]: case for case in running.upprop.json("cases", "--all")["cases"]}
    assert listed == {}
    assert skola.heard() == "2026-09-21"
    explained = stored(running, "select state, count(*) from gaps group by 1")
    assert explained == [("WATCH", 2)]


def test_a_withdrawal_with_unknown_whereabouts_opens_the_case_at_once(running: PushNode, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(12)], TODAY - 7 * DAY)
    assert skola.withdraw(person_id(3), TODAY - 3 * DAY, TODAY, reason=UNKNOWN) == 1
    assert skola.withdraw(person_id(4), TODAY - 3 * DAY, TODAY, reason=MOVED) == 1
    assert [
        (case["person_id"].rpartition(":")[2], case["effective_date"], case["urgency"], case["opened_by"])
        for case in running.cases()
    ] == [(person_id(3), "2026-09-19", "IMMEDIATE", "immediate")]


def test_one_who_never_came_and_whose_whereabouts_are_unknown_is_looked_for(
    running: PushNode, skola: PushClient
) -> None:
    skola.put_roster([person(place) for place in range(12)], TODAY - 7 * DAY)
    new = [person(place, enrolment("2026-09-16"), id=f"new {place}") for place in (20, 21)]
    skola.put(new, TODAY - 5 * DAY)
    assert skola.withdraw("new 20", TODAY - 10 * DAY, TODAY, reason=UNKNOWN) == 1
    assert skola.withdraw("new 21", TODAY - 10 * DAY, TODAY, reason=MOVED) == 1
    assert [
        (case["person_id"].rpartition(":")[2], case["effective_date"], case["urgency"]) for case in running.cases()
    ] == [("new 20", "2026-09-17", "IMMEDIATE")]


def test_a_withdrawal_ends_what_lasts_beyond_the_last_day_and_nothing_else(
    running: PushNode, skola: PushClient
) -> None:
    other: dict[str, Any] = {"enroledAt": {"id": "another unit"}}
    rows = [
        enrolment("2024-08-19", "2025-06-13"),
        enrolment("2025-08-18"),
        enrolment("2026-08-17", **other),
        enrolment("2026-10-01", schoolYear=5),
    ]
    skola.put_roster([person(1, *rows), person(2)], TODAY - 7 * DAY)
    assert skola.withdraw(person_id(1), TODAY, TODAY, enroled_at="another unit") == 1
    assert skola.withdraw(person_id(1), TODAY, TODAY) == 2
    assert skola.withdraw(person_id(1), TODAY, TODAY) == 0
    with refused("INPUT_REFUSED"):
        skola.withdraw(person_id(9), TODAY, TODAY)
    assert skola.withdraw(person_id(2), TODAY + 30 * DAY, TODAY) == 1


def test_persons_whom_the_school_system_deleted_are_gone(running: PushNode, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(12)], TODAY - 7 * DAY)
    skola.put([], TODAY, deleted=[person_id(5)])
    running.upprop("sync")
    assert stored(running, "select count(*) from gaps") == [(1,)]
    assert stored(running, "select count(*) from records") == [(11,)]


def test_without_persons_a_put_says_that_nothing_has_changed(running: PushNode, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(12)], TODAY - 7 * DAY)
    before = content_of(running)[:3]
    assert not skola.put([], TODAY)[0].remarks
    assert skola.heard() == "2026-09-21"
    assert content_of(running)[:3] == before


def test_what_is_wrong_with_one_person_is_said_of_that_person(running: PushNode, begun: PushClient) -> None:
    bad = [
        person(20),
        person(21, id=""),
        person(22, enrolment("18/8 2026")),
        person(23, civicNo={"value": "201501019999"}),
        person(24, civicNo=None),
        person(25, enrolment(schoolType="??"), securityMarking="?", personStatus="?"),
        person(26, enrolment(end="2026-02-30")),
    ]
    (answer,) = begun.put(bad, TODAY)
    kinds = enrolment_pb2.RemarkKind.Name
    assert [(remark.person, kinds(remark.kind).rpartition("_")[2], remark.field) for remark in answer.remarks] == [
        (2, "REJECTED", "id"),
        (3, "REJECTED", "enrolments.startDate"),
        (4, "REJECTED", "civicNo"),
        (5, "UNLINKABLE", "civicNo"),
        (6, "NOTE", "securityMarking"),
        (6, "NOTE", "personStatus"),
        (6, "NOTE", "enrolments.schoolType"),
        (7, "REJECTED", "enrolments.endDate"),
    ]
    assert not any("2015" in remark.why or "18/8" in remark.why for remark in answer.remarks)
    assert stored(running, "select count(*) from records") == [(18,)]


def test_what_leaves_a_large_unit_in_one_put_does_not_wait_and_what_empties_a_small_one_does(
    running: PushNode, skola: PushClient
) -> None:
    small: dict[str, Any] = {"enroledAt": {"id": "a small unit"}}
    large = [person(place) for place in range(100)]
    skola.put_roster([*large, *[person(place, enrolment(**small)) for place in range(100, 120)]], TODAY - 7 * DAY)
    left = [person(place, enrolment(end="2026-09-18")) for place in range(11)]
    left += [person(place, enrolment(end="2026-09-18", **small)) for place in range(100, 111)]
    skola.put(left, TODAY)
    assert stored(running, "select pupils from held_leavings") == [(11,)]
    running.upprop("sync")
    assert stored(running, "select count(*) from gaps") == [(11,)]


def test_the_first_that_a_school_system_puts_is_its_roster(running: PushNode, skola: PushClient) -> None:
    before = content_of(running)
    for persons in ([], [person(1)]):
        with refused("INPUT_REFUSED"):
            skola.put(persons, TODAY)
    assert content_of(running) == before
    skola.put_roster([], TODAY)
    skola.put([person(1)], TODAY)


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_a_request_that_is_useless_as_a_whole_changes_nothing(running: PushNode, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(3)], TODAY - DAY)
    before = content_of(running)
    part = enrolment_pb2.RosterPart
    for code, sent in {
        "REQUEST_INVALID": [
            request([person(1)], TODAY, request_id=b"short"),
            enrolment_pb2.PutEnrolmentsRequest(request_id=bytes(16), as_of="21/9 2026"),
            enrolment_pb2.PutEnrolmentsRequest(request_id=bytes(16)),
            request([], TODAY, roster_part=part(roster_id=bytes(16), part=0, parts=1)),
            request([], TODAY, roster_part=part(roster_id=bytes(16), part=2, parts=1)),
            request([], TODAY, roster_part=part(roster_id=bytes(16), part=1, parts=1_001)),
            request([], TODAY, roster_part=part(roster_id=b"", part=1, parts=1)),
            request([], TODAY, deleted=["x"], roster_part=part(roster_id=bytes(16), part=1, parts=1)),
        ],
        "BATCH_TOO_LARGE": [request([person(1)] * 1_001, TODAY)],
        "INPUT_REFUSED": [request([], TODAY + DAY)],
        "EXPORT_OLDER": [request([], TODAY - 2 * DAY)],
    }.items():
        for one in sent:
            with refused(code):
                skola.send(one)
    for fields in ({"person_id": ""}, {"last_day": "then"}, {"reason": 77}):
        wanted: dict[str, Any] = {"person_id": person_id(1), "last_day": "2026-09-18", "as_of": "2026-09-21"}
        with refused("REQUEST_INVALID"):
            made = enrolment_pb2.WithdrawRequest(request_id=bytes(16), **{**wanted, **fields})
            skola.stub.Withdraw(made, timeout=30)
    with refused("RESOURCE_EXHAUSTED"):
        skola.send(request([person(1, givenName="x" * 5_000_000)], TODAY))
    with refused("REQUEST_INVALID"):
        skola.stub.PutEnrolments(request([], TODAY))
    assert content_of(running) == before


def test_a_roster_counts_once_all_its_parts_have_come(running: PushNode, skola: PushClient) -> None:
    one, two, three = roster([person(place) for place in range(12)], TODAY, size=5)
    assert skola.send(three).parts_missing == 2
    assert skola.send(one).parts_missing == 1
    assert skola.send(three).parts_missing == 1
    assert skola.heard() is None
    with refused("BATCH_REUSED"):
        skola.send(request([person(40)], TODAY, request_id=one.request_id, roster_part=one.roster_part))
    with refused("BATCH_REUSED"):
        skola.send(request([person(40)], TODAY, roster_part=one.roster_part))
    with refused("REQUEST_INVALID"):
        skola.send(request([], TODAY - DAY, roster_part=two.roster_part))
    assert skola.send(two).parts_missing == 0
    assert (skola.heard(), stored(running, "select count(*) from records")) == ("2026-09-21", [(12,)])
    before = content_of(running)
    assert [skola.send(part).parts_missing for part in (one, two, three)] == [0, 0, 0]
    assert content_of(running) == before
    assert before[-1] == []


def test_a_part_of_another_roster_ends_an_unfinished_one(running: PushNode, skola: PushClient) -> None:
    given_up = roster([person(place) for place in range(12)], TODAY, size=6)
    skola.send(given_up[0])
    skola.put_roster([person(place) for place in range(4)], TODAY)
    assert stored(running, "select count(*) from records") == [(4,)]
    assert skola.send(given_up[1]).parts_missing == 1


@pytest.mark.parametrize("change", ["withdraw", "put", "delete"])
def test_a_change_taken_amid_a_roster_is_not_undone_by_it(running: PushNode, skola: PushClient, change: str) -> None:
    persons = [person(place) for place in range(12)]
    skola.put_roster(persons, TODAY - DAY)
    first, last = roster(persons, TODAY, size=6)
    skola.send(first)
    skola.put([], TODAY)
    if change == "withdraw":
        skola.withdraw(person_id(3), TODAY - DAY, TODAY)
    elif change == "put":
        skola.put([person(3, enrolment(end="2026-09-18"))], TODAY)
    else:
        skola.put([], TODAY, deleted=[person_id(3)])
    after = content_of(running)
    for part in (last, first):
        with refused("INPUT_REFUSED"):
            skola.send(part)
    assert content_of(running) == after
    assert [answer.parts_missing for answer in skola.put_roster(persons, TODAY)] == [0]


def test_a_roster_that_lacks_half_the_pupils_waits_for_the_administrator(running: PushNode, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(20)], TODAY - DAY)
    parts = roster([person(place) for place in range(6)], TODAY, size=4)
    skola.send(parts[0])
    for _ in range(2):
        with pytest.raises(grpc.RpcError) as error:
            skola.send(parts[1])
        # How many of whom are known is not the school system's to learn.
        call: Any = error.value
        assert (code_of(call), re.findall(r"\d", call.details())) == ("EXPORT_SHRUNK", [])
    assert running.upprop.json("client", "list")[0]["refused_as_of"] == "2026-09-21"
    assert running.upprop("client", "take", "skola").returncode == 4
    report = running.upprop.json("client", "take", "skola", "--accept-shrink")
    assert (report["persons"], report["vanished"]) == (6, 14)
    assert [held["pupils"] for held in report["held"]] == [14]
    assert running.upprop.json("client", "take", "skola", "--confirm-leavings")["held"] == []
    before = content_of(running)
    assert [skola.send(part).parts_missing for part in parts] == [0, 0]
    assert content_of(running) == before
