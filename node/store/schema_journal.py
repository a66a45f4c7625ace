"""The tables of the journal, its attachments and the log of views, on the metadata of `node.store.schema`."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, text

from federation.database import Instant
from federation.retention import By, kept
from node.store.schema import metadata
from node.store.schema_files import files

_SHREDDED = "as long as the store; what it says, `shred_years` (5) after the case file's close"

journal = Table(
    "journal",
    metadata,
    # Counts up over all case files without holes: the chain is one.
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("file_id", LargeBinary(16), ForeignKey(files.c.file_id), nullable=False),
    Column("written_at", Instant, nullable=False),
    # EntryKind.
    Column("kind", String(24), nullable=False),
    # JSON: who, and what; sealed under the case file's key. Null once shredded.
    Column("sealed_entry", LargeBinary),
    # SHA-256 of the sealed entry, which the chain goes on to hold when the entry is shredded.
    Column("entry_digest", LargeBinary(32), nullable=False),
    # HMAC under the record key over the row before and all columns above but the entry itself.
    Column("chain_index", LargeBinary(32), nullable=False),
    # The journal of a case file.
    Index(None, "file_id", "position"),
    CheckConstraint("position >= 1", name="position_positive"),
    info=kept(_SHREDDED, "that something was written, and when, stays; the chain holds it", By.WORKER),
)

journal_head = Table(
    "journal_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # Locked last by each transaction that writes an entry.
    Column("position", Integer, nullable=False, server_default=text("0")),
    # HMAC under the record key over the position and the last row's chain; zeros before the first row.
    Column("chain_index", LargeBinary(32), nullable=False),
    CheckConstraint("id = 1", name="single_row"),
    info=kept("as long as the store", "one row: the newest entry's place in the chain", By.NOBODY),
)

attachments = Table(
    "attachments",
    metadata,
    Column("attachment_id", LargeBinary(16), primary_key=True),
    Column("file_id", LargeBinary(16), ForeignKey(files.c.file_id), nullable=False),
    # JSON: name and media type. Null once shredded.
    Column("sealed_name", LargeBinary),
    # Null once shredded.
    Column("sealed_content", LargeBinary),
    Column("size", Integer, nullable=False),
    # The attachments of a case file.
    Index(None, "file_id"),
    info=kept(_SHREDDED, "part of the journal", By.WORKER),
)

file_views = Table(
    "file_views",
    metadata,
    Column("view_id", Integer, primary_key=True),
    Column("file_id", LargeBinary(16), ForeignKey(files.c.file_id), nullable=False),
    Column("viewed_at", Instant, nullable=False),
    # Whether who looked works case files: the look of one who only reads is nobody's who acts.
    Column("works_cases", Boolean, nullable=False),
    # JSON: who, and which page; sealed under the record key: it must outlive the case file's key.
    Column("sealed_view", LargeBinary, nullable=False),
    # Who looked at a case file.
    Index(None, "file_id"),
    # Who looked when.
    Index(None, "viewed_at"),
    sqlite_autoincrement=True,
    info=kept("`shred_years` (5) after the view", "who looked at whose file can be asked for five years", By.WORKER),
)
