"""The tables of the ledger.

Invariants
    - `ledger_nodes` is only ever inserted into, under the sequence row, so that leaf order is commit order without
      holes. A node is written with the leaf that completes it.
    - What a leaf was made of stands beside it: a batch in `ledger_batches` with its signals in `ledger_signals`, an
      hour in `ledger_hours` with its entries in `ledger_entries`. A purge sets content and salt there to null and keeps
      the hash; nothing else is ever changed.
    - Signals and entries are named by a bundle, not by the leaf: they are written before the sequence row is locked.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
)

from federation.database import Instant
from federation.retention import By, kept
from registry.store.schema import MEMBER, Bytes, metadata

ledger_nodes = Table(
    "ledger_nodes",
    metadata,
    # Complete subtrees, named as in federation.rules.merkle; those of level 0 are the leaves.
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("node_index", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Bytes(32), nullable=False),
    CheckConstraint("level >= 0 AND node_index >= 0", name="place_positive"),
    info=kept(
        "as long as the store",
        "hashes under salts that are deleted with what they cover; without them nobody could prove what was sent",
        By.NOBODY,
    ),
)

ledger_batches = Table(
    "ledger_batches",
    metadata,
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    # 16 random bytes that name its rows in `ledger_signals`.
    Column("bundle", Bytes(16), nullable=False, unique=True),
    Column("stored_digest", Bytes(32), nullable=False),
    # Over the row in `batches`: what was taken for the same batch, and what was answered.
    Column("answer_digest", Bytes(32), nullable=False),
    # Over the signature and its key.
    Column("claim_digest", Bytes(32), nullable=False),
    # From here on null once purged.
    Column("member", MEMBER),
    Column("batch_id", Bytes(16)),
    Column("salt", Bytes(32)),
    Column("batch_digest", Bytes(32)),
    # The member's signature over the batch digest (DER), and the public key it holds under (DER, SubjectPublicKeyInfo).
    Column("signature", LargeBinary),
    Column("signer", LargeBinary),
    CheckConstraint("(salt IS NULL) = (signature IS NULL)", name="purged_whole"),
    info=kept(
        "its hashes as long as the store, member, salt and signature as long as one of its signals, or its answer",
        "a batch none of whose signals is kept proves nothing about anybody",
    ),
)

ledger_signals = Table(
    "ledger_signals",
    metadata,
    Column("bundle", Bytes(16), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("hash", Bytes(32), nullable=False),
    # From here on null once purged.
    Column("salt", Bytes(32)),
    # Query: what is left of a handle that is purged (ledger.purge).
    Column("ref", Bytes(16), index=True),
    Column("version", BigInteger),
    Column("content_digest", Bytes(32)),
    CheckConstraint(
        "(salt IS NULL) = (ref IS NULL) AND (salt IS NULL) = (content_digest IS NULL)", name="purged_whole"
    ),
    info=kept(
        "its hash as long as the store, salt, handle and digest as long as what the handle says",
        "what the registry stored can be checked for as long as it is stored",
    ),
)

ledger_hours = Table(
    "ledger_hours",
    metadata,
    # The UTC hour whose end the leaf stands for: one leaf each, however many replicas there are.
    Column("hour", Instant, primary_key=True),
    Column("leaf_index", BigInteger, nullable=False, unique=True),
    # 16 random bytes that name its rows in `ledger_entries`.
    Column("bundle", Bytes(16), nullable=False, unique=True),
    Column("salt", Bytes(32), nullable=False),
    Column("root", Bytes(32), nullable=False),
    info=kept(
        "as long as the store",
        "a hash and its salt an hour; whether anything happened in it does not show",
        By.NOBODY,
    ),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("bundle", Bytes(16), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("hash", Bytes(32), nullable=False),
    # From here on null once purged.
    Column("salt", Bytes(32)),
    Column("kind", String(16)),
    # Query: what is left of a handle or a case that is purged (ledger.purge). Null also where it is about none.
    Column("subject", Bytes(16), index=True),
    Column("content", LargeBinary),
    CheckConstraint("(salt IS NULL) = (kind IS NULL) AND (salt IS NULL) = (content IS NULL)", name="purged_whole"),
    info=kept(
        "its hash as long as the store, salt and content as long as the handle or case it is about",
        "what changed can be checked for as long as what it changed is stored",
    ),
)

ledger_pending = Table(
    "ledger_pending",
    metadata,
    # Random, and the order in which the hour takes them: nothing tells in which order they came.
    Column("salt", Bytes(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("subject", Bytes(16), index=True),
    Column("content", LargeBinary, nullable=False),
    info=kept(
        "until the hour is sealed",
        "what waits for its leaf",
        By.WORK,
    ),
)

ledger_cosignatures = Table(
    "ledger_cosignatures",
    metadata,
    # What witnesses signed of the newest checkpoint that was brought to them: one line each, by evaluator.
    Column("evaluator", Integer, primary_key=True, autoincrement=False),
    Column("tree_size", BigInteger, nullable=False),
    Column("line", LargeBinary, nullable=False),
    # The business date of the newest report of its quotas that the ledger holds; null before the first.
    Column("quota_on", Date),
    info=kept(
        "until the next checkpoint is co-signed",
        "what witnesses signed, a line each, and of which day their newest report is",
        By.WORK,
    ),
)
