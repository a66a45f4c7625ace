"""A store as one SQLite file, whatever kind of store it comes from or goes to.

Invariants: a copy is one snapshot; what stands sealed in the store stands sealed in the copy, and the record key in
neither. A copy is checked row by row where it is made, and page by page wherever it is read.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, Table, delete, func, insert, inspect, select, text

from federation.database import Database
from federation.errors import Code, UppropError
from federation.migration import current, migrate
from node.store import schema_systems
from node.store.recovery import set_restored
from node.store.whole import metadata

STORE_PACKAGE = "node.store"
ROWS_AT_ONCE = 1_000

Progress = Callable[[int, int], None]
"""Called with (tables done, tables)."""

_CONTENT = (metadata.tables["pupils"], schema_systems.imports, metadata.tables["versions"])
"""A store without rows in these has nothing that could be lost."""


def write_copy(database: Database, path: Path, progress: Progress) -> date | None:
    """Copy the store into `path`, an empty file of the caller's; returns the as-of of the newest import in it."""
    copy = Database(path)
    try:
        migrate(copy, STORE_PACKAGE)
        # The file is nobody else's yet: its transaction may stand inside the store's.
        with database.read("node_backup") as source, copy.engine.begin() as target:
            _copy(source, target, progress)
            newest = source.execute(select(func.max(schema_systems.imports.c.as_of))).scalar()
            for table in metadata.sorted_tables:
                if _count(source, table) != _count(target, table):
                    raise UppropError(Code.INTERNAL, f"The copy of {table.name} is not whole. Try again.")
    finally:
        copy.close()
    make_whole(path)
    return newest


def make_whole(path: Path) -> None:
    """Make a SQLite file one file, and check all of it. Raises UppropError(INPUT_REFUSED) where it is damaged."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise sqlite3.DatabaseError
            if connection.execute("PRAGMA foreign_key_check").fetchall():
                raise sqlite3.DatabaseError
    except sqlite3.Error as error:
        raise UppropError(Code.INPUT_REFUSED, f"{path.name} is no copy of a node, or is damaged.") from error
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_a_node(database: Database) -> bool:
    """Whether the tables are those of a node of some version, and not another role's."""
    with database.read("node_copy_tables") as tx:
        return {"pupils", "node_state"} <= set(inspect(tx).get_table_names())


def prepare(database: Database, path: Path) -> None:
    """Bring a working copy up to date, and note that whatever store it becomes was restored.

    Raises UppropError: INPUT_REFUSED where it is no node's, SCHEMA_NEWER.
    """
    if current(database) is None or not is_a_node(database):
        raise UppropError(Code.INPUT_REFUSED, f"{path.name} is no copy of a node. Choose what upprop node backup made.")
    migrate(database, STORE_PACKAGE)
    with database.transaction("node_restored") as tx:
        set_restored(tx)


def holds_something(database: Database) -> bool:
    """Whether a store has anything that replacing it would lose; one without tables has not."""
    if current(database) is None:
        return False
    with database.read("node_content") as tx:
        return any(_count(tx, table) for table in _CONTENT)


def load_copy(copy: Database, database: Database, progress: Progress) -> None:
    """Put what a prepared copy holds in place of all that a migrated store holds, in one transaction."""
    with copy.engine.connect() as source, database.transaction("node_restore") as target:
        for table in reversed(metadata.sorted_tables):
            target.execute(delete(table))
        _copy(source, target, progress)
        if not database.is_sqlite:
            _count_on(target)


def _copy(source: Connection, target: Connection, progress: Progress) -> None:
    tables = metadata.sorted_tables
    for done, table in enumerate(tables):
        progress(done, len(tables))
        rows = source.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table)).mappings()
        for part in rows.partitions():
            target.execute(insert(table), [dict(row) for row in part])
    progress(len(tables), len(tables))


def _count(tx: Connection, table: Table) -> int:
    return tx.execute(select(func.count()).select_from(table)).scalar_one()


def _count_on(tx: Connection) -> None:
    """PostgreSQL counts ids apart from the rows; the next one comes after those that were put in."""
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None or column.autoincrement is False:
            continue
        newest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
        sequence = func.pg_get_serial_sequence(text(f"'{table.name}'"), text(f"'{column.name}'"))
        tx.execute(select(func.setval(sequence, newest, text("false"))))
