"""Contact between members."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contact_requests",
        sa.Column("member", sa.String(32), nullable=False),
        sa.Column("request_id", sa.LargeBinary(16), nullable=False),
        sa.Column("ref", sa.LargeBinary(16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("lapses_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["signals.ref"], name=op.f("fk_contact_requests_ref"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("member", "request_id", name=op.f("pk_contact_requests")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_contact_requests_ref_number"), "contact_requests", ["ref", "number"])
    op.create_table(
        "contacts",
        sa.Column("contact_id", sa.LargeBinary(16), nullable=False),
        sa.Column("asking", sa.String(32), nullable=False),
        sa.Column("request_id", sa.LargeBinary(16), nullable=False),
        sa.Column("asked", sa.String(32), nullable=False),
        sa.Column("asked_ref", sa.LargeBinary(16), nullable=False),
        sa.Column("asked_number", sa.BigInteger(), nullable=False),
        sa.Column("accepted_on", sa.Date()),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("signature", sa.LargeBinary()),
        sa.Column("public_key", sa.LargeBinary()),
        sa.Column("greeting", sa.LargeBinary()),
        sa.Column("asking_sent", sa.BigInteger(), nullable=False),
        sa.Column("asked_sent", sa.BigInteger(), nullable=False),
        sa.Column("asking_last", sa.LargeBinary(16)),
        sa.Column("asked_last", sa.LargeBinary(16)),
        sa.Column("asking_has", sa.BigInteger(), nullable=False),
        sa.Column("asked_has", sa.BigInteger(), nullable=False),
        sa.Column("touched_on", sa.Date(), nullable=False),
        sa.CheckConstraint("(accepted_on IS NULL) = (content IS NULL)", name=op.f("ck_contacts_accepted_whole")),
        sa.CheckConstraint("asking <> asked", name=op.f("ck_contacts_two_members")),
        sa.ForeignKeyConstraint(
            ["asking", "request_id"],
            ["contact_requests.member", "contact_requests.request_id"],
            name=op.f("fk_contacts_asking"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["asked_ref"], ["signals.ref"], name=op.f("fk_contacts_asked_ref"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contacts")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_contacts_asking_request_id_asked"), "contacts", ["asking", "request_id", "asked"], unique=True
    )
    op.create_index(op.f("ix_contacts_asked"), "contacts", ["asked"])
    op.create_index(op.f("ix_contacts_asked_ref"), "contacts", ["asked_ref"])
    op.create_table(
        "contact_messages",
        sa.Column("contact_id", sa.LargeBinary(16), nullable=False),
        sa.Column("by_asking", sa.Boolean(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contacts.contact_id"],
            name=op.f("fk_contact_messages_contact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("contact_id", "by_asking", "sequence", name=op.f("pk_contact_messages")),
        sqlite_with_rowid=False,
    )
