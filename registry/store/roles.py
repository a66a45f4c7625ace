"""What the registry's login may do on PostgreSQL: whatever its work takes, and nothing to the ledger's past.

Invariants
    - The app role owns nothing: it changes no table, and it can neither update nor delete a row of the ledger.
    - What retention purges from the ledger it purges through functions of the owner, which empty rows and do nothing
      else; the hashes stay, and whatever is emptied without an entry that lists it is found by `upprop ledger verify`.
"""

from __future__ import annotations

from sqlalchemy import text

from federation.database import Database
from registry.store.schema import metadata
from registry.store.schema_ledger import ledger_batches, ledger_entries, ledger_hours, ledger_nodes, ledger_signals

APPEND_ONLY = frozenset({ledger_nodes, ledger_batches, ledger_signals, ledger_hours, ledger_entries})
_VERSION_TABLE = "alembic_version"


def grant(database: Database, app: str) -> None:
    """Give the app role exactly its rights, whatever it had before. Does nothing on SQLite, which has no roles."""
    if database.is_sqlite:
        return
    with database.transaction("grant") as tx:
        quote = tx.dialect.identifier_preparer.quote
        role, schema = quote(app), quote(tx.execute(text("SELECT current_schema()")).scalar_one())
        for statement in (
            f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {role}",
            f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC, {role}",
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}",
            f"GRANT SELECT ON {_VERSION_TABLE} TO {role}",
        ):
            tx.execute(text(statement))
        for table in metadata.sorted_tables:
            rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
            tx.execute(text(f"GRANT {rights} ON {quote(table.name)} TO {role}"))
