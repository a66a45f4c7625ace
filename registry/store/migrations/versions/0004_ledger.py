"""The ledger: its tree, what its leaves hold, and what waits for the hour's leaf."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_nodes",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("node_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.CheckConstraint("level >= 0 AND node_index >= 0", name=op.f("ck_ledger_nodes_place_positive")),
        sa.PrimaryKeyConstraint("level", "node_index", name=op.f("pk_ledger_nodes")),
    )
    op.create_table(
        "ledger_batches",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bundle", sa.LargeBinary(16), nullable=False),
        sa.Column("stored_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("answer_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("claim_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("member", sa.String(32)),
        sa.Column("batch_id", sa.LargeBinary(16)),
        sa.Column("salt", sa.LargeBinary(32)),
        sa.Column("batch_digest", sa.LargeBinary(32)),
        sa.Column("signature", sa.LargeBinary()),
        sa.Column("signer", sa.LargeBinary()),
        sa.CheckConstraint("(salt IS NULL) = (signature IS NULL)", name=op.f("ck_ledger_batches_purged_whole")),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_ledger_batches")),
        sa.UniqueConstraint("bundle", name=op.f("uq_ledger_batches_bundle")),
    )
    op.create_table(
        "ledger_signals",
        sa.Column("bundle", sa.LargeBinary(16), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("salt", sa.LargeBinary(32)),
        sa.Column("ref", sa.LargeBinary(16)),
        sa.Column("version", sa.BigInteger()),
        sa.Column("content_digest", sa.LargeBinary(32)),
        sa.CheckConstraint(
            "(salt IS NULL) = (ref IS NULL) AND (salt IS NULL) = (content_digest IS NULL)",
            name=op.f("ck_ledger_signals_purged_whole"),
        ),
        sa.PrimaryKeyConstraint("bundle", "position", name=op.f("pk_ledger_signals")),
    )
    op.create_index(op.f("ix_ledger_signals_ref"), "ledger_signals", ["ref"])
    op.create_table(
        "ledger_hours",
        sa.Column("hour", Instant(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False),
        sa.Column("bundle", sa.LargeBinary(16), nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("hour", name=op.f("pk_ledger_hours")),
        sa.UniqueConstraint("bundle", name=op.f("uq_ledger_hours_bundle")),
        sa.UniqueConstraint("leaf_index", name=op.f("uq_ledger_hours_leaf_index")),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("bundle", sa.LargeBinary(16), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("salt", sa.LargeBinary(32)),
        sa.Column("kind", sa.String(16)),
        sa.Column("subject", sa.LargeBinary(16)),
        sa.Column("content", sa.LargeBinary()),
        sa.CheckConstraint(
            "(salt IS NULL) = (kind IS NULL) AND (salt IS NULL) = (content IS NULL)",
            name=op.f("ck_ledger_entries_purged_whole"),
        ),
        sa.PrimaryKeyConstraint("bundle", "position", name=op.f("pk_ledger_entries")),
    )
    op.create_index(op.f("ix_ledger_entries_subject"), "ledger_entries", ["subject"])
    op.create_table(
        "ledger_pending",
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.LargeBinary(16)),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("salt", name=op.f("pk_ledger_pending")),
    )
    op.create_index(op.f("ix_ledger_pending_subject"), "ledger_pending", ["subject"])
    op.create_table(
        "ledger_cosignatures",
        sa.Column("evaluator", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("evaluator", name=op.f("pk_ledger_cosignatures")),
    )
    with op.batch_alter_table("sequence") as sequence:
        sequence.add_column(sa.Column("tree_size", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
        sequence.add_column(sa.Column("frontier", sa.LargeBinary(), server_default=sa.text("''"), nullable=False))
    # Null: taken before there was a ledger.
    op.add_column("batches", sa.Column("leaf_index", sa.BigInteger()))
