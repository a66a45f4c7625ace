"""What each school system says of each person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "records",
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("record_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("enrolled", sa.Boolean(), nullable=False),
        sa.Column("numbered", sa.Boolean(), nullable=False),
        sa.Column("sealed_record", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_records_pupil_id")),
        sa.PrimaryKeyConstraint("system", "record_index", name=op.f("pk_records")),
    )
    op.create_index(op.f("ix_records_pupil_id"), "records", ["pupil_id"], unique=False)
    op.create_index(op.f("ix_records_system_person_index"), "records", ["system", "person_index"], unique=False)
    op.create_table(
        "units",
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("unit_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_unit", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("system", "unit_index", name=op.f("pk_units")),
    )
    for table in ("imports", "held_leavings"):
        op.add_column(table, sa.Column("system", sa.String(length=40), server_default="main", nullable=False))
    op.add_column("imports", sa.Column("retired", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("imports", sa.Column("seen_on", sa.Date(), nullable=True))
    op.execute(sa.text("UPDATE imports SET seen_on = as_of"))
    with op.batch_alter_table("imports") as imports:
        imports.alter_column("seen_on", existing_type=sa.Date(), nullable=False)
    op.add_column("mass_start_days", sa.Column("system", sa.String(length=40), server_default="main", nullable=False))
    with op.batch_alter_table("mass_start_days") as days:
        days.drop_constraint(op.f("pk_mass_start_days"), type_="primary")
        days.create_primary_key(op.f("pk_mass_start_days"), ["system", "day"])
        days.alter_column("system", existing_type=sa.String(length=40), server_default=None)
    op.add_column("pupils", sa.Column("live", sa.Boolean(), server_default=sa.false(), nullable=False))
    # Whoever was in the newest export is in the newest roster; what it said comes again with the next import.
    op.execute(sa.text("UPDATE pupils SET live = (observation_index IS NOT NULL)"))
    with op.batch_alter_table("pupils") as pupils:
        pupils.drop_column("observation_index")
