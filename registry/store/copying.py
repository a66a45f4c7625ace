"""What copies of the registry's store need to know of it; how they are made and read: `federation.copying`."""

from __future__ import annotations

from sqlalchemy import Connection, text

from federation.copying import Kind
from registry.store.schema_epochs import epochs
from registry.store.schema_ledger import ledger_nodes
from registry.store.whole import metadata

REGISTRY = Kind(
    role="registry",
    package="registry.store",
    metadata=metadata,
    marks=frozenset({"mailboxes", "sequence", "signals"}),
    content=(metadata.tables["signals"], metadata.tables["members"], ledger_nodes, epochs),
)


def others_at_work(tx: Connection) -> int:
    """How many other sessions a PostgreSQL database has, of whatever replica or tool; none on SQLite."""
    if tx.dialect.name != "postgresql":
        return 0
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    number: int = tx.execute(text(query)).scalar_one()
    return number
