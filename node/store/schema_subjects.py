"""The table of data subjects' requests, on the metadata of `node.store.schema`."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, LargeBinary, String, Table

from federation.retention import By, kept
from node.store.schema import metadata

subject_requests = Table(
    "subject_requests",
    metadata,
    Column("request_id", Integer, primary_key=True),
    # EXPORT | ERASURE
    Column("kind", String(16), nullable=False),
    # PENDING (an erasure whose retraction is not taken yet) | DONE | GIVEN_UP (the pupil is in a roster again)
    Column("state", String(16), nullable=False),
    Column("asked_on", Date, nullable=False),
    # Null while it is pending.
    Column("ended_on", Date),
    # Whom it is about, while it is pending; null afterwards: what was done is kept, not to whom. No foreign key: two
    # pupils who turn out to be one must not be held up by it.
    Column("pupil_id", LargeBinary(16)),
    # JSON: who did it and why.
    Column("sealed_content", LargeBinary, nullable=False),
    # What waits, and whom not to restate meanwhile.
    Index(None, "state"),
    CheckConstraint("(state = 'PENDING') = (ended_on IS NULL)", name="ended"),
    CheckConstraint("(state = 'PENDING') = (pupil_id IS NOT NULL)", name="nameless"),
    sqlite_autoincrement=True,
    info=kept(
        "as long as the store",
        "who exported or erased when, sealed, and not whom it was about: the municipality answers for it",
        By.NOBODY,
    ),
)
