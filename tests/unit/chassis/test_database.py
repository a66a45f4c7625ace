"""Transactions: named, durable, safe to run twice; on SQLite and PostgreSQL alike."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from federation.database import Database, Isolation
from federation.errors import Code, UppropError
from federation.observability import Metrics
from tests.harness.postgres import PostgresServer

TABLES = sa.MetaData()
COUNTERS = sa.Table(
    "counters",
    TABLES,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
)
WORDS = sa.Table("words", TABLES, sa.Column("word", sa.LargeBinary, primary_key=True))


def _filled(database: Database) -> Database:
    with database.transaction("create") as connection:
        TABLES.create_all(connection)
        connection.execute(COUNTERS.insert().values(name="a", value=0))
    return database


@pytest.fixture
def db(database: Database) -> Database:
    return _filled(database)


@pytest.fixture
def on_postgres(postgres: PostgresServer, metrics: Metrics) -> Iterator[Database]:
    """For what SQLite cannot show: its writers wait for each other, on one isolation level."""
    with postgres.fresh_database() as url:
        database = Database(url, metrics)
        yield _filled(database)
        database.close()


def _value(db: Database) -> int:
    with db.read("value") as connection:
        return int(connection.execute(sa.select(COUNTERS.c.value)).scalar_one())


def _outcomes(metrics: Metrics, name: str) -> dict[str, float]:
    return {
        outcome: metrics.registry.get_sample_value("upprop_transactions_total", {"name": name, "outcome": outcome})
        or 0.0
        for outcome in ("committed", "retried", "failed")
    }


def test_a_transaction_is_whole_or_absent(db: Database, metrics: Metrics) -> None:
    def half(connection: sa.Connection) -> None:
        connection.execute(COUNTERS.update().values(value=7))
        raise KeyError

    with pytest.raises(KeyError):
        db.run("half", half)
    assert _value(db) == 0
    assert _outcomes(metrics, "half") == {"committed": 0, "retried": 0, "failed": 1}


def test_concurrent_increments_are_all_counted(db: Database, metrics: Metrics) -> None:
    """What one transaction read must not have changed under what it writes, however many run at once."""

    def increment(connection: sa.Connection) -> None:
        value = connection.execute(sa.select(COUNTERS.c.value)).scalar_one()
        connection.execute(COUNTERS.update().values(value=value + 1))

    failures: list[BaseException] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        try:
            barrier.wait()
            for _ in range(10):
                db.run("increment", increment)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert _value(db) == 40
    assert _outcomes(metrics, "increment")["committed"] == 40


def test_a_refused_transaction_is_run_again(on_postgres: Database, metrics: Metrics) -> None:
    """The second writer of a row is refused or has to wait; either way its work runs on what the first wrote."""
    attempts = 0

    def work(connection: sa.Connection) -> None:
        nonlocal attempts
        attempts += 1
        value = connection.execute(sa.select(COUNTERS.c.value)).scalar_one()
        if attempts == 1:
            other = threading.Thread(
                target=lambda: on_postgres.run("other", lambda c: c.execute(COUNTERS.update().values(value=100)))
            )
            other.start()
            other.join()
        connection.execute(COUNTERS.update().values(value=value + 1))

    on_postgres.run("contended", work)
    assert attempts == 2
    assert _value(on_postgres) == 101
    assert _outcomes(metrics, "contended") == {"committed": 1, "retried": 1, "failed": 1}


def test_a_busy_sqlite_file_is_waited_for_and_then_given_up(
    tmp_path: Path, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("federation.engines.BUSY_TIMEOUT_MS", 1)
    target = tmp_path / "busy.db"
    db = Database(target, metrics)
    db.run("create", TABLES.create_all)
    # Another process's lock, such as that of a backup.
    holder = sqlite3.connect(target, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(UppropError) as refused:
        db.run("blocked", lambda c: c.execute(COUNTERS.select()))
    assert refused.value.code is Code.STORE_LOCKED
    assert _outcomes(metrics, "blocked")["retried"] > 0
    holder.execute("ROLLBACK")
    holder.close()
    db.run("blocked", lambda c: c.execute(COUNTERS.select()))
    assert _outcomes(metrics, "blocked")["committed"] == 1
    db.close()


def test_a_read_sees_one_moment_and_writes_nothing(db: Database) -> None:
    with db.read("look") as connection:
        assert connection.execute(sa.select(COUNTERS.c.value)).scalar_one() == 0
        writer = threading.Thread(target=lambda: db.run("w", lambda c: c.execute(COUNTERS.update().values(value=5))))
        writer.start()
        writer.join()
        assert connection.execute(sa.select(COUNTERS.c.value)).scalar_one() == 0
    with pytest.raises(sa.exc.DBAPIError), db.read("write") as connection:
        connection.execute(COUNTERS.update().values(value=9))
    assert _value(db) == 5


def test_transactions_do_not_nest(db: Database) -> None:
    with db.transaction("outer"), pytest.raises(RuntimeError, match="outer"), db.transaction("inner"):
        pass
    assert _value(db) == 0


def test_values_stay_out_of_messages(db: Database) -> None:
    secret = b"\x19\x98\x01\x01secret-pseudonym"
    db.run("insert", lambda c: c.execute(WORDS.insert().values(word=secret)))
    with pytest.raises(sa.exc.IntegrityError) as twice:
        db.run("insert", lambda c: c.execute(WORDS.insert().values(word=secret)))
    shown = str(twice.value) + repr(twice.value) + str(twice.value.orig)
    assert "secret" not in shown
    assert secret.hex() not in shown


def test_read_committed_lets_writers_wait_for_a_row(on_postgres: Database) -> None:
    """With the row locked last, the second transaction waits and is not refused."""
    attempts = 0

    def work(connection: sa.Connection) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            other = threading.Thread(
                target=lambda: on_postgres.run("other", lambda c: c.execute(COUNTERS.update().values(value=100)))
            )
            other.start()
            other.join()
        connection.execute(COUNTERS.update().values(value=COUNTERS.c.value + 1))

    on_postgres.run("contended", work, isolation=Isolation.READ_COMMITTED)
    assert attempts == 1
    assert _value(on_postgres) == 101


def test_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    db = Database(tmp_path / "x.db")
    with db.read("pragmas") as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    db.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/name", "nonsense"])
def test_other_stores_are_refused(url: str) -> None:
    with pytest.raises(UppropError) as refused:
        Database(url)
    assert refused.value.code is Code.CONFIG_INVALID


def test_an_absent_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("federation.database.MAX_ATTEMPTS", 2)
    db = Database("postgresql://127.0.0.1:1/nothing")
    with pytest.raises(UppropError) as refused:
        db.run("try", lambda c: c.execute(sa.select(1)))
    assert refused.value.code is Code.STORE_UNREACHABLE
    db.close()


def test_a_table_that_others_refer_to_can_be_rebuilt(database: Database) -> None:
    _parent_and_child(database)
    with database.restructuring("rebuild") as connection:
        connection.exec_driver_sql("CREATE TABLE new_parent (id INTEGER PRIMARY KEY, more INTEGER)")
        connection.exec_driver_sql("INSERT INTO new_parent (id) SELECT id FROM parent")
        if database.is_sqlite:
            connection.exec_driver_sql("DROP TABLE parent")
        else:
            connection.exec_driver_sql("ALTER TABLE parent RENAME TO old_parent")
        connection.exec_driver_sql("ALTER TABLE new_parent RENAME TO parent")
    with database.read("look") as connection:
        assert connection.exec_driver_sql("SELECT id, more FROM parent").all() == [(1, None)]
    # From then on a child without a parent is refused again.
    with pytest.raises(sa.exc.IntegrityError), database.transaction("orphan") as connection:
        connection.exec_driver_sql("INSERT INTO child VALUES (2, 7)")


def test_a_rebuilding_that_leaves_a_child_without_its_parent_changes_nothing(database: Database) -> None:
    _parent_and_child(database)
    with pytest.raises((RuntimeError, sa.exc.IntegrityError)), database.restructuring("rebuild") as connection:
        connection.exec_driver_sql("DELETE FROM parent")
    with database.read("look") as connection:
        assert connection.exec_driver_sql("SELECT id FROM parent").all() == [(1,)]


def _parent_and_child(database: Database) -> None:
    with database.transaction("make") as connection:
        connection.exec_driver_sql("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id))")
        connection.exec_driver_sql("INSERT INTO parent VALUES (1)")
        connection.exec_driver_sql("INSERT INTO child VALUES (1, 1)")
