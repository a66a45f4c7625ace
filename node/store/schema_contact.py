"""The tables of contact with other members, on the metadata of `node.store.schema`.

Who the other member is, the keys, and what was said are sealed under the case file's own key, and go with it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, ForeignKey, Index, LargeBinary, String, Table

from federation.database import Instant
from federation.retention import kept
from node.store.schema import metadata
from node.store.schema_files import files

_AS_FILE = "until the identity of its case file is shredded"

contact_requests = Table(
    "contact_requests",
    metadata,
    # Random; chosen here before the first attempt to file it.
    Column("request_id", LargeBinary(16), primary_key=True),
    Column("file_id", LargeBinary(16), ForeignKey(files.c.file_id), nullable=False),
    # WAITING | FILED | REFUSED
    Column("state", String(12), nullable=False),
    Column("asked_on", Date, nullable=False),
    # The day on which the registry took it; null before.
    Column("filed_on", Date),
    # JSON, sealed under the case file's key: ground, who asked, the signed statement, the private key.
    Column("sealed_content", LargeBinary, nullable=False),
    # The requests of a case file.
    Index(None, "file_id"),
    # What waits to be filed.
    Index(None, "state"),
    CheckConstraint("(state = 'FILED') = (filed_on IS NOT NULL)", name="filed"),
    info=kept(_AS_FILE, "whom a municipality asked, and when, is part of its case file"),
)

contacts = Table(
    "contacts",
    metadata,
    # Random; the registry and the other member know it by this name.
    Column("contact_id", LargeBinary(16), primary_key=True),
    Column("file_id", LargeBinary(16), ForeignKey(files.c.file_id), nullable=False),
    Column("request_id", LargeBinary(16), nullable=False),
    # ASKING | ASKED
    Column("side", String(8), nullable=False),
    # RECEIVED | DECLINED | ACCEPTING | LAPSED | OPEN
    Column("state", String(12), nullable=False),
    Column("arrived_on", Date, nullable=False),
    Column("lapses_on", Date, nullable=False),
    # Newest sequences of either direction.
    Column("sent", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    # The sequence of a message that did not open, while the true one has not come; null: none.
    Column("flawed", BigInteger),
    # JSON, sealed under the case file's key: the other member, keys, what messages are bound to.
    Column("sealed_content", LargeBinary, nullable=False),
    # The contacts of a case file.
    Index(None, "file_id"),
    # What waits to be answered or to be sent.
    Index(None, "state"),
    info=kept(_AS_FILE, "with whom a municipality was in contact is part of its case file"),
)

contact_messages = Table(
    "contact_messages",
    metadata,
    Column("contact_id", LargeBinary(16), ForeignKey(contacts.c.contact_id), primary_key=True),
    Column("outgoing", Boolean, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    # WAITING | SENT | RECEIVED
    Column("state", String(12), nullable=False),
    Column("written_at", Instant, nullable=False),
    # JSON, sealed under the case file's key: text, and who wrote it.
    Column("sealed_content", LargeBinary, nullable=False),
    # What waits to be sent.
    Index(None, "state"),
    info=kept(_AS_FILE, "what two municipalities wrote to each other is part of the case file"),
)
