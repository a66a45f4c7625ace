"""The node's own CA for school systems: what it issues, when it renews, whom it takes for a client of its own."""

from __future__ import annotations

import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from federation import pki
from federation.errors import Code, UppropError
from federation.rules.vocabulary import MemberId
from node.push.certificates import EnrolmentCa, listening_names, read_request

MEMBER = MemberId("0180")
NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def ca_of(directory: Path, *names: str, member: MemberId = MEMBER, now: datetime = NOW) -> EnrolmentCa:
    return EnrolmentCa(directory, member, names or ("10.0.0.5",), now=lambda: now)


def server_of(directory: Path, *names: str, now: datetime = NOW) -> x509.Certificate:
    ca_of(directory, *names, now=now).server_credentials()
    return x509.load_pem_x509_certificate((directory / "enrolment" / "server.pem").read_bytes())


def key() -> ec.EllipticCurvePublicKey:
    return pki.new_tls_key().public_key()


def test_a_clients_certificate_is_good_for_calling_and_names_client_and_node_alone(tmp_path: Path) -> None:
    public = key()
    made = ca_of(tmp_path).issue("skola", public)
    assert made.public_key() == public
    assert list(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [pki.CLIENT]
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier("upprop-client://0180/skola")]
    assert timedelta(days=365) < made.not_valid_after_utc - NOW < timedelta(days=400)


def test_the_servers_certificate_bears_the_names_by_which_it_is_called(tmp_path: Path) -> None:
    made = server_of(tmp_path, "upprop.example.se", "10.0.0.5", "::1")
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["upprop.example.se"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.5", "::1"]
    assert list(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [pki.SERVER]


def test_the_servers_certificate_is_kept_until_it_grows_old_or_is_called_otherwise(tmp_path: Path) -> None:
    first = server_of(tmp_path)
    assert server_of(tmp_path, now=NOW + 300 * DAY) == first
    assert server_of(tmp_path, "10.0.0.6") != first
    second = server_of(tmp_path)
    assert server_of(tmp_path, now=NOW + 350 * DAY) != second
    ca = ca_of(tmp_path).certificate
    server_of(tmp_path, now=NOW + 350 * DAY).verify_directly_issued_by(ca)


def test_keys_are_their_owners_alone(tmp_path: Path) -> None:
    server_of(tmp_path)
    for name in ("ca.pem", "server.pem"):
        assert stat.S_IMODE((tmp_path / "enrolment" / name).stat().st_mode) == 0o600
    (tmp_path / "enrolment" / "ca.pem").chmod(0o640)
    with pytest.raises(UppropError) as error:
        ca_of(tmp_path).issue("skola", key())
    assert error.value.code is Code.SECRET_MODE


def test_nothing_outlives_the_ca_and_an_expired_one_issues_nothing(tmp_path: Path) -> None:
    ca_of(tmp_path).issue("skola", key())
    late = ca_of(tmp_path, now=NOW + 3_600 * DAY)
    assert late.issue("skola", key()).not_valid_after_utc == late.certificate.not_valid_after_utc
    with pytest.raises(UppropError) as error:
        ca_of(tmp_path, now=NOW + 3_651 * DAY).issue("skola", key())
    assert error.value.code is Code.CONFIG_INVALID


def test_certificates_of_other_nodes_and_other_kinds_name_no_client(tmp_path: Path) -> None:
    ca = ca_of(tmp_path / "one")
    assert ca.client_of(ca.issue("skola", key())) == "skola"
    assert ca.client_of(server_of(tmp_path / "one")) is None
    assert ca.client_of(ca_of(tmp_path / "two").issue("skola", key())) is None
    assert ca.client_of(ca.certificate) is None
    # Of the same CA, had it ever been another member's.
    assert ca.client_of(ca_of(tmp_path / "one", member=MemberId("1480")).issue("skola", key())) is None


def test_a_damaged_pair_is_named(tmp_path: Path) -> None:
    ca_of(tmp_path).issue("skola", key())
    path = tmp_path / "enrolment" / "ca.pem"
    for content in (b"nonsense", pki.private_pem(pki.new_tls_key()) + path.read_bytes().partition(b"KEY-----\n")[2]):
        path.write_bytes(content)
        with pytest.raises(UppropError) as error:
            ca_of(tmp_path).issue("skola", key())
        assert (error.value.code, str(path) in error.value.sentence) == (Code.CONFIG_INVALID, True)


@pytest.mark.parametrize(
    ("listen", "names", "expected"),
    [
        ("10.0.0.5:7450", (), ("10.0.0.5",)),
        ("[::1]:7450", (), ("::1",)),
        ("0.0.0.0:7450", ("upprop.example.se",), ("upprop.example.se",)),
        (None, (), ()),
    ],
)
def test_a_server_is_called_as_it_listens_or_as_is_stated(
    listen: str | None, names: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert listening_names(listen, names) == expected


def test_names_by_which_nobody_can_call_are_refused(tmp_path: Path) -> None:
    for listen in ("0.0.0.0:7450", "[::]:7450"):
        with pytest.raises(UppropError) as error:
            listening_names(listen, ())
        assert "enrolment_names" in error.value.sentence
    with pytest.raises(UppropError) as error:
        ca_of(tmp_path, "skolå.se")
    assert error.value.code is Code.CONFIG_INVALID


def test_of_a_signing_request_the_key_counts_alone() -> None:
    private = pki.new_tls_key()
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("upprop://registry/a")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=False)
    assert read_request(builder.sign(private, SHA256()).public_bytes(Encoding.PEM)) == private.public_key()


def test_the_command_that_is_shown_makes_a_request_that_is_taken(tmp_path: Path) -> None:
    with pytest.raises(UppropError) as error:
        read_request(b"none")
    assert error.value.code is Code.INPUT_REFUSED
    for wrong in (rsa.generate_private_key(65_537, 2_048), ec.generate_private_key(ec.SECP384R1())):
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        with pytest.raises(UppropError) as error:
            read_request(builder.sign(wrong, SHA256()).public_bytes(Encoding.PEM))
        assert error.value.code is Code.INPUT_REFUSED
    command = error.value.sentence.partition("openssl ")[2].split()
    subprocess.run(["openssl", *command], cwd=tmp_path, check=True, capture_output=True)
    read_request((tmp_path / "client.csr").read_bytes())
