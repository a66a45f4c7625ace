"""Whatever is killed, in whatever order things are done: a release is drawn once, and what is spent stays spent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.database import Database
from federation.errors import UppropError
from federation.migration import migrate
from privacy.budget import STANDARD
from registry.statistics.catalogue import ReleaseKind
from registry.statistics.model import Period, Spend
from registry.store import Transaction
from registry.store import statistics as store
from registry.store import statistics_budget as budget_store
from registry.store.schema import metadata
from tests.harness.killed_publish import killed
from tests.store.registry.conftest import MakeDatabase, empty
from tests.store.registry.statistics_scene import YEAR, CrashError, Statistics

MOST_STEPS = 40
"""More than publishing one release writes."""


@pytest.mark.parametrize("release_id", ["2026-09", "2026"])
def test_a_release_that_is_killed_anywhere_is_drawn_once_and_paid_for_once(
    empty_database: MakeDatabase, release_id: str
) -> None:
    statistics = Statistics.filled(empty_database(), children=10)
    url = statistics.database.url.render_as_string(hide_password=False)
    spent, kills = 0, 0
    for count in range(1, MOST_STEPS):
        if not killed(url, release_id, count):
            break
        kills += 1
        now = statistics.spent()
        assert now >= spent
        spent = now
        if statistics.drawn():
            # Killed after its commit: whoever asks finds it.
            break
    else:
        raise AssertionError("publishing takes more steps than were tried")
    assert kills > 6
    before = statistics.rows("statistics_tables")
    cost = sum(STANDARD.cost(table) for table in Period(*_named(release_id)).tables)
    published = statistics.publish(release_id)
    if before:
        assert not published.drawn_now
        assert statistics.rows("statistics_tables") == before
    assert len(statistics.rows("statistics_releases")) == 1
    assert statistics.spent() == sum(statistics.spends().values()) == cost


def _named(release_id: str) -> tuple[ReleaseKind, int, int | None]:
    return (ReleaseKind.YEAR, 2026, None) if release_id == "2026" else (ReleaseKind.MONTH, 2026, 9)


@dataclass
class _Seen:
    """What was ever seen of spends and tables; none of it may go back or change."""

    spent: int = 0
    spends: dict[str, int] = field(default_factory=dict)
    tables: list[object] = field(default_factory=list)

    def check(self, statistics: Statistics) -> None:
        spent, spends, tables = statistics.spent(), statistics.spends(), statistics.rows("statistics_tables")
        assert self.spent <= spent <= STANDARD.cap_nano_rho
        assert spent == sum(spends.values())
        assert self.spends.items() <= spends.items()
        assert all(row in tables for row in self.tables)
        self.spent, self.spends, self.tables = spent, spends, tables


_PERIODS = [
    *(Period(ReleaseKind.MONTH, YEAR, month) for month in (1, 2, 9)),
    Period(ReleaseKind.YEAR, YEAR),
    Period(ReleaseKind.CLOSED, YEAR),
]
_DEEDS = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from(_PERIODS)),
    st.tuples(st.just("crash while drawing"), st.sampled_from(_PERIODS)),
    st.tuples(st.just("crash before the commit"), st.sampled_from(_PERIODS)),
    # Questions that nobody keeps within the reserve: the cap does.
    st.tuples(st.just("ask"), st.integers(1, 80)),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_of_kind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "postgresql":
        yield request.getfixturevalue("migrated_postgres")
        return
    database = Database(tmp_path_factory.mktemp("crashes") / "store.sqlite")
    migrate(database, "registry.store")
    yield database
    database.close()


@settings(max_examples=25, deadline=None)
@given(deeds=st.lists(_DEEDS, max_size=12))
def test_in_whatever_order_budgets_are_never_exceeded_nor_lowered(
    store_of_kind: Database, deeds: list[tuple[str, object]]
) -> None:
    _clear(store_of_kind)
    statistics, seen = Statistics.filled(store_of_kind, children=3), _Seen()
    for deed, about in deeds:
        _do(statistics, deed, about)
        seen.check(statistics)
    drawn = statistics.drawn()
    for row in statistics.rows("statistics_cases"):
        assert {each for each in row[-3:] if each is not None} <= drawn


def _do(statistics: Statistics, deed: str, about: object) -> None:
    if isinstance(about, int):
        with contextlib.suppress(UppropError):
            statistics.database.run("test", lambda tx: _ask(tx, about))
        return
    assert isinstance(about, Period)
    with pytest.MonkeyPatch.context() as broken:
        if deed == "crash while drawing":
            broken.setattr(statistics.noise, "before", _crash)
        elif deed == "crash before the commit":
            broken.setattr(store, "mark_counted", _crash)
        # Questions may have left too little: then nothing is drawn.
        with contextlib.suppress(CrashError, UppropError):
            statistics.releasing.publish(about)


def _ask(tx: Transaction, number: int) -> None:
    budget_store.open_year(tx, YEAR, STANDARD.name, STANDARD.cap_nano_rho)
    at = Statistics.now()
    budget_store.spend(tx, Spend(f"{YEAR}/query/{number}", YEAR, 7_000_001, at, "reader", "statistics"))


def _crash(*_: object) -> None:
    raise CrashError


def _clear(database: Database) -> None:
    if not database.is_sqlite:
        empty(database)
        return
    with database.transaction("test_empty") as tx:
        for table in reversed(metadata.sorted_tables):
            tx.execute(table.delete())
