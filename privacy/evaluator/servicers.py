"""The evaluator's RPCs and its control command: messages in, evaluation, messages out.

Invariant: the member is the certificate. No field of a message says who asks.
"""

from __future__ import annotations

from collections.abc import Callable

import grpc

from federation.clock import Clock
from federation.control import Handlers
from federation.descriptor import Descriptor
from federation.identity import Identity, Kind
from federation.rpc.authorisation import Rule
from federation.rpc.caller import Party, caller
from federation.rpc.envelope import check_envelope
from federation.rpc.server import Binding
from federation.v1 import control_pb2, evaluator_pb2, evaluator_pb2_grpc
from privacy.evaluator.evaluation import Evaluation

SERVICE = evaluator_pb2.DESCRIPTOR.services_by_name["EvaluatorService"]

_NODES = Rule(frozenset({Kind.NODE}))
RULES = {f"{SERVICE.full_name}/BlindEvaluate": _NODES, f"{SERVICE.full_name}/GetEpochs": _NODES}


class EvaluatorServicer(evaluator_pb2_grpc.EvaluatorServiceServicer):
    """EvaluatorService."""

    def __init__(self, evaluation: Evaluation, clock: Clock, descriptors: Callable[[], Descriptor]) -> None:
        self._evaluation, self._clock, self._descriptors = evaluation, clock, descriptors

    def BlindEvaluate(  # noqa: N802 - the contract's name
        self,
        request: evaluator_pb2.BlindEvaluateRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - the caller is asked for by name
    ) -> evaluator_pb2.BlindEvaluateResponse:
        check_envelope(request.envelope, self._clock, self._descriptors())
        answer = self._evaluation.answer(
            caller(Party).require_member(),
            request.request_id,
            request.epoch,
            tuple(request.blinded_elements),
            self._clock.today(),
        )
        return evaluator_pb2.BlindEvaluateResponse(
            request_id=request.request_id,
            epoch=answer.share.epoch,
            share_index=answer.share.index,
            share_version=answer.share.version,
            evaluated_elements=answer.elements,
            proof=answer.proof.encoded,
            composite=answer.proof.composite,
        )

    def GetEpochs(  # noqa: N802 - the contract's name
        self,
        request: evaluator_pb2.GetEpochsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> evaluator_pb2.GetEpochsResponse:
        descriptor = self._descriptors()
        check_envelope(request.envelope, self._clock, descriptor)
        member = caller(Party).require_member()
        quota, used = descriptor.quota(member), self._evaluation.used(member, self._clock.today())
        return evaluator_pb2.GetEpochsResponse(
            epochs=[
                evaluator_pb2.EpochShare(
                    epoch=share.epoch,
                    share_index=share.index,
                    share_version=share.version,
                    commitment=share.commitment,
                )
                for share in self._evaluation.epochs()
            ],
            quota=evaluator_pb2.Quota(
                year_limit=quota.year, year_used=used.year, day_limit=quota.day, day_used=used.day
            ),
        )


def control_handlers(
    evaluation: Evaluation, own: Identity, clock: Clock, descriptors: Callable[[], Descriptor]
) -> Handlers:
    """What the evaluator answers on its control socket beyond what every role does."""

    def status(_request: control_pb2.StatusRequest) -> control_pb2.StatusResponse:
        today, descriptor = clock.today(), descriptors()
        epochs = ", ".join(f"{share.epoch} (share version {share.version})" for share in evaluation.epochs())
        lines = [control_pb2.StatusLine(name="epochs", value=epochs)]
        for member, used in evaluation.used_by_all(today).items():
            limits = descriptor.quota(member) if descriptor.has_member(member) else None
            year, day = ("?", "?") if limits is None else (str(limits.year), str(limits.day))
            value = f"{used.year} of {year} this year, {used.day} of {day} today"
            lines.append(control_pb2.StatusLine(name=f"member {member}", value=value))
        return control_pb2.StatusResponse(identity=own.uri, business_date=today.isoformat(), lines=lines)

    return {"Status": status}


def binding(servicer: EvaluatorServicer) -> Binding:
    return Binding(SERVICE, servicer)
