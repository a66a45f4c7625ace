"""Drills."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pupils", sa.Column("drill", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("pseudonyms", sa.Column("evaluators", sa.String(length=40), nullable=True))
    op.create_table(
        "drills",
        sa.Column("drill_id", sa.Integer(), nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_step", sa.String(length=16), nullable=True),
        sa.Column("fault", sa.String(length=16), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_drills_pupil_id")),
        sa.PrimaryKeyConstraint("drill_id", name=op.f("pk_drills")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_drills_running",
        "drills",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'RUNNING'"),
        postgresql_where=sa.text("state = 'RUNNING'"),
    )
    op.create_table(
        "drill_steps",
        sa.Column("drill_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["drill_id"], ["drills.drill_id"], name=op.f("fk_drill_steps_drill_id")),
        sa.PrimaryKeyConstraint("drill_id", "step", name=op.f("pk_drill_steps")),
    )
