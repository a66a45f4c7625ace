"""The ledger: its tree, what its leaves were made of, and what waits for the hour's leaf.

Whoever changes something else than a batch does calls `note` in the transaction that changes it; the stores of gaps,
cases and notices do so themselves. Whoever deletes something for good calls `purge` in the transaction that deletes it.

Invariants
    - Appending locks the sequence row, so it is the last thing a transaction does that can wait for another.
    - What is signed is a tree that has been committed: nothing here signs.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, or_, select, tuple_, update

from federation.rules.canonical import SALT_BYTES, batch_leaf, hourly_leaf
from federation.rules.merkle import Frontier, leaf_hash, root_of
from federation.rules.vocabulary import MemberId
from registry.ledger import contents, leaves
from registry.ledger.claims import SignedBatch
from registry.ledger.contents import Purged, QuotaReport
from registry.ledger.entries import Entry, EntryKind, entry_hash
from registry.ledger.leaves import Leaf, StoredSignal
from registry.store import emptying
from registry.store.bulk import chunks, insert, upsert
from registry.store.schema import sequence
from registry.store.schema_ledger import (
    ledger_batches,
    ledger_cosignatures,
    ledger_entries,
    ledger_hours,
    ledger_nodes,
    ledger_pending,
    ledger_signals,
)

__all__ = [
    "Entry",
    "EntryKind",
    "HourSealedError",
    "Leaf",
    "append_batch",
    "begun",
    "cosignatures",
    "head",
    "keep_cosignatures",
    "leaf_of",
    "lock",
    "newest_hour",
    "nodes",
    "note",
    "note_quota",
    "purge",
    "purge_batches",
    "seal",
]

_BUNDLE_BYTES = 16
_PAIRS_A_STATEMENT = 400
"""Two parameters each, and SQLite nests the comparison of pairs."""


class HourSealedError(Exception):
    """Another replica has sealed the hour meanwhile: the transaction must come to nothing."""


def note(tx: Connection, entries: Iterable[Entry]) -> None:
    """Keep these entries for the hour's leaf, each under a salt of its own. Waits for nobody; one statement."""
    rows = [
        {
            "salt": secrets.token_bytes(SALT_BYTES),
            "kind": entry.kind.value,
            "subject": entry.subject,
            "content": entry.content,
        }
        for entry in entries
    ]
    insert(tx, ledger_pending, rows)


def begun(tx: Connection) -> bool:
    """Whether the ledger holds anything, in a leaf or waiting for one."""
    waits = tx.execute(select(ledger_pending.c.salt).limit(1)).first() is not None
    return waits or head(tx).size > 0


def lock(tx: Connection) -> None:
    """Keep everybody else from appending until the transaction ends."""
    tx.execute(select(sequence.c.id).with_for_update())


def head(tx: Connection) -> Frontier:
    """The tree as it stands."""
    return Frontier.decode(*tx.execute(select(sequence.c.tree_size, sequence.c.frontier)).one())


def append_batch(
    tx: Connection,
    member: MemberId,
    batch_id: bytes,
    signed: SignedBatch,
    answered: bytes,
    rows: Sequence[StoredSignal],
) -> Leaf:
    """Append the leaf of a batch: what its member signed, what was answered (a digest) and what was put in place.

    Locks the sequence row: call it last. The leaf may be told once the transaction is committed.
    """
    bundle = secrets.token_bytes(_BUNDLE_BYTES)
    salts = secrets.token_bytes(SALT_BYTES * len(rows))
    row_salts = [salts[begin : begin + SALT_BYTES] for begin in range(0, len(salts), SALT_BYTES)]
    hashes = [leaves.row_hash(salt, row) for salt, row in zip(row_salts, rows, strict=True)]
    stored = [
        {
            "bundle": bundle,
            "position": position,
            "salt": row_salts[position],
            "hash": hashes[position],
            "ref": row.ref,
            "version": row.version,
            "content_digest": row.content_digest,
        }
        for position, row in enumerate(rows)
    ]
    insert(tx, ledger_signals, stored)
    claimed = leaves.claim_digest(signed.signature, signed.signer)
    salt, digest = secrets.token_bytes(SALT_BYTES), leaves.stored_digest(answered, claimed, hashes)
    after = _append(tx, leaf_hash(batch_leaf(salt, signed.digest, digest)))
    index = after.size - 1
    made = {
        "leaf_index": index,
        "bundle": bundle,
        "stored_digest": digest,
        "answer_digest": answered,
        "claim_digest": claimed,
        "member": member,
        "batch_id": batch_id,
        "salt": salt,
        "batch_digest": signed.digest,
        "signature": signed.signature,
        "signer": signed.signer,
    }
    insert(tx, ledger_batches, [made])
    return Leaf(index, salt, digest, after)


def leaf_of(tx: Connection, index: int) -> Leaf | None:
    """The leaf of a batch that was taken before, in the tree as it stands; None where its content is purged."""
    query = select(ledger_batches.c.salt, ledger_batches.c.stored_digest).where(ledger_batches.c.leaf_index == index)
    row = tx.execute(query).one_or_none()
    return None if row is None or row.salt is None else Leaf(index, row.salt, row.stored_digest, head(tx))


def newest_hour(tx: Connection) -> datetime | None:
    """The newest hour that has its leaf."""
    newest: datetime | None = tx.execute(select(func.max(ledger_hours.c.hour))).scalar_one()
    return newest


def seal(tx: Connection, hour: datetime) -> Frontier:
    """Fold all that waits into the leaf of an hour, and give the tree with it. Locks the sequence row: call it last.

    Raises HourSealedError where that hour, or a later one, has its leaf. Under READ COMMITTED: two replicas that seal
    at once meet at the sequence row, and the second sees what the first did.
    """
    waiting = tx.execute(delete(ledger_pending).returning(*ledger_pending.c)).all()
    bundle = secrets.token_bytes(_BUNDLE_BYTES)
    rows = [
        {
            "bundle": bundle,
            "position": position,
            "salt": row.salt,
            "hash": entry_hash(row.salt, Entry(EntryKind(row.kind), row.content, row.subject)),
            "kind": row.kind,
            "subject": row.subject,
            "content": row.content,
        }
        for position, row in enumerate(sorted(waiting, key=lambda row: row.salt))
    ]
    insert(tx, ledger_entries, rows)
    salt, root = secrets.token_bytes(SALT_BYTES), root_of(row["hash"] for row in rows)
    after = _append(tx, leaf_hash(hourly_leaf(salt, root)))
    newest = newest_hour(tx)
    if newest is not None and newest >= hour:
        raise HourSealedError
    insert(
        tx, ledger_hours, [{"hour": hour, "leaf_index": after.size - 1, "bundle": bundle, "salt": salt, "root": root}]
    )
    return after


def _append(tx: Connection, leaf: bytes) -> Frontier:
    """Append a leaf, given by its hash, under the sequence row; the tree with it."""
    before = Frontier.decode(*tx.execute(select(sequence.c.tree_size, sequence.c.frontier).with_for_update()).one())
    after = before.append(leaf)
    tx.execute(update(sequence).values(tree_size=after.size, frontier=after.encoded))
    completed = before.completed(leaf)
    insert(tx, ledger_nodes, [{"level": node.level, "node_index": node.index, "hash": node.hash} for node in completed])
    return after


def nodes(tx: Connection, named: Collection[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """The hashes of complete subtrees by (level, index); one that is not there is absent."""
    found: dict[tuple[int, int], bytes] = {}
    for chunk in chunks(sorted(named), _PAIRS_A_STATEMENT):
        query = select(ledger_nodes).where(tuple_(ledger_nodes.c.level, ledger_nodes.c.node_index).in_(chunk))
        found.update(((row.level, row.node_index), row.hash) for row in tx.execute(query))
    return found


def purge(tx: Connection, subjects: Collection[bytes]) -> Purged:
    """Delete content and salt of all that the ledger holds of these handles (`ref`) and cases, and keep the hashes.

    What was deleted is listed, by leaf index and position, in an entry of the running hour; `upprop ledger verify`
    accepts exactly what such entries list. A batch none of whose signals is left loses its own salt, digest and
    signature too. What still waits for the hour's leaf is dropped, and counted. A row that stays in place of what is
    purged, such as a version that must not come back, is noted anew afterwards (`contents.of_signal`, `of_case`).
    """
    signals: dict[int, list[int]] = {}
    entries: dict[int, list[int]] = {}
    pending = 0
    for chunk in chunks(sorted(set(subjects))):
        of_batches = (
            select(ledger_batches.c.leaf_index, ledger_signals.c.position)
            .join(ledger_signals, ledger_signals.c.bundle == ledger_batches.c.bundle)
            .where(ledger_signals.c.ref.in_(chunk))
        )
        for leaf, position in tx.execute(of_batches):
            signals.setdefault(leaf, []).append(position)
        emptying.signals(tx, chunk)
        of_hours = (
            select(ledger_hours.c.leaf_index, ledger_entries.c.position)
            .join(ledger_entries, ledger_entries.c.bundle == ledger_hours.c.bundle)
            .where(ledger_entries.c.subject.in_(chunk))
        )
        for leaf, position in tx.execute(of_hours):
            entries.setdefault(leaf, []).append(position)
        emptying.entries(tx, chunk)
        pending += tx.execute(delete(ledger_pending).where(ledger_pending.c.subject.in_(chunk))).rowcount
    purged = Purged(
        {leaf: sorted(positions) for leaf, positions in sorted(signals.items())},
        {leaf: sorted(positions) for leaf, positions in sorted(entries.items())},
        sorted(index for chunk in chunks(sorted(signals)) for index in emptying.batches(tx, chunk)),
        pending,
    )
    if purged:
        note(tx, [contents.of_purge(purged)])
    return purged


def purge_batches(tx: Connection, indexes: Collection[int]) -> None:
    """Delete the content of those of these batches, by leaf index, of whose signals nothing is left, and list it.

    For those that put nothing in place, which `purge` never meets.
    """
    emptied: list[int] = []
    for chunk in chunks(sorted(indexes)):
        query = select(ledger_batches.c.leaf_index).where(
            ledger_batches.c.leaf_index.in_(chunk), ledger_batches.c.salt.is_not(None)
        )
        emptied += emptying.batches(tx, list(tx.scalars(query)))
    if emptied:
        note(tx, [contents.of_purge(Purged(batches=sorted(emptied)))])


def keep_cosignatures(tx: Connection, tree_size: int, lines: dict[int, bytes]) -> None:
    """Keep what evaluators signed of the checkpoint of a size, in place of what they signed before."""
    upsert(
        tx,
        ledger_cosignatures,
        [{"evaluator": index, "tree_size": tree_size, "line": line} for index, line in sorted(lines.items())],
        update=("tree_size", "line"),
    )


def note_quota(tx: Connection, report: QuotaReport) -> None:
    """Note an evaluator's report of a day, unless one of that day or a later is noted; after its first cosignature."""
    of_newer = or_(ledger_cosignatures.c.quota_on.is_(None), ledger_cosignatures.c.quota_on < report.on)
    mark = update(ledger_cosignatures).where(ledger_cosignatures.c.evaluator == report.evaluator, of_newer)
    if tx.execute(mark.values(quota_on=report.on)).rowcount:
        note(tx, [contents.of_quota(report)])


def cosignatures(tx: Connection, tree_size: int) -> list[bytes]:
    """What evaluators signed of the checkpoint of a size."""
    query = select(ledger_cosignatures.c.line).where(ledger_cosignatures.c.tree_size == tree_size)
    return list(tx.scalars(query.order_by(ledger_cosignatures.c.evaluator)))
