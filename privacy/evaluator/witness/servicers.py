"""WitnessService, and what the evaluator's status says of it: messages in, witness, messages out."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from federation.clock import Clock
from federation.descriptor import Descriptor
from federation.identity import Kind
from federation.rpc.authorisation import Rule
from federation.rpc.envelope import check_envelope
from federation.rpc.server import Binding
from federation.v1 import control_pb2, ledger_pb2, ledger_pb2_grpc
from privacy.evaluator.witness.quotas import QuotaReports
from privacy.evaluator.witness.witnessing import Witness

SERVICE = ledger_pb2.DESCRIPTOR.services_by_name["WitnessService"]
RULES = {
    f"{SERVICE.full_name}/AddCheckpoint": Rule(frozenset({Kind.REGISTRY})),
    f"{SERVICE.full_name}/GetWitnessedCheckpoint": Rule(frozenset({Kind.NODE})),
}


class WitnessServicer(ledger_pb2_grpc.WitnessServiceServicer):
    """WitnessService."""

    def __init__(
        self, witness: Witness, quotas: QuotaReports, clock: Clock, descriptors: Callable[[], Descriptor]
    ) -> None:
        self._witness, self._quotas = witness, quotas
        self._clock, self._descriptors = clock, descriptors

    def AddCheckpoint(  # noqa: N802 - the contract's name
        self,
        request: ledger_pb2.AddCheckpointRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - the rule lets the registry in alone
    ) -> ledger_pb2.AddCheckpointResponse:
        check_envelope(request.envelope, self._clock, self._descriptors())
        line, seen = self._witness.add(request.checkpoint, request.old_size, request.consistency_proof)
        made = self._quotas.newest(self._clock.today())
        report = None
        if made is not None:
            report = ledger_pb2.QuotaReport(on=made.day.isoformat(), digest=made.digest, signature=made.signature)
        return ledger_pb2.AddCheckpointResponse(cosignature=line, seen_size=seen, quota_report=report)

    def GetWitnessedCheckpoint(  # noqa: N802 - the contract's name
        self,
        request: ledger_pb2.GetWitnessedCheckpointRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - every member is told the same
    ) -> ledger_pb2.GetWitnessedCheckpointResponse:
        check_envelope(request.envelope, self._clock, self._descriptors())
        newest = self._witness.newest()
        return ledger_pb2.GetWitnessedCheckpointResponse(checkpoint=b"" if newest is None else newest.checkpoint)


def binding(servicer: WitnessServicer) -> Binding:
    return Binding(SERVICE, servicer)


def status_line(witness: Witness, clock: Clock) -> control_pb2.StatusLine:
    """What was seen of the ledger, and how long ago."""
    newest, refused = witness.newest(), witness.refused()
    if newest is None:
        value = "nothing seen yet"
    else:
        minutes = int((clock.now() - newest.cosigned_at).total_seconds() // 60)
        value = f"{newest.size} leaves, co-signed {newest.cosigned_at:%Y-%m-%d %H:%M} UTC, {minutes} minutes ago"
    if refused:
        value += f"; {refused} REFUSED that did not continue what was seen: tell the authority"
    return control_pb2.StatusLine(name="ledger witnessed", value=value)
