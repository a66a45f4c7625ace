"""The table of the console's sessions, on the metadata of `node.store.schema`."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table

from federation.database import Instant
from federation.retention import By, kept
from node.store.schema import metadata

console_sessions = Table(
    "console_sessions",
    metadata,
    # Keyed digest of the token that the browser holds: who reads the store cannot take a session over.
    Column("session_index", LargeBinary(32), primary_key=True),
    # JSON: who, with which roles and school units, and the token of their forms.
    Column("sealed_session", LargeBinary, nullable=False),
    Column("began_at", Instant, nullable=False),
    # When a page was last asked for, to the minute.
    Column("seen_at", Instant, nullable=False),
    # What has run out.
    Index(None, "seen_at"),
    info=kept(
        "until somebody logs out, for `idle_minutes` (30) without a page, and for `session_hours` (10) at most",
        "a login that nobody uses is open to whoever passes by",
        By.WORK,
    ),
)
