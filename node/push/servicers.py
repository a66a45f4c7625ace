"""What school systems ask of the node, and what its administrator asks about them: messages in, messages out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import grpc

from federation.clock import Clock
from federation.control import Handlers
from federation.errors import Code, UppropError
from federation.pki import certificate_pem
from federation.rpc.caller import caller
from federation.rpc.server import Binding
from federation.v1 import control_pb2, enrolment_pb2
from node.casework.holds.holding import Holding
from node.casework.holds.model import HoldError, HoldId
from node.push import wire
from node.push.administration import ClientLine, PushClients, State
from node.push.admission import Client
from node.push.certificates import EnrolmentCa, read_request
from node.push.pushing import Pushing
from node.records.servicers import report_message

_SERVICE = enrolment_pb2.DESCRIPTOR.services_by_name["EnrolmentService"]
_STATES = {
    State.ACTIVE: control_pb2.CLIENT_STATE_ACTIVE,
    State.EXPIRED: control_pb2.CLIENT_STATE_EXPIRED,
    State.REVOKED: control_pb2.CLIENT_STATE_REVOKED,
}


class EnrolmentServicer:
    """EnrolmentService. The school system is the caller, whatever a request says."""

    def __init__(self, pushing: Pushing, holding: Holding, clock: Clock) -> None:
        self._pushing = pushing
        self._holding = holding
        self._clock = clock

    def PutEnrolments(  # noqa: N802 - the contract's name
        self, request: enrolment_pb2.PutEnrolmentsRequest, _context: grpc.ServicerContext
    ) -> enrolment_pb2.PutEnrolmentsResponse:
        put = wire.parse_put(request)
        return wire.put_response(put.request_id, self._pushing.put(caller(Client).name, put))

    def Withdraw(  # noqa: N802 - the contract's name
        self, request: enrolment_pb2.WithdrawRequest, _context: grpc.ServicerContext
    ) -> enrolment_pb2.WithdrawResponse:
        wanted = wire.parse_withdraw(request)
        return wire.withdraw_response(wanted.request_id, self._pushing.withdraw(caller(Client).name, wanted))

    def RequestWithdrawal(  # noqa: N802 - the contract's name
        self, request: enrolment_pb2.RequestWithdrawalRequest, _context: grpc.ServicerContext
    ) -> enrolment_pb2.RequestWithdrawalResponse:
        asked = wire.parse_withdrawal(request, caller(Client).name)
        try:
            hold = self._holding.ask(request.person_id, asked)
        except HoldError as error:
            raise UppropError(Code.INPUT_REFUSED, wire.HOLD_REFUSALS[error.key]) from error
        return enrolment_pb2.RequestWithdrawalResponse(
            request_id=hold.asked.hold_id, state=wire.WITHDRAWAL_STATES[hold.state]
        )

    def GetWithdrawal(  # noqa: N802 - the contract's name
        self, request: enrolment_pb2.GetWithdrawalRequest, _context: grpc.ServicerContext
    ) -> enrolment_pb2.GetWithdrawalResponse:
        hold = self._holding.of_system(HoldId(request.request_id), caller(Client).name)
        if hold is None:
            raise UppropError(Code.INPUT_REFUSED, "This school system has asked for no withdrawal of that id.")
        return enrolment_pb2.GetWithdrawalResponse(
            request_id=request.request_id,
            state=wire.WITHDRAWAL_STATES[hold.state],
            state_since=(hold.state_since or hold.asked_on).isoformat(),
        )

    def GetState(  # noqa: N802 - the contract's name
        self, _request: enrolment_pb2.GetStateRequest, _context: grpc.ServicerContext
    ) -> enrolment_pb2.GetStateResponse:
        newest = self._pushing.newest(caller(Client).name)
        return enrolment_pb2.GetStateResponse(business_date=self._clock.today().isoformat(), as_of=_iso(newest))


def binding(servicer: EnrolmentServicer) -> Binding:
    return Binding(_SERVICE, servicer)


def handlers(clients: PushClients, ca: EnrolmentCa, pushing: Pushing) -> Handlers:
    """What the administrator's commands ask."""

    def add(request: control_pb2.AddClientRequest) -> control_pb2.AddClientResponse:
        certificate = clients.add(request.name, read_request(request.signing_request), renew=request.renew)
        return control_pb2.AddClientResponse(
            certificate=certificate_pem(certificate),
            ca_certificate=certificate_pem(ca.certificate),
            expires_on=certificate.not_valid_after_utc.date().isoformat(),
        )

    def revoke(request: control_pb2.RevokeClientRequest) -> control_pb2.RevokeClientResponse:
        return control_pb2.RevokeClientResponse(keys_revoked=clients.revoke(request.name))

    def list_clients(_request: control_pb2.ListClientsRequest) -> control_pb2.ListClientsResponse:
        return control_pb2.ListClientsResponse(clients=_lines(clients.lines()))

    def take(request: control_pb2.TakePushedRequest) -> control_pb2.TakePushedResponse:
        report = pushing.take_waiting(
            request.name, accept_shrink=request.accept_shrink, confirm_leavings=request.confirm_leavings
        )
        return control_pb2.TakePushedResponse(report=report_message(report))

    return {"AddClient": add, "RevokeClient": revoke, "ListClients": list_clients, "TakePushed": take}


def _lines(lines: Iterable[ClientLine]) -> Iterable[control_pb2.ClientLine]:
    for line in lines:
        yield control_pb2.ClientLine(
            name=line.name,
            state=_STATES[line.state],
            added_on=line.added_on.isoformat(),
            expires_on=line.expires_on.isoformat(),
            last_push_at=None if line.last_push_at is None else line.last_push_at.isoformat(timespec="seconds"),
            as_of=_iso(line.as_of),
            refused_as_of=_iso(line.refused_as_of),
        )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
