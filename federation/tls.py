"""Mutual TLS 1.3 with certificates that name a party.

Invariants: a party starts only with a certificate that is in date, issued by a CA of the descriptor, names the party by
its URI and carries the key that the descriptor lists; a server asks every caller for a certificate; a caller checks
the name of the party it dials, whatever address that has. Certificates live in the system's time, never in business
dates; nothing below TLS 1.3 is spoken (`tls13`). Who may call what is decided per RPC (`rpc.authorisation`), since a
TLS session outlives a descriptor.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from federation import tls13
from federation.clock import utc_now
from federation.descriptor import Descriptor
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.files import read_secret, stamp
from federation.identity import Identity, Kind
from federation.pki import tls_key

if TYPE_CHECKING:
    from federation.settings import DaemonSettings

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead another party's clock may be before a fresh certificate of its is refused by our own check."""

LONGEST_CHAIN = 4
"""Certificates that come with a connection, the party's own among them."""


def key_sha256(certificate: x509.Certificate) -> str:
    """SHA-256 of the SubjectPublicKeyInfo, in hex: what the descriptor lists."""
    return public_key_sha256(certificate.public_key())


def public_key_sha256(key: CertificatePublicKeyTypes) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def identity_of(certificate: x509.Certificate) -> Identity:
    """The party a certificate names: its one URI SAN. Raises UppropError(IDENTITY_FOREIGN) for none or several."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError) as error:
        raise _foreign("it names no party") from error
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1:
        raise _foreign("it must name exactly one party")
    return Identity.parse(uris[0])


def check_certificate(certificate: x509.Certificate, descriptor: Descriptor, now: datetime) -> Identity:
    """The party a certificate stands for, if it may: in date, of a CA of the descriptor, with the listed key.

    Raises UppropError: CERTIFICATE_EXPIRED, CLOCK_WRONG, IDENTITY_FOREIGN or IDENTITY_UNLISTED.
    """
    identity = identity_of(certificate)
    if now >= certificate.not_valid_after_utc:
        raise UppropError(
            Code.CERTIFICATE_EXPIRED,
            f"The certificate of {identity} expired on {certificate.not_valid_after_utc:%Y-%m-%d}. "
            "Ask the authority's CA for a new one.",
        )
    if now + CLOCK_TOLERANCE < certificate.not_valid_before_utc:
        raise UppropError(
            Code.CLOCK_WRONG, f"The certificate of {identity} is not valid yet. Check this machine's clock."
        )
    if not any(_issued(certificate, pem) for pem in descriptor.ca_certificates):
        raise _foreign("no CA of the descriptor issued it")
    listed = descriptor.listed_key(identity)
    if listed is not None and listed != key_sha256(certificate):
        raise UppropError(
            Code.IDENTITY_UNLISTED,
            f"The key of {identity} is not the one in the descriptor. Ask the authority to list the new key.",
        )
    return identity


def check_usable(chain: Sequence[x509.Certificate], identity: Identity) -> None:
    """Whether a chain that somebody gave is good for both ends of the party's connections. A party that used another
    one would be turned away everywhere, where nobody could give it a better one.

    Raises UppropError(IDENTITY_FOREIGN).
    """
    if len(chain) > LONGEST_CHAIN:
        raise _foreign(f"more than {LONGEST_CHAIN} certificates come with it")
    extensions = chain[0].extensions
    if any(each.critical and isinstance(each.value, x509.UnrecognizedExtension) for each in extensions):
        raise _foreign("it demands what nobody here understands")
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if identity.dns_name not in names.get_values_for_type(x509.DNSName):
        raise _foreign(f"it lacks the name {identity.dns_name}")
    for each in extensions:
        if isinstance(each.value, x509.ExtendedKeyUsage):
            fit = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH} <= set(each.value)
        elif isinstance(each.value, x509.KeyUsage):
            fit = each.value.digital_signature
        else:
            fit = not (isinstance(each.value, x509.BasicConstraints) and each.value.ca)
        if not fit:
            raise _foreign("it is not for both ends of a connection")


def _issued(certificate: x509.Certificate, ca_pem: str) -> bool:
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca_pem.encode()))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _foreign(reason: str) -> UppropError:
    return UppropError(
        Code.IDENTITY_FOREIGN,
        f"The certificate is not one of this federation: {reason}. Ask the authority's CA for one.",
    )


@dataclass(frozen=True, slots=True)
class _Loaded:
    stamp: tuple[object, ...]
    identity: Identity
    issued: datetime
    expires: datetime
    chain_pem: bytes
    key_pem: bytes
    roots_pem: bytes


class OwnIdentity:
    """This party's certificate and key, checked at start and read again when their files or the CAs change.

    A changed file that is not in order is passed over: what was in order before stays in use until it expires.
    """

    def __init__(
        self,
        certificate: Path,
        private_key: Path,
        descriptors: DescriptorStore,
        *,
        kind: Kind | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        tls13.check()
        self._certificate = certificate
        self._private_key = private_key
        self._descriptors = descriptors
        self._now = now
        self._lock = threading.Lock()
        self._loaded = self._load()
        if kind is not None and self.identity.kind is not kind:
            raise UppropError(
                Code.IDENTITY_FOREIGN,
                f"{certificate} is a certificate of kind {self.identity.kind}; take one of kind {kind}.",
            )

    @classmethod
    def of(cls, settings: DaemonSettings, descriptors: DescriptorStore, *, kind: Kind | None = None) -> OwnIdentity:
        """The identity that a role's settings describe; `kind` is what the role must be."""
        return cls(settings.certificate, settings.private_key, descriptors, kind=kind)

    @property
    def identity(self) -> Identity:
        return self._loaded.identity

    @property
    def expires(self) -> datetime:
        return self.last().expires

    @property
    def issued(self) -> datetime:
        """From when on the certificate is in force."""
        return self.last().issued

    def current(self) -> _Loaded:
        """What is in force now; equal stamps mean that nothing has changed."""
        with self._lock:
            if self._stamp() != self._loaded.stamp:
                try:
                    self._loaded = self._load()
                except UppropError:
                    # Half-replaced pairs are normal while certificates are renewed; expiry shows in the metrics.
                    return self._loaded
            return self._loaded

    def last(self) -> _Loaded:
        """What was in order last: under an expired descriptor, to ask for the next one and nothing else."""
        try:
            return self.current()
        except UppropError:
            return self._loaded

    def key(self) -> EllipticCurvePrivateKey:
        """The private key of the certificate, expired or not: to ask for the next one."""
        return _key(self.last())

    def sign(self, content: bytes) -> bytes:
        """This party's signature over what it states: ECDSA with SHA-256 (DER), by the key of its certificate."""
        return _key(self.current()).sign(content, ECDSA(SHA256()))

    def _stamp(self) -> tuple[object, ...]:
        return self._descriptors.current().ca_certificates, stamp(self._certificate), stamp(self._private_key)

    def _load(self) -> _Loaded:
        loaded_stamp = self._stamp()
        descriptor = self._descriptors.current()
        key_pem = read_secret(self._private_key)
        try:
            chain_pem = self._certificate.read_bytes()
            certificate = x509.load_pem_x509_certificates(chain_pem)[0]
        except (OSError, ValueError) as error:
            raise UppropError(Code.CONFIG_INVALID, f"{self._certificate} does not hold a certificate (PEM).") from error
        key = tls_key(key_pem, self._private_key)
        if key.public_key() != certificate.public_key():
            raise UppropError(
                Code.CONFIG_INVALID, f"{self._private_key} does not belong to the certificate {self._certificate}."
            )
        identity = check_certificate(certificate, descriptor, self._now())
        return _Loaded(
            stamp=loaded_stamp,
            identity=identity,
            issued=certificate.not_valid_before_utc,
            expires=certificate.not_valid_after_utc,
            chain_pem=chain_pem,
            key_pem=key_pem,
            roots_pem=descriptor.roots_pem,
        )


def _key(loaded: _Loaded) -> EllipticCurvePrivateKey:
    key = load_pem_private_key(loaded.key_pem, password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return key


def server_credentials(own: OwnIdentity, *, asks_callers: bool = True) -> grpc.ServerCredentials:
    """Credentials of a server that takes up renewed certificates and CAs by itself.

    It asks every caller for a certificate, unless `asks_callers` is false: then it never does.
    """
    lock = threading.Lock()
    given = own.current()

    def configuration(loaded: _Loaded) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(loaded.key_pem, loaded.chain_pem)], root_certificates=loaded.roots_pem if asks_callers else None
        )

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        # Runs on every new connection; None keeps what was given last.
        nonlocal given
        with lock:
            try:
                newest = own.current()
            except UppropError:
                # An expired descriptor: handshakes go on, and every call is refused with that code.
                return None
            if newest.stamp == given.stamp:
                return None
            given = newest
            return configuration(newest)

    return grpc.dynamic_ssl_server_credentials(
        configuration(given),
        fetch,  # type: ignore[arg-type]  # the stubs forget that None is allowed and means "unchanged"
        require_client_authentication=asks_callers,
    )


class ChannelCredentials:
    """Credentials of a caller. A channel keeps what it was made with: make a new one when `stamp` changes."""

    def __init__(self, own: OwnIdentity) -> None:
        self._own = own

    @property
    def stamp(self) -> object:
        return self._own.current().stamp

    def make(self) -> grpc.ChannelCredentials:
        return self.of(self._own.current())

    @staticmethod
    def of(loaded: _Loaded) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(
            root_certificates=loaded.roots_pem, private_key=loaded.key_pem, certificate_chain=loaded.chain_pem
        )
