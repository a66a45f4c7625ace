"""Contact with other members."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.database import Instant

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contact_requests",
        sa.Column("request_id", sa.LargeBinary(16), nullable=False),
        sa.Column("file_id", sa.LargeBinary(16), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("filed_on", sa.Date()),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(state = 'FILED') = (filed_on IS NOT NULL)", name=op.f("ck_contact_requests_filed")),
        sa.ForeignKeyConstraint(["file_id"], ["files.file_id"], name=op.f("fk_contact_requests_file_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_contact_requests")),
    )
    op.create_index(op.f("ix_contact_requests_file_id"), "contact_requests", ["file_id"])
    op.create_index(op.f("ix_contact_requests_state"), "contact_requests", ["state"])
    op.create_table(
        "contacts",
        sa.Column("contact_id", sa.LargeBinary(16), nullable=False),
        sa.Column("file_id", sa.LargeBinary(16), nullable=False),
        sa.Column("request_id", sa.LargeBinary(16), nullable=False),
        sa.Column("side", sa.String(8), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("arrived_on", sa.Date(), nullable=False),
        sa.Column("lapses_on", sa.Date(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("flawed", sa.BigInteger()),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.file_id"], name=op.f("fk_contacts_file_id")),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_file_id"), "contacts", ["file_id"])
    op.create_index(op.f("ix_contacts_state"), "contacts", ["state"])
    op.create_table(
        "contact_messages",
        sa.Column("contact_id", sa.LargeBinary(16), nullable=False),
        sa.Column("outgoing", sa.Boolean(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.contact_id"], name=op.f("fk_contact_messages_contact_id")),
        sa.PrimaryKeyConstraint("contact_id", "outgoing", "sequence", name=op.f("pk_contact_messages")),
    )
    op.create_index(op.f("ix_contact_messages_state"), "contact_messages", ["state"])
