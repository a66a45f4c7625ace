"""The command line's side of the administration of clients: plain values in, plain values out."""

from __future__ import annotations

from dataclasses import dataclass

from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub
from node.client import Answer, as_answer

_STATES = {
    control_pb2.CLIENT_STATE_ACTIVE: "active",
    control_pb2.CLIENT_STATE_EXPIRED: "expired",
    control_pb2.CLIENT_STATE_REVOKED: "revoked",
}


@dataclass(frozen=True, slots=True)
class Issued:
    """What a new client needs beside its key; both PEM."""

    certificate: bytes
    ca_certificate: bytes
    expires_on: str


class ClientsClient:
    """Asks the node. Every method raises UppropError."""

    def __init__(self, stub: ControlServiceStub) -> None:
        self._stub = stub

    def add(self, name: str, signing_request: bytes, *, renew: bool) -> Issued:
        request = control_pb2.AddClientRequest(name=name, signing_request=signing_request, renew=renew)
        response = self._stub.AddClient(request)
        return Issued(response.certificate, response.ca_certificate, response.expires_on)

    def revoke(self, name: str) -> int:
        """How many keys were let in until now."""
        return self._stub.RevokeClient(control_pb2.RevokeClientRequest(name=name)).keys_revoked

    def all(self) -> list[Answer]:
        response = self._stub.ListClients(control_pb2.ListClientsRequest())
        return [{**as_answer(line), "state": _STATES[line.state]} for line in response.clients]

    def take(self, name: str, *, accept_shrink: bool, confirm_leavings: bool) -> Answer:
        """The import's report."""
        request = control_pb2.TakePushedRequest(
            name=name, accept_shrink=accept_shrink, confirm_leavings=confirm_leavings
        )
        return as_answer(self._stub.TakePushed(request).report)
