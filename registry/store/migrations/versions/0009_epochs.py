"""Epochs as closes have seen them begin and end, and as their keys were destroyed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "epochs",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("begun_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("destroyed_at", Instant()),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_epochs")),
    )
