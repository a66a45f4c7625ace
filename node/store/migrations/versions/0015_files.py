"""Case files: one for each gap that was ever open, and those opened without one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("file_id", sa.LargeBinary(16), nullable=False),
        sa.Column("reference", sa.String(12), nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(16)),
        sa.Column("handle", sa.LargeBinary(16)),
        sa.Column("number", sa.Integer()),
        sa.Column("opened_for", sa.String(16), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("status_since", sa.Date(), nullable=False),
        sa.Column("suspended_until", sa.Date()),
        sa.Column("outcome", sa.String(24)),
        sa.Column("classification", sa.String(32), nullable=False, server_default=sa.text("'UNDETERMINED'")),
        sa.Column("absence", sa.String(16), nullable=False, server_default=sa.text("'UNDECIDED'")),
        sa.Column("responsible_role", sa.String(24), nullable=False),
        sa.Column("sealed_content", sa.LargeBinary()),
        sa.Column("gap_state", sa.String(16)),
        sa.Column("closed_on", sa.Date()),
        sa.Column("shredded_on", sa.Date()),
        sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.CheckConstraint("(handle IS NULL) = (number IS NULL)", name=op.f("ck_files_gap_whole")),
        sa.CheckConstraint("(status = 'CLOSED') = (closed_on IS NOT NULL)", name=op.f("ck_files_closed")),
        sa.CheckConstraint("(status = 'CLOSED') = (outcome IS NOT NULL)", name=op.f("ck_files_outcome")),
        sa.CheckConstraint("(status = 'SUSPENDED') = (suspended_until IS NOT NULL)", name=op.f("ck_files_suspended")),
        sa.CheckConstraint(
            "shredded_on IS NULL OR (pupil_id IS NULL AND closed_on IS NOT NULL)", name=op.f("ck_files_shredded")
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_files")),
    )
    op.create_index("uq_files_reference", "files", ["reference"], unique=True)
    op.create_index("uq_files_gap", "files", ["handle", "number"], unique=True)
    op.create_index(op.f("ix_files_pupil_id"), "files", ["pupil_id"])
    op.create_index(op.f("ix_files_closed_on"), "files", ["closed_on"])
