"""A school system that asks to withdraw pupils of its exports: over mutual TLS, by the contract alone.

What has become of them is asked of the node by the same way: `GetWithdrawal`.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import grpc
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from federation.demo.scenario import Withdrawal
from federation.demo.trial import Trial
from federation.errors import Code, UppropError
from federation.pki import new_tls_key, private_pem
from federation.v1 import control_pb2, enrolment_pb2
from federation.v1.enrolment_pb2_grpc import EnrolmentServiceStub

SYSTEM = "main"
"""The school system whose roster imports of files make."""
SECONDS = 60.0


@dataclass(frozen=True, order=True)
class Asked:
    """What has become of a withdrawal: HELD, RELEASED or CANCELLED, and since when."""

    member: str
    person_id: str
    asked_on: date
    state: str
    state_since: date


class SchoolSystem:
    """The school system of one node of a trial; its credentials are made when it first calls."""

    def __init__(self, trial: Trial, member: str) -> None:
        self._trial, self._member = trial, member
        self._credentials: grpc.ChannelCredentials | None = None
        self._asked: dict[bytes, Withdrawal] = {}

    def ask(self, withdrawal: Withdrawal) -> None:
        """Raises UppropError(INPUT_REFUSED) with the node's own sentence."""
        request_id = secrets.token_bytes(16)
        reason = withdrawal.reason.name
        request = enrolment_pb2.RequestWithdrawalRequest(
            request_id=request_id,
            person_id=withdrawal.person_id,
            last_day=withdrawal.last_day.isoformat(),
            reason=enrolment_pb2.WithdrawalReason.Value(f"WITHDRAWAL_REASON_{reason}"),
            responsible=withdrawal.responsible,
            enroled_at=withdrawal.enroled_at,
        )
        with self._called() as service:
            service.RequestWithdrawal(request, timeout=SECONDS)
        self._asked[request_id] = withdrawal

    def asked(self) -> Iterator[Asked]:
        """What has become of all that was asked."""
        if not self._asked:
            return
        with self._called() as service:
            for request_id, each in self._asked.items():
                request = enrolment_pb2.GetWithdrawalRequest(request_id=request_id)
                found = service.GetWithdrawal(request, timeout=SECONDS)
                state = enrolment_pb2.WithdrawalState.Name(found.state).removeprefix("WITHDRAWAL_STATE_")
                since = date.fromisoformat(found.state_since)
                yield Asked(self._member, each.person_id, each.on, state, since)

    @contextlib.contextmanager
    def _called(self) -> Iterator[EnrolmentServiceStub]:
        # Anew each time: a node that was restarted has another port.
        address = f"127.0.0.1:{self._trial.port(self._member, 'enrolment')}"
        options = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))
        self._credentials = self._credentials or self._admitted()
        with grpc.secure_channel(address, self._credentials, options=options) as channel:
            try:
                yield EnrolmentServiceStub(channel)
            except grpc.RpcError as error:
                raise UppropError(
                    Code.INPUT_REFUSED, f"{self._member} took no withdrawal: {error.details()}"
                ) from error

    def _admitted(self) -> grpc.ChannelCredentials:
        key = new_tls_key()
        request = control_pb2.AddClientRequest(name=SYSTEM, signing_request=_signing_request(key))
        answer = self._trial.ask(self._trial.nodes[self._member], "AddClient", request)
        return grpc.ssl_channel_credentials(answer.ca_certificate, private_pem(key), answer.certificate)


def _signing_request(key: EllipticCurvePrivateKey) -> bytes:
    return CertificateSigningRequestBuilder().subject_name(Name([])).sign(key, SHA256()).public_bytes(Encoding.PEM)
