"""LedgerService over the tree.

Invariant: whoever may call learns hashes and sizes alone, the same for every caller.
"""

from __future__ import annotations

from collections.abc import Callable

import grpc

from federation.clock import Clock
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.rpc.authorisation import Rule
from federation.rpc.envelope import check_envelope
from federation.rpc.server import Binding
from federation.rules.merkle import MAX_SIZE
from federation.v1 import ledger_pb2, ledger_pb2_grpc, registry_pb2
from registry.ledger import wire
from registry.ledger.checkpoints import Checkpoints
from registry.ledger.proofs import Proofs

SERVICE = ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"]

_READERS = Rule(frozenset({Kind.NODE, Kind.EVALUATOR}))
RULES = {f"{SERVICE.full_name}/{method.name}": _READERS for method in SERVICE.methods}

MAX_PROOFS = 1_000
"""Inclusion proofs in one answer: under 3 MiB in a tree of a billion leaves."""


class LedgerServicer(ledger_pb2_grpc.LedgerServiceServicer):
    """LedgerService."""

    def __init__(
        self, checkpoints: Checkpoints | None, proofs: Proofs, clock: Clock, descriptors: Callable[[], Descriptor]
    ) -> None:
        self._checkpoints, self._proofs = checkpoints, proofs
        self._clock, self._descriptors = clock, descriptors

    def GetCheckpoint(  # noqa: N802 - the contract's name
        self,
        request: ledger_pb2.GetCheckpointRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - whoever the rules let in
    ) -> ledger_pb2.GetCheckpointResponse:
        self._check(request.envelope)
        if self._checkpoints is None:
            raise UppropError(Code.NOT_SUPPORTED, "This registry has no ledger key and signs no checkpoints.")
        _, note = self._checkpoints.newest()
        return ledger_pb2.GetCheckpointResponse(checkpoint=note)

    def GetInclusionProofs(  # noqa: N802 - the contract's name
        self,
        request: ledger_pb2.GetInclusionProofsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> ledger_pb2.GetInclusionProofsResponse:
        self._check(request.envelope)
        if len(request.leaf_indexes) > MAX_PROOFS:
            raise UppropError(Code.BATCH_TOO_LARGE, f"Ask for at most {MAX_PROOFS} proofs at once.")
        size, indexes = _number(request.tree_size), list(request.leaf_indexes)
        return wire.inclusion_proofs(indexes, self._proofs.inclusion(size, indexes))

    def GetConsistencyProof(  # noqa: N802 - the contract's name
        self,
        request: ledger_pb2.GetConsistencyProofRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> ledger_pb2.GetConsistencyProofResponse:
        self._check(request.envelope)
        hashes = self._proofs.consistency(_number(request.first_size), _number(request.second_size))
        return ledger_pb2.GetConsistencyProofResponse(hashes=hashes)

    def _check(self, envelope: registry_pb2.Envelope) -> None:
        check_envelope(envelope, self._clock, self._descriptors())


def binding(servicer: LedgerServicer) -> Binding:
    return Binding(SERVICE, servicer)


def _number(size: int) -> int:
    """A tree size; a store's integers end before the contract's do."""
    if size > MAX_SIZE:
        raise UppropError(Code.REQUEST_INVALID, "No ledger is so large.")
    return size
