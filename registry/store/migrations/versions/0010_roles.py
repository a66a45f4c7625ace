"""Functions of the owner by which the app's role empties what retention purges from the ledger (store.roles)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_FUNCTIONS = {
    "ledger_empty_signals(purged bytea[]) RETURNS void": (
        "UPDATE ledger_signals SET salt = NULL, ref = NULL, version = NULL, content_digest = NULL "
        "WHERE ref = ANY(purged)"
    ),
    "ledger_empty_entries(purged bytea[]) RETURNS void": (
        "UPDATE ledger_entries SET salt = NULL, kind = NULL, subject = NULL, content = NULL WHERE subject = ANY(purged)"
    ),
    "ledger_empty_batches(purged bigint[]) RETURNS SETOF bigint": (
        "UPDATE ledger_batches b SET member = NULL, batch_id = NULL, salt = NULL, batch_digest = NULL, "
        "signature = NULL, signer = NULL WHERE leaf_index = ANY(purged) AND NOT EXISTS "
        "(SELECT FROM ledger_signals s WHERE s.bundle = b.bundle AND s.ref IS NOT NULL) RETURNING leaf_index"
    ),
}


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    schema = connection.dialect.identifier_preparer.quote(connection.scalar(sa.text("SELECT current_schema()")))
    for signature, body in _FUNCTIONS.items():
        # A schema named first, so that no table of the caller's own is taken for ours.
        op.execute(
            f"CREATE FUNCTION {signature} LANGUAGE sql SECURITY DEFINER SET search_path = {schema}, pg_temp "
            f"AS $$ {body} $$"
        )
