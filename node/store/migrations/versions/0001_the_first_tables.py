"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batches")),
    )
    op.create_index(op.f("ix_batches_state"), "batches", ["state"], unique=False)

    op.create_table(
        "case_files",
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_by", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("handle", "number", name=op.f("pk_case_files")),
    )
    op.create_table(
        "evaluations",
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_evaluations")),
    )
    op.create_table(
        "fetches",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("tried", sa.Integer(), nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_fetches")),
    )
    op.create_table(
        "held_leavings",
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("unit_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_unit", sa.LargeBinary(), nullable=False),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("wait_school_days", sa.Integer(), nullable=False),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("as_of", "unit_index", name=op.f("pk_held_leavings")),
    )
    op.create_table(
        "imports",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("vanished", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_imports")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_imports_as_of_import_id"), "imports", ["as_of", "import_id"], unique=False)

    op.create_table(
        "mass_start_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_mass_start_days")),
    )
    op.create_table(
        "node_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_check_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("notice_cursor", sa.Integer(), server_default="0", nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("rules_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("roster_reported_as_of", sa.Date(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_node_state_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node_state")),
    )
    op.create_table(
        "notices",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=True),
        sa.Column("opening_number", sa.Integer(), nullable=True),
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("coverage_incomplete", sa.Boolean(), nullable=False),
        sa.Column("handled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_handle_opening_number"), "notices", ["handle", "opening_number"], unique=False)
    op.create_index(op.f("ix_notices_handled"), "notices", ["handled"], unique=False)

    op.create_table(
        "pseudonyms",
        sa.Column("number_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed_value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number_index", "epoch", name=op.f("pk_pseudonyms")),
    )
    op.create_table(
        "pupils",
        sa.Column("pupil_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("sealed_identity", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_history", sa.LargeBinary(), nullable=False),
        sa.Column("observation_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("enrolled_until", sa.Date(), nullable=True),
        sa.Column("route", sa.String(length=16), nullable=False),
        sa.Column("protected", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("recheck_on", sa.Date(), nullable=True),
        sa.Column("dirty", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("in_roster", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("pupil_id", name=op.f("pk_pupils")),
    )
    op.create_index(
        "ix_pupils_dirty",
        "pupils",
        ["dirty"],
        unique=False,
        sqlite_where=sa.text("dirty"),
        postgresql_where=sa.text("dirty"),
    )
    op.create_index(op.f("ix_pupils_recheck_on"), "pupils", ["recheck_on"], unique=False)
    op.create_index("uq_pupils_handle", "pupils", ["handle"], unique=True)
    op.create_index("uq_pupils_number_index", "pupils", ["number_index"], unique=True)

    op.create_table(
        "gaps",
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("urgency", sa.String(length=16), nullable=False),
        sa.Column("planned_start", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("said_on", sa.Date(), nullable=False),
        sa.Column("route", sa.String(length=16), nullable=False),
        sa.Column("stated", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("verdict_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_since", sa.Date(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("lead", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("linked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("coverage_incomplete", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_gaps_pupil_id")),
        sa.PrimaryKeyConstraint("handle", "number", name=op.f("pk_gaps")),
    )
    op.create_index(op.f("ix_gaps_pupil_id"), "gaps", ["pupil_id"], unique=False)
    op.create_index(op.f("ix_gaps_state_due_on"), "gaps", ["state", "due_on"], unique=False)

    op.create_table(
        "number_indexes",
        sa.Column("number_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_number_indexes_pupil_id")),
        sa.PrimaryKeyConstraint("number_index", name=op.f("pk_number_indexes")),
    )
    op.create_index(op.f("ix_number_indexes_pupil_id"), "number_indexes", ["pupil_id"], unique=False)

    op.create_table(
        "person_ids",
        sa.Column("person_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_person_ids_pupil_id")),
        sa.PrimaryKeyConstraint("person_index", name=op.f("pk_person_ids")),
    )
    op.create_index(op.f("ix_person_ids_pupil_id"), "person_ids", ["pupil_id"], unique=False)

    op.create_table(
        "rejected_rows",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.import_id"], name=op.f("fk_rejected_rows_import_id")),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_rejected_rows")),
    )
    op.create_table(
        "retired_handles",
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("retired_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_retired_handles_pupil_id")),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_retired_handles")),
    )
    op.create_index(op.f("ix_retired_handles_pupil_id"), "retired_handles", ["pupil_id"], unique=False)

    op.create_table(
        "sayings",
        sa.Column("saying_id", sa.Integer(), nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.Column("said_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_sayings_pupil_id")),
        sa.PrimaryKeyConstraint("saying_id", name=op.f("pk_sayings")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sayings_pupil_id"), "sayings", ["pupil_id"], unique=False)
    op.create_index(op.f("ix_sayings_state"), "sayings", ["state"], unique=False)

    op.create_table(
        "versions",
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pupil_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed_signal", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("batch_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], name=op.f("fk_versions_batch_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.pupil_id"], name=op.f("fk_versions_pupil_id")),
        sa.PrimaryKeyConstraint("handle", "version", name=op.f("pk_versions")),
    )
    op.create_index(op.f("ix_versions_batch_id"), "versions", ["batch_id"], unique=False)
    op.create_index(op.f("ix_versions_pupil_id"), "versions", ["pupil_id"], unique=False)
    op.create_index(op.f("ix_versions_state"), "versions", ["state"], unique=False)
