"""What a witness does with a checkpoint (the rules of C2SP tlog-witness, in this order):

1. The ledger's key, which the descriptor lists, must have signed it.
2. It must be offered against the size that this witness has seen; otherwise the registry is told that size, and asks
   anew with the right proof.
3. It must continue what was seen: of the same size the same root, of a greater one with a consistency proof.
4. It is made durable, with the cosignature; only then is that given out.

Invariants: of one size one root is ever co-signed, and nothing smaller than before: two histories of the ledger cannot
both bear this witness's signature. What contradicts is refused, logged as an error and kept as evidence. A store that
was set back or lost cannot hold to that: that it was is logged, and members are told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import checkpoint as checkpoints
from federation.checkpoint import Checkpoint
from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.observability import COUNTED_STEP, Log
from federation.rules.merkle import EMPTY_ROOT, ProofError, verify_consistency
from privacy.evaluator.observability import CHECKPOINT_REFUSED, WITNESS_SET_BACK, EvaluatorMetrics
from privacy.evaluator.store import Transaction
from privacy.evaluator.store import witness as store
from privacy.evaluator.store.witness import Seen


class Witness:
    """One evaluator as a witness. `now` is the system's time, which the cosignature states."""

    def __init__(
        self,
        *,
        database: Database,
        index: int,
        signing_key: Ed25519PrivateKey | None,
        descriptors: Callable[[], Descriptor],
        now: Callable[[], datetime],
        metrics: EvaluatorMetrics,
        log: Log,
    ) -> None:
        self._database = database
        self._index = index
        self._signing_key = signing_key
        self._descriptors = descriptors
        self._now = now
        self._metrics = metrics
        self._log = log

    def add(self, note: bytes, old_size: int, proof: Sequence[bytes]) -> tuple[bytes, int]:
        """The cosignature line, empty where `old_size` is not what was seen; and the size seen after it.

        Raises UppropError: NOT_SUPPORTED for a federation without a ledger or an evaluator without its signing key,
        LEDGER_CHECKPOINT_REFUSED, LEDGER_PROOF_REFUSED.
        """
        ledger_key = self._descriptors().ledger_key
        if ledger_key is None:
            raise UppropError(Code.NOT_SUPPORTED, "The descriptor names no ledger, so there is nothing to witness.")
        signing_key = self._signing_key
        if signing_key is None:
            raise UppropError(
                Code.NOT_SUPPORTED,
                f"Evaluator {self._index} is no witness: its settings name no signing_key. Tell its operator.",
            )
        offered = checkpoints.verify(note, ledger_key)

        def work(tx: Transaction) -> tuple[bytes, int] | ProofError:
            before = store.seen(tx)
            size, root = (0, EMPTY_ROOT) if before is None else (before.size, before.root)
            if old_size != size:
                return b"", size
            try:
                verify_consistency(size, root, offered.size, offered.root, list(proof))
            except ProofError as error:
                if before is not None:
                    store.refuse(tx, offered.size, offered.root, note, before, self._now())
                return error
            at = self._now()
            line = checkpoints.cosign(note, self._index, signing_key, at)
            store.keep(tx, Seen(offered.size, offered.root, checkpoints.with_cosignatures(note, [line]), at))
            return line, offered.size

        answer = self._database.run("evaluator_witness", work)
        if isinstance(answer, ProofError):
            raise self._refusal(offered, old_size, answer)
        line, seen_size = answer
        if not line and old_size > seen_size:
            # The registry knows sizes from this witness alone: what it co-signed since is forgotten here.
            self._log(WITNESS_SET_BACK, size=old_size, seen_size=seen_size)
        self.show_last()
        return answer

    def newest(self) -> Seen | None:
        """The newest checkpoint that this witness has co-signed."""
        return self._database.view("evaluator_witnessed", store.seen)

    def refused(self) -> int:
        """How many checkpoints contradicted what was seen."""
        return self._database.view("evaluator_witness_refused", store.refused)

    def show_last(self) -> None:
        """Show in the metrics what was seen last: at start, and after each change."""
        newest = self.newest()
        if newest is not None:
            leaves = self._metrics.steps.shown(newest.size, COUNTED_STEP, "leaves")
            self._metrics.witnessed_size.set(leaves)
            self._metrics.witnessed_at.set(newest.cosigned_at.timestamp())
        self._metrics.checkpoints_refused.set(self.refused())

    def _refusal(self, offered: Checkpoint, seen_size: int, flaw: ProofError) -> UppropError:
        self._log(CHECKPOINT_REFUSED, size=offered.size, seen_size=seen_size, flaw=flaw.flaw.name)
        self.show_last()
        refusal = UppropError(
            Code.LEDGER_PROOF_REFUSED,
            f"Evaluator {self._index} has seen the ledger with {seen_size} leaves and does not co-sign {offered.size}: "
            f"{flaw}. Either the proof was made wrongly, or the ledger's history was changed: tell the authority.",
        )
        refusal.__cause__ = flaw
        return refusal
