"""The evaluator's store: what it counts, what it forgets, and that its migrations make the tables the code names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from federation.database import Database
from federation.migration import check_schema, migrate
from federation.rules.vocabulary import MemberId
from privacy.evaluator.settings import STORE_PACKAGE
from privacy.evaluator.store import Transaction, usage
from privacy.evaluator.store.schema import metadata
from privacy.evaluator.store.usage import Used

HERE, THERE = MemberId("0180"), MemberId("0180-5561234567")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "evaluator.sqlite")
    migrate(database, STORE_PACKAGE)
    yield database
    database.close()


def charge(store: Database, member: MemberId, request_id: bytes, count: int, on: date) -> None:
    store.run("charge", lambda tx: usage.charge(tx, member, request_id, bytes(32), count, on))


def used(store: Database, member: MemberId, on: date) -> Used:
    return store.view("used", lambda tx: usage.used(tx, member, on))


def test_migrations_make_the_tables_of_the_schema(store: Database) -> None:
    check_schema(store, STORE_PACKAGE)
    with store.read("compare") as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_migrating_twice_changes_nothing(store: Database) -> None:
    charge(store, HERE, b"a" * 16, 5, date(2026, 10, 19))
    before, newest = migrate(store, STORE_PACKAGE)
    assert before == newest
    assert used(store, HERE, date(2026, 10, 19)) == Used(5, 5)


def test_use_is_counted_by_member_day_and_calendar_year(store: Database) -> None:
    charge(store, HERE, b"a" * 16, 1, date(2025, 12, 31))
    charge(store, HERE, b"b" * 16, 10, date(2026, 1, 1))
    charge(store, HERE, b"c" * 16, 100, date(2026, 12, 31))
    charge(store, HERE, b"d" * 16, 1_000, date(2026, 12, 31))
    charge(store, THERE, b"a" * 16, 7, date(2026, 1, 1))
    assert used(store, HERE, date(2025, 12, 31)) == Used(1, 1)
    assert used(store, HERE, date(2026, 1, 1)) == Used(1_110, 10)
    assert used(store, HERE, date(2026, 6, 1)) == Used(1_110, 0)
    assert used(store, HERE, date(2026, 12, 31)) == Used(1_110, 1_100)
    assert used(store, HERE, date(2027, 1, 1)) == Used(0, 0)
    assert used(store, THERE, date(2026, 1, 1)) == Used(7, 7)


def test_a_charge_that_fails_leaves_nothing(store: Database) -> None:
    def work(tx: Transaction) -> None:
        usage.charge(tx, HERE, b"a" * 16, bytes(32), 5, date(2026, 10, 19))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.run("charge", work)
    assert used(store, HERE, date(2026, 10, 19)) == Used(0, 0)
    assert store.view("find", lambda tx: usage.digest_of(tx, HERE, b"a" * 16)) is None


def test_forgetting_drops_old_requests_and_years_but_no_use_that_counts(store: Database) -> None:
    today = date(2026, 10, 19)
    charge(store, HERE, b"a" * 16, 1, date(2024, 12, 31))
    charge(store, HERE, b"b" * 16, 2, date(2026, 1, 1))
    charge(store, HERE, b"c" * 16, 4, today)
    store.run("forget", lambda tx: usage.forget(tx, today - timedelta(days=90)))
    kept = [
        store.view("find", lambda tx, name=name: usage.digest_of(tx, HERE, name)) is not None  # type: ignore[misc]
        for name in (b"a" * 16, b"b" * 16, b"c" * 16)
    ]
    assert kept == [False, False, True]
    assert used(store, HERE, today) == Used(6, 4)
    assert used(store, HERE, date(2024, 12, 31)) == Used(0, 0)
