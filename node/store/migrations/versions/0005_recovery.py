"""A store that has to catch up with the registry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recovery",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("agreed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("restored_import", sa.Integer(), nullable=True),
        sa.Column("restored_as_of", sa.Date(), nullable=True),
        sa.Column("first_contact", sa.Date(), nullable=True),
        sa.Column("last_contact", sa.Date(), nullable=True),
        sa.Column("nameless", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_recovery_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery")),
    )
