"""Routines and the checklists of case files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "routine_versions",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_routine_versions")),
    )
    op.create_table(
        "routine_runs",
        sa.Column("file_id", sa.LargeBinary(16), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("began_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("outlives_close", sa.Boolean(), nullable=False),
        sa.CheckConstraint("run >= 1", name=op.f("ck_routine_runs_run_positive")),
        sa.ForeignKeyConstraint(["file_id"], ["files.file_id"], name=op.f("fk_routine_runs_file_id_files")),
        sa.ForeignKeyConstraint(
            ["digest"], ["routine_versions.digest"], name=op.f("fk_routine_runs_digest_routine_versions")
        ),
        sa.PrimaryKeyConstraint("file_id", "run", name=op.f("pk_routine_runs")),
    )
    op.create_table(
        "routine_steps",
        sa.Column("file_id", sa.LargeBinary(16), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("step_id", sa.String(64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("counts_as", sa.String(16)),
        sa.Column("begun_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("done_on", sa.Date()),
        sa.Column("outcome", sa.String(64)),
        sa.Column("position", sa.Integer()),
        sa.CheckConstraint("(done_on IS NULL) = (outcome IS NULL)", name=op.f("ck_routine_steps_done_whole")),
        sa.CheckConstraint("round >= 1", name=op.f("ck_routine_steps_round_positive")),
        sa.ForeignKeyConstraint(
            ["file_id", "run"],
            ["routine_runs.file_id", "routine_runs.run"],
            name=op.f("fk_routine_steps_file_id_routine_runs"),
        ),
        sa.PrimaryKeyConstraint("file_id", "run", "step_id", "round", name=op.f("pk_routine_steps")),
    )
    op.create_index(op.f("ix_routine_steps_due_on"), "routine_steps", ["due_on"])
    op.create_index(op.f("ix_routine_steps_done_on"), "routine_steps", ["done_on"])
