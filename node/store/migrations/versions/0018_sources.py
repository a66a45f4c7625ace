"""Attendance, residents, and what comes up from them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tasks",
        sa.Column("task_id", sa.LargeBinary(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(16)),
        sa.Column("subject_index", sa.LargeBinary(32), nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("settled_on", sa.Date()),
        sa.Column("again_on", sa.Date()),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_tasks_pupil_id_pupils")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_tasks")),
    )
    op.create_index("uq_tasks_subject_index", "tasks", ["subject_index"], unique=True)
    op.create_index(op.f("ix_tasks_state_due_on"), "tasks", ["state", "due_on"])
    op.create_index(op.f("ix_tasks_pupil_id"), "tasks", ["pupil_id"])
    op.create_table(
        "attendance",
        sa.Column("pupil_id", sa.LargeBinary(16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mark", sa.String(8), nullable=False),
        sa.Column("unit_index", sa.LargeBinary(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_attendance_pupil_id_pupils"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pupil_id", "day", name=op.f("pk_attendance")),
    )
    op.create_index(op.f("ix_attendance_day"), "attendance", ["day"])
    op.create_table(
        "source_imports",
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "system", name=op.f("pk_source_imports")),
    )
    op.create_table(
        "source_remarks",
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(100), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "system", "position", name=op.f("pk_source_remarks")),
    )
    op.create_table(
        "refusals",
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("refused_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_refusals")),
    )
