"""What this evaluator has seen of the registry's ledger: the newest checkpoint, one row, and what it refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update

from privacy.evaluator.store import Transaction
from privacy.evaluator.store.schema_witness import refusals, witnessed

REFUSALS_KEPT = 100
"""One is proof enough: beyond these no more are kept, so that whoever has the ledger's key does not fill the disk."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint as this witness has co-signed it."""

    size: int
    root: bytes
    checkpoint: bytes
    cosigned_at: datetime


def seen(tx: Transaction) -> Seen | None:
    """The newest; None before the first."""
    row = tx.execute(select(witnessed)).one_or_none()
    return None if row is None else Seen(row.size, row.root, row.checkpoint, row.cosigned_at)


def keep(tx: Transaction, newest: Seen) -> None:
    """Put it in place of the one before, which it continues."""
    values = {
        "size": newest.size,
        "root": newest.root,
        "checkpoint": newest.checkpoint,
        "cosigned_at": newest.cosigned_at,
    }
    if not tx.execute(update(witnessed).values(values)).rowcount:
        tx.execute(insert(witnessed).values(id=1, **values))


def refuse(tx: Transaction, size: int, root: bytes, checkpoint: bytes, before: Seen, at: datetime) -> None:
    """Keep, once, a checkpoint that contradicts what was seen."""
    known = select(refusals.c.size).where(refusals.c.size == size, refusals.c.root == root)
    if tx.execute(known).first() is None and refused(tx) < REFUSALS_KEPT:
        tx.execute(
            insert(refusals).values(size=size, root=root, checkpoint=checkpoint, seen=before.checkpoint, refused_at=at)
        )


def refused(tx: Transaction) -> int:
    """How many checkpoints were refused."""
    return tx.execute(select(func.count()).select_from(refusals)).scalar_one()
