"""The roll call: pseudonyms of gaps that are soon due, for as long as they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roll_call_offers",
        sa.Column("ref", sa.LargeBinary(16), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("keyed", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["signals.ref"], name=op.f("fk_roll_call_offers_ref"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ref", "number", "epoch", "keyed", name=op.f("pk_roll_call_offers")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "roll_call_lists",
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("closed_on", "part", name=op.f("pk_roll_call_lists")),
        sqlite_with_rowid=False,
    )
