"""Rosters fetched over an SS 12000 API, from a server process that keeps the standard or pretends to."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from federation.errors import Code, UppropError
from federation.observability import Log
from federation.rules.vocabulary import Policy
from node.records.report import ImportReport
from node.records.ss12000_api.fetching import Fetching
from node.records.ss12000_api.observability import FetchMetrics
from node.records.ss12000_api.settings import SchoolSystem as Source
from node.store.fetches import Fetches, FetchState
from node.store.records import Records
from node.store.schema_systems import metadata, system_fetches, system_pages
from tests.harness.connect_proxy import ConnectProxy
from tests.harness.school_system import SchoolSystem
from tests.integration.node_alone import BASELINE, WEEK, Node, make
from tests.unit.node.exports import UNIT, enrolment, number, person, person_id

DAY = timedelta(days=1)
NIGHT = datetime(2026, 8, 24, 3, 30, tzinfo=UTC)
LEFT = enrolment(end="2026-08-28")
ENOUGH = [person(place) for place in range(25)]
UNITS = [{"id": UNIT, "displayName": "Ekskolan", "organisationType": "Skolenhet"}]


class Fetcher:
    """A node that fetches from one school system."""

    def __init__(self, node: Node, school: SchoolSystem) -> None:
        self.node = node
        self.school = school
        self.log = io.StringIO()
        self.pauses: list[float] = []
        self.fetching = Fetching(
            database=node.database,
            sealer=node.sealer,
            importing=node.importing,
            systems={},
            clock=node.clock,
            metrics=FetchMetrics(CollectorRegistry()),
            log=Log(self.log),
            sleep=self.pauses.append,
        )
        self.source = Source(url=school.url, token_file=school.token_file, limit=10, overlap_hours=1)

    def __call__(self, day: date = BASELINE, **options: Any) -> ImportReport:
        """Fetch on the night before `day`'s school."""
        self.node.clock.set_today(day)
        self.school.set_clock(NIGHT + (day - BASELINE))
        return self.fetching.run("main", options.pop("source", self.source), **options)

    def refused(self, day: date = BASELINE, **options: Any) -> UppropError:
        with pytest.raises(UppropError) as caught:
            self(day, **options)
        return caught.value

    def asked(self, on: str = "persons") -> list[dict[str, str]]:
        """The queries for a list."""
        return [
            {name: values[0] for name, values in request["query"].items()}
            for request in self.school.requests
            if request["on"] == on
        ]

    def current(self) -> Any:
        return self.node.database.view("test_fetch", lambda tx: Fetches(self.node.sealer).current(tx, "main"))

    def present(self) -> set[str]:
        """Ids of the persons in the newest roster."""
        of_everyone = [person_id(place) for place in range(200)]
        return set(
            self.node.database.view(
                "test_roster", lambda tx: Records(self.node.sealer).of_persons(tx, "main", of_everyone)
            )
        )


@pytest.fixture
def node(tmp_path: Path, sqlite_store: str) -> Iterator[Node]:
    """In a file: only what is written while a run goes on depends on the kind of store."""
    made = make(tmp_path, sqlite_store, Policy())
    yield made
    made.database.close()


@pytest.fixture
def fetch_on_each(tmp_path: Path, node_store: str, school: SchoolSystem) -> Iterator[Fetcher]:
    """Once on each kind of store."""
    made = make(tmp_path, node_store, Policy())
    yield Fetcher(made, school)
    made.database.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SchoolSystem]:
    with SchoolSystem(tmp_path_factory.mktemp("school"), now=NIGHT) as school:
        yield school


@pytest.fixture
def school(running: SchoolSystem) -> SchoolSystem:
    running.reset()
    running.set_clock(NIGHT - 30 * DAY)
    running.serve(ENOUGH, UNITS)
    return running


@pytest.fixture
def fetch(node: Node, school: SchoolSystem) -> Fetcher:
    return Fetcher(node, school)


def ids(*places: int) -> set[str]:
    return {person_id(place) for place in places}


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


# -- what would lose data ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fault", "code"),
    [
        ("html", {}, Code.EXPORT_UNREADABLE),
        ("error", {}, Code.EXPORT_UNREADABLE),
        ("cut", {}, Code.PEER_UNREACHABLE),
        ("short", {}, Code.EXPORT_UNREADABLE),
        ("huge", {"bytes": 2_000_000}, Code.EXPORT_UNREADABLE),
        ("status", {"status": 500}, Code.OVERLOADED),
        ("status", {"status": 503}, Code.OVERLOADED),
        ("status", {"status": 403}, Code.TOKEN_REFUSED),
        ("status", {"status": 409}, Code.EXPORT_UNREADABLE),
        ("redirect", {"location": "https://elsewhere.invalid/ss12000/v2/persons"}, Code.CONFIG_INVALID),
        ("same", {}, Code.EXPORT_UNREADABLE),
        ("twins", {}, Code.EXPORT_UNREADABLE),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_a_run_that_is_not_whole_changes_nothing_and_the_next_is(
    fetch: Fetcher, kind: str, fault: dict[str, Any], code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.records.ss12000_api.transport.MAX_BODY_BYTES", 1_000_000)
    fetch()
    before = _imported(fetch.node)
    fetch.school.misbehave(kind, at=2, times=1_000, **fault)
    error = fetch.refused(BASELINE + WEEK)
    assert error.code is code, error
    assert "Nothing was changed" in error.sentence or "kept" in error.sentence or "address" in error.sentence
    assert _imported(fetch.node) == before
    fetch.school.behave()
    assert fetch(BASELINE + WEEK).persons == 25


def test_a_server_without_an_end_is_noticed(fetch: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.records.ss12000_api.gathering.MAX_EMPTY_PAGES", 5)
    fetch.school.configure(empty_pages=1_000_000)
    assert fetch.refused().code is Code.EXPORT_UNREADABLE
    fetch.school.configure(empty_pages=0)
    monkeypatch.setattr("node.records.ss12000_api.gathering.MAX_PAGES", 2)
    assert fetch.refused().code is Code.EXPORT_UNREADABLE


def test_a_roster_without_enrolments_is_no_baseline(fetch: Fetcher) -> None:
    fetch.school.serve([person(place, enrolments=[]) for place in range(25)])
    assert fetch.refused().code is Code.EXPORT_SHRUNK
    assert not fetch.node.pupils()


def test_a_refused_roster_is_fetched_anew_when_somebody_accepts_it(fetch: Fetcher) -> None:
    fetch()
    fetch.school.serve(ENOUGH[:5], UNITS)
    assert fetch.refused(BASELINE + WEEK).code is Code.EXPORT_SHRUNK
    assert fetch.current().state is FetchState.REFUSED
    assert fetch(BASELINE + WEEK, accept_shrink=True).vanished == 20


# -- patience ----------------------------------------------------------------------------------------------------------


def test_a_busy_server_is_given_the_time_it_asks_for(fetch: Fetcher) -> None:
    fetch.school.misbehave("status", status=429, headers={"Retry-After": "7"}, at=2, times=2)
    fetch.school.misbehave("status", status=503, at=5)
    assert fetch().persons == 25
    assert [round(pause) // 7 for pause in fetch.pauses[:2]] == [1, 1]
    assert fetch.pauses[2] <= 0.5


def test_whoever_asks_for_an_hour_is_left_in_peace(fetch: Fetcher) -> None:
    fetch.school.misbehave("status", status=429, headers={"Retry-After": "3600"}, at=2)
    error = fetch.refused()
    assert (error.code, fetch.pauses) == (Code.OVERLOADED, [])
    fetch.school.forget_requests()
    assert fetch().persons == 25
    assert list(fetch.asked()[0]) == ["pageToken"]


def test_a_server_that_stays_away_is_given_up(fetch: Fetcher) -> None:
    fetch.school.misbehave("status", status=503, at=1, times=1_000)
    assert fetch.refused().code is Code.OVERLOADED
    assert len(fetch.pauses) == 6


def test_an_answer_that_does_not_come_is_asked_for_again(fetch: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.records.ss12000_api.transport.READ_SECONDS", 0.5)
    fetch.school.misbehave("slow", seconds=3, at=2)
    assert fetch().persons == 25
    assert len(fetch.pauses) == 1


def test_an_answer_without_an_end_is_given_up(fetch: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.records.ss12000_api.transport.ANSWER_SECONDS", -1.0)
    assert fetch.refused().code is Code.DEADLINE


def test_a_server_that_is_not_there_is_named_as_such(fetch: Fetcher, tmp_path: Path) -> None:
    with SchoolSystem(tmp_path) as gone:
        source = Source(url=gone.url, token_file=gone.token_file)
    assert fetch.refused(source=source).code is Code.PEER_UNREACHABLE


def test_two_runs_of_one_system_do_not_meet(fetch: Fetcher) -> None:
    met: list[UppropError] = []

    def progress(step: str, _done: int, _total: int) -> None:
        if step == "fetch":
            met.append(fetch.refused())

    assert fetch(progress=progress).persons == 25
    assert {error.code for error in met} == {Code.STORE_LOCKED}


def test_a_redirection_within_the_same_server_is_followed(fetch: Fetcher) -> None:
    fetch.school.misbehave("redirect", location="/ss12000/v2/persons?limit=5")
    assert fetch().persons == 25


def test_a_token_is_sent_to_no_other_address(fetch: Fetcher, tmp_path: Path) -> None:
    with SchoolSystem(tmp_path) as other:
        other.serve(ENOUGH)
        fetch.school.misbehave("redirect", location=f"{other.url}/persons")
        assert fetch.refused().code is Code.CONFIG_INVALID
        assert other.requests == []


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_a_token_renewed_in_its_file_amid_a_run_is_taken_up(fetch: Fetcher) -> None:
    rotated: list[bool] = []

    def progress(step: str, done: int, _total: int) -> None:
        if step == "fetch" and done and not rotated:
            fetch.school.rotate_token()
            rotated.append(True)

    assert fetch(progress=progress).persons == 25
    assert [request["status"] for request in fetch.school.requests if request["on"] == "persons"].count(401) == 1


def test_a_token_that_ended_changes_nothing_until_there_is_a_new_one(fetch: Fetcher) -> None:
    def progress(step: str, done: int, _total: int) -> None:
        if step == "fetch" and done == 10:
            fetch.school.rotate_token(tell=False)

    error = fetch.refused(progress=progress)
    assert error.code is Code.TOKEN_REFUSED
    assert str(fetch.school.token_file) in error.sentence
    assert not fetch.node.pupils()
    fetch.school.rotate_token()
    fetch.school.forget_requests()
    assert fetch().persons == 25
    assert all("pageToken" in query for query in fetch.asked())


@pytest.mark.parametrize("basic", [True, False])
def test_short_lived_tokens_are_renewed_amid_a_run(fetch: Fetcher, basic: bool) -> None:
    fetch.school.configure(token_uses=2, basic=basic)
    source = Source(
        url=fetch.school.url,
        token_url=fetch.school.token_url,
        client_id=fetch.school.client_id,
        client_secret_file=fetch.school.client_secret_file,
        scope="ss12000",
        limit=5,
    )
    assert fetch(source=source).persons == 25
    assert len([request for request in fetch.school.requests if request["on"] == "token"]) >= 3


def test_a_token_that_others_can_read_is_not_used(fetch: Fetcher) -> None:
    fetch.school.token_file.chmod(0o640)
    assert fetch.refused().code is Code.SECRET_MODE
    fetch.school.token_file.chmod(0o600)
    fetch.school.token_file.write_text("two lines\nof text")
    assert fetch.refused().code is Code.CONFIG_INVALID
    assert fetch.asked() == []


def test_a_client_that_is_not_known_gets_no_token(fetch: Fetcher, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    secret.chmod(0o600)
    source = Source(
        url=fetch.school.url, token_url=fetch.school.token_url, client_id="upprop-node", client_secret_file=secret
    )
    assert fetch.refused(source=source).code is Code.TOKEN_REFUSED


# -- TLS ---------------------------------------------------------------------------------------------------------------


def test_a_school_system_with_a_ca_of_its_own(fetch: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy that nobody wrote into the settings is not asked.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with SchoolSystem(tmp_path, tls=True) as school:
        school.serve(ENOUGH)
        source = Source(url=school.url, token_file=school.token_file)
        error = fetch.refused(source=source)
        assert error.code is Code.PEER_UNREACHABLE
        assert "ca_file" in error.sentence
        assert school.requests == []
        assert fetch.pauses == []
        trusting = Source(url=school.url, token_file=school.token_file, ca_file=school.ca_file)
        assert fetch(source=trusting).persons == 25
        by_name = Source(
            url=school.url.replace("127.0.0.1", "localhost"), token_file=school.token_file, ca_file=school.ca_file
        )
        assert fetch.refused(BASELINE + DAY, source=by_name).code is Code.PEER_UNREACHABLE


def test_a_proxy_of_the_settings_is_gone_through(fetch: Fetcher, tmp_path: Path) -> None:
    with SchoolSystem(tmp_path, tls=True) as school, ConnectProxy() as proxy:
        school.serve(ENOUGH)
        source = Source(url=school.url, token_file=school.token_file, ca_file=school.ca_file, proxy=proxy.url)
        assert fetch(source=source).persons == 25
        assert set(proxy.targets) == {school.origin.removeprefix("https://")}


# -- interruptions -----------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Ends a run as a signal would."""


def _after(pages: int) -> Callable[[str, int, int], None]:
    """Progress that ends the run when so many pages of persons have come."""
    seen: set[int] = set()

    def progress(step: str, done: int, _total: int) -> None:
        if step == "fetch":
            seen.add(done)
            if len(seen) > pages:
                raise Killed

    return progress


@pytest.mark.parametrize("pages", range(6))
@pytest.mark.parametrize("later", [0, 1], ids=["first", "changes"])
def test_a_run_ended_at_any_page_goes_on_to_the_same_state(fetch_on_each: Fetcher, pages: int, later: int) -> None:
    fetch = fetch_on_each
    fetch.source = Source(url=fetch.school.url, token_file=fetch.school.token_file, limit=5, overlap_hours=1)
    if later:
        fetch()
        fetch.school.set_clock(NIGHT + timedelta(hours=9))
        fetch.school.serve([*(person(place, LEFT) for place in range(22)), *ENOUGH[23:]], UNITS)
    before = _imported(fetch.node)
    fetch.school.forget_requests()
    day = BASELINE + later * DAY
    with pytest.raises(Killed):
        fetch(day, progress=_after(pages))
    assert _imported(fetch.node) == before
    report = fetch(day, confirm_leavings=True)
    assert (report.persons, report.vanished) == ((22, 1) if later else (25, 0))
    first, *further = fetch.asked()
    assert "limit" in first
    # No page was asked for twice.
    assert len({query["pageToken"] for query in further if "pageToken" in query}) == 4
    assert len(further) == 4
    assert fetch.current() is None
    assert not _pages(fetch.node)


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_run_whose_token_is_forgotten_begins_anew(fetch: Fetcher, status: int) -> None:
    fetch.school.configure(forgotten=status)
    with pytest.raises(Killed):
        fetch(progress=_after(2))
    fetch.school.misbehave("forget")
    assert fetch().persons == 25
    assert "school_system_fetch_begun_anew" in fetch.log.getvalue()


def test_a_run_of_yesterday_begins_anew(fetch: Fetcher) -> None:
    with pytest.raises(Killed):
        fetch(progress=_after(2))
    fetch.school.forget_requests()
    report = fetch(BASELINE + DAY)
    assert report.as_of == BASELINE + DAY
    assert "limit" in fetch.asked()[0]


def test_a_run_that_was_fetched_but_not_taken_is_taken_without_asking(
    fetch: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(fetch.node.importing, "take", fail)
        with pytest.raises(Killed):
            fetch()
    assert fetch.current().state is FetchState.FETCHED
    fetch.school.forget_requests()
    assert fetch().persons == 25
    assert fetch.school.requests == []


# -- what is left behind -----------------------------------------------------------------------------------------------


def test_nothing_of_a_person_or_a_token_stands_in_the_clear(fetch: Fetcher) -> None:
    fetch.school.configure(telling_tokens=True)
    with pytest.raises(Killed):
        fetch(progress=_after(2))
    files = [path for path in fetch.node.directory.iterdir() if path.name.startswith("node.sqlite")]
    stored = b"".join(path.read_bytes() for path in files)
    assert b"deletedEntities" not in stored
    assert b"persons" in stored
    for place in range(25):
        for secret in (number(place), person_id(place), f"Efternamn{place}"):
            assert secret.encode() not in stored
    assert fetch.school.token_file.read_bytes().strip() not in stored


def test_errors_and_logs_hold_no_query(fetch: Fetcher) -> None:
    fetch.school.configure(telling_tokens=True, max_limit=2)
    for kind in ("status", "cut", "html", "forget"):
        fetch.school.misbehave(kind, at=2, times=1_000, status=500)
        error = fetch.refused()
        shown = "".join(traceback.format_exception(error))
        assert "0000-4000" not in shown + fetch.log.getvalue()
        assert "pageToken=" not in shown + fetch.log.getvalue()
        fetch.school.behave()


def _imported(node: Node) -> bytes:
    """All that the store holds but runs that are going on."""
    tables = [table for table in metadata.sorted_tables if table not in (system_fetches, system_pages)]

    def dump(tx: Any) -> bytes:
        return repr([(table.name, sorted(map(repr, tx.execute(table.select())))) for table in tables]).encode()

    return node.database.view("test_dump", dump)


def _pages(node: Node) -> list[Any]:
    return node.database.view("test_pages", lambda tx: list(tx.execute(system_pages.select())))
