"""Rosters fetched over an SS 12000 API, from servers that keep the standard in their own ways."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from federation.errors import Code
from node.records.ss12000_api.settings import SchoolSystem as Source
from node.store.records import Records
from tests.harness.school_system import SchoolSystem
from tests.integration.api_parties import DAY, ENOUGH, LEFT, NIGHT, UNITS, Fetcher, ids
from tests.integration.node_alone import BASELINE, WEEK
from tests.unit.node.exports import UNIT, enrolment, person

# -- what is fetched ---------------------------------------------------------------------------------------------------


def test_the_first_run_is_the_baseline_of_everyone_enrolled(fetch: Fetcher) -> None:
    report = fetch()
    assert (report.baseline, report.persons, report.rows) == (True, 25, 25)
    first, *further = fetch.asked()
    assert first == {"limit": "10", "relationship.entity.type": "enrolment"}
    assert [list(query) for query in further] == [["pageToken"], ["pageToken"]]
    assert fetch.node.database.view("test_units", Records(fetch.node.sealer).units) == {UNIT: "Ekskolan"}


def test_an_api_and_a_file_say_the_same(fetch: Fetcher) -> None:
    fetch()
    report = fetch.node.take(BASELINE + WEEK, ENOUGH)
    assert (report.changed, report.vanished) == (0, 0)


def test_later_runs_ask_for_what_has_changed_and_who_is_deleted(fetch: Fetcher) -> None:
    fetch()
    fetch.school.forget_requests()
    fetch.school.set_clock(NIGHT + timedelta(hours=9))
    fetch.school.serve([person(0, LEFT), *ENOUGH[1:24], person(30)], UNITS)
    report = fetch(BASELINE + DAY)
    assert (report.baseline, report.persons, report.changed, report.vanished) == (False, 2, 2, 1)
    since = "2026-08-24T02:30:00Z"
    assert fetch.asked() == [{"limit": "10", "meta.modified.after": since}]
    assert fetch.asked("deletedEntities") == [{"limit": "10", "after": since}]
    assert fetch.present() == ids(*range(24), 30)
    assert fetch.node.pupil(0).observations[-1].rows[0].end == date(2026, 8, 28)  # type: ignore[index]  # shown
    assert fetch.node.pupil(24).observations[-1].rows is None


def test_a_pupil_who_loses_every_enrolment_is_a_change(fetch: Fetcher) -> None:
    fetch()
    fetch.school.set_clock(NIGHT + timedelta(hours=9))
    fetch.school.serve([person(0, enrolments=[]), *ENOUGH[1:]], UNITS)
    assert fetch(BASELINE + DAY).changed == 1
    assert fetch.node.pupil(0).observations[-1].rows == ()


def test_staff_and_guardians_are_not_kept(fetch: Fetcher) -> None:
    fetch.school.configure(filters="ignored")
    staff = [person(place, enrolments=[]) for place in range(100, 130)]
    fetch.school.serve([*ENOUGH, *staff], UNITS)
    assert fetch().persons == 25
    fetch.school.configure(filters=True)
    fetch.school.set_clock(NIGHT + timedelta(hours=9))
    fetch.school.serve([*ENOUGH, *(person(place, enrolments=[], sex="Man") for place in range(100, 130))], UNITS)
    assert fetch(BASELINE + DAY).persons == 0
    assert fetch.present() == ids(*range(25))


def test_everyone_is_asked_for_every_week_and_when_somebody_says_so(fetch: Fetcher) -> None:
    fetch()
    for day in range(1, 15):
        fetch.school.forget_requests()
        fetch(BASELINE + day * DAY)
        assert ("meta.modified.after" not in fetch.asked()[0]) == (day in (7, 14))
    fetch.school.forget_requests()
    fetch(BASELINE + 15 * DAY, full=True)
    assert "meta.modified.after" not in fetch.asked()[0]


def test_a_full_run_finds_who_vanished_unseen(fetch: Fetcher) -> None:
    fetch.school.configure(deleted=True)
    fetch()
    fetch.school.configure(forget_deleted=True)
    fetch.school.serve(ENOUGH[:24], UNITS)
    assert fetch(BASELINE + DAY).vanished == 0
    assert fetch(BASELINE + WEEK).vanished == 1


def test_after_a_file_of_the_same_system_everyone_is_asked_for(fetch: Fetcher) -> None:
    fetch()
    fetch.node.take(BASELINE + DAY, ENOUGH[:20])
    fetch.school.forget_requests()
    fetch(BASELINE + 2 * DAY)
    assert "meta.modified.after" not in fetch.asked()[0]
    assert fetch.present() == ids(*range(25))


def test_changes_that_were_being_fetched_are_not_put_upon_a_file_that_came_between(fetch: Fetcher) -> None:
    fetch()
    fetch.school.serve([*ENOUGH[:10], *(person(place, enrolment(schoolYear=5)) for place in range(10, 25))], UNITS)
    fetch.school.misbehave("status", at=2, times=1_000, status=403)
    assert fetch.refused(BASELINE + DAY).code is Code.TOKEN_REFUSED
    fetch.school.behave()
    # The file has one whom the school system does not have, and lacks one whom it has.
    fetch.node.take(BASELINE + DAY, [*ENOUGH[1:], person(40)])
    fetch(BASELINE + DAY)
    assert fetch.present() == ids(*range(25))


def test_another_address_is_asked_for_everyone(fetch: Fetcher, tmp_path: Path) -> None:
    fetch()
    with SchoolSystem(tmp_path, now=NIGHT - 30 * DAY) as other:
        other.serve(ENOUGH, UNITS)
        source = Source(url=other.url, token_file=other.token_file)
        fetch(BASELINE + DAY, source=source)
        assert "meta.modified.after" not in other.requests[-1]["query"]


def test_a_change_made_while_a_run_was_going_on_is_in_the_next(fetch: Fetcher) -> None:
    fetch()
    fetch.school.misbehave("changed", at=1, person=person(3, LEFT))
    # It changes after the first page, on which it would have stood, was asked for in this run.
    fetch.school.misbehave("changed", at=2, person=person(4, LEFT))
    fetch(BASELINE + DAY, full=True)
    fetch(BASELINE + 2 * DAY)
    assert [fetch.node.pupil(place).observations[-1].rows[0].end for place in (3, 4)] == [date(2026, 8, 28)] * 2  # type: ignore[index]  # shown


@pytest.mark.parametrize("ahead", [timedelta(hours=-5), timedelta(hours=5), timedelta(days=400)])
def test_no_change_is_lost_where_the_school_systems_clock_is_off(fetch: Fetcher, ahead: timedelta) -> None:
    def night(day: int) -> None:
        fetch.node.clock.set_today(BASELINE + day * DAY)
        fetch.school.set_clock(NIGHT + day * DAY + ahead)
        fetch.fetching.run("main", fetch.source)

    night(0)
    fetch.school.serve([person(0, LEFT), *ENOUGH[1:]], UNITS)
    night(1)
    assert fetch.node.pupil(0).observations[-1].rows[0].end == date(2026, 8, 28)  # type: ignore[index]  # shown


def test_the_same_night_again_changes_nothing(fetch: Fetcher) -> None:
    fetch()
    before = fetch.node.pupils()
    report = fetch()
    assert (report.changed, report.vanished) == (0, 0)
    assert fetch.node.pupils() == before


# -- servers that differ -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "differs",
    [
        {"max_limit": 3},
        {"max_limit": 3, "strict_limit": True},
        {"absent_token": True},
        {"empty_pages": 2},
        {"empty_pages": 1, "null_data": True},
        {"organisations": False},
        {"filters": False},
        {"filters": "ignored"},
        {"filters": "first page"},
        {"filters": "misread"},
        {"deleted": False},
        {"deleted": "flat"},
        {"deleted": "ids"},
        {"forbidden": ["organisations", "deletedEntities"]},
    ],
    ids=str,
)
def test_servers_that_differ_come_to_the_same(fetch: Fetcher, differs: dict[str, Any]) -> None:
    fetch.school.configure(**differs)
    assert fetch().persons == 25
    fetch.school.set_clock(NIGHT + timedelta(hours=9))
    fetch.school.serve([person(0, LEFT), *ENOUGH[1:24], person(30)], UNITS)
    report = fetch(BASELINE + DAY)
    assert (report.changed, report.vanished) == (2, 1)
    assert fetch.present() == ids(*range(24), 30)


@pytest.mark.parametrize("suffix", ["/", "/persons", "/persons/"])
def test_the_address_may_end_as_people_write_it(fetch: Fetcher, suffix: str) -> None:
    source = Source(url=fetch.school.url + suffix, token_file=fetch.school.token_file)
    assert fetch(source=source).persons == 25


def test_a_person_on_two_pages_is_the_one_modified_last(fetch: Fetcher) -> None:
    meta = {"created": "2020-01-01T00:00:00Z", "modified": "2026-08-01T10:00:00+02:00"}
    newer = {**meta, "modified": "2026-08-01T08:30:00Z"}
    twice = [person(3, LEFT, meta=newer), person(3, meta=meta)]
    fetch.school.serve_as_is([*ENOUGH[:3], twice[0], *ENOUGH[4:], twice[1]])
    assert fetch().persons == 25
    assert fetch.node.pupil(3).observations[-1].rows[0].end == date(2026, 8, 28)  # type: ignore[index]  # shown


def test_pages_that_shift_by_one_give_everyone_once(fetch: Fetcher) -> None:
    fetch.school.misbehave("repeat", at=2, times=2)
    assert fetch().persons == 25


def test_a_person_both_deleted_and_changed_is_settled_by_asking_for_everyone(fetch: Fetcher) -> None:
    fetch()
    fetch.school.set_clock(NIGHT + timedelta(hours=2))
    fetch.school.serve(ENOUGH[1:], UNITS)
    fetch.school.serve([person(0, enrolment(start="2026-08-24")), *ENOUGH[1:]], UNITS)
    fetch.school.forget_requests()
    assert fetch(BASELINE + DAY).vanished == 0
    assert fetch.present() == ids(*range(25))
    assert "meta.modified.after" not in fetch.asked()[-1]


def test_what_cannot_be_read_of_one_person_stops_nobody_else(fetch: Fetcher) -> None:
    fetch.school.serve_as_is(
        [*ENOUGH, {"id": 7, "enrolments": [{}]}, {"givenName": "x"}, "text", person(40, {"schoolType": 1})]
    )
    report = fetch()
    assert report.persons == 26
    assert {remark.field for remark in report.remarks} == {"id", "person", "enrolments.schoolType"}
