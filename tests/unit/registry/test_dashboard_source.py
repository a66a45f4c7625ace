"""What a dashboard keeps of the registry's answers, and what it never keeps."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import date

import pytest

from federation.errors import Code, UppropError
from federation.web.i18n import Language
from registry.dashboard.source import AWAY_SECONDS, CALLS_AT_ONCE, LOOK_SECONDS, CachedSource
from registry.statistics.catalogue import ReleaseKind
from registry.statistics.reading import (
    Asked,
    Document,
    Format,
    Level,
    Pending,
    Release,
    Releases,
    Selection,
    TableInfo,
    TableSummary,
    YearBudget,
)

RELEASE = Release(
    release_id="2026-09",
    kind=ReleaseKind.MONTH,
    period="2026-09",
    drawn_on=date(2026, 11, 14),
    table_ids=("nation-month",),
    mechanism="discrete Gaussian",
    library="OpenDP 0.16.0",
    profile="standard",
    current_members=290,
    silent=(),
)
RELEASES = Releases((RELEASE,))
UNREACHED = UppropError(Code.PEER_UNREACHABLE, "The registry cannot be reached.")


@dataclass
class CountingSource:
    """Answers with how often it was asked; in place of an answer, what `error` holds."""

    asked_for: list[str] = field(default_factory=list)
    releases_now: Releases = RELEASES
    error: UppropError | None = None
    pending: bool = False

    def _count(self, what: str) -> int:
        self.asked_for.append(what)
        if self.error is not None:
            raise self.error
        return len(self.asked_for)

    def tables(self, language: Language) -> tuple[TableSummary, ...]:
        return (TableSummary(f"{language}-{self._count('tables')}", "", "", (), None, None, None),)

    def table(self, table_id: str, language: Language) -> TableInfo:
        self._count("table")
        raise NotImplementedError

    def data(
        self, table_id: str, selections: tuple[Selection, ...], level: Level, form: Format, language: Language
    ) -> Document | Pending:
        count = self._count("data")
        return Pending("1", 5) if self.pending else Document(f"{table_id} {level} {count}".encode(), "", ("2026-09",))

    def releases(self) -> Releases:
        self._count("releases")
        return self.releases_now

    def budget(self) -> tuple[YearBudget, ...]:
        return (YearBudget(self._count("budget"), "", 0, 0, (), 0, 0),)

    def asked(self) -> tuple[Asked, ...]:
        self._count("asked")
        return ()


@dataclass
class Hand:
    """A clock that is moved by hand."""

    at: float = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def source() -> CountingSource:
    return CountingSource()


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def cached(source: CountingSource, clock: Hand) -> CachedSource:
    return CachedSource(source, monotonic=clock)


def _ask(cached: CachedSource, table: str = "nation-month", level: Level = Level.PUBLIC) -> bytes:
    answer = cached.data(table, (), level, Format.JSON_STAT2, Language.SWEDISH)
    assert isinstance(answer, Document)
    return answer.content


def test_what_was_answered_is_not_asked_again(cached: CachedSource, source: CountingSource) -> None:
    assert _ask(cached) == _ask(cached)
    assert source.asked_for == ["releases", "data"]


def test_every_question_has_an_answer_of_its_own(cached: CachedSource) -> None:
    asked = [_ask(cached), _ask(cached, "county-month"), _ask(cached, level=Level.AUTHORITY)]
    assert len(set(asked)) == 3
    swedish, english = cached.tables(Language.SWEDISH), cached.tables(Language.ENGLISH)
    assert swedish != english


def test_a_new_release_makes_all_answers_new(cached: CachedSource, source: CountingSource, clock: Hand) -> None:
    first = _ask(cached)
    source.releases_now = Releases((RELEASE, replace(RELEASE, release_id="2026-10")))
    assert _ask(cached) == first
    clock.at += LOOK_SECONDS + 1
    assert _ask(cached) != first


def test_a_question_to_be_drawn_is_asked_until_it_is(cached: CachedSource, source: CountingSource) -> None:
    source.pending = True
    question = ("own-selection", (), Level.AUTHORITY, Format.JSON_STAT2, Language.SWEDISH)
    assert [isinstance(cached.data(*question), Pending) for _ in range(2)] == [True, True]
    source.pending = False
    assert cached.data(*question) == cached.data(*question)
    assert source.asked_for.count("data") == 3


def test_budgets_and_refusals_are_never_kept(cached: CachedSource, source: CountingSource) -> None:
    assert cached.budget() != cached.budget()
    source.releases_now = Releases()
    cached.releases()
    source.error = UppropError(Code.REQUEST_INVALID, "There is no such table.")
    with pytest.raises(UppropError, match="REQUEST_INVALID"):
        _ask(cached)
    source.error = None
    assert _ask(cached)


def test_while_the_registry_is_away_what_is_known_is_told(
    cached: CachedSource, source: CountingSource, clock: Hand
) -> None:
    first = _ask(cached)
    source.error = UNREACHED
    clock.at += 10 * LOOK_SECONDS
    assert _ask(cached) == first
    with pytest.raises(UppropError, match="PEER_UNREACHABLE"):
        _ask(cached, "county-month")


def test_a_registry_that_is_away_is_not_asked_by_everyone(
    cached: CachedSource, source: CountingSource, clock: Hand
) -> None:
    _ask(cached)
    source.error = UNREACHED
    for _ in range(50):
        with pytest.raises(UppropError, match="PEER_UNREACHABLE"):
            _ask(cached, "county-month")
    assert source.asked_for.count("data") == 2
    source.error = None
    clock.at += AWAY_SECONDS + 1
    assert _ask(cached, "county-month")


def test_a_reader_that_is_turned_away_gets_nothing_more(
    cached: CachedSource, source: CountingSource, clock: Hand
) -> None:
    _ask(cached)
    source.error = UppropError(Code.IDENTITY_UNLISTED, "The descriptor lists no such reader.")
    clock.at += LOOK_SECONDS + 1
    with pytest.raises(UppropError, match="IDENTITY_UNLISTED"):
        _ask(cached)
    source.error = UNREACHED
    with pytest.raises(UppropError, match="PEER_UNREACHABLE"):
        _ask(cached)


def test_what_is_kept_is_bounded(source: CountingSource, clock: Hand) -> None:
    cached = CachedSource(source, monotonic=clock, max_bytes=100)
    for number in range(50):
        _ask(cached, f"table-{number}")
    newest = _ask(cached, "table-49")
    assert _ask(cached, "table-49") == newest
    before = source.asked_for.count("data")
    _ask(cached, "table-0")
    assert source.asked_for.count("data") == before + 1


def test_the_registry_is_asked_little_at_once(clock: Hand) -> None:
    running, most = 0, 0
    lock, go = threading.Lock(), threading.Event()

    class Slow(CountingSource):
        def data(self, *arguments: object) -> Document | Pending:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
                if running == CALLS_AT_ONCE:
                    go.set()
            go.wait(10)
            with lock:
                running -= 1
            return Document(b"", "", ())

    cached = CachedSource(Slow(), monotonic=clock)
    cached.releases()
    threads = [threading.Thread(target=_ask, args=(cached, f"table-{number}")) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == CALLS_AT_ONCE
