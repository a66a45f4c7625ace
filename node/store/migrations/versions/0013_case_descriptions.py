"""Which cases the registry was told age band and sex for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_descriptions",
        sa.Column("handle", sa.LargeBinary(16), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("described_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handle", "number"],
            ["gaps.handle", "gaps.number"],
            name=op.f("fk_case_descriptions_handle"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("handle", "number", name=op.f("pk_case_descriptions")),
    )
