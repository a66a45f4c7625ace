"""A party starts only with a certificate that is in order, and says what is wrong with another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from federation import identity, pki, throwaway
from federation.clock import utc_now
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.files import write_secret
from federation.identity import Identity, Kind
from federation.tls import OwnIdentity, identity_of, key_sha256, public_key_sha256
from tests.conftest import MakeFederation


class Party:
    """The node of member 0180, with whatever certificate a test gives it."""

    def __init__(self, federation: throwaway.DevFederation) -> None:
        self.federation = federation
        self.home = federation.directory / "node-0180"
        self.descriptors = DescriptorStore(
            federation.descriptor, federation.authority_key.public_key(), self.home / "data" / "descriptor.seen"
        )
        key = load_pem_private_key((self.home / "tls.key").read_bytes(), None)
        assert isinstance(key, EllipticCurvePrivateKey)
        self.listed_key = key

    def issue(self, who: Identity = identity.node("0180"), **options: object) -> None:  # noqa: B008 - immutable
        arguments = {"ca": self.federation.ca, "now": utc_now(), "public_key": self.listed_key.public_key(), **options}
        certificate = pki.issue(identity=who, **arguments)  # type: ignore[arg-type]  # by name
        (self.home / "tls.crt").write_bytes(pki.certificate_pem(certificate))

    def own(self, kind: Kind | None = Kind.NODE) -> OwnIdentity:
        return OwnIdentity(self.home / "tls.crt", self.home / "tls.key", self.descriptors, kind=kind)


@pytest.fixture
def party(make_federation: MakeFederation) -> Party:
    return Party(make_federation("0180", "1480"))


@pytest.fixture
def refusal(party: Party) -> Callable[..., Code]:
    def attempt(kind: Kind | None = Kind.NODE) -> Code:
        with pytest.raises(UppropError) as refused:
            party.own(kind)
        return refused.value.code

    return attempt


def test_a_party_in_order_knows_itself(party: Party) -> None:
    own = party.own()
    assert own.identity == identity.node("0180")
    assert own.expires > utc_now()


def test_an_expired_certificate_stops_the_start(party: Party, refusal: Callable[..., Code]) -> None:
    party.issue(now=utc_now() - timedelta(days=3), lifetime=timedelta(days=2))
    assert refusal() is Code.CERTIFICATE_EXPIRED


def test_a_certificate_of_the_future_stops_the_start(party: Party, refusal: Callable[..., Code]) -> None:
    party.issue(now=utc_now() + timedelta(days=1))
    assert refusal() is Code.CLOCK_WRONG


def test_a_certificate_of_a_foreign_ca_stops_the_start(party: Party, refusal: Callable[..., Code]) -> None:
    """A CA that bears the same name."""
    party.issue(ca=pki.make_ca("Upprop throw-away CA", utc_now()))
    assert refusal() is Code.IDENTITY_FOREIGN


def test_a_key_that_is_not_listed_stops_the_start(party: Party, refusal: Callable[..., Code]) -> None:
    key = pki.new_tls_key()
    (party.home / "tls.key").unlink()
    write_secret(party.home / "tls.key", pki.private_pem(key))
    party.issue(public_key=key.public_key())
    assert refusal() is Code.IDENTITY_UNLISTED


def test_a_name_that_is_not_listed_stops_the_start(party: Party, refusal: Callable[..., Code]) -> None:
    party.issue(identity.node("2480"))
    assert refusal() is Code.IDENTITY_UNLISTED


def test_a_role_with_another_roles_certificate_stops_the_start(refusal: Callable[..., Code]) -> None:
    assert refusal(Kind.REGISTRY) is Code.IDENTITY_FOREIGN


def test_a_key_of_another_certificate_stops_the_start(party: Party, refusal: Callable[..., Code]) -> None:
    (party.home / "tls.key").unlink()
    write_secret(party.home / "tls.key", pki.private_pem(pki.new_tls_key()))
    assert refusal() is Code.CONFIG_INVALID


def test_a_key_of_another_curve_stops_the_start(party: Party, refusal: Callable[..., Code]) -> None:
    (party.home / "tls.key").unlink()
    write_secret(party.home / "tls.key", pki.private_pem(generate_private_key(SECP384R1())))
    assert refusal() is Code.CONFIG_INVALID


def test_a_key_that_others_may_read_stops_the_start(party: Party, refusal: Callable[..., Code]) -> None:
    (party.home / "tls.key").chmod(0o640)
    assert refusal() is Code.SECRET_MODE


@pytest.mark.parametrize("name", ["tls.key", "tls.crt"])
@pytest.mark.parametrize("content", [b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_unreadable_files_stop_the_start(party: Party, refusal: Callable[..., Code], name: str, content: bytes) -> None:
    (party.home / name).write_bytes(content)
    assert refusal() is Code.CONFIG_INVALID


def test_a_broken_renewal_leaves_the_certificate_in_use(party: Party) -> None:
    own = party.own()
    before = own.current()
    (party.home / "tls.crt").write_bytes(b"half a certif")
    assert own.current() is before
    party.issue(lifetime=timedelta(days=200))
    assert own.current().stamp != before.stamp
    assert own.expires > utc_now() + timedelta(days=100)


def test_certificates_name_one_party_and_are_good_for_tls_alone(party: Party) -> None:
    certificate = x509.load_pem_x509_certificate((party.home / "tls.crt").read_bytes())
    assert identity_of(certificate) == identity.node("0180")
    assert key_sha256(certificate) == public_key_sha256(party.listed_key.public_key())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca) == (True, False)
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(purposes) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["0180.node.upprop.internal"]


def test_a_certificate_for_two_parties_names_none(party: Party) -> None:
    ca = party.federation.ca
    subject = x509.Name([])
    names = [x509.UniformResourceIdentifier(f"upprop://node/{each}") for each in ("0180", "1480")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.certificate.subject)
        .public_key(ca.key.public_key())
        .serial_number(1)
        .not_valid_before(utc_now())
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(ca.key, SHA256())
    )
    with pytest.raises(UppropError) as refused:
        identity_of(certificate)
    assert refused.value.code is Code.IDENTITY_FOREIGN


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import grpc; from federation import tls13; tls13.require()", "before grpc is imported"),
        ("from federation import tls13; tls13.check()", "call federation.tls13.require"),
        ("from federation import tls13; tls13.require(); import grpc; tls13.require(); tls13.check()", ""),
    ],
)
def test_a_process_that_could_speak_older_tls_is_not_started(program: str, message: str) -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, env={})
    assert message in done.stderr
    assert done.returncode == (1 if message else 0)
