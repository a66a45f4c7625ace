"""RollCallService: messages in, the registry's roll call, messages out."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from federation.clock import Clock
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.rpc.authorisation import Rule
from federation.rpc.caller import Party, caller
from federation.rpc.envelope import check_envelope
from federation.rpc.server import Binding
from federation.rules.vocabulary import HANDLE_BYTES, MAX_BATCH, MAX_PSEUDONYMS, Handle
from federation.v1 import roll_call_pb2, roll_call_pb2_grpc, signal_pb2
from registry import wire
from registry.roll_call.calling import OfferedGap, RollCall

SERVICE = roll_call_pb2.DESCRIPTOR.services_by_name["RollCallService"]

_NODES = Rule(frozenset({Kind.NODE}))
RULES = {f"{SERVICE.full_name}/OfferRollCall": _NODES, f"{SERVICE.full_name}/ListRollCall": _NODES}


class RollCallServicer(roll_call_pb2_grpc.RollCallServiceServicer):
    """RollCallService."""

    def __init__(self, roll_call: RollCall, clock: Clock, descriptors: Callable[[], Descriptor]) -> None:
        self._roll_call, self._clock, self._descriptors = roll_call, clock, descriptors

    def OfferRollCall(  # noqa: N802 - the contract's name
        self,
        request: roll_call_pb2.OfferRollCallRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - the caller is asked for by name
    ) -> roll_call_pb2.OfferRollCallResponse:
        check_envelope(request.envelope, self._clock, self._descriptors())
        if len(request.gaps) > MAX_BATCH:
            raise UppropError(Code.BATCH_TOO_LARGE, f"Offer at most {MAX_BATCH} gaps at once. Send them in parts.")
        offered = [_offered(gap) for gap in request.gaps]
        self._roll_call.offer(caller(Party).require_member(), offered, self._clock.today())
        return roll_call_pb2.OfferRollCallResponse()

    def ListRollCall(  # noqa: N802 - the contract's name
        self,
        request: roll_call_pb2.ListRollCallRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> roll_call_pb2.ListRollCallResponse:
        check_envelope(request.envelope, self._clock, self._descriptors())
        listed = self._roll_call.part(request.part)
        return roll_call_pb2.ListRollCallResponse(
            closed_on="" if listed.closed_on is None else listed.closed_on.isoformat(),
            called=[
                roll_call_pb2.CalledPseudonym(
                    pseudonym=signal_pb2.Pseudonym(epoch=each.pseudonym.epoch, value=each.pseudonym.value),
                    begun_since=each.begun_since.isoformat(),
                )
                for each in listed.called
            ],
            parts=listed.parts,
        )


def binding(servicer: RollCallServicer) -> Binding:
    return Binding(SERVICE, servicer)


def _offered(message: roll_call_pb2.OfferedGap) -> OfferedGap:
    if len(message.handle) != HANDLE_BYTES or not 1 <= len(message.pseudonyms) <= MAX_PSEUDONYMS:
        raise UppropError(
            Code.REQUEST_INVALID,
            f"An offered gap has a handle of {HANDLE_BYTES} bytes and up to {MAX_PSEUDONYMS} pseudonyms.",
        )
    return OfferedGap(Handle(message.handle), message.opening_number, wire.parse_pseudonyms(message.pseudonyms))
