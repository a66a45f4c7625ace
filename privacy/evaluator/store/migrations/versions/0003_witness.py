"""The newest checkpoint this evaluator has seen as a witness of the registry's ledger, and what it refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "witnessed",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.Column("cosigned_at", Instant(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_witnessed_single_row")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_witnessed_size_counted")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_witnessed")),
    )
    op.create_table(
        "witness_refusals",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.Column("seen", sa.LargeBinary(), nullable=False),
        sa.Column("refused_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("size", "root", name=op.f("pk_witness_refusals")),
        sqlite_with_rowid=False,
    )
