"""What the registry's login may do on PostgreSQL: whatever its work takes, and nothing to what must stay as it was.

Invariants
    - The app role owns nothing: it changes no table, and it can neither update nor delete a row of the ledger.
    - It can neither change nor take away a release of the statistics, nor what was spent on it; of a year's budget it
      writes what is spent, never the cap. A further question it answers, and does not change.
    - What retention purges from the ledger it purges through functions of the owner, which empty rows and do nothing
      else; the hashes stay, and whatever is emptied without an entry that lists it is found by `upprop ledger verify`.
"""

from __future__ import annotations

from sqlalchemy import text

from federation.database import Database
from registry.store.schema_ledger import ledger_batches, ledger_entries, ledger_hours, ledger_nodes, ledger_signals
from registry.store.schema_statistics import (
    statistics_askings,
    statistics_budgets,
    statistics_queries,
    statistics_releases,
    statistics_spends,
    statistics_tables,
)
from registry.store.whole import metadata

APPEND_ONLY = frozenset(
    {
        *(ledger_nodes, ledger_batches, ledger_signals, ledger_hours, ledger_entries),
        *(statistics_spends, statistics_releases, statistics_tables, statistics_askings),
    }
)

UPDATED = {
    statistics_budgets: ("spent_nano_rho",),
    statistics_queries: ("answered_at", "value"),
}
"""Tables whose rows are never deleted, and of which these columns alone are written again."""

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
            rights = "SELECT, INSERT"
            if table in UPDATED:
                rights += f", UPDATE ({', '.join(map(quote, UPDATED[table]))})"
            elif table not in APPEND_ONLY:
                rights += ", UPDATE, DELETE"
            tx.execute(text(f"GRANT {rights} ON {quote(table.name)} TO {role}"))
