"""Releases are paid for first, drawn once, and never touched again."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from federation.database import Database
from federation.errors import Code, UppropError
from registry.statistics import counting
from registry.statistics.catalogue import TableId
from registry.statistics.model import ReleaseId, Spend, parse_release_id
from registry.store import statistics as store
from registry.store import statistics_budget as budget_store
from tests.store.registry.conftest import MakeDatabase, empty
from tests.store.registry.statistics_scene import ALL, YEAR, CrashError, Statistics, WatchedNoise

MONTH = "2026-09"
TABLES = ("statistics_releases", "statistics_tables")


@pytest.fixture
def statistics(empty_database: MakeDatabase) -> Statistics:
    return Statistics.filled(empty_database())


def test_a_release_holds_its_tables_and_how_they_were_drawn(statistics: Statistics) -> None:
    release = statistics.publish(MONTH).release
    tables = statistics.database.view("test", lambda tx: store.tables(tx, release.release_id))
    assert set(tables) == {TableId.NATION_MONTH, TableId.COUNTY_MONTH}
    assert (release.drawn_on, release.record.profile, release.record.mechanism) == (ALL, "standard", "none")
    assert release.record.coverage.current_members == 290
    assert set(release.record.scales) == set(tables)
    for table in tables.values():
        assert len(table.cells()) == len(table.authority.leaves) == len(table.public.leaves)
        assert sum(table.authority.leaves) == table.authority.total
        assert sum(table.public.leaves) == table.public.total
    assert tables[TableId.NATION_MONTH].authority.total == tables[TableId.COUNTY_MONTH].authority.total
    assert statistics.database.view("test", store.releases) == [release]


def test_publishing_again_changes_nothing_and_draws_nothing(statistics: Statistics) -> None:
    assert statistics.publish(MONTH).drawn_now
    before, drawn = {table: statistics.rows(table) for table in TABLES}, statistics.noise.drawn
    again = statistics.publish(MONTH)
    assert not again.drawn_now
    assert again.release.drawn_on == ALL
    assert {table: statistics.rows(table) for table in TABLES} == before
    assert statistics.noise.drawn == drawn


def test_all_that_is_due_is_published_oldest_first(statistics: Statistics) -> None:
    published = statistics.releasing.publish_due()
    names = [each.release.release_id for each in published]
    of_year = [name for name in names if name.startswith("2026")]
    assert of_year == [*(f"2026-{month:02d}" for month in range(1, 13)), "2026", "2026-closed"]
    assert names[-1] == "2026-closed"
    assert statistics.releasing.publish_due() == []
    assert statistics.releasing.awaited()[0].period.release_id == "2027-11"


def test_the_worker_makes_up_for_what_was_missed(empty_database: MakeDatabase) -> None:
    statistics = Statistics.filled(empty_database(), date(2026, 5, 20))
    statistics.publish("2026-02")
    statistics.releasing.run_if_due()
    drawn = statistics.database.view("test", store.releases)
    assert [each.release_id for each in drawn] == ["2026-02", "2026-01", "2026-03"]


@pytest.mark.parametrize(
    ("today", "closed_on", "words"),
    [
        (date(2026, 11, 13), date(2026, 11, 13), "not due before 2026-11-14"),
        (date(2026, 11, 14), date(2026, 9, 29), "the newest that was closed is 2026-09-29"),
    ],
)
def test_what_cannot_be_drawn_yet_is_refused_and_costs_nothing(
    empty_database: MakeDatabase, today: date, closed_on: date, words: str
) -> None:
    statistics = Statistics.filled(empty_database(), closed_on)
    statistics.clock.set_today(today)
    with pytest.raises(UppropError, match=words) as refused:
        statistics.publish(MONTH)
    assert refused.value.code is Code.INPUT_REFUSED
    assert statistics.spends() == {}
    assert statistics.drawn() == set()


def test_a_table_is_paid_for_once_a_year(statistics: Statistics) -> None:
    statistics.publish("2026-08")
    once = statistics.spends()
    assert set(once) == {"2026/table/nation-month", "2026/table/county-month"}
    statistics.publish(MONTH)
    assert statistics.spends() == once
    statistics.releasing.publish_due()
    assert set(statistics.spends()) == {f"2026/table/{table}" for table in TableId if table != TableId.OWN_SELECTION}
    # What is kept for further questions is left.
    assert statistics.spent() == 240_000_000


def test_the_profile_of_a_year_stays_that_of_its_first_spend(statistics: Statistics) -> None:
    statistics.publish(MONTH)
    statistics.nation = Statistics.filled(statistics.database, strict=True, children=0).nation
    assert statistics.publish("2026").release.record.profile == "standard"
    assert statistics.publish("2027-01").release.record.profile == "strict"


def test_a_crash_after_the_spend_leaves_it_spent_and_the_release_to_be_drawn(statistics: Statistics) -> None:
    def crash() -> None:
        raise CrashError

    statistics.noise.before = crash
    with pytest.raises(CrashError):
        statistics.publish(MONTH)
    spent = statistics.spent()
    assert spent == 80_000_000
    assert statistics.drawn() == set()
    statistics.noise.before = lambda: None
    assert statistics.publish(MONTH).drawn_now
    assert statistics.spent() == spent


def test_a_crash_before_the_commit_leaves_nothing_of_what_was_drawn(
    statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise CrashError

    with monkeypatch.context() as broken:
        broken.setattr(store, "mark_counted", crash)
        with pytest.raises(CrashError):
            statistics.publish(MONTH)
    assert statistics.rows("statistics_releases") == statistics.rows("statistics_tables") == []
    spent = statistics.spent()
    assert statistics.publish(MONTH).drawn_now
    assert statistics.spent() == spent


def test_a_release_whose_commit_was_not_heard_of_is_found(
    statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = statistics.publish(MONTH).release
    # As if nothing had been there when it began.
    monkeypatch.setattr(statistics.releasing, "_standing", lambda period: None)
    again = statistics.publish(MONTH)
    assert again.release == standing
    assert not again.drawn_now


@pytest.mark.parametrize("release_id", [MONTH, "2026", "2026-closed"])
def test_replicas_that_race_draw_one_release(migrated_postgres: Database, release_id: str) -> None:
    empty(migrated_postgres)
    first = Statistics.filled(migrated_postgres)
    together = threading.Barrier(2, timeout=30)
    url = migrated_postgres.url.render_as_string(hide_password=False)
    with contextlib.closing(Database(url)) as own:
        replicas = [first, Statistics(own, first.nation, noise=WatchedNoise())]
        for replica in replicas:
            standing = replica.releasing._standing

            def both(period: object, standing: object = standing) -> object:
                found = standing(period)  # type: ignore[operator]  # the method it stands for
                together.wait()
                return found

            replica.releasing._standing = both  # type: ignore[method-assign, assignment]  # both find nothing
        with ThreadPoolExecutor(2) as pool:
            published = list(pool.map(lambda replica: replica.publish(release_id), replicas))
    assert sorted(each.drawn_now for each in published) == [False, True]
    assert published[0].release == published[1].release
    assert len(first.rows("statistics_releases")) == 1
    assert first.spent() == sum(first.spends().values())


def test_what_is_corrected_late_changes_no_release_and_is_counted_by_the_year(statistics: Statistics) -> None:
    statistics.publish(MONTH)
    before = {table: statistics.rows(table) for table in TABLES}
    rows = statistics.database.view("test", lambda tx: store.cases_of(tx, YEAR))
    gone = next(row for row in rows if row.counted_in["MONTH"] == MONTH)  # type: ignore[index]  # a StrEnum's value
    with statistics.database.transaction("test") as tx:
        tx.execute(sa.text("UPDATE gaps SET state = 'VOID', leads = false WHERE case_id = :id"), {"id": gone.case_id})
    assert not statistics.publish(MONTH).drawn_now
    assert {table: statistics.rows(table) for table in TABLES} == before
    counted_before = marked(statistics, "month_release", MONTH)
    statistics.publish("2026")
    assert {table: [row for row in statistics.rows(table) if row[0] == MONTH] for table in TABLES} == before
    assert marked(statistics, "month_release", MONTH) == counted_before
    assert gone.case_id not in marked(statistics, "year_release", "2026")


def test_each_child_is_marked_with_the_releases_that_counted_it(statistics: Statistics) -> None:
    statistics.releasing.publish_due()
    rows = statistics.database.view("test", lambda tx: store.cases_of(tx, YEAR))
    assert rows
    first: dict[bytes, counting.CaseRow] = {}
    for row in sorted(rows, key=lambda row: (row.opened_on, row.case_id)):
        first.setdefault(row.child_year_id, row)
    void = {row.child_year_id for row in rows if row.void_gaps}
    for row in rows:
        months = {first[row.child_year_id].opened_on.strftime("%Y-%m")}
        expected = {None} if row.child_year_id in void else months
        assert {row.counted_in["MONTH"]} == expected  # type: ignore[index]  # a StrEnum's value
        counted = {row.counted_in["YEAR"], row.counted_in["CLOSED"]}  # type: ignore[index]  # as above
        assert counted == ({None} if row.child_year_id in void else {"2026", "2026-closed"})


def test_a_silent_municipality_is_said_to_be(empty_database: MakeDatabase) -> None:
    statistics = Statistics.filled(empty_database(), silent=("0980",))
    covered = statistics.publish(MONTH).release.record.coverage
    assert covered.silent_municipalities == covered.silent_members == ("0980",)
    assert covered.current_members == 289


def test_a_reader_of_the_store_finds_a_table_in_all_its_releases(statistics: Statistics) -> None:
    statistics.releasing.publish_due()
    table = statistics.database.view("test", lambda tx: store.table(tx, TableId.COUNTY_MONTH))
    assert [name for name in table if name.startswith("2026")] == [f"2026-{month:02d}" for month in range(1, 13)]
    assert ReleaseId("2026") not in table


def test_nothing_is_spent_beyond_the_cap_and_what_is_spent_is_not_lowered(statistics: Statistics) -> None:
    statistics.publish(MONTH)
    with statistics.database.transaction("test") as tx:
        tx.execute(sa.text("UPDATE statistics_budgets SET spent_nano_rho = 0"))
    # The spends say what is spent, whatever the number beside them.
    assert statistics.spent() == 80_000_000
    with statistics.database.transaction("test") as tx:
        tx.execute(sa.text("UPDATE statistics_budgets SET cap_nano_rho = 100000000"))
    with pytest.raises(UppropError, match="does not pay"):
        statistics.publish("2026")
    assert statistics.spent() == 80_000_000
    assert set(statistics.spends()) == {"2026/table/nation-month", "2026/table/county-month"}


def test_a_table_that_became_dearer_is_not_drawn_for_what_was_paid(statistics: Statistics) -> None:
    statistics.publish("2026-08")
    with statistics.database.transaction("test") as tx:
        tx.execute(sa.text("UPDATE statistics_spends SET nano_rho = 1000 WHERE spend_id = '2026/table/county-month'"))
    with pytest.raises(UppropError, match="does not pay"):
        statistics.publish(MONTH)
    assert statistics.drawn() == {"2026-08"}


def test_two_spends_at_once_stay_within_the_cap_together(migrated_postgres: Database) -> None:
    empty(migrated_postgres)
    statistics = Statistics.filled(migrated_postgres, children=0)
    url = migrated_postgres.url.render_as_string(hide_password=False)

    def spend(number: int) -> bool:
        with contextlib.closing(Database(url)) as own:

            def work(tx: sa.Connection) -> bool:
                budget_store.open_year(tx, YEAR, "standard", 100)
                at = statistics.clock.now()
                return budget_store.spend(tx, Spend(f"2026/query/{number}", YEAR, 30, at, "r", "statistics"))

            return own.run("test", work)

    with ThreadPoolExecutor(4) as pool:
        paid = list(pool.map(spend, range(8)))
    assert sum(paid) == 3
    assert statistics.spent() == 90


def marked(statistics: Statistics, column: str, release_id: str) -> set[bytes]:
    query = sa.text(f"SELECT case_id FROM statistics_cases WHERE {column} = :release")
    with statistics.database.read("test") as tx:
        return {bytes(row.case_id) for row in tx.execute(query, {"release": parse_release_id(release_id).release_id})}


def test_a_month_is_drawn_on_its_day_whatever_the_hour(empty_database: MakeDatabase) -> None:
    statistics = Statistics.filled(empty_database(), date(2026, 11, 14))
    assert statistics.publish(MONTH).release.drawn_on == date(2026, 11, 14)
    statistics.clock.set_today(date(2026, 11, 14) + timedelta(days=1))
    assert statistics.publish(MONTH).release.drawn_on == date(2026, 11, 14)
