"""A witness that goes on from a ledger that was set back: as the evaluator's administrator decides, never by itself.

Invariants: what is gone on from is a checkpoint that the ledger's key has signed; what had been co-signed before stays
as evidence; from then on the witness co-signs only what continues the new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import checkpoint as checkpoints
from federation.checkpoint import Checkpoint
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Log
from privacy.evaluator.observability import WITNESS_RESET
from privacy.evaluator.store import Transaction
from privacy.evaluator.store import witness as store
from privacy.evaluator.store.witness import Seen


@dataclass(frozen=True, slots=True)
class Reset:
    """Where the witness goes on from; `before` is None where it had seen nothing."""

    before: Seen | None
    after: Checkpoint


def prepared(database: Database, note: bytes, ledger_key: bytes | None) -> Reset:
    """What a reset would do. Raises UppropError: NOT_SUPPORTED, LEDGER_CHECKPOINT_REFUSED; INPUT_REFUSED where the
    witness has seen nothing beyond it."""
    if ledger_key is None:
        raise UppropError(Code.NOT_SUPPORTED, "The descriptor names no ledger, so there is nothing to witness.")
    after = checkpoints.verify(note, ledger_key)
    before = database.view("evaluator_witnessed", store.seen)
    if before is None or (before.size, before.root) == (after.size, after.root):
        raise UppropError(Code.INPUT_REFUSED, "This witness has seen nothing else: there is nothing to go back from.")
    return Reset(before, after)


def reset(
    database: Database,
    note: bytes,
    decided: Reset,
    index: int,
    signing_key: Ed25519PrivateKey,
    now: Callable[[], datetime],
    log: Log,
) -> None:
    """Go on from `note`, as decided. Raises UppropError(INPUT_REFUSED) where something else was seen meanwhile."""
    at = now()
    line = checkpoints.cosign(note, index, signing_key, at)

    def work(tx: Transaction) -> bool:
        before = store.seen(tx)
        if before != decided.before or before is None:
            return False
        # Its root is other, or its size is: what was seen stands beside it, both signed by the ledger's key.
        store.refuse(tx, decided.after.size, decided.after.root, note, before, at)
        cosigned = checkpoints.with_cosignatures(note, [line])
        store.keep(tx, Seen(decided.after.size, decided.after.root, cosigned, at))
        return True

    if not database.run("evaluator_witness_reset", work):
        raise UppropError(Code.INPUT_REFUSED, "The witness has seen another checkpoint meanwhile. Look at it anew.")
    assert decided.before is not None
    log(WITNESS_RESET, size=decided.after.size, seen_size=decided.before.size)
