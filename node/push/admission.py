"""Which school system calls: decided anew for every RPC, because a connection outlives a revocation.

Invariant: a call is let in only while its certificate is in date and of this node's own CA, and its key stands in the
store for the client that the certificate names, not revoked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import grpc
from cryptography import x509

from federation.clock import utc_now
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from federation.rpc.authorisation import Rule, certificate_pem_of
from federation.tls import key_sha256
from node.push.certificates import EnrolmentCa
from node.store.clients import Clients

CLIENT_REFUSED = Event("push_client_refused", ("client", "code"), Level.WARNING)

_CACHE_ENTRIES = 256
"""More than the school systems of any municipality; beyond it the cache starts anew."""


@dataclass(frozen=True, slots=True)
class Client:
    """A school system that calls; `name` is also the name of its roster."""

    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class _Certificate:
    client: Client
    key_sha256: bytes
    expires: datetime


class ClientAuthoriser:
    """Lets clients in. Every method is open to each of them: what they can touch follows from their name."""

    def __init__(self, ca: EnrolmentCa, database: Database, log: Log, *, now: Callable[[], datetime] = utc_now) -> None:
        self._ca = ca
        self._database = database
        self._log = log
        self._now = now
        self._clients = Clients()
        self._lock = threading.Lock()
        self._known: dict[bytes, _Certificate] = {}

    def authorise(self, context: grpc.ServicerContext, _rule: Rule) -> Client:
        """Raises UppropError: IDENTITY_FOREIGN, CERTIFICATE_EXPIRED or IDENTITY_UNLISTED."""
        certificate = self._certificate(certificate_pem_of(context))
        client = certificate.client
        if self._now() >= certificate.expires:
            raise self._refused(
                client,
                Code.CERTIFICATE_EXPIRED,
                f"The certificate of {client.name} expired on {certificate.expires:%Y-%m-%d}.",
            )
        known = self._database.view("push_client", lambda tx: self._clients.by_key(tx, certificate.key_sha256))
        if known is None or known.name != client.name or known.revoked_at is not None:
            raise self._refused(client, Code.IDENTITY_UNLISTED, f"The certificate of {client.name} is not accepted.")
        return client

    def _certificate(self, pem: bytes) -> _Certificate:
        with self._lock:
            known = self._known.get(pem)
            if known is None:
                known = self._read(pem)
                if len(self._known) >= _CACHE_ENTRIES:
                    self._known.clear()
                self._known[pem] = known
            return known

    def _read(self, pem: bytes) -> _Certificate:
        try:
            certificate = x509.load_pem_x509_certificate(pem)
        except ValueError as error:
            raise UppropError(Code.IDENTITY_FOREIGN, "The certificate of the call is not readable.") from error
        name = self._ca.client_of(certificate)
        if name is None:
            raise UppropError(Code.IDENTITY_FOREIGN, "The certificate of the call is not one of this node's.")
        return _Certificate(
            Client(name, self._ca.uri(name)),
            bytes.fromhex(key_sha256(certificate)),
            certificate.not_valid_after_utc,
        )

    def _refused(self, client: Client, code: Code, sentence: str) -> UppropError:
        # The guard does not know the caller of a call that was not let in; whose certificate it was must be seen.
        self._log(CLIENT_REFUSED, client=client.name, code=code)
        return UppropError(code, f"{sentence} Ask the node's administrator for a new one.")
