"""Keys and certificates of the federation's parties.

Invariant: a party's certificate names it by URI and by the DNS name that callers pin; no certificate made here is good
for anything but the ends of TLS connections it was made for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from federation.errors import Code, UppropError
from federation.files import read_secret
from federation.identity import Identity

CA_LIFETIME = timedelta(days=3_650)
CERTIFICATE_LIFETIME = timedelta(days=90)
"""Of a party: renewed by itself when a third is left, so that a month goes by before a CA that is away is missed."""

LONGEST_LIFETIME = timedelta(days=397)
"""The longest that public CAs may issue for; of certificates that a person has to renew."""

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH

_BACKDATED = timedelta(minutes=5)
"""Clocks differ."""


def new_tls_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def private_pem(key: EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def tls_key(pem: bytes, path: Path) -> EllipticCurvePrivateKey:
    """The P-256 key that a file holds (PEM); raises UppropError(CONFIG_INVALID)."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UppropError(
            Code.CONFIG_INVALID, f"{path} does not hold a private key (PEM). Restore it from where you keep a copy."
        ) from error
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise UppropError(Code.CONFIG_INVALID, f"{path} is not a P-256 key. Restore the one that was made with it.")
    return key


def read_private_signing_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(read_secret(path), password=None)
    except (ValueError, TypeError) as error:
        raise UppropError(Code.CONFIG_INVALID, f"{path} does not hold a private key (PEM).") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UppropError(Code.CONFIG_INVALID, f"{path} holds a key of another kind than Ed25519.")
    return key


def read_public_signing_key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UppropError(Code.INPUT_REFUSED, f"{path} does not hold a public key (PEM).") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UppropError(Code.INPUT_REFUSED, f"{path} holds a key of another kind than Ed25519.")
    return key


def public_pem(key: EllipticCurvePublicKey | Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """A CA that issues certificates to parties; its key shows in no repr."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return "CertificateAuthority()"


def make_ca(name: str, now: datetime, lifetime: timedelta = CA_LIFETIME) -> CertificateAuthority:
    """A self-signed CA that may issue certificates of parties and no further CAs."""
    key = new_tls_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        _builder(subject, subject, key.public_key(), now, lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return CertificateAuthority(certificate, key)


def read_ca(certificate: Path, key: Path) -> CertificateAuthority:
    """The CA whose certificate and key (PEM) stand in these files.

    Raises UppropError: CONFIG_INVALID where they are no CA or do not belong together, SECRET_MODE, SECRET_MISSING.
    """
    try:
        read = x509.load_pem_x509_certificate(certificate.read_bytes())
        constraints = read.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (OSError, ValueError, x509.ExtensionNotFound) as error:
        raise UppropError(Code.CONFIG_INVALID, f"{certificate} does not hold the certificate of a CA (PEM).") from error
    private = tls_key(read_secret(key), key)
    if not constraints.ca or private.public_key() != read.public_key():
        raise UppropError(
            Code.CONFIG_INVALID, f"{key} is not the key of the CA in {certificate}. Put the two that belong together."
        )
    return CertificateAuthority(read, private)


def issue(
    ca: CertificateAuthority,
    identity: Identity,
    public_key: EllipticCurvePublicKey,
    now: datetime,
    lifetime: timedelta = CERTIFICATE_LIFETIME,
) -> x509.Certificate:
    """A certificate for a party's public key, for both ends of a TLS connection."""
    names = (x509.UniformResourceIdentifier(identity.uri), x509.DNSName(identity.dns_name))
    return certify(ca, identity.dns_name, names, (SERVER, CLIENT), public_key, now, lifetime)


def certify(
    ca: CertificateAuthority,
    common_name: str,
    names: Sequence[x509.GeneralName],
    purposes: Sequence[x509.ObjectIdentifier],
    public_key: EllipticCurvePublicKey,
    now: datetime,
    lifetime: timedelta = CERTIFICATE_LIFETIME,
) -> x509.Certificate:
    """A certificate that says: this public key is of these names, for these ends (SERVER, CLIENT) of a connection."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    return (
        _builder(subject, ca.certificate.subject, public_key, now, lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False)
        .sign(ca.key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: EllipticCurvePublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
