"""What data subjects asked for: who exported or erased, and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subject_requests",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("pupil_id", sa.LargeBinary(16)),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(state = 'PENDING') = (ended_on IS NULL)", name=op.f("ck_subject_requests_ended")),
        sa.CheckConstraint("(state = 'PENDING') = (pupil_id IS NOT NULL)", name=op.f("ck_subject_requests_nameless")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_subject_requests")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_subject_requests_state"), "subject_requests", ["state"])
