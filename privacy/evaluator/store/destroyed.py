"""Shares that were destroyed here, by epoch, version and commitment. None is ever taken off the list."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import insert, select

from privacy.evaluator.store import Transaction
from privacy.evaluator.store.schema import destroyed_shares

Name = tuple[int, int, bytes]


def all_of_them(tx: Transaction) -> frozenset[Name]:
    query = select(destroyed_shares.c.epoch, destroyed_shares.c.version, destroyed_shares.c.commitment)
    return frozenset((epoch, version, commitment) for epoch, version, commitment in tx.execute(query))


def add(tx: Transaction, names: Collection[Name], at: datetime) -> None:
    """Put shares on the list; one that is there already stays as it is."""
    known = all_of_them(tx)
    for epoch, version, commitment in sorted(set(names) - known):
        tx.execute(
            insert(destroyed_shares).values(epoch=epoch, version=version, commitment=commitment, destroyed_at=at)
        )
