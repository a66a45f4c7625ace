"""Fetches from school systems' APIs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "system_fetches",
        sa.Column("fetch_id", sa.Integer(), nullable=False),
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("source_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=40), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("fetch_id", name=op.f("pk_system_fetches")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_system_fetches_system_state"), "system_fetches", ["system", "state"], unique=False)
    op.create_table(
        "system_pages",
        sa.Column("fetch_id", sa.Integer(), nullable=False),
        sa.Column("list", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("elements", sa.Integer(), nullable=False),
        sa.Column("sealed_page", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_token", sa.LargeBinary(), nullable=True),
        sa.Column("token_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("page_index", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(["fetch_id"], ["system_fetches.fetch_id"], name=op.f("fk_system_pages_fetch_id")),
        sa.PrimaryKeyConstraint("fetch_id", "list", "position", name=op.f("pk_system_pages")),
        sa.UniqueConstraint("fetch_id", "list", "token_index", name=op.f("uq_system_pages_fetch_id_list_token_index")),
        sa.UniqueConstraint("fetch_id", "list", "page_index", name=op.f("uq_system_pages_fetch_id_list_page_index")),
    )
