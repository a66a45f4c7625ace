"""What members may ask for beyond their quota."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "allowances",
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("elements", sa.Integer(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.CheckConstraint("elements >= 0", name=op.f("ck_allowances_elements_left")),
        sa.PrimaryKeyConstraint("member", name=op.f("pk_allowances")),
        sqlite_with_rowid=False,
    )
