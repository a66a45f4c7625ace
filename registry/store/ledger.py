"""The ledger: its tree, what its leaves were made of, and what waits for the hour's leaf.

Invariant: `append` locks the sequence row, so it is the last thing a transaction does that can wait for another.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from federation.rules.canonical import SALT_BYTES, LeafType
from federation.rules.merkle import Frontier
from registry.ledger.entries import Entry, EntryKind
from registry.store.bulk import insert
from registry.store.schema import sequence
from registry.store.schema_ledger import ledger_leaves, ledger_nodes, ledger_pending

__all__ = ["Entry", "EntryKind", "append", "head", "note"]


def note(tx: Connection, entries: Sequence[Entry]) -> None:
    """Keep these entries for the hour's leaf, each under a salt of its own. Locks nothing; one statement."""
    insert(
        tx,
        ledger_pending,
        [
            {
                "salt": secrets.token_bytes(SALT_BYTES),
                "kind": entry.kind.value,
                "subject": entry.subject,
                "content": entry.content,
            }
            for entry in entries
        ],
    )


def head(tx: Connection) -> Frontier:
    """The tree as it stands."""
    return Frontier.decode(*tx.execute(select(sequence.c.tree_size, sequence.c.frontier)).one())


def append(tx: Connection, kind: LeafType, leaf: bytes) -> Frontier:
    """Append a leaf, given by its hash, and give the tree with it. Locks the sequence row: call it last."""
    locked = select(sequence.c.tree_size, sequence.c.frontier).with_for_update()
    before = Frontier.decode(*tx.execute(locked).one())
    after = before.append(leaf)
    tx.execute(update(sequence).values(tree_size=after.size, frontier=after.encoded))
    first, *completed = before.completed(leaf)
    insert(tx, ledger_leaves, [{"leaf_index": first.index, "kind": kind.value, "hash": first.hash}])
    insert(tx, ledger_nodes, [{"level": node.level, "node_index": node.index, "hash": node.hash} for node in completed])
    return after
