"""What members say of their case files, and leads handed over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_STATUSES = (
    "'NEW', 'ACKNOWLEDGED', 'SCHOOL_ENQUIRY', 'CROSS_ENQUIRY', 'ESCALATED', 'ABROAD_FOLLOW_UP', 'SUSPENDED', "
    "'REOPENED', 'CLOSED'"
)
_OUTCOMES = "'ENROLLED_ELSEWHERE', 'PLACED', 'NO_LONGER_DUE', 'EMIGRATED', 'RETURNED', 'DECEASED', 'DATA_ERROR'"


def upgrade() -> None:
    op.create_table(
        "case_statements",
        sa.Column("ref", sa.LargeBinary(16), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("until", sa.Date()),
        sa.Column("outcome", sa.String(24)),
        sa.Column("offers_lead", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("takes_lead", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("stated_on", sa.Date(), nullable=False),
        sa.CheckConstraint("number >= 1 AND version >= 1", name=op.f("ck_case_statements_numbers_positive")),
        sa.CheckConstraint(f"status IN ({_STATUSES})", name=op.f("ck_case_statements_status")),
        sa.CheckConstraint(f"outcome IN ({_OUTCOMES})", name=op.f("ck_case_statements_outcome")),
        sa.CheckConstraint("(status = 'SUSPENDED') = (until IS NOT NULL)", name=op.f("ck_case_statements_until")),
        sa.CheckConstraint("(status = 'CLOSED') = (outcome IS NOT NULL)", name=op.f("ck_case_statements_closed")),
        sa.ForeignKeyConstraint(["ref"], ["signals.ref"], name=op.f("fk_case_statements_ref"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ref", "number", name=op.f("pk_case_statements")),
        sqlite_with_rowid=False,
    )
    op.add_column("cases", sa.Column("handed_to", sa.String(32)))
    op.add_column("cases", sa.Column("lead_since", sa.Date()))
