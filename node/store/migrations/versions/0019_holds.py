"""Withdrawals that wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("hold_id", sa.LargeBinary(16), nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(16), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("state_since", sa.Date(), nullable=False),
        sa.Column("released_by", sa.String(16)),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.Column("told", sa.String(16)),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("tell_at", Instant()),
        sa.CheckConstraint("state IN ('HELD', 'RELEASED', 'CANCELLED')", name=op.f("ck_holds_state")),
        sa.CheckConstraint("(state = 'RELEASED') = (released_by IS NOT NULL)", name=op.f("ck_holds_released")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_holds_pupil_id_pupils")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_pupil_id"), "holds", ["pupil_id"])
    op.create_index(op.f("ix_holds_state"), "holds", ["state"])
    op.create_index(op.f("ix_holds_tell_at"), "holds", ["tell_at"])
