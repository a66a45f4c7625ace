"""A party's certificate is renewed in time, for the key it has, without a restart.

Invariants: the key never leaves its file and is never replaced here; what a registry answers is taken only when it is a
certificate of a CA of the descriptor, for this party and this key, that lasts longer than the one in use; the file is
replaced in one step, so that at every moment it holds a certificate that is in order. Servers and channels take it up
by themselves (`federation.tls`, `federation.rpc.channel`). Where another PKI renews, nothing is asked or written.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from federation import files, signing_request
from federation.clock import utc_now
from federation.descriptor import Descriptor
from federation.descriptor_file import Registry
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.identity import Identity, Kind
from federation.observability import Event, Level, Log
from federation.pki import certificate_pem, tls_key
from federation.rpc.admission import certificate_from
from federation.rpc.admission import certify as certify_unnamed
from federation.rpc.client import Peer
from federation.settings import DaemonSettings
from federation.tls import OwnIdentity, check_certificate, check_usable, identity_of
from federation.travelling import Registries

LOOK_SECONDS = 600.0
"""How often a party looks whether its certificate is due, and so how soon it tries again."""

_NEW_ONE_HELPS = frozenset({Code.CERTIFICATE_EXPIRED, Code.IDENTITY_FOREIGN})
"""Of what keeps an identity from being used."""

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
        return self._is_foreign()

    def _is_foreign(self) -> bool:
        [first, *_] = x509.load_pem_x509_certificates(self._own.last().chain_pem)
        try:
            check_certificate(first, self._descriptors.last(), self._now())
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
                chain = checked(
                    certify(request), loaded.identity, self._own.key(), self._descriptors.last(), self._now()
                )
                if chain[0].not_valid_after_utc <= loaded.expires and not self._is_foreign():
                    raise _unfit("it does not last longer than the one in use")
                write(self._path, chain)
            except UppropError as error:
                failure = error
                continue
            _tell(self._log, chain)
            return
        self._log(NOT_RENEWED, code=failure.code, expires=loaded.expires)
        raise failure


def own_identity(
    settings: DaemonSettings,
    descriptors: DescriptorStore,
    kind: Kind,
    log: Log,
    certifiers: Callable[[], Iterable[Certify]] | None = None,
    *,
    now: Callable[[], datetime] = utc_now,
) -> OwnIdentity:
    """The identity that a role's settings describe. Where its certificate ran out while the program did not run, or the
    CA that issued it is no longer listed, a new one is asked for first: by default where parties without one ask.

    Raises UppropError as `OwnIdentity` does.
    """
    try:
        return OwnIdentity.of(settings, descriptors, kind=kind)
    except UppropError as error:
        if error.code not in _NEW_ONE_HELPS or not settings.renew_certificate:
            raise
        old, key = _lying_there(settings)
        if old.kind is not kind:
            raise
        descriptor = descriptors.current()
        for certify in (certifiers or (lambda: _unnamed(descriptor)))():
            try:
                chain = checked(certify(signing_request.make(old, key)), old, key, descriptor, now())
                write(settings.certificate, chain)
            except UppropError as failure:
                log(NOT_RENEWED, code=failure.code)
                continue
            _tell(log, chain)
            return OwnIdentity.of(settings, descriptors, kind=kind)
        raise


def _lying_there(settings: DaemonSettings) -> tuple[Identity, EllipticCurvePrivateKey]:
    """Whose certificate lies there, and its key: read by `OwnIdentity` before, so they can be read."""
    [first, *_] = x509.load_pem_x509_certificates(settings.certificate.read_bytes())
    return identity_of(first), tls_key(files.read_secret(settings.private_key), settings.private_key)


def _unnamed(descriptor: Descriptor) -> Iterable[Certify]:
    for registry in descriptor.registries:
        if registry.join_address is not None:
            yield functools.partial(certify_unnamed, registry.join_address, registry.identity, descriptor.roots_pem)


def checked(
    answer: bytes, identity: Identity, key: EllipticCurvePrivateKey, descriptor: Descriptor, now: datetime
) -> list[x509.Certificate]:
    """What was answered, if it is a certificate to use. Whoever answered is not trusted.

    Raises UppropError: INTERNAL, and as `check_certificate` and `check_usable` do.
    """
    if len(answer) > _MAX_CHAIN_BYTES:
        raise _unfit("it is too large")
    try:
        chain = x509.load_pem_x509_certificates(answer)
    except ValueError as error:
        raise _unfit("it is no certificate (PEM)") from error
    # First of all whether it is ours: what else is wrong with another's is not for people here to mend.
    if identity_of(chain[0]) != identity:
        raise _unfit("it is of another party")
    if chain[0].public_key() != key.public_key():
        raise _unfit("it is for another key")
    check_certificate(chain[0], descriptor, now)
    check_usable(chain, identity)
    if chain[0].not_valid_before_utc > now:
        raise _unfit("it is not in force yet")
    return chain


def write(path: Path, chain: Iterable[x509.Certificate]) -> None:
    """Raises UppropError(DIRECTORY_UNWRITABLE)."""
    files.replace(path, b"".join(map(certificate_pem, chain)))


def _tell(log: Log, chain: Sequence[x509.Certificate]) -> None:
    log(RENEWED, serial=f"{chain[0].serial_number:x}", expires=chain[0].not_valid_after_utc)


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


def _unfit(reason: str) -> UppropError:
    return UppropError(
        Code.INTERNAL, f"What the registry gave as a certificate was not taken: {reason}. Tell its operator."
    )
