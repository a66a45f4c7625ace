"""Runs against school systems' APIs, and their pages, are kept as long as they are needed and no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from federation.database import Database
from federation.errors import Code
from node.store import Transaction
from node.store.fetches import EndlessError, Fetch, Fetches, FetchState, Reached
from node.store.schema_systems import system_fetches, system_pages
from node.store.sealing import SealError
from tests.store.node.stored import SEALER, opened

FETCHES = Fetches(SEALER)
DAY = date(2026, 8, 24)
NOW = datetime(2026, 8, 24, 3, 30, 0, 250_000, tzinfo=UTC)
HERE = FETCHES.source_index("https://skola.example.se")

Run = Callable[[Callable[[Transaction], Any]], Any]


@pytest.fixture
def run(database: Database) -> Iterator[Run]:
    with opened(database):
        yield lambda work: database.run("test_fetches", work)


def begin(run: Run, system: str = "main", since: datetime | None = None, day: date = DAY) -> Fetch:
    fetch: Fetch = run(lambda tx: FETCHES.begin(tx, system, HERE, day, since, NOW))
    return fetch


def add(run: Run, fetch: Fetch, place: int, token: str | None, content: bytes | None = None) -> Reached:
    reached: Reached = run(
        lambda tx: FETCHES.add_page(
            tx, fetch, "persons", packed=b"page %d" % place, given=10, content=content, token=token
        )
    )
    return reached


def page(run: Run, fetch: Fetch, position: int) -> Any:
    return run(lambda tx: FETCHES.page(tx, fetch, "persons", position))


def take(run: Run, fetch: Fetch) -> None:
    run(lambda tx: FETCHES.take(tx, fetch, NOW))


def rows(run: Run, table: Any) -> int:
    return len(run(lambda tx: tx.execute(table.select()).fetchall()))


def test_a_run_goes_on_after_its_last_page(run: Run) -> None:
    fetch = begin(run, since=NOW - timedelta(days=1))
    assert run(lambda tx: FETCHES.reached(tx, fetch, "persons")) == Reached()
    assert add(run, fetch, 1, "token 1") == Reached(1, 10, "token 1")
    assert add(run, fetch, 2, "token 2") == Reached(2, 20, "token 2")
    assert run(lambda tx: FETCHES.reached(tx, fetch, "persons")) == Reached(2, 20, "token 2")
    assert add(run, fetch, 3, None).ended
    assert [page(run, fetch, position) for position in (1, 2, 3)] == [b"page 1", b"page 2", b"page 3"]
    assert run(lambda tx: FETCHES.current(tx, "main")) == fetch
    assert run(lambda tx: FETCHES.reached(tx, fetch, "organisations")) == Reached()


def test_pages_that_go_round_are_noticed(run: Run) -> None:
    fetch = begin(run)
    add(run, fetch, 1, "token 1", b"content 1")
    add(run, fetch, 2, "token 2", b"content 2")
    for token, content in (("token 1", b"content 3"), ("token 3", b"content 1")):
        with pytest.raises(EndlessError):
            add(run, fetch, 3, token, content)
    # Pages of one may come again.
    add(run, fetch, 3, "token 3", None)
    add(run, fetch, 4, None, None)
    other = begin(run, "other")
    assert not add(run, other, 1, "token 1", b"content 1").ended


def test_a_page_and_its_token_open_in_their_place_alone(run: Run) -> None:
    fetch = begin(run)
    add(run, fetch, 1, "token 1")
    add(run, fetch, 2, "token 2")
    first, second = run(lambda tx: tx.execute(system_pages.select().order_by(system_pages.c.position)).fetchall())
    run(
        lambda tx: tx.execute(
            system_pages.update()
            .where(system_pages.c.position == 2)
            .values(sealed_page=first.sealed_page, sealed_token=first.sealed_token)
        )
    )
    for reading in (
        lambda tx: FETCHES.page(tx, fetch, "persons", 2),
        lambda tx: FETCHES.reached(tx, fetch, "persons"),
    ):
        with pytest.raises(SealError):
            run(reading)
    assert b"token" not in second.sealed_token


def test_what_is_taken_leaves_no_page(run: Run) -> None:
    fetch = begin(run)
    add(run, fetch, 1, None)
    run(lambda tx: FETCHES.finish(tx, fetch))
    assert run(lambda tx: FETCHES.current(tx, "main")).state is FetchState.FETCHED
    take(run, fetch)
    assert run(lambda tx: FETCHES.current(tx, "main")) is None
    assert run(lambda tx: FETCHES.last_taken(tx, "main")) == replace(fetch, state=FetchState.TAKEN, taken_at=NOW)
    assert rows(run, system_pages) == 0


def test_of_the_runs_taken_the_newest_and_the_newest_of_everyone_are_kept(run: Run) -> None:
    taken: list[Fetch] = []
    for place, since in enumerate((None, None, NOW, NOW, NOW)):
        fetch = begin(run, since=since, day=DAY + timedelta(days=place))
        take(run, fetch)
        taken.append(fetch)
    assert run(lambda tx: FETCHES.last_taken(tx, "main")).as_of == taken[4].as_of
    assert run(lambda tx: FETCHES.last_taken(tx, "main", whole=True)).as_of == taken[1].as_of
    assert rows(run, system_fetches) == 2
    begin(run, "other")
    assert run(FETCHES.systems) == ("main", "other")
    assert run(lambda tx: FETCHES.last_taken(tx, "other")) is None


@pytest.mark.parametrize("refuse", [False, True])
def test_a_failed_attempt_is_told_and_gone_on_with_unless_refused(run: Run, refuse: bool) -> None:
    fetch = begin(run)
    add(run, fetch, 1, "token 1")
    run(lambda tx: FETCHES.fail(tx, fetch, Code.PEER_UNREACHABLE, NOW, refuse=refuse))
    current = run(lambda tx: FETCHES.current(tx, "main"))
    assert (current.failure, current.failed_at) == (Code.PEER_UNREACHABLE, NOW)
    assert current.state is (FetchState.REFUSED if refuse else FetchState.FETCHING)
    assert rows(run, system_pages) == (0 if refuse else 1)


def test_beginning_anew_forgets_what_was_not_taken_of_this_system_alone(run: Run) -> None:
    first, other = begin(run), begin(run, "other")
    add(run, first, 1, "token 1")
    add(run, other, 1, "token 1")
    second = begin(run)
    assert run(lambda tx: FETCHES.current(tx, "main")).fetch_id == second.fetch_id != first.fetch_id
    assert run(lambda tx: FETCHES.reached(tx, second, "persons")) == Reached()
    assert run(lambda tx: FETCHES.reached(tx, other, "persons")).pages == 1


@pytest.mark.parametrize(("heard", "kept"), [(-5, -5), (5, 0)])
def test_of_two_clocks_the_one_behind_counts(run: Run, heard: int, kept: int) -> None:
    fetch = begin(run)
    run(lambda tx: FETCHES.heard(tx, fetch, NOW + timedelta(hours=heard)))
    assert run(lambda tx: FETCHES.current(tx, "main")).next_since == NOW + timedelta(hours=kept)
