"""Copies of a role's store and stores made of copies: one SQLite file, whatever kind of store it comes from or goes to.

Invariants
    - A copy is one snapshot, taken while the daemon works; whole or absent; its owner's alone (mode 0600), and written
      over nothing. It is checked row by row where it is made, and page by page wherever it is read.
    - What stands sealed in the store stands sealed in the copy; keys are in neither.
    - A store that holds something is replaced only when told, and by a file that was checked before.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, LargeBinary, MetaData, Table, delete, func, insert, inspect, select, text

from federation.database import Database
from federation.errors import Code, UppropError
from federation.files import SECRET_MODE, sync_directory
from federation.migration import current, migrate

ROWS_AT_ONCE = 1_000

_MADE = "copy_made"
"""The one table of a copy that is not of the store: when it was made. Dropped from a working copy."""

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Called with (tables done, tables)."""


@dataclass(frozen=True)
class Kind:
    """One role's store. `marks`: tables that tell it from another role's, in every version; `content`: without rows in
    these there is nothing that could be lost."""

    role: str
    package: str
    metadata: MetaData
    marks: frozenset[str]
    content: tuple[Table, ...]

    @property
    def no_copy(self) -> str:
        return f"is no copy of {_article(self.role)} {self.role}"


# -- making -----------------------------------------------------------------------------------------------------------


def write(kind: Kind, database: Database, path: Path, progress: Progress, look: Callable[[Connection], T]) -> T:
    """Copy a store into the new file `path` while its daemon goes on; returns what `look` sees in the same snapshot.

    Raises UppropError(CONFIG_INVALID) where the file exists or cannot be written.
    """
    with _new_file(path) as temporary:
        copy = Database(temporary)
        try:
            migrate(copy, kind.package)
            # The file is nobody else's yet: its transaction may stand inside the store's.
            with database.read(f"{kind.role}_backup") as source, copy.engine.begin() as target:
                _empty(kind, target)
                _pour(kind, source, target, progress)
                seen = look(source)
                for table in kind.metadata.sorted_tables:
                    if _count(source, table) != _count(target, table):
                        raise UppropError(Code.INTERNAL, f"The copy of {table.name} is not whole. Try again.")
                target.execute(text(f"CREATE TABLE {_MADE} (at TEXT NOT NULL)"))
                made = datetime.now(UTC).isoformat(timespec="seconds")
                target.execute(text(f"INSERT INTO {_MADE} VALUES (:at)"), {"at": made})  # noqa: S608 - a constant
        finally:
            copy.close()
        make_whole(kind, temporary)
        return seen


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """A file beside `path` to be written, which takes the name `path` when all of it is on the disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        # Taken at once, so that nothing that comes there meanwhile is written over.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, SECRET_MODE))
    except FileExistsError as error:
        raise UppropError(
            Code.CONFIG_INVALID, f"{path} exists already and is not overwritten. Choose a new name."
        ) from error
    except OSError as error:
        raise UppropError(Code.CONFIG_INVALID, f"{path} cannot be written: {error.strerror}.") from error
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE))
        yield temporary
        temporary.replace(path)
        sync_directory(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        for leftover in path.parent.glob(f"{temporary.name}*"):
            leftover.unlink(missing_ok=True)


def make_whole(kind: Kind, path: Path) -> None:
    """Make a SQLite file one file, and check all of it. Raises UppropError(INPUT_REFUSED) where it is damaged."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise sqlite3.DatabaseError
            if connection.execute("PRAGMA foreign_key_check").fetchall():
                raise sqlite3.DatabaseError
    except sqlite3.Error as error:
        raise UppropError(Code.INPUT_REFUSED, f"{path.name} {kind.no_copy}, or is damaged.") from error
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# -- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Working:
    """A copy of the copy, checked and brought up to date, that may be written to. `made_at` is None of old ones."""

    path: Path
    database: Database
    made_at: datetime | None


@contextlib.contextmanager
def working(kind: Kind, path: Path, data_dir: Path) -> Iterator[Working]:
    """The copy at `path`, which itself is never written to, ready to be put in place; gone at the end.

    Raises UppropError: INPUT_REFUSED where it is damaged or no copy of this role, SCHEMA_NEWER.
    """
    own = data_dir / f".restore.{os.getpid()}"
    try:
        _fetch(kind, path, own)
        database = Database(own)
        try:
            if current(database) is None or not _is_of(kind, database):
                raise UppropError(
                    Code.INPUT_REFUSED,
                    f"{path.name} {kind.no_copy}. Choose what upprop {kind.role} backup made.",
                )
            made_at = _take_made_at(database)
            migrate(database, kind.package)
            yield Working(own, database, made_at)
        finally:
            database.close()
    finally:
        for leftover in data_dir.glob(f"{own.name}*"):
            leftover.unlink()


def _fetch(kind: Kind, path: Path, own: Path) -> None:
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, SECRET_MODE)
    try:
        with path.open("rb") as source, os.fdopen(descriptor, "wb") as target:
            shutil.copyfileobj(source, target)
    except OSError as error:
        raise UppropError(Code.INPUT_REFUSED, f"{path} cannot be read: {error.strerror}.") from error
    make_whole(kind, own)


def _is_of(kind: Kind, database: Database) -> bool:
    with database.read("copy_tables") as tx:
        return kind.marks <= set(inspect(tx).get_table_names())


def _take_made_at(database: Database) -> datetime | None:
    with database.transaction("copy_made") as tx:
        if _MADE not in inspect(tx).get_table_names():
            return None
        at = tx.execute(text(f"SELECT at FROM {_MADE}")).scalar_one()  # noqa: S608 - a constant
        tx.execute(text(f"DROP TABLE {_MADE}"))
    return datetime.fromisoformat(at)


# -- putting in place -------------------------------------------------------------------------------------------------


def into_database(kind: Kind, copy: Database, database: Database, *, replace: bool, progress: Progress) -> None:
    """Put all that a working copy holds in place of all that a store holds, in one transaction.

    Raises UppropError(INPUT_REFUSED) where the store holds something and `replace` is not given.
    """
    if _holds_something(kind, database) and not replace:
        raise _occupied()
    migrate(database, kind.package)
    with copy.engine.connect() as source, database.transaction(f"{kind.role}_restore") as target:
        _empty(kind, target)
        _pour(kind, source, target, progress)
        if not database.is_sqlite:
            _count_on(kind, target)


def into_file(kind: Kind, copy: Working, store: Path, *, replace: bool) -> None:
    """One file takes the place of another. In between there is none: a restore that ends there is run again.

    Raises UppropError(INPUT_REFUSED) where the store holds something, or cannot be read, and `replace` is not given.
    """
    if not replace and _file_holds_something(kind, store):
        raise _occupied()
    copy.database.close()
    make_whole(kind, copy.path)
    # The old log first: SQLite would play it over the new file.
    for old in (store, *(store.with_name(f"{store.name}-{log}") for log in ("wal", "shm"))):
        old.unlink(missing_ok=True)
    copy.path.replace(store)
    sync_directory(store.parent)


def _holds_something(kind: Kind, database: Database) -> bool:
    """Whether replacing a store would lose anything; one without tables has nothing."""
    if current(database) is None:
        return False
    with database.read("copy_content") as tx:
        return any(_count(tx, table) for table in kind.content)


def _file_holds_something(kind: Kind, store: Path) -> bool:
    if not store.exists():
        return False
    database = Database(store)
    try:
        return _holds_something(kind, database)
    except Exception:  # noqa: BLE001 - whatever it is that cannot be read, it may hold something
        return True
    finally:
        database.close()


def _occupied() -> UppropError:
    return UppropError(
        Code.INPUT_REFUSED,
        "The store holds something already, or cannot be read. Nothing was changed. To put the copy in its place: "
        "--replace",
    )


# -- rows -------------------------------------------------------------------------------------------------------------


def _empty(kind: Kind, target: Connection) -> None:
    for table in reversed(kind.metadata.sorted_tables):
        target.execute(delete(table))


def _pour(kind: Kind, source: Connection, target: Connection, progress: Progress) -> None:
    tables = kind.metadata.sorted_tables
    for done, table in enumerate(tables):
        progress(done, len(tables))
        rows = source.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table)).mappings()
        for part in rows.partitions():
            target.execute(insert(table), [_in_kind(table, row) for row in part])
    progress(len(tables), len(tables))


def _in_kind(table: Table, row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as its table takes it: SQLite gives a default of bytes that it wrote by itself back as text."""
    return {
        column.name: value.encode() if isinstance(value, str) and isinstance(column.type, LargeBinary) else value
        for column, value in ((column, row[column.name]) for column in table.c)
    }


def _count(tx: Connection, table: Table) -> int:
    return tx.execute(select(func.count()).select_from(table)).scalar_one()


def _count_on(kind: Kind, tx: Connection) -> None:
    """PostgreSQL counts ids apart from the rows; the next one comes after those that were put in."""
    for table in kind.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None or column.autoincrement is False:
            continue
        newest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
        sequence = func.pg_get_serial_sequence(text(f"'{table.name}'"), text(f"'{column.name}'"))
        tx.execute(select(func.setval(sequence, newest, text("false"))))


def _article(role: str) -> str:
    return "an" if role[0] in "aeiou" else "a"
