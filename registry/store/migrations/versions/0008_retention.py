"""What retention has to find: days, and marks of what was purged; and the child-year ids that outlast it."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention_round",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("closed_on", sa.Date()),
        sa.Column("step", sa.String(20)),
        sa.Column("after", sa.LargeBinary()),
        sa.CheckConstraint("id = 1", name=op.f("ck_retention_round_single_row")),
        sa.CheckConstraint("after IS NULL OR step IS NOT NULL", name=op.f("ck_retention_round_after_a_step")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_round")),
    )
    op.add_column("signals", sa.Column("purged_on", sa.Date()))
    op.add_column("cases", sa.Column("child_year_id", sa.LargeBinary(16)))
    # Which cases of before were one child's is left open: each counts for itself.
    cases = sa.table("cases", sa.column("case_id", sa.LargeBinary()), sa.column("child_year_id", sa.LargeBinary()))
    for case_id in op.get_bind().scalars(sa.select(cases.c.case_id)).all():
        op.execute(sa.update(cases).where(cases.c.case_id == case_id).values(child_year_id=secrets.token_bytes(16)))
    with op.batch_alter_table("cases") as altered:
        altered.alter_column("child_year_id", existing_type=sa.LargeBinary(16), nullable=False)
    op.create_index(
        "ix_gaps_case_id",
        "gaps",
        ["case_id"],
        sqlite_where=sa.text("case_id IS NOT NULL"),
        postgresql_where=sa.text("case_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_batches_received_on"), "batches")
