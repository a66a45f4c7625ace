"""The one way to a database: SQLite embedded by default, PostgreSQL in production.

Invariants: every transaction has a name, which is its metric label; `run` may run its function several times, so the
function must do nothing but read and write through the connection it is given; nothing that a database driver says
about values reaches an exception's message.

**SQLite.** One daemon per file (`DaemonLock`). Writers take the write lock at their start (BEGIN IMMEDIATE), because a
reader that turns writer in the middle fails at once however long it would be ready to wait. Commits are durable: WAL
with `synchronous=FULL`.

**PostgreSQL.** Writers run under REPEATABLE READ: what a transaction read cannot have changed under what it writes
without the transaction being refused and run again. What that level still allows (two transactions each writing what
the other one read) is excluded by UNIQUE constraints and by the sequence row that writers of numbered rows all update.
SERIALIZABLE would add no guarantee we use and would refuse far more often. A caller that locks the rows it reads may
ask for READ COMMITTED, under which the sequence row, locked last, makes writers wait for each other rather than start
anew. Readers get one read-only snapshot. Where the tables belong to a role of their own, `role` is taken on for
migrations; a daemon's login owns nothing (`registry.store.roles`).
"""

from __future__ import annotations

import contextlib
import enum
import math
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError

from federation import boundary, deadline, engines
from federation.engines import IDLE_SECONDS
from federation.errors import Code, UppropError
from federation.files import private_directory, read_secret
from federation.observability import Metrics

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every index and constraint has a name, by which a later migration can change it."""

_MIGRATION_LOCK = 7_450
"""Any number that nothing else in the database locks by."""

MAX_ATTEMPTS = 8
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 1.0

_CANCELED = "57014"
T = TypeVar("T")


class Instant(sa.TypeDecorator[datetime]):
    """An aware UTC instant; SQLite keeps no zone, so it is added on the way out and demanded on the way in."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as above
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Isolation(enum.StrEnum):
    READ_COMMITTED = "READ COMMITTED"
    REPEATABLE_READ = "REPEATABLE READ"


class Database:
    """An engine with named transactions.

    `target` is the path of a SQLite file, or a URL (`postgresql://…`, `sqlite:///…`); connected on first use. `role` is
    a PostgreSQL role to work as, of which the login of the URL is a member. `uncounted` names transactions whose number
    hangs on what the store holds: of these only failures are counted, for their number would tell. `looks_only`: see
    `look_into`.
    """

    def __init__(
        self,
        target: str | Path,
        metrics: Metrics | None = None,
        *,
        pool_size: int = 8,
        role: str | None = None,
        idle_seconds: float = IDLE_SECONDS,
        uncounted: Collection[str] = (),
        looks_only: bool = False,
    ) -> None:
        self.url = engines.url_of(target)
        self._attempts = 1 if looks_only else MAX_ATTEMPTS
        self._metrics = metrics
        self._uncounted = frozenset(uncounted)
        if looks_only and self.is_sqlite:
            self._engine = engines.looking_engine(self.url)
        else:
            self._engine = engines.engine(self.url, pool_size, role, idle_seconds)
        if metrics is not None:
            metrics.watch_pool(self.connections, math.inf if self.is_sqlite else 2 * pool_size)
        # One process writes to a SQLite file, so its threads queue here, in order, and not by polling the file's lock.
        self._writer = threading.Lock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def engine(self) -> Engine:
        """For migrations and tests; everything else goes through a named transaction."""
        return self._engine

    def connections(self) -> dict[str, int]:
        """The pool's connections by state; those of `overflow`, beyond its size, are in the others too."""
        pool = self._engine.pool
        assert isinstance(pool, sa.QueuePool)
        return {"in_use": pool.checkedout(), "idle": pool.checkedin(), "overflow": max(0, pool.overflow())}

    def ping(self) -> None:
        """Raises whatever the database says where it does not answer."""
        # Of a file, something that is read from it.
        with self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA schema_version" if self.is_sqlite else "SELECT 1").all()

    @contextlib.contextmanager
    def transaction(self, name: str, *, isolation: Isolation = Isolation.REPEATABLE_READ) -> Iterator[Connection]:
        """A writing transaction, committed at the end of the block and rolled back by any exception. Not retried."""
        with boundary.transaction(name), self._turn(), self._measured(name):
            options = {} if self.is_sqlite else {"isolation_level": isolation.value}
            with self._engine.connect().execution_options(**options) as connection, connection.begin():
                self._keep_deadline(connection)
                yield connection

    @contextlib.contextmanager
    def restructuring(self, name: str) -> Iterator[Connection]:
        """A writing transaction that may rebuild tables: for migrations.

        SQLite rebuilds a table by dropping the old one, which its foreign keys would refuse row by row: they are looked
        at once, at the end. Raises RuntimeError where one leads nowhere then.
        """
        if not self.is_sqlite:
            # One at a time, each seeing what the one before has left: replicas may be brought up side by side.
            with self.transaction(name, isolation=Isolation.READ_COMMITTED) as connection:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
                yield connection
            return
        with boundary.transaction(name), self._turn(), self._measured(name), self._engine.connect() as connection:
            # The setting cannot be changed within a transaction.
            driver = connection.connection.cursor()
            driver.execute("PRAGMA foreign_keys = OFF")
            try:
                with connection.begin():
                    yield connection
                    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                        raise RuntimeError("the migration left a row that refers to none")
            finally:
                driver.execute("PRAGMA foreign_keys = ON")
                driver.close()

    @contextlib.contextmanager
    def read(self, name: str) -> Iterator[Connection]:
        """One consistent snapshot to read from; whatever is written in it is refused or rolled back."""
        with boundary.transaction(name), self._measured(name):
            options: dict[str, Any] = (
                {"upprop_reads": True}
                if self.is_sqlite
                else {"isolation_level": Isolation.REPEATABLE_READ.value, "postgresql_readonly": True}
            )
            with self._engine.connect().execution_options(**options) as connection, connection.begin() as transaction:
                self._keep_deadline(connection)
                yield connection
                transaction.rollback()

    def run(self, name: str, work: Callable[[Connection], T], *, isolation: Isolation = Isolation.REPEATABLE_READ) -> T:
        """Run `work` in a writing transaction, again where the database asks for it, and return its result.

        Raises UppropError: STORE_LOCKED when it was refused MAX_ATTEMPTS times, DEADLINE when nobody waits any more.
        """
        return self._again(name, lambda: self._write_once(name, work, isolation))

    def view(self, name: str, work: Callable[[Connection], T]) -> T:
        """Run `work` on one snapshot, again where the connection was lost. Raises UppropError(STORE_UNREACHABLE)."""
        return self._again(name, lambda: self._read_once(name, work))

    def close(self) -> None:
        self._engine.dispose()

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """The turn to write, where one process's threads take turns."""
        if self._writer is None:
            yield
            return
        left = deadline.remaining()
        if not self._writer.acquire(timeout=-1 if left is None else left):
            raise deadline.passed()
        try:
            yield
        finally:
            self._writer.release()

    def _keep_deadline(self, connection: Connection) -> None:
        """Have PostgreSQL give up a statement once nobody waits for it."""
        left = deadline.remaining()
        if left is not None and not self.is_sqlite:
            milliseconds = str(max(1, round(left * 1000)))
            connection.exec_driver_sql("SELECT set_config('statement_timeout', %s, true)", (milliseconds,))

    def _write_once(self, name: str, work: Callable[[Connection], T], isolation: Isolation) -> T:
        with self.transaction(name, isolation=isolation) as connection:
            return work(connection)

    def _read_once(self, name: str, work: Callable[[Connection], T]) -> T:
        with self.read(name) as connection:
            return work(connection)

    def _again(self, name: str, attempt: Callable[[], T]) -> T:
        for number in range(1, self._attempts + 1):
            deadline.remaining()
            try:
                return attempt()
            except sa.exc.TimeoutError as error:
                # No connection became free: whoever asks has to come back later.
                raise UppropError(
                    Code.STORE_LOCKED, f"The database has no free connection (transaction {name}). Try again."
                ) from error
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) == _CANCELED:
                    raise deadline.passed() from error
                if not engines.may_succeed_later(error):
                    raise (engines.unusable(self.url, error) or error) from error
                if number == self._attempts:
                    raise _gave_up(name, error) from error
                self._count(name, "retried")
            # Full jitter: those who collided do not collide again.
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**number)))  # noqa: S311 - no secret
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def _measured(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        except BaseException:
            self._count(name, "failed")
            raise
        else:
            self._count(name, "committed")
        finally:
            if self._metrics is not None and name not in self._uncounted:
                self._metrics.transaction_seconds.labels(name).observe(time.monotonic() - begun)

    def _count(self, name: str, outcome: str) -> None:
        if self._metrics is not None and (outcome == "failed" or name not in self._uncounted):
            self._metrics.transactions.labels(name, outcome).inc()


@contextlib.contextmanager
def closed_on_failure(database: Database) -> Iterator[None]:
    """For whoever builds a party on a store: where that fails, the store is not left open."""
    try:
        yield
    except BaseException:
        database.close()
        raise


def open_database(
    embedded: Path,
    url_file: Path | None = None,
    metrics: Metrics | None = None,
    *,
    role: str | None = None,
    idle_seconds: float = IDLE_SECONDS,
    uncounted: Collection[str] = (),
) -> Database:
    """The store a role's settings name: by the URL in the secret `url_file`, else the SQLite file `embedded`.

    Connects on first use. Raises UppropError: CONFIG_INVALID, SECRET_MODE, SECRET_MISSING, DIRECTORY_UNWRITABLE.
    """
    if url_file is None:
        private_directory(embedded.parent)
        return Database(embedded, metrics, uncounted=uncounted)
    return Database(read_url(url_file), metrics, role=role, idle_seconds=idle_seconds, uncounted=uncounted)


def look_into(embedded: Path, url_file: Path | None = None) -> Database:
    """The same store to be looked into by whoever is not its daemon: nothing is written, made or waited for.

    A SQLite file that nobody has open is read as it lies there, since a reader of WAL would make files beside it.
    Raises UppropError as `open_database`.
    """
    return Database(embedded if url_file is None else read_url(url_file), pool_size=1, looks_only=True)


def read_url(url_file: Path) -> str:
    """The URL in a secret file. Raises UppropError: CONFIG_INVALID, SECRET_MODE, SECRET_MISSING."""
    try:
        return read_secret(url_file).decode().strip()
    except UnicodeDecodeError as error:
        raise UppropError(Code.CONFIG_INVALID, f"{url_file} does not hold a URL.") from error


def _gave_up(name: str, error: DBAPIError) -> UppropError:
    if getattr(error.orig, "sqlstate", None) is None and not isinstance(error.orig, sqlite3.Error):
        return UppropError(
            Code.STORE_UNREACHABLE, f"The database does not answer (transaction {name}). Check that it runs."
        )
    return UppropError(
        Code.STORE_LOCKED, f"The database stayed busy (transaction {name}). See which other process holds it."
    )
