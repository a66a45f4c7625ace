"""Leases: which replica does the close's work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("closes", sa.Column("working", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("closes", sa.Column("next_portion", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    working = sa.text("working")
    op.create_index(
        "uq_closes_working", "closes", ["working"], unique=True, postgresql_where=working, sqlite_where=working
    )
    op.create_table(
        "portions",
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seeds", sa.LargeBinary(), nullable=False),
        sa.Column("handles", sa.Integer(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(token = 0) = (leased_until IS NULL)", name=op.f("ck_portions_taken_whole")),
        sa.ForeignKeyConstraint(["closed_on"], ["closes.closed_on"], name=op.f("fk_portions_closed_on")),
        sa.PrimaryKeyConstraint("closed_on", "number", name=op.f("pk_portions")),
    )
    with op.batch_alter_table("dirty") as dirty:
        dirty.alter_column("mark", type_=sa.BigInteger(), existing_type=sa.Integer(), existing_nullable=False)
