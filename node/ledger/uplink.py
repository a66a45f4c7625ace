"""The node's calls about the ledger: to the registry that keeps it, and to the evaluators that witness it.

What is answered here is proved or refused by whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from federation.errors import Code, UppropError
from federation.rpc.client import Peer
from federation.v1 import ledger_pb2, ledger_pb2_grpc, registry_pb2
from node.ledger.receipts import Receipt

if TYPE_CHECKING:
    from node.uplink import EvaluatorLink, RegistryLink

LEDGER_DEADLINE = 60.0
"""Seconds: 1 000 paths of some twenty hashes are read in one transaction."""
WITNESS_DEADLINE = 20.0


class LedgerLink:
    """The ledger at whichever of the registry's addresses answers."""

    def __init__(self, registry: RegistryLink) -> None:
        self._registry = registry

    def checkpoint(self) -> bytes:
        """The newest signed note."""
        request = ledger_pb2.GetCheckpointRequest(envelope=self._registry.envelope())
        return self._registry.at_any(
            lambda peer: peer.call(_stub(peer).GetCheckpoint, request, LEDGER_DEADLINE)
        ).checkpoint

    def inclusion(self, size: int, indexes: Sequence[int]) -> tuple[tuple[bytes, ...], ...]:
        """The paths of at most 1 000 leaves in the tree of that size, in their order."""
        request = ledger_pb2.GetInclusionProofsRequest(
            envelope=self._registry.envelope(), tree_size=size, leaf_indexes=indexes
        )
        proofs = self._registry.at_any(
            lambda peer: peer.call(_stub(peer).GetInclusionProofs, request, LEDGER_DEADLINE)
        ).proofs
        if [proof.leaf_index for proof in proofs] != list(indexes):
            raise UppropError(Code.LEDGER_PROOF_REFUSED, "The registry proves other leaves than those asked for.")
        return tuple(tuple(proof.hashes) for proof in proofs)

    def consistency(self, first: int, second: int) -> tuple[bytes, ...]:
        """The path from the tree of one size to that of a greater one."""
        request = ledger_pb2.GetConsistencyProofRequest(
            envelope=self._registry.envelope(), first_size=first, second_size=second
        )
        return tuple(
            self._registry.at_any(
                lambda peer: peer.call(_stub(peer).GetConsistencyProof, request, LEDGER_DEADLINE)
            ).hashes
        )


class WitnessLink:
    """One evaluator as a witness."""

    def __init__(self, evaluator: EvaluatorLink) -> None:
        self.index = evaluator.index
        self._evaluator = evaluator

    def witnessed(self) -> bytes:
        """The newest note that it has co-signed; empty where it has seen none."""
        request = ledger_pb2.GetWitnessedCheckpointRequest(envelope=self._evaluator.envelope())

        def ask(peer: Peer) -> ledger_pb2.GetWitnessedCheckpointResponse:
            stub = ledger_pb2_grpc.WitnessServiceStub(peer.channel)
            return peer.call(stub.GetWitnessedCheckpoint, request, WITNESS_DEADLINE)

        return self._evaluator.call("witness", ask).checkpoint


def receipt(message: registry_pb2.Receipt) -> Receipt:
    """A receipt as it came; nothing of it is believed yet."""
    return Receipt(message.leaf_index, message.signed_checkpoint, message.salt, message.stored_digest)


def _stub(peer: Peer) -> ledger_pb2_grpc.LedgerServiceStub:
    return ledger_pb2_grpc.LedgerServiceStub(peer.channel)
