"""Writing many rows in one statement, and asking about many keys in few.

Invariants: a list of rows costs one statement, whatever its length; a list of keys one per `KEYS_A_STATEMENT`. The two
stores differ here and nowhere else: SQLite binds row by row inside its own process, PostgreSQL takes whole columns as
arrays, so that a batch is one round trip.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Dialect, Executable, Table, any_, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

KEYS_A_STATEMENT = 30_000
"""Under SQLite's 32 766 parameters a statement, and far above the handles of a batch or of a portion of a close."""

Key = TypeVar("Key")
_Insert = TypeVar("_Insert", postgresql.Insert, sqlite.Insert)


def chunks(keys: Iterable[Key], size: int = KEYS_A_STATEMENT) -> Iterator[list[Key]]:
    """The keys in lists of at most `size`."""
    rest = iter(keys)
    while chunk := list(islice(rest, size)):
        yield chunk


def among(tx: Connection, column: Column[Any], keys: Sequence[Any]) -> ColumnElement[bool]:
    """The condition that a column holds one of these keys, at most `KEYS_A_STATEMENT` of them.

    One array on PostgreSQL: the statement's text stays the same, so that the server plans it once.
    """
    if tx.dialect.name == "postgresql":
        array = bindparam(None, list(keys), type_=postgresql.ARRAY(column.type), unique=True)
        return column == any_(array)
    return column.in_(keys)


def insert(tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one that is there already is an error. All rows hold the same columns."""
    _write(tx, table, rows, None)


def upsert(tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, update: Sequence[str] = ()) -> None:
    """Insert rows by primary key; on a row that is there already set the `update` columns.

    Without any, a row that is there already stays as it is. All rows hold the same columns, and no key twice
    (PostgreSQL would refuse). Callers sort rows that other transactions may write: locks are taken in one order then.
    """
    _write(tx, table, rows, tuple(update))


_Conflict = tuple[str, ...]
"""The columns that are set on a row that is there already."""


def _write(tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]], conflict: _Conflict | None) -> None:
    if not rows:
        return
    columns = tuple(rows[0])
    if tx.dialect.name == "postgresql":
        arrays = {column: [row[column] for row in rows] for column in columns}
        tx.execute(_arrays(table, columns, conflict), arrays)
        return
    text, convert = _row_by_row(tx.dialect, table, columns, conflict)
    # Past SQLAlchemy, whose handling of parameters costs as much as the insert itself.
    tx.exec_driver_sql(text, [tuple(convert(row)) for row in rows])


@functools.cache
def _arrays(table: Table, columns: tuple[str, ...], conflict: _Conflict | None) -> Executable:
    # Several unnest in one select list go in step: row i of every array.
    arrays = (func.unnest(bindparam(name, type_=postgresql.ARRAY(table.c[name].type))) for name in columns)
    return _on_conflict(postgresql.insert(table).from_select(list(columns), select(*arrays)), table, conflict)


@functools.lru_cache(maxsize=256)
def _row_by_row(
    dialect: Dialect, table: Table, columns: tuple[str, ...], conflict: _Conflict | None
) -> tuple[str, Callable[[Mapping[str, Any]], list[Any]]]:
    """The statement with a `?` per column, and what turns a row into the driver's values."""
    values = sqlite.insert(table).values({name: bindparam(name) for name in columns})
    compiled = _on_conflict(values, table, conflict).compile(dialect=dialect)
    order = tuple(compiled.positiontup or ())
    processors = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in order]
    converted = [(place, process) for place, process in enumerate(processors) if process is not None]

    def convert(row: Mapping[str, Any]) -> list[Any]:
        values = [row[name] for name in order]
        for place, process in converted:
            values[place] = process(values[place])
        return values

    return str(compiled), convert


def _on_conflict(statement: _Insert, table: Table, conflict: _Conflict | None) -> _Insert:
    if conflict is None:
        return statement
    keys = [column.name for column in table.primary_key]
    if change := {name: statement.excluded[name] for name in conflict}:
        return statement.on_conflict_do_update(index_elements=keys, set_=change)
    return statement.on_conflict_do_nothing(index_elements=keys)
