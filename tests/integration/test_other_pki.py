"""Certificates of another PKI: the descriptor names the CA that issues, and need not name that CA's own issuer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from federation import descriptor, identity, pki, throwaway
from federation.clock import utc_now
from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.observability import Metrics
from federation.pki import CertificateAuthority
from tests.harness.signing import tls_key
from tests.integration.rpc_parties import Party, Running, resign, submit

A, NODE = identity.registry("a"), identity.node("0180")


@pytest.fixture
def issuing() -> CertificateAuthority:
    """A CA that another one has issued, which no party knows of."""
    root, key = pki.make_ca("A root", utc_now()), pki.new_tls_key()
    now = utc_now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An issuing CA")]))
        .issuer_name(root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(root.key, hashes.SHA256())
    )
    return CertificateAuthority(certificate, key)


def give(federation: throwaway.DevFederation, home: str, who: Identity, ca: CertificateAuthority) -> None:
    """A certificate with that of its CA after it, as other PKIs hand them out, and with names of their own."""
    directory: Path = federation.directory / home
    certificate = pki.certify(
        ca,
        "whatever the PKI calls it",
        [
            x509.DNSName("uppropet.example.se"),
            x509.UniformResourceIdentifier(who.uri),
            x509.DNSName(who.dns_name),
        ],
        (pki.SERVER, pki.CLIENT),
        tls_key(directory).public_key(),
        utc_now(),
        timedelta(days=200),
    )
    (directory / "tls.crt").write_bytes(pki.certificate_pem(certificate) + pki.certificate_pem(ca.certificate))


@pytest.fixture
def running(federation: throwaway.DevFederation, metrics: Metrics, issuing: CertificateAuthority) -> Iterator[Running]:
    file = descriptor.parse_file(federation.descriptor.read_bytes())
    resign(
        federation,
        ca_certificates=[*file.ca_certificates, pki.certificate_pem(issuing.certificate).decode()],
    )
    give(federation, "registry", A, issuing)
    registry = Running(federation, metrics)
    yield registry
    registry.server.stop(0)


def test_a_member_of_another_pki_and_one_of_the_own_ca_are_let_in(
    federation: throwaway.DevFederation, running: Running, issuing: CertificateAuthority
) -> None:
    """Both CAs side by side, as while a federation goes over from one to the other."""
    give(federation, "node-0180", NODE, issuing)
    for member in ("0180", "1480"):
        peer = running.peer(Party(federation, f"node-{member}"))
        assert submit(peer) == member
        peer.close()


def test_another_pki_admits_nobody_either(
    federation: throwaway.DevFederation,
    running: Running,
    issuing: CertificateAuthority,
) -> None:
    """A certificate of a listed CA for a key that the descriptor does not list."""
    give(federation, "node-1480", NODE, issuing)
    with pytest.raises(UppropError) as error:
        Party(federation, "node-1480").own()
    assert error.value.code is Code.IDENTITY_UNLISTED
