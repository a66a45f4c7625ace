"""The tables of the evaluator as a witness.

Invariant: the size in `witnessed` never shrinks, and under one size the root never changes, but where the evaluator's
administrator goes on from a ledger that was restored (`witness.resetting`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Integer, LargeBinary, Table, Text

from federation.database import Instant
from federation.retention import By, kept
from privacy.evaluator.store.schema import metadata

__all__ = ["metadata", "quota_reports", "refusals", "witnessed"]

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

quota_reports = Table(
    "quota_reports",
    metadata,
    # The business date it is about.
    Column("day", Date, primary_key=True),
    # What it is made of: a salt, and a JSON list of member, elements in the year so far, elements on the day.
    Column("salt", LargeBinary(32), nullable=False),
    Column("asked", Text, nullable=False),
    # What the registry was given for its ledger.
    Column("digest", LargeBinary(32), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    sqlite_with_rowid=False,
    info=kept(
        "as long as the store",
        "what members asked for can be held against the registry's ledger; numbers of members, about no pupil",
        By.NOBODY,
    ),
)
