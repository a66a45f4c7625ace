"""Emptying rows of the ledger that are purged: their hashes stay.

On PostgreSQL the registry's role may not update the ledger (`store.roles`): functions of the tables' owner do it
(migration 0010), and can do nothing else. On SQLite, which has no roles, the same is done by plain updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, LargeBinary, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from registry.store.schema_ledger import ledger_batches, ledger_entries, ledger_signals


def signals(tx: Connection, refs: Sequence[bytes]) -> None:
    """Empty every signal of these handles."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.ledger_empty_signals(_array(refs, LargeBinary()))))
        return
    emptied = {"salt": None, "ref": None, "version": None, "content_digest": None}
    tx.execute(update(ledger_signals).where(ledger_signals.c.ref.in_(refs)).values(emptied))


def entries(tx: Connection, subjects: Sequence[bytes]) -> None:
    """Empty every entry about these handles and cases."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.ledger_empty_entries(_array(subjects, LargeBinary()))))
        return
    emptied = {"salt": None, "kind": None, "subject": None, "content": None}
    tx.execute(update(ledger_entries).where(ledger_entries.c.subject.in_(subjects)).values(emptied))


def batches(tx: Connection, indexes: Sequence[int]) -> list[int]:
    """Empty those of these batches, by leaf index, none of whose signals is left, and return them."""
    if tx.dialect.name == "postgresql":
        return list(tx.scalars(select(func.ledger_empty_batches(_array(indexes, BigInteger())))))
    left = select(ledger_signals.c.bundle).where(
        ledger_signals.c.bundle == ledger_batches.c.bundle, ledger_signals.c.ref.is_not(None)
    )
    columns = ("member", "batch_id", "salt", "batch_digest", "signature", "signer")
    done = (
        update(ledger_batches)
        .where(ledger_batches.c.leaf_index.in_(indexes), ~left.exists())
        .values(dict.fromkeys(columns))
        .returning(ledger_batches.c.leaf_index)
    )
    return list(tx.scalars(done))


def _array(values: Sequence[Any], kind: BigInteger | LargeBinary) -> Any:
    return bindparam(None, list(values), type_=ARRAY(kind), unique=True)
