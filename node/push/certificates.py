"""The certificates of push: a CA of this node's own, its server's certificate, and those of clients.

Invariants
    - The CA means nothing outside this node's port for school systems: no party of the federation accepts it, and this
      port accepts nothing else.
    - A certificate alone lets nobody in: its key must stand in the store (`admission`). Whoever steals the CA's key can
      pose as this node towards school systems, and push nothing.
    - Keys are written once, mode 0600, in one file with their certificate, so that no half of a pair is ever found.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from federation import files, tls13
from federation.clock import utc_now
from federation.errors import Code, UppropError
from federation.pki import (
    CLIENT,
    LONGEST_LIFETIME,
    SERVER,
    CertificateAuthority,
    certificate_pem,
    certify,
    make_ca,
    new_tls_key,
    private_pem,
)
from federation.rules.vocabulary import MemberId
from federation.settings import parse_address

DIRECTORY_NAME = "enrolment"
SCHEME = "upprop-client://"

RENEWED_BEFORE = timedelta(days=60)
"""The server's certificate is replaced so long before it expires; school systems trust the CA, and notice nothing."""


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return "_Pair()"


class EnrolmentCa:
    """The CA of one node, kept below its data directory; made on first use.

    `names` are the host names and addresses by which school systems call the node.
    """

    def __init__(
        self, data_dir: Path, member: MemberId, names: Sequence[str], *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._directory = data_dir / DIRECTORY_NAME
        self._member = member
        self._names = [_general_name(name) for name in names]
        self._now = now
        self._lock = threading.Lock()

    # -- clients ----------------------------------------------------------------------------------------------------

    def uri(self, client: str) -> str:
        """What a client's certificate names: no identity of the federation."""
        return f"{SCHEME}{self._member}/{client}"

    def client_of(self, certificate: x509.Certificate) -> str | None:
        """The client that a certificate of this CA names; None where it is none."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return None
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        prefix = self.uri("")
        return uris[0].removeprefix(prefix) if len(uris) == 1 and uris[0].startswith(prefix) else None

    def issue(self, client: str, key: EllipticCurvePublicKey) -> x509.Certificate:
        """A certificate for a client's key. Raises UppropError(CONFIG_INVALID) where the CA itself has expired."""
        ca = self._ca()
        now = self._now()
        lifetime = min(LONGEST_LIFETIME, ca.certificate.not_valid_after_utc - now)
        if lifetime <= timedelta(0):
            raise UppropError(
                Code.CONFIG_INVALID,
                f"The CA in {self._directory} has expired. Move that directory away, and add all clients anew.",
            )
        names = [x509.UniformResourceIdentifier(self.uri(client))]
        return certify(_authority(ca), client, names, (CLIENT,), key, now, lifetime)

    # -- the server -------------------------------------------------------------------------------------------------

    @property
    def certificate(self) -> x509.Certificate:
        return self._ca().certificate

    def server_credentials(self) -> grpc.ServerCredentials:
        """Credentials that ask for certificates of this CA and renew the server's own before it expires."""
        tls13.check()
        lock = threading.Lock()
        given = self._server()

        def configuration(pair: _Pair) -> grpc.ServerCertificateConfiguration:
            return grpc.ssl_server_certificate_configuration(
                [(private_pem(pair.key), certificate_pem(pair.certificate))],
                root_certificates=certificate_pem(self.certificate),
            )

        def fetch() -> grpc.ServerCertificateConfiguration | None:
            # Runs on every new connection; None keeps what was given last.
            nonlocal given
            with lock:
                if not self._is_old(given):
                    return None
                given = self._server()
                return configuration(given)

        return grpc.dynamic_ssl_server_credentials(
            configuration(given),
            fetch,  # type: ignore[arg-type]  # the stubs forget that None is allowed and means "unchanged"
            require_client_authentication=True,
        )

    def _server(self) -> _Pair:
        """The server's certificate; a new one where there is none, or it is old or of other names."""
        path = self._directory / "server.pem"
        with self._lock:
            if path.exists():
                pair = _read(path)
                if not self._is_old(pair) and _names(pair.certificate) == self._names:
                    return pair
            ca = self._ca()
            key = new_tls_key()
            name = f"node {self._member} for school systems"
            certificate = certify(
                _authority(ca), name, self._names, (SERVER,), key.public_key(), self._now(), LONGEST_LIFETIME
            )
            files.replace(path, private_pem(key) + certificate_pem(certificate), mode=files.SECRET_MODE)
            return _Pair(certificate, key)

    def _is_old(self, pair: _Pair) -> bool:
        return self._now() + RENEWED_BEFORE >= pair.certificate.not_valid_after_utc

    def _ca(self) -> _Pair:
        path = self._directory / "ca.pem"
        if not path.exists():
            made = make_ca(f"Upprop node {self._member}: school systems", self._now())
            files.private_directory(self._directory)
            files.write_secret(path, private_pem(made.key) + certificate_pem(made.certificate))
        return _read(path)


def listening_names(listen: str | None, names: Sequence[str]) -> tuple[str, ...]:
    """The names of a server that listens on `host:port` (None: there is none): those stated or, without any, that host.

    Raises UppropError(CONFIG_INVALID) for an address that stands for every address, by which nobody can call.
    """
    if names or listen is None:
        return tuple(names)
    host = parse_address(listen)[0]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - refused, not listened on
        raise UppropError(
            Code.CONFIG_INVALID,
            f'enrolment_listen = "{listen}" needs enrolment_names = [...]: how school systems call this machine.',
        )
    return (host,)


def read_request(pem: bytes) -> EllipticCurvePublicKey:
    """The key of a certificate signing request; what it says of names is passed over.

    Raises UppropError(INPUT_REFUSED) where it is none, or its key is not P-256.
    """
    try:
        request = x509.load_pem_x509_csr(pem)
        sound = request.is_signature_valid
        key = request.public_key()
    except ValueError as error:
        raise UppropError(Code.INPUT_REFUSED, "This is not a certificate signing request (PEM).") from error
    if not sound or not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise UppropError(
            Code.INPUT_REFUSED,
            "The signing request must be signed by a P-256 key. Make one with: "
            "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=client "
            "-keyout client.key -out client.csr",
        )
    return key


def _read(path: Path) -> _Pair:
    content = files.read_secret(path)
    try:
        key = load_pem_private_key(content, password=None)
        certificate = x509.load_pem_x509_certificate(content)
    except (ValueError, TypeError) as error:
        raise UppropError(Code.CONFIG_INVALID, f"{path} does not hold a key and its certificate (PEM).") from error
    if not isinstance(key, EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise UppropError(Code.CONFIG_INVALID, f"{path} does not hold a key and its certificate (PEM).")
    return _Pair(certificate, key)


def _authority(pair: _Pair) -> CertificateAuthority:
    return CertificateAuthority(pair.certificate, pair.key)


def _names(certificate: x509.Certificate) -> list[x509.GeneralName]:
    return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name)
    except ValueError as error:
        raise UppropError(Code.CONFIG_INVALID, f"{name!r} is neither a host name nor an address.") from error
