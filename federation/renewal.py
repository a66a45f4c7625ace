"""A party's certificate is renewed in time, for the key it has, without a restart.

Invariants: the key never leaves its file and is never replaced here; what a registry answers is taken only when it is a
certificate of a CA of the descriptor, for this party and this key, that lasts longer than the one in use; the file is
replaced in one step, so that at every moment it holds a certificate that is in order. Servers and channels take it up
by themselves (`federation.tls`, `federation.rpc.channel`). Where another PKI renews, nothing is asked or written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from cryptography import x509

from federation import files, signing_request
from federation.clock import utc_now
from federation.descriptor_file import Registry
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from federation.pki import certificate_pem
from federation.rpc.admission import certificate_from
from federation.rpc.client import Peer
from federation.tls import OwnIdentity, check_certificate
from federation.travelling import Registries

LOOK_SECONDS = 600.0
"""How often a party looks whether its certificate is due, and so how soon it tries again."""

LEFT = 3
"""Renewed when a third of the lifetime is left."""

_MAX_CHAIN_BYTES = 64 * 1024

RENEWED = Event("certificate_renewed", ("serial", "expires"))
NOT_RENEWED = Event("certificate_not_renewed", ("code", "expires"), Level.ERROR)

Certify = Callable[[bytes], bytes]
"""From a signing request (DER) to a certificate (PEM, its chain after it); raises UppropError."""


class Renewal:
    """Renews one certificate. `run` is a worker's run; `certifiers` gives whom to ask, until one has certified."""

    def __init__(
        self,
        certificate: Path,
        descriptors: DescriptorStore,
        own: OwnIdentity,
        certifiers: Callable[[], Iterable[Certify]],
        log: Log,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._path = certificate
        self._descriptors = descriptors
        self._own = own
        self._certifiers = certifiers
        self._log = log
        self._now = now

    def is_due(self) -> bool:
        """Whether a third of the lifetime or less is left, or the descriptor no longer names the CA that issued it."""
        loaded = self._own.last()
        if self._now() >= loaded.expires - (loaded.expires - loaded.issued) / LEFT:
            return True
        try:
            check_certificate(_first(loaded.chain_pem), self._descriptors.last(), self._now())
        except UppropError as error:
            return error.code is Code.IDENTITY_FOREIGN
        return False

    def run(self) -> None:
        """Renew where it is due. Raises UppropError where nobody gave a certificate, or it cannot be written."""
        if not self.is_due():
            return
        loaded = self._own.last()
        request = signing_request.make(loaded.identity, self._own.key())
        failure = UppropError(Code.CONFIG_INVALID, "The descriptor names no registry that could renew a certificate.")
        for certify in self._certifiers():
            try:
                chain = self._checked(certify(request))
                self._write(chain)
            except UppropError as error:
                failure = error
                continue
            self._log(RENEWED, serial=f"{chain[0].serial_number:x}", expires=chain[0].not_valid_after_utc)
            return
        self._log(NOT_RENEWED, code=failure.code, expires=loaded.expires)
        raise failure

    def _checked(self, answer: bytes) -> list[x509.Certificate]:
        """What was answered, if it is a certificate to use. Whoever answered is not trusted."""
        if len(answer) > _MAX_CHAIN_BYTES:
            raise _unfit("it is too large")
        try:
            chain = x509.load_pem_x509_certificates(answer)
        except ValueError as error:
            raise _unfit("it is no certificate (PEM)") from error
        loaded = self._own.last()
        if check_certificate(chain[0], self._descriptors.last(), self._now()) != loaded.identity:
            raise _unfit("it is of another party")
        if chain[0].public_key() != self._own.key().public_key():
            raise _unfit("it is for another key")
        if chain[0].not_valid_after_utc <= loaded.expires:
            raise _unfit("it does not last longer than the one in use")
        return chain

    def _write(self, chain: Iterable[x509.Certificate]) -> None:
        try:
            files.replace(self._path, b"".join(map(certificate_pem, chain)))
        except UppropError as error:
            raise UppropError(
                error.code,
                f"The renewed certificate is not in its place. {error.sentence} Or set renew_certificate = false and "
                "renew it yourself.",
            ) from error


def from_registries(registries: Registries) -> Callable[[], Iterable[Certify]]:
    """Every registry of the descriptor, in an order that differs every time."""

    def certifiers() -> Iterable[Certify]:
        for registry in registries.others():

            def certify(request: bytes, registry: Registry = registry) -> bytes:
                def ask(peer: Peer) -> bytes:
                    return certificate_from(peer, request)

                return registries.ask(registry, ask)

            yield certify

    return certifiers


def _first(chain_pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain_pem)[0]


def _unfit(reason: str) -> UppropError:
    return UppropError(
        Code.INTERNAL, f"What the registry gave as a certificate was not taken: {reason}. Tell its operator."
    )
