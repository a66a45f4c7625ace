"""Drills are marked, so that no statistics count them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("signals", "cases"):
        op.add_column(table, sa.Column("drill", sa.Boolean(), server_default=sa.false(), nullable=False))
