"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("charged_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("member", "request_id", name=op.f("pk_requests")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_requests_charged_on"), "requests", ["charged_on"], unique=False)
    op.create_table(
        "usage",
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("elements", sa.Integer(), nullable=False),
        sa.CheckConstraint("elements >= 0", name=op.f("ck_usage_elements_counted")),
        sa.PrimaryKeyConstraint("member", "day", name=op.f("pk_usage")),
        sqlite_with_rowid=False,
    )
