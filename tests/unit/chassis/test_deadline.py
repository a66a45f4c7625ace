"""Nothing is waited for once nobody waits for the answer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from federation import deadline
from federation.database import Database
from federation.errors import Code, UppropError


def test_without_a_caller_nothing_is_bounded() -> None:
    assert deadline.remaining() is None
    with deadline.within(60):
        left = deadline.remaining()
        assert left is not None
        assert 0 < left <= 60
    assert deadline.remaining() is None


def test_a_passed_deadline_is_an_error_with_its_code() -> None:
    with deadline.within(0), pytest.raises(UppropError) as error:
        deadline.remaining()
    assert error.value.code is Code.DEADLINE


def test_no_transaction_is_begun_after_it(database: Database) -> None:
    begun: list[int] = []
    with deadline.within(0), pytest.raises(UppropError) as error:
        database.run("test", lambda _tx: begun.append(1))
    assert (error.value.code, begun) == (Code.DEADLINE, [])


@contextlib.contextmanager
def held(database: Database, statement: str) -> Iterator[None]:
    """A transaction of another thread that has run `statement` and does not end."""
    release, inside = threading.Event(), threading.Event()

    def hold(tx: sa.Connection) -> None:
        tx.exec_driver_sql(statement)
        inside.set()
        assert release.wait(30)

    holder = threading.Thread(target=database.run, args=("hold", hold))
    holder.start()
    try:
        assert inside.wait(30)
        yield
    finally:
        release.set()
        holder.join()


def test_a_row_that_another_holds_is_waited_for_no_longer(database: Database) -> None:
    def change(tx: sa.Connection, number: int) -> None:
        tx.execute(sa.text("UPDATE t SET n = :n"), {"n": number})

    database.run("test", lambda tx: tx.exec_driver_sql("CREATE TABLE t (n INTEGER)"))
    database.run("test", lambda tx: tx.exec_driver_sql("INSERT INTO t VALUES (1)"))
    with (
        held(database, "UPDATE t SET n = 2"),
        deadline.within(0.2),
        pytest.raises(UppropError) as error,
    ):
        database.run("test", lambda tx: change(tx, 3))
    assert error.value.code is Code.DEADLINE
    with deadline.within(30):
        assert database.view("test", lambda tx: tx.exec_driver_sql("SELECT n FROM t").scalar_one()) == 2
    # The connection is used again by those whose caller waits longer.
    database.run("test", lambda tx: change(tx, 4))
    if not database.is_sqlite:
        assert database.view("test", lambda tx: tx.exec_driver_sql("SHOW statement_timeout").scalar_one()) == "0"
