"""The table of restores, on the metadata of `registry.store.schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, Table

from federation.database import Instant
from federation.retention import By, kept
from registry.store.schema import metadata

restores = Table(
    "restores",
    metadata,
    # Counts them, from 1.
    Column("restore_id", Integer, primary_key=True, autoincrement=False),
    Column("restored_at", Instant, nullable=False),
    # When the copy was made; null where it does not say.
    Column("copied_at", Instant),
    # Leaves of the ledger in the copy, and those that had been signed here before; null where that was not known.
    Column("leaves", BigInteger, nullable=False),
    Column("signed_leaves", BigInteger),
    # Before it no day is closed by itself, nothing is purged and no statistics are drawn: members send again.
    Column("held_until", Instant, nullable=False),
    CheckConstraint("leaves >= 0 AND signed_leaves >= 0", name="leaves_counted"),
    info=kept("as long as the store", "times and sizes, by which a set-back can be told later", By.NOBODY),
)
