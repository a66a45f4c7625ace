"""The tables of the evaluator as a witness.

Invariant: the size in `witnessed` never shrinks, and under one size the root never changes.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, Table

from federation.database import Instant
from federation.retention import By, kept
from privacy.evaluator.store.schema import metadata

__all__ = ["metadata", "refusals", "witnessed"]

witnessed = Table(
    "witnessed",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    # The signed note with this witness's own cosignature, and the time that it states.
    Column("checkpoint", LargeBinary, nullable=False),
    Column("cosigned_at", Instant, nullable=False),
    CheckConstraint("id = 1", name="single_row"),
    CheckConstraint("size >= 0", name="size_counted"),
    info=kept(
        "as long as the store",
        "one row: the newest checkpoint, which every later one must continue",
        By.NOBODY,
    ),
)

refusals = Table(
    "witness_refusals",
    metadata,
    # What was refused, and what it contradicts: the ledger's key has signed both.
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), primary_key=True),
    Column("checkpoint", LargeBinary, nullable=False),
    Column("seen", LargeBinary, nullable=False),
    Column("refused_at", Instant, nullable=False),
    sqlite_with_rowid=False,
    info=kept(
        "as long as the store",
        "evidence against the registry; checkpoints tell of no pupil",
        By.NOBODY,
    ),
)
