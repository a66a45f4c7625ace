"""The roll call: pupils who were called, how far the lists were read, and what of the quota was spent on it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roll_call_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_roll_call_state_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_call_state")),
    )
    op.create_table(
        "roll_call_hits",
        sa.Column("pupil_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("begun_since", sa.Date(), nullable=False),
        sa.Column("called_on", sa.Date(), nullable=False),
        sa.Column("doubted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_roll_call_hits_pupil_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pupil_id", "begun_since", name=op.f("pk_roll_call_hits")),
    )
    op.create_table(
        "roll_call_quota",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("numbers", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_roll_call_quota")),
    )
