"""The journal of case files, attachments, who looked, and what was shredded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case_files", sa.Column("shredded", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "journal",
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("file_id", sa.LargeBinary(16), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("sealed_entry", sa.LargeBinary()),
        sa.Column("entry_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("chain_index", sa.LargeBinary(32), nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_journal_position_positive")),
        sa.ForeignKeyConstraint(["file_id"], ["files.file_id"], name=op.f("fk_journal_file_id_files")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_journal")),
    )
    op.create_index(op.f("ix_journal_file_id_position"), "journal", ["file_id", "position"])
    head = op.create_table(
        "journal_head",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("position", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("chain_index", sa.LargeBinary(32), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_journal_head_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_head")),
    )
    op.bulk_insert(head, [{"id": 1, "position": 0, "chain_index": bytes(32)}])
    op.create_table(
        "attachments",
        sa.Column("attachment_id", sa.LargeBinary(16), nullable=False),
        sa.Column("file_id", sa.LargeBinary(16), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary()),
        sa.Column("sealed_content", sa.LargeBinary()),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.file_id"], name=op.f("fk_attachments_file_id_files")),
        sa.PrimaryKeyConstraint("attachment_id", name=op.f("pk_attachments")),
    )
    op.create_index(op.f("ix_attachments_file_id"), "attachments", ["file_id"])
    op.create_table(
        "file_views",
        sa.Column("view_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.LargeBinary(16), nullable=False),
        sa.Column("viewed_at", Instant(), nullable=False),
        sa.Column("works_cases", sa.Boolean(), nullable=False),
        sa.Column("sealed_view", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.file_id"], name=op.f("fk_file_views_file_id_files")),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_file_views")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_file_views_file_id"), "file_views", ["file_id"])
    op.create_index(op.f("ix_file_views_viewed_at"), "file_views", ["viewed_at"])
