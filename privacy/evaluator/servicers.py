"""The evaluator's RPCs and its control commands: messages in, evaluation, messages out.

Invariant: the member is the certificate. No field of a message says who asks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import grpc

from federation.clock import Clock
from federation.control import Handler, Handlers
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.identity import Identity, Kind
from federation.observability import Log
from federation.rpc.authorisation import Rule
from federation.rpc.caller import Party, caller
from federation.rpc.envelope import check_envelope
from federation.rpc.server import Binding
from federation.rules.vocabulary import MemberId
from federation.v1 import control_pb2, evaluator_pb2, evaluator_pb2_grpc
from privacy.evaluator.destruction import Destruction
from privacy.evaluator.evaluation import Evaluation
from privacy.evaluator.observability import ALLOWANCE_GRANTED
from privacy.evaluator.store.allowances import Allowance
from privacy.evaluator.store.usage import Used
from privacy.evaluator.witness.servicers import status_line
from privacy.evaluator.witness.witnessing import Witness

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
        member, today = caller(Party).require_member(), self._clock.today()
        quota, used = descriptor.quota(member), self._evaluation.used(member, today)
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
                year_limit=quota.year,
                year_used=used.year,
                day_limit=quota.day,
                day_used=used.day,
                allowed=self._evaluation.allowed(member, today),
            ),
        )


def control_handlers(
    evaluation: Evaluation,
    witness: Witness,
    own: Identity,
    clock: Clock,
    descriptors: Callable[[], Descriptor],
    log: Log,
) -> Handlers:
    """What the evaluator answers on its control socket beyond what every role does."""

    def status(_request: control_pb2.StatusRequest) -> control_pb2.StatusResponse:
        today, descriptor = clock.today(), descriptors()
        epochs = ", ".join(f"{share.epoch} (share version {share.version})" for share in evaluation.epochs())
        lines = [control_pb2.StatusLine(name="epochs", value=epochs), status_line(witness, clock)]
        used_by, allowed_to = evaluation.used_by_all(today), evaluation.allowed_to_all(today)
        for member in sorted(used_by.keys() | allowed_to.keys()):
            used = used_by.get(member, Used(0, 0))
            limits = descriptor.quota(member) if descriptor.has_member(member) else None
            year, day = ("?", "?") if limits is None else (str(limits.year), str(limits.day))
            value = f"{used.year} of {year} this year, {used.day} of {day} today"
            allowance = allowed_to.get(member)
            if allowance is not None:
                value += f"; {allowance.elements} more allowed until {allowance.until}"
            lines.append(control_pb2.StatusLine(name=f"member {member}", value=value))
        return control_pb2.StatusResponse(identity=own.uri, business_date=today.isoformat(), lines=lines)

    def allow(request: control_pb2.AllowRequest) -> control_pb2.AllowResponse:
        try:
            until = date.fromisoformat(request.until)
        except ValueError as error:
            raise UppropError(Code.REQUEST_INVALID, "The last day is no date; write it as 2026-10-19.") from error
        evaluation.allow(MemberId(request.member), Allowance(request.elements, until), clock.today())
        log(ALLOWANCE_GRANTED, member=request.member, elements=request.elements, until=until)
        return control_pb2.AllowResponse()

    return {"Status": status, "Allow": allow}


def destroy_handler(destruction: Destruction) -> Handler:
    """What the evaluator answers to DestroyShare."""

    def destroy(request: control_pb2.DestroyShareRequest) -> control_pb2.DestroyShareResponse:
        paths = destruction.run(request.epoch, request.version or None, look_only=request.look_only)
        return control_pb2.DestroyShareResponse(paths=[str(path) for path in paths])

    return destroy


def binding(servicer: EvaluatorServicer) -> Binding:
    return Binding(SERVICE, servicer)
