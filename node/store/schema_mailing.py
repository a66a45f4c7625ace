"""The tables of duty and mail, on the metadata of `node.store.schema`."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, LargeBinary, String, Table, text

from federation.database import Instant
from federation.retention import By, kept
from node.store.schema import metadata

duties = Table(
    "duties",
    metadata,
    Column("duty_id", Integer, primary_key=True),
    # The role whose mail it is.
    Column("role", String(24), nullable=False),
    # 1: is told first; 2: is told where nobody looks.
    Column("place", Integer, nullable=False),
    Column("from_on", Date, nullable=False),
    # The last day of it; null: until further notice.
    Column("until_on", Date),
    # JSON: name and mail address.
    Column("sealed_content", LargeBinary, nullable=False),
    # Who is on duty, and what is long over.
    Index(None, "until_on"),
    CheckConstraint("place IN (1, 2)", name="place"),
    CheckConstraint("until_on IS NULL OR until_on >= from_on", name="ends_after_it_begins"),
    sqlite_autoincrement=True,
    info=kept("a year after its last day", "who was told can be asked for", By.WORKER),
)

mails = Table(
    "mails",
    metadata,
    Column("mail_id", LargeBinary(16), primary_key=True),
    # Occasion.
    Column("occasion", String(16), nullable=False),
    # What makes the occasion the same one: it is mailed once.
    Column("occasion_key", String(80), nullable=False),
    Column("role", String(24), nullable=False),
    Column("place", Integer, nullable=False),
    # The case file, and what people call it by; null and empty where it is about none.
    Column("file_id", LargeBinary(16)),
    Column("reference", String(16), nullable=False, server_default=text("''")),
    Column("made_at", Instant, nullable=False),
    # WAITING → SENT | DROPPED (there is nobody in the second place)
    Column("state", String(8), nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("next_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("uq_mails_occasion", "occasion", "occasion_key", "place", unique=True),
    # What is to be sent; what nobody has looked at.
    Index(None, "state", "next_at"),
    CheckConstraint("(state = 'WAITING') = (ended_at IS NULL)", name="ended"),
    info=kept("90 days after it was made", "which mails went out can be asked for", By.WORKER),
)
