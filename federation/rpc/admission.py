"""Asking a registry for the newest descriptor, and for a certificate.

Whoever has a certificate asks through a `Peer`; whoever has none yet, or one that has expired, at the address for
joining, where it checks who answers and shows nothing. Invariant: what is answered is not trusted here. A descriptor
counts by the authority's signature, a certificate by the key that the descriptor lists; both are the caller's to check.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc

from federation import tls13
from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.observability import Metrics
from federation.rpc.client import Peer
from federation.v1 import admission_pb2
from federation.v1.admission_pb2_grpc import AdmissionServiceStub

DEADLINE = 10.0
"""Seconds for one attempt: a file that the registry has in memory, or one signature."""

ATTEMPTS = 1
"""Who asks again and again by itself need not ask twice."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a registry answered: a newer descriptor (not verified), where it has one, and its system time."""

    content: bytes | None
    now: datetime


class ServerOnly:
    """Credentials of a caller that checks the server's certificate and shows none."""

    stamp = None

    def __init__(self, roots_pem: bytes) -> None:
        tls13.check()
        self._roots_pem = roots_pem

    def make(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(root_certificates=self._roots_pem)


def fetch_descriptor(
    address: str, registry: Identity, roots_pem: bytes, serial: int = 0, *, metrics: Metrics | None = None
) -> Fetched:
    """Ask at an address for joining whether there is a newer descriptor than that with `serial`.

    `roots_pem` are the CAs of a descriptor. Raises UppropError: PEER_UNREACHABLE, DEADLINE, OVERLOADED,
    IDENTITY_FOREIGN where somebody else answers, NOT_SUPPORTED where the registry is older.
    """
    with _joining(address, registry, roots_pem, metrics) as peer:
        return descriptor_from(peer, serial)


def certify(
    address: str, registry: Identity, roots_pem: bytes, signing_request: bytes, *, metrics: Metrics | None = None
) -> bytes:
    """Ask at an address for joining for a certificate (PEM, its chain after it) for a request (DER, PKCS #10).

    Raises UppropError as `fetch_descriptor`, and ADMISSION_PENDING while the registry's descriptor does not list the
    party, ADMISSION_REFUSED where it lists it with another key, REQUEST_INVALID for a request that is not in order.
    """
    with _joining(address, registry, roots_pem, metrics) as peer:
        return certificate_from(peer, signing_request)


def descriptor_from(peer: Peer, serial: int) -> Fetched:
    """The same, asked through a connection that is there."""
    request = admission_pb2.GetDescriptorRequest(serial=serial)
    answer = peer.call(AdmissionServiceStub(peer.channel).GetDescriptor, request, DEADLINE, attempts=ATTEMPTS)
    try:
        now = answer.now.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UppropError(
            Code.INTERNAL, "The registry's answer states no time that is one. Tell its operator."
        ) from error
    return Fetched(answer.descriptor or None, now)


def certificate_from(peer: Peer, signing_request: bytes) -> bytes:
    """The same, asked through a connection that is there."""
    request = admission_pb2.CertifyRequest(signing_request=signing_request)
    answer = peer.call(AdmissionServiceStub(peer.channel).Certify, request, DEADLINE, attempts=ATTEMPTS)
    return answer.chain.encode()


@contextlib.contextmanager
def _joining(address: str, registry: Identity, roots_pem: bytes, metrics: Metrics | None) -> Iterator[Peer]:
    with contextlib.closing(Peer(registry, address, ServerOnly(roots_pem), metrics)) as peer:
        yield peer
