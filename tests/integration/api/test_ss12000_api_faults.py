"""Rosters fetched from a server that answers wrongly, late or not at all: nothing is lost, and nothing is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from federation.errors import Code, UppropError
from node.records.ss12000_api.settings import SchoolSystem as Source
from node.store.fetches import FetchState
from tests.harness.connect_proxy import ConnectProxy
from tests.harness.school_system import SchoolSystem
from tests.integration.api_parties import DAY, ENOUGH, UNITS, Fetcher, imported
from tests.integration.node_alone import BASELINE, WEEK
from tests.unit.node.exports import person

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
    before = imported(fetch.node)
    fetch.school.misbehave(kind, at=2, times=1_000, **fault)
    error = fetch.refused(BASELINE + WEEK)
    assert error.code is code, error
    assert "Nothing was changed" in error.sentence or "kept" in error.sentence or "address" in error.sentence
    assert imported(fetch.node) == before
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
