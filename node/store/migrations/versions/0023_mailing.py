"""Who is on duty, and the mail to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duties",
        sa.Column("duty_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date()),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("place IN (1, 2)", name=op.f("ck_duties_place")),
        sa.CheckConstraint("until_on IS NULL OR until_on >= from_on", name=op.f("ck_duties_ends_after_it_begins")),
        sa.PrimaryKeyConstraint("duty_id", name=op.f("pk_duties")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_duties_until_on"), "duties", ["until_on"])
    op.create_table(
        "mails",
        sa.Column("mail_id", sa.LargeBinary(16), nullable=False),
        sa.Column("occasion", sa.String(16), nullable=False),
        sa.Column("occasion_key", sa.String(80), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.LargeBinary(16)),
        sa.Column("reference", sa.String(16), nullable=False, server_default=sa.text("''")),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant()),
        sa.CheckConstraint("(state = 'WAITING') = (ended_at IS NULL)", name=op.f("ck_mails_ended")),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_mails")),
    )
    op.create_index("uq_mails_occasion", "mails", ["occasion", "occasion_key", "place"], unique=True)
    op.create_index(op.f("ix_mails_state_next_at"), "mails", ["state", "next_at"])
