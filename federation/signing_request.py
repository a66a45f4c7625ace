"""Asking for a certificate: PKCS #10, signed with the key that it is about.

Invariants: a request that is taken proves that its sender holds the key; it names exactly one party, by its URI; the
key is a P-256 key. Whatever else a request asks for is passed over: what a certificate says is up to whoever issues it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.tls import public_key_sha256

MAX_BYTES = 8 * 1024
"""As the contract says; a request with a P-256 key and one name takes under 500 bytes."""


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """Who asks, and the key that it has proved to hold."""

    identity: Identity
    public_key: EllipticCurvePublicKey

    @property
    def key_sha256(self) -> str:
        """As the descriptor lists it."""
        return public_key_sha256(self.public_key)


def make(identity: Identity, key: EllipticCurvePrivateKey) -> bytes:
    """A request (DER) for a certificate of `identity`."""
    names = (x509.UniformResourceIdentifier(identity.uri), x509.DNSName(identity.dns_name))
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity.dns_name)]))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def read(content: bytes) -> SigningRequest:
    """What a request (DER) asks for. Raises UppropError: REQUEST_INVALID, and IDENTITY_FOREIGN for no such party."""
    if len(content) > MAX_BYTES:
        raise _invalid(f"it is larger than {MAX_BYTES} bytes")
    try:
        request = x509.load_der_x509_csr(content)
        key = request.public_key()
        # Nothing of it is looked at before its signature, except the key that made it.
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise _invalid("its key is no P-256 key")
        if not request.is_signature_valid:
            raise _invalid("it is not signed with the key that it holds")
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        raise _invalid("it cannot be read, or names no party") from error
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1:
        raise _invalid("it must name exactly one party")
    return SigningRequest(Identity.parse(uris[0]), key)


def _invalid(reason: str) -> UppropError:
    return UppropError(
        Code.REQUEST_INVALID, f"The request for a certificate is not in order: {reason}. Make a new one."
    )
