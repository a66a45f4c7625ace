"""How a database is connected to, and what its driver's errors mean; `federation.database` has the transactions.

Invariant: parameters, which hold pseudonyms and sealed records, reach no message of an exception.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from federation.errors import Code, UppropError

BUSY_TIMEOUT_MS = 30_000
"""How long a SQLite writer waits for another process, such as a backup; a checkpoint of a large WAL takes seconds."""

LOCK_TIMEOUT_MS = 30_000
"""How long a PostgreSQL statement waits for a row lock before the transaction is run again."""

IDLE_SECONDS = 60.0
"""After so long a PostgreSQL transaction in which its process does nothing is ended by the server: a process that was
paused holds no row that others wait for."""

CONNECT_TIMEOUT = 10
"""Seconds in which a PostgreSQL server must take a connection."""

# Class 40 is serialization failure and deadlock, 55P03 a lock that was not had in time, 25P03 a transaction that stood
# idle, 57P01-03 and class 08 a server that went away: a transaction that survives running twice may be run again after
# each of them.
_RETRIED_STATES = ("40001", "40P01", "55P03", "25P03", "57P01", "57P02", "57P03")
_RETRIED_SQLITE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def url_of(target: str | Path) -> URL:
    if isinstance(target, Path):
        return URL.create("sqlite", database=str(target))
    try:
        url = make_url(target)
    except sa.exc.ArgumentError as error:
        raise UppropError(
            Code.CONFIG_INVALID, "The database is neither a URL such as postgresql://host/name nor sqlite:///file."
        ) from error
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return url
    raise UppropError(Code.CONFIG_INVALID, "The database must be a SQLite file or a PostgreSQL database.")


def engine(url: URL, pool_size: int, role: str | None, idle_seconds: float) -> Engine:
    if url.get_backend_name() == "sqlite":
        # Parameters hold pseudonyms and sealed records: they stay out of messages.
        made = sa.create_engine(url, hide_parameters=True, pool_size=pool_size, max_overflow=-1)
        event.listen(made, "connect", _prepare_sqlite)
        event.listen(made, "begin", _begin_sqlite)
        return made
    options = {
        "lock_timeout": LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": max(1, round(idle_seconds * 1000)),
        "timezone": "UTC",
        **({} if role is None else {"role": role}),
    }
    try:
        made = sa.create_engine(
            url,
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT,
                "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
            },
        )
    except ModuleNotFoundError as error:
        raise UppropError(
            Code.CONFIG_INVALID, "PostgreSQL needs its driver: pip install 'upprop[postgresql]'."
        ) from error
    event.listen(made, "connect", _prepare_postgresql)
    event.listen(made, "handle_error", _withhold_values)
    return made


def looking_engine(url: URL) -> Engine:
    """Of a SQLite file that is read and never written, whatever its mode allows."""
    path = url.database or ""
    # While somebody has it open its newest rows stand beside it, and the files for finding them are there.
    how = {"mode": "ro"} if Path(f"{path}-wal").exists() else {"immutable": "1"}
    target = URL.create("sqlite", database=f"file:{quote(path)}", query={**how, "uri": "true"})
    made = sa.create_engine(target, hide_parameters=True, poolclass=sa.NullPool)
    event.listen(made, "connect", _prepare_looking)
    event.listen(made, "begin", lambda connection: connection.exec_driver_sql("BEGIN DEFERRED"))
    return made


def _prepare_looking(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only = ON")


def _prepare_postgresql(connection: Any, _record: object) -> None:
    # Whole columns go over as arrays (registry.store.bulk); as text, each of their values is escaped in Python, which
    # costs ten times as much.
    from psycopg.types.array import ListBinaryDumper

    connection.adapters.register_dumper(list, ListBinaryDumper)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transaction handling begins too late and not before SELECT; `_begin_sqlite` does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # Deleted rows are overwritten: a retracted pupil does not linger in free pages.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("upprop_reads", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
    connection.exec_driver_sql("BEGIN DEFERRED" if reads else "BEGIN IMMEDIATE")


def _withhold_values(context: Any) -> None:
    """PostgreSQL repeats the offending values in its messages; keep the state and the constraint's name."""
    original = context.original_exception
    diagnosis = getattr(original, "diag", None)
    state = getattr(original, "sqlstate", None)
    if diagnosis is not None and state is not None:
        original.args = (f"SQLSTATE {state} {diagnosis.constraint_name or ''}".strip(),)
        chained = context.sqlalchemy_exception
        if isinstance(chained, DBAPIError):
            chained.args = (f"({type(original).__name__}) {original.args[0]}",)


def may_succeed_later(error: DBAPIError) -> bool:
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return (getattr(original, "sqlite_errorcode", 0) & 0xFF) in _RETRIED_SQLITE
    state = getattr(original, "sqlstate", None)
    if state is None:
        # The connection could not be had or was lost: there is no state then.
        return isinstance(error, OperationalError) or error.connection_invalidated
    return state in _RETRIED_STATES or str(state).startswith("08")


_UNWRITABLE_SQLITE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_DAMAGED_SQLITE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def unusable(url: URL, error: DBAPIError) -> UppropError | None:
    """What keeps a SQLite file from being worked on, whatever is tried; None for a mistake of ours."""
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code in _UNWRITABLE_SQLITE:
        return UppropError(
            Code.DIRECTORY_UNWRITABLE,
            f"The database {url.database} cannot be written ({error.orig}). See that the file and its directory belong "
            "to the user whom this runs as, and that the disk has room.",
        )
    if code in _DAMAGED_SQLITE:
        return UppropError(
            Code.STORE_UNREACHABLE,
            f"The database {url.database} is damaged, or no database. Put a copy of it in its place.",
        )
    return None
