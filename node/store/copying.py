"""What copies of a node's store need to know of it; how they are made and read: `federation.copying`."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, func, select

from federation.copying import Kind
from node.store import schema_systems
from node.store.recovery import set_restored
from node.store.whole import metadata

NODE = Kind(
    role="node",
    package="node.store",
    metadata=metadata,
    marks=frozenset({"pupils", "node_state"}),
    content=(metadata.tables["pupils"], schema_systems.imports, metadata.tables["versions"]),
)


def newest_import(tx: Connection) -> date | None:
    """The as-of of the newest import in a store."""
    newest: date | None = tx.execute(select(func.max(schema_systems.imports.c.as_of))).scalar()
    return newest


def note_restored(tx: Connection) -> None:
    """Note that whatever store a copy becomes was restored: it asks the registry before it sends."""
    set_restored(tx)
