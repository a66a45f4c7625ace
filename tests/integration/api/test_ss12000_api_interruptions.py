"""Fetches that are broken off, at any page, and what they leave behind."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from node.records.ss12000_api.settings import SchoolSystem as Source
from node.store.fetches import FetchState
from node.store.schema_systems import system_pages
from tests.integration.api_parties import DAY, ENOUGH, LEFT, NIGHT, UNITS, Fetcher, imported
from tests.integration.node_alone import BASELINE, Node
from tests.unit.node.exports import number, person, person_id

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
    before = imported(fetch.node)
    fetch.school.forget_requests()
    day = BASELINE + later * DAY
    with pytest.raises(Killed):
        fetch(day, progress=_after(pages))
    assert imported(fetch.node) == before
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


def _pages(node: Node) -> list[Any]:
    return node.database.view("test_pages", lambda tx: list(tx.execute(system_pages.select())))
