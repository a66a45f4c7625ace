"""When the store was made of a copy, and until when it waits for what members send again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "restores",
        sa.Column("restore_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("restored_at", Instant(), nullable=False),
        sa.Column("copied_at", Instant()),
        sa.Column("leaves", sa.BigInteger(), nullable=False),
        sa.Column("signed_leaves", sa.BigInteger()),
        sa.Column("held_until", Instant(), nullable=False),
        sa.CheckConstraint("leaves >= 0 AND signed_leaves >= 0", name=op.f("ck_restores_leaves_counted")),
        sa.PrimaryKeyConstraint("restore_id", name=op.f("pk_restores")),
    )
