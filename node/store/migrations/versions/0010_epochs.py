"""Under which epochs everything was stated, and the versions that do nothing but say it once more under another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("node_state", sa.Column("stated_epochs", sa.String(255)))
    op.add_column("versions", sa.Column("repeats", sa.Boolean(), server_default=sa.false(), nullable=False))
