"""School systems that push."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "moved_pupils",
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("system", "pupil_id", name=op.f("pk_moved_pupils")),
    )
    op.create_table(
        "client_keys",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("key_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key_sha256", name=op.f("pk_client_keys")),
    )
    op.create_index(op.f("ix_client_keys_name"), "client_keys", ["name"], unique=False)
    op.create_table(
        "pushes",
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "request_id", name=op.f("pk_pushes")),
    )
    op.create_index(op.f("ix_pushes_received_at"), "pushes", ["received_at"], unique=False)
    op.create_table(
        "roster_parts",
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("roster_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_persons", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("system", "part", name=op.f("pk_roster_parts")),
    )
