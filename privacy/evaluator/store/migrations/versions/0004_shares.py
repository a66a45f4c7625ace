"""Which shares were destroyed here, so that a restored backup does not bring one back into service."""

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
        "destroyed_shares",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("destroyed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "version", "commitment", name=op.f("pk_destroyed_shares")),
        sqlite_with_rowid=False,
    )
