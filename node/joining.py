"""What a new node asks the federation's CA for."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from federation.identity import Identity


def signing_request(identity: Identity, key: EllipticCurvePrivateKey) -> bytes:
    """A certificate signing request (PKCS #10, PEM) that names the party as its certificate must."""
    names = [x509.UniformResourceIdentifier(identity.uri), x509.DNSName(identity.dns_name)]
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity.dns_name)]))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )
