"""What the registry was told of case files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_statements",
        sa.Column("handle", sa.LargeBinary(16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("until", sa.Date()),
        sa.Column("outcome", sa.String(24)),
        sa.Column("offers_lead", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("takes_lead", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("taken", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("handle", "number", name=op.f("pk_case_statements")),
    )
    op.create_table(
        "lead_wishes",
        sa.Column("file_id", sa.LargeBinary(16), nullable=False),
        sa.Column("offers", sa.Boolean(), nullable=False),
        sa.Column("takes", sa.Boolean(), nullable=False),
        sa.Column("leads", sa.Boolean()),
        sa.ForeignKeyConstraint(["file_id"], ["files.file_id"], name=op.f("fk_lead_wishes_file_id_files")),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_lead_wishes")),
    )
