"""Writing many rows in one statement, and asking about many keys in few.

Invariants: a list of rows costs one statement, whatever its length; a list of keys one per `KEYS_A_STATEMENT`. The two
stores differ here and nowhere else: SQLite binds row by row inside its own process, PostgreSQL takes whole columns as
arrays, so that a batch is one round trip.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

KEYS_A_STATEMENT = 1_000
"""Well under SQLite's 32 766 and PostgreSQL's 65 535 parameters a statement; long enough to hide round trips."""

Key = TypeVar("Key")


def chunks(keys: Iterable[Key], size: int = KEYS_A_STATEMENT) -> Iterator[list[Key]]:
    """The keys in lists of at most `size`."""
    rest = iter(keys)
    while chunk := list(islice(rest, size)):
        yield chunk


def upsert(
    tx: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    update: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Insert rows by primary key; on a row that is there already set the `update` columns and add to the `add` columns.

    With neither, a row that is there already stays as it is. All rows hold the same columns, and no key twice
    (PostgreSQL would refuse). Callers sort rows that other transactions may write: locks are taken in one order then.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    statement = _statement(tx.dialect.name, table, columns, tuple(update), tuple(add))
    if tx.dialect.name == "postgresql":
        tx.execute(statement, {column: [row[column] for row in rows] for column in columns})
    else:
        tx.execute(statement, list(rows))


@functools.cache
def _statement(
    dialect: str, table: Table, columns: tuple[str, ...], update: tuple[str, ...], add: tuple[str, ...]
) -> Executable:
    insert: postgresql.Insert | sqlite.Insert
    if dialect == "postgresql":
        # Several unnest in one select list go in step: row i of every array.
        arrays = (func.unnest(bindparam(name, type_=postgresql.ARRAY(table.c[name].type))) for name in columns)
        insert = postgresql.insert(table).from_select(list(columns), select(*arrays))
    else:
        insert = sqlite.insert(table).values({name: bindparam(name) for name in columns})
    keys = [column.name for column in table.primary_key]
    change: dict[str, Any] = {name: insert.excluded[name] for name in update}
    change.update((name, table.c[name] + insert.excluded[name]) for name in add)
    if change:
        return insert.on_conflict_do_update(index_elements=keys, set_=change)
    return insert.on_conflict_do_nothing(index_elements=keys)
