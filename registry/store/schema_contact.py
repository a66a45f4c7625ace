"""The tables of contacts between members, on the metadata of `registry.store.schema`.

Invariant: of what members write to each other nothing stands here that the registry, or whoever has its keys, can read.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
)

from federation.retention import By, kept
from registry.store.schema import MEMBER, Bytes, metadata

contact_requests = Table(
    "contact_requests",
    metadata,
    Column("member", MEMBER, primary_key=True),
    # Chosen by the member that asks.
    Column("request_id", Bytes(16), primary_key=True),
    # The gap it is about.
    Column("ref", Bytes(16), ForeignKey("signals.ref", ondelete="CASCADE"), nullable=False),
    Column("number", BigInteger, nullable=False),
    # What was signed, the signature, and the key it is by: as sent.
    Column("content", Bytes, nullable=False),
    Column("signature", Bytes, nullable=False),
    Column("public_key", Bytes, nullable=False),
    Column("filed_on", Date, nullable=False),
    Column("lapses_on", Date, nullable=False),
    # Query: what goes with a handle; whether a request about a gap stands (contacts.standing).
    Index(None, "ref", "number"),
    sqlite_with_rowid=False,
    info=kept(
        "60 days after it was filed, or as long as a contact that came of it",
        "it lapses after 14 days; how many a member files in 30 days is bounded",
    ),
)

contacts = Table(
    "contacts",
    metadata,
    # Random; both sides know it by this name.
    Column("contact_id", Bytes(16), primary_key=True),
    Column("asking", MEMBER, nullable=False),
    Column("request_id", Bytes(16), nullable=False),
    Column("asked", MEMBER, nullable=False),
    # The gap of the member that was asked.
    Column("asked_ref", Bytes(16), ForeignKey("signals.ref", ondelete="CASCADE"), nullable=False),
    Column("asked_number", BigInteger, nullable=False),
    # Null until it was accepted.
    Column("accepted_on", Date),
    # The signed acceptance and the sealed greeting, as sent; null until it was accepted.
    Column("content", Bytes),
    Column("signature", Bytes),
    Column("public_key", Bytes),
    Column("greeting", Bytes),
    # Sequences of the newest messages that the two sides sent.
    Column("asking_sent", BigInteger, nullable=False),
    Column("asked_sent", BigInteger, nullable=False),
    # The ids of those messages, as chosen by their side.
    Column("asking_last", Bytes(16)),
    Column("asked_last", Bytes(16)),
    # Sequences through which the two sides have the other's messages.
    Column("asking_has", BigInteger, nullable=False),
    Column("asked_has", BigInteger, nullable=False),
    # The day on which it was filed, accepted, or something was sent last.
    Column("touched_on", Date, nullable=False),
    ForeignKeyConstraint(
        ["asking", "request_id"],
        ["contact_requests.member", "contact_requests.request_id"],
        ondelete="CASCADE",
    ),
    # Query: what stands before a member (contacts.page), once as each side; what goes with a request or a handle.
    # Each member is handed a request once.
    Index(None, "asking", "request_id", "asked", unique=True),
    Index(None, "asked"),
    Index(None, "asked_ref"),
    CheckConstraint("(accepted_on IS NULL) = (content IS NULL)", name="accepted_whole"),
    CheckConstraint("asking <> asked", name="two_members"),
    sqlite_with_rowid=False,
    info=kept(
        "until its request lapses; once accepted, 365 days after the last message",
        "the two members work on the case for as long as they write; their journals hold what was said",
    ),
)

contact_messages = Table(
    "contact_messages",
    metadata,
    Column("contact_id", Bytes(16), ForeignKey("contacts.contact_id", ondelete="CASCADE"), primary_key=True),
    # Of the side that asked, or of the one that was asked.
    Column("by_asking", Boolean, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    # Sealed end to end, as sent.
    Column("sealed", Bytes, nullable=False),
    Column("sent_on", Date, nullable=False),
    sqlite_with_rowid=False,
    info=kept(
        "until the other side has it, and no longer than its contact",
        "the registry carries messages and keeps none",
        By.WORK,
    ),
)
