"""The tables of the node's watch over the registry's ledger, on the metadata of `node.store.schema`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    false,
)

from federation.database import Instant
from federation.retention import By, kept
from node.store.schema import batches, metadata

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # The newest checkpoint that was proved to continue all those before it.
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("checkpoint", LargeBinary, nullable=False),
    # When the first checkpoint was kept: before it no witness can be late.
    Column("since", Instant, nullable=False),
    # When all that was ever sent was last verified to the end; null before the first time.
    Column("verified_at", Instant),
    CheckConstraint("id = 1", name="single_row"),
    info=kept(
        "as long as the store",
        "one row: the newest checkpoint, which every later one must continue",
        By.NOBODY,
    ),
)

receipts = Table(
    "receipts",
    metadata,
    Column("batch_id", LargeBinary(16), ForeignKey(batches.c.batch_id), primary_key=True),
    Column("leaf_index", BigInteger, nullable=False),
    Column("salt", LargeBinary(32), nullable=False),
    Column("batch_digest", LargeBinary(32), nullable=False),
    Column("stored_digest", LargeBinary(32), nullable=False),
    # The signed note that came with it, its size and root.
    Column("checkpoint", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    # Its checkpoint was proved to be the beginning of one that is kept.
    Column("proved", Boolean, nullable=False, server_default=false()),
    # What is to be proved at the next sync.
    Index(None, "proved"),
    # All leaves, in their order.
    Index(None, "leaf_index"),
    info=kept(
        "`unanswered_years` (13) after its batch was answered",
        "proves what was sent about a pupil for as long as the pupil is of school age; a salt and hashes",
    ),
)

witnesses = Table(
    "witnesses",
    metadata,
    # An evaluator, and the size of its newest checkpoint that was proved to be of the ledger that is kept here: if it
    # ever shows another one, the two part after that size.
    Column("witness", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    # When it was first seen to lack leaves, or not to answer, having shown nothing new since; null where it shows them.
    Column("behind_since", Instant),
    info=kept(
        "as long as the store",
        "a number and a time for each evaluator",
        By.NOBODY,
    ),
)

alarms = Table(
    "alarms",
    metadata,
    Column("alarm_id", Integer, primary_key=True),
    # SHA-256 over what it is about: nothing raises an alarm twice.
    Column("subject", LargeBinary(32), nullable=False, unique=True),
    # node.ledger.findings.Kind
    Column("kind", String(24), nullable=False),
    # The leaves it is about, first and last; null where it is about none.
    Column("first_index", BigInteger),
    Column("last_index", BigInteger),
    # The evaluator whose word contradicts; null where none does.
    Column("witness", Integer),
    # What the ledger's key has signed and what contradicts it: signed notes, one after the other. Null where none do.
    Column("evidence", LargeBinary),
    Column("raised_on", Date, nullable=False),
    Column("raised_at", Instant, nullable=False),
    # Both null until a person has seen it.
    Column("acknowledged_at", Instant),
    Column("sealed_acknowledged_by", LargeBinary),
    # Those that stand.
    Index(None, "acknowledged_at"),
    CheckConstraint("(acknowledged_at IS NULL) = (sealed_acknowledged_by IS NULL)", name="acknowledged_whole"),
    sqlite_autoincrement=True,
    info=kept(
        "as long as the store",
        "evidence against the registry, about no pupil",
        By.NOBODY,
    ),
)
