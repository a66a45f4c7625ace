"""What the node keeps of the registry's ledger: receipts, the newest checkpoint, alarms; and how each batch was bound.

Batches that were made before bear no key and no digest. One that waits for its answer gets them when it is sent again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batches", sa.Column("batch_key", sa.LargeBinary(length=32), nullable=True))
    op.add_column("batches", sa.Column("digest", sa.LargeBinary(length=32), nullable=True))
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("verified_at", Instant(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_ledger_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    op.create_table(
        "receipts",
        sa.Column("batch_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("batch_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("stored_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("proved", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], name=op.f("fk_receipts_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_receipts")),
    )
    op.create_index(op.f("ix_receipts_proved"), "receipts", ["proved"], unique=False)
    op.create_index(op.f("ix_receipts_leaf_index"), "receipts", ["leaf_index"], unique=False)
    op.create_table(
        "witnesses",
        sa.Column("witness", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("witness", name=op.f("pk_witnesses")),
    )
    op.create_table(
        "alarms",
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("first_index", sa.BigInteger(), nullable=True),
        sa.Column("last_index", sa.BigInteger(), nullable=True),
        sa.Column("witness", sa.Integer(), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.Column("acknowledged_at", Instant(), nullable=True),
        sa.Column("sealed_acknowledged_by", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(acknowledged_at IS NULL) = (sealed_acknowledged_by IS NULL)", name=op.f("ck_alarms_acknowledged_whole")
        ),
        sa.PrimaryKeyConstraint("alarm_id", name=op.f("pk_alarms")),
        sa.UniqueConstraint("subject", name=op.f("uq_alarms_subject")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alarms_acknowledged_at"), "alarms", ["acknowledged_at"], unique=False)
