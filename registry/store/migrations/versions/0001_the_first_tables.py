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
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("batch_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("member", "batch_id", name=op.f("pk_batches")),
    )
    op.create_index(op.f("ix_batches_received_on"), "batches", ["received_on"], unique=False)

    op.create_table(
        "cases",
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("lead", sa.String(length=32), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("closed_on >= opened_on", name=op.f("ck_cases_closes_after_opening")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_cases")),
    )
    op.create_table(
        "closes",
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("descriptor_serial", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("through_position", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(finished_at IS NULL) = (through_position IS NULL)", name=op.f("ck_closes_finished_whole")),
        sa.PrimaryKeyConstraint("closed_on", name=op.f("pk_closes")),
    )
    op.create_table(
        "mailboxes",
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("acked_number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "acked_number >= 0 AND acked_number <= last_number", name=op.f("ck_mailboxes_acked_was_given")
        ),
        sa.PrimaryKeyConstraint("member", name=op.f("pk_mailboxes")),
    )
    op.create_table(
        "members",
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("last_contact", sa.Date(), nullable=True),
        sa.Column("roster", sa.Integer(), nullable=True),
        sa.CheckConstraint("(last_contact IS NULL) = (roster IS NULL)", name=op.f("ck_members_reported_together")),
        sa.CheckConstraint("roster % 50 = 0", name=op.f("ck_members_roster_in_steps")),
        sa.PrimaryKeyConstraint("member", name=op.f("pk_members")),
    )
    op.create_table(
        "notices",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=True),
        sa.Column("opening_number", sa.BigInteger(), nullable=True),
        sa.Column("case_name", sa.LargeBinary(length=16), nullable=True),
        sa.Column("coverage_incomplete", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('OPENED', 'ANSWERED', 'REOPENED', 'LINKED', 'LEAD', 'CONFIRM', "
            "'RELEASED', 'DESCRIPTOR', 'EPOCH', 'ENDED', 'VOIDED')",
            name=op.f("ck_notices_kind"),
        ),
        sa.CheckConstraint("position >= 1 AND number >= 1", name=op.f("ck_notices_numbers_positive")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_notices")),
        sa.UniqueConstraint("member", "number", name=op.f("uq_notices_member_number")),
    )
    op.create_table(
        "sequence",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next_position", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_sequence_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sequence")),
    )
    op.create_table(
        "signals",
        sa.Column("ref", sa.LargeBinary(length=16), nullable=False),
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("retracted", sa.Boolean(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_signals_version_positive")),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_signals")),
        sa.UniqueConstraint("member", "handle", name=op.f("uq_signals_member_handle")),
    )
    op.create_table(
        "case_names",
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("name", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name=op.f("fk_case_names_case_id")),
        sa.PrimaryKeyConstraint("case_id", "member", name=op.f("pk_case_names")),
        sa.UniqueConstraint("name", name=op.f("uq_case_names_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dirty",
        sa.Column("ref", sa.LargeBinary(length=16), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["signals.ref"], name=op.f("fk_dirty_ref")),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_dirty")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gaps",
        sa.Column("ref", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("urgency", sa.String(length=16), nullable=False),
        sa.Column("planned_start", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_since", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answer_member", sa.String(length=32), nullable=True),
        sa.Column("answer_handle", sa.LargeBinary(length=16), nullable=True),
        sa.Column("answer_entered_on", sa.Date(), nullable=True),
        sa.Column("told", sa.String(length=16), nullable=True),
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("linked", sa.Boolean(), nullable=False),
        sa.Column("leads", sa.Boolean(), nullable=False),
        sa.Column("coverage_incomplete", sa.Boolean(), nullable=False),
        sa.Column("recheck_on", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('LEFT', 'NOT_PLACED', 'HELD')", name=op.f("ck_gaps_kind")),
        sa.CheckConstraint(
            "state <> 'OPEN' OR (told IS NOT NULL AND case_id IS NOT NULL)", name=op.f("ck_gaps_open_is_told")
        ),
        sa.CheckConstraint("state = 'OPEN' OR (NOT linked AND NOT leads)", name=op.f("ck_gaps_case_role_open")),
        sa.CheckConstraint("state IN ('WATCH', 'OPEN', 'ANSWERED', 'ENDED', 'VOID')", name=op.f("ck_gaps_state")),
        sa.CheckConstraint("told IN ('OPEN', 'ANSWERED', 'ENDED', 'VOID')", name=op.f("ck_gaps_told")),
        sa.CheckConstraint("urgency = 'NORMAL' OR planned_start IS NULL", name=op.f("ck_gaps_planned_start_normal")),
        sa.CheckConstraint("urgency IN ('NORMAL', 'IMMEDIATE')", name=op.f("ck_gaps_urgency")),
        sa.CheckConstraint("(answer_member IS NULL) = (answer_handle IS NULL)", name=op.f("ck_gaps_answer_whole")),
        sa.CheckConstraint(
            "answer_member IS NOT NULL OR answer_entered_on IS NULL", name=op.f("ck_gaps_entered_by_answer")
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_gaps_number_positive")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name=op.f("fk_gaps_case_id")),
        sa.ForeignKeyConstraint(["ref"], ["signals.ref"], name=op.f("fk_gaps_ref")),
        sa.PrimaryKeyConstraint("ref", "number", name=op.f("pk_gaps")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_gaps_recheck_on", "gaps", ["recheck_on", "ref"], unique=False)

    op.create_table(
        "pseudonyms",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("keyed", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ref", sa.LargeBinary(length=16), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["signals.ref"], name=op.f("fk_pseudonyms_ref")),
        sa.PrimaryKeyConstraint("epoch", "keyed", "ref", name=op.f("pk_pseudonyms")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_pseudonyms_ref"), "pseudonyms", ["ref"], unique=False)

    op.create_table(
        "confirmations",
        sa.Column("ref", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("asked_ref", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["asked_ref"], ["signals.ref"], name=op.f("fk_confirmations_asked_ref")),
        sa.ForeignKeyConstraint(["ref", "number"], ["gaps.ref", "gaps.number"], name=op.f("fk_confirmations_ref")),
        sa.PrimaryKeyConstraint("ref", "number", "asked_ref", name=op.f("pk_confirmations")),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO sequence (id) VALUES (1)")
