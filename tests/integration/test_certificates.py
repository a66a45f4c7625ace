"""The federation's own CA, and the port for parties without a certificate: who gets one, and what it then says."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from federation import files, identity, pki, signing_request, throwaway
from federation.clock import utc_now
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.identity import Identity, Kind
from federation.observability import Log
from federation.pki import CERTIFICATE_LIFETIME, private_pem
from federation.renewal import Renewal, own_identity
from federation.rpc.admission import ServerOnly, certify, fetch_descriptor
from federation.rpc.client import Peer
from federation.settings import DaemonSettings, load
from federation.thinning import LINES
from federation.tls import LONGEST_CHAIN, check_certificate, key_sha256
from federation.v1 import registry_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from federation.web.i18n import Language
from node.settings import NodeSettings
from privacy.keys import deal_epoch
from registry.certificates import joining
from registry.certificates.issuing import Issuer, certifiers
from registry.settings import RegistrySettings
from registry.statistics.reader import connect
from registry.statistics.settings import ReaderSettings
from tests.harness.ports import free_ports
from tests.harness.signing import tls_key
from tests.integration.rpc_parties import reissue, resign
from tests.integration.travelling_parties import A_THIRD_LEFT, Member, RunningDaemon, certificate_in, eventually

A = identity.registry("a")
NODE = identity.node("0180")


def _made(directory: Path) -> throwaway.DevFederation:
    registry, one, two, joining = free_ports(4)
    return throwaway.dev(
        directory / "federation",
        [throwaway.DevMember("0180"), throwaway.DevMember("1480")],
        deal_epoch=deal_epoch,
        ports=throwaway.Ports(registry, (one, two), joining=joining),
        clock="system",
    )


@pytest.fixture
def own_federation(tmp_path: Path) -> throwaway.DevFederation:
    """For tests that change it."""
    return _made(tmp_path)


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> throwaway.DevFederation:
    return _made(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def running(federation: throwaway.DevFederation) -> Iterator[RunningDaemon]:
    with RunningDaemon(federation, federation.registry) as daemon:
        yield daemon


class Outsider:
    """Somebody without a certificate, who has the federation's descriptor."""

    def __init__(self, running: RunningDaemon) -> None:
        self.roots = pki.certificate_pem(running.federation.ca.certificate)
        self.address = f"127.0.0.1:{running.daemon.ports['join']}"

    def certify(self, request: bytes) -> x509.Certificate:
        return x509.load_pem_x509_certificate(certify(self.address, A, self.roots, request))

    def refused(self, request: bytes) -> Code:
        with pytest.raises(UppropError) as error:
            self.certify(request)
        return error.value.code


@pytest.fixture(scope="module")
def outsider(running: RunningDaemon) -> Outsider:
    return Outsider(running)


def key_of(federation: throwaway.DevFederation, home: str) -> ec.EllipticCurvePrivateKey:
    return tls_key(federation.directory / home)


def test_whoever_proves_the_listed_key_gets_a_certificate(
    federation: throwaway.DevFederation, running: RunningDaemon, outsider: Outsider
) -> None:
    key = key_of(federation, "node-0180")
    certificate = outsider.certify(signing_request.make(NODE, key))
    assert check_certificate(certificate, running.descriptors.current(), utc_now()) == NODE
    assert certificate.public_key() == key.public_key()
    left = certificate.not_valid_after_utc - utc_now()
    assert CERTIFICATE_LIFETIME - timedelta(minutes=5) < left <= CERTIFICATE_LIFETIME
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [NODE.dns_name]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    logged = running.events("certificate_issued")[-1]
    assert (logged["party"], logged["serial"]) == (NODE.uri, f"{certificate.serial_number:x}")


@pytest.mark.parametrize(
    ("who", "home", "code"),
    [
        (NODE, "node-1480", Code.ADMISSION_REFUSED),
        (A, "node-0180", Code.ADMISSION_REFUSED),
        (identity.node("2480"), "node-0180", Code.ADMISSION_PENDING),
        (identity.registry("b"), "node-0180", Code.ADMISSION_PENDING),
        (Identity.parse("upprop://operator/ops"), "node-0180", Code.ADMISSION_PENDING),
    ],
)
def test_whom_the_descriptor_does_not_list_with_this_key_gets_none(
    federation: throwaway.DevFederation,
    running: RunningDaemon,
    outsider: Outsider,
    who: Identity,
    home: str,
    code: Code,
) -> None:
    issued = len(running.events("certificate_issued"))
    assert outsider.refused(signing_request.make(who, key_of(federation, home))) is code
    assert len(running.events("certificate_issued")) == issued


def _request(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    *names: str,
    filling: int = 0,
    is_ca: bool = False,
) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    if names or filling:
        uris = [x509.UniformResourceIdentifier(name) for name in names]
        more = [x509.DNSName("a" * 60 + f".{number}") for number in range(filling)]
        builder = builder.add_extension(x509.SubjectAlternativeName([*uris, *more]), critical=False)
    if is_ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _changed(request: bytes) -> bytes:
    """The last byte of the signature."""
    return request[:-1] + bytes([request[-1] ^ 1])


@pytest.mark.parametrize(
    "make",
    [
        lambda _key: b"",
        lambda _key: b"\x30\x82" + b"\x00" * 100,
        lambda key: signing_request.make(NODE, key) + b"\x00",
        lambda key: _changed(signing_request.make(NODE, key)),
        _request,
        lambda key: _request(key, NODE.uri, "upprop://node/1480"),
        lambda key: _request(key, NODE.uri, filling=150),
        lambda _key: _request(ec.generate_private_key(ec.SECP384R1()), NODE.uri),
        lambda _key: _request(rsa.generate_private_key(65537, 2048), NODE.uri),
    ],
    ids=["empty", "noise", "trailing", "signature", "no name", "two names", "large", "P-384", "RSA"],
)
def test_a_request_that_is_not_in_order_is_refused(
    federation: throwaway.DevFederation,
    outsider: Outsider,
    make: Callable[[ec.EllipticCurvePrivateKey], bytes],
) -> None:
    assert outsider.refused(make(key_of(federation, "node-0180"))) is Code.REQUEST_INVALID


def test_what_else_a_request_asks_for_is_passed_over(federation: throwaway.DevFederation, outsider: Outsider) -> None:
    request = _request(key_of(federation, "node-0180"), NODE.uri, filling=3, is_ca=True)
    certificate = outsider.certify(request)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [NODE.dns_name]


def test_the_descriptor_is_given_to_whoever_has_an_older_one(running: RunningDaemon, outsider: Outsider) -> None:
    newer = fetch_descriptor(outsider.address, A, outsider.roots)
    assert newer.content == running.descriptor.read_bytes()
    assert abs(newer.now - utc_now()) < timedelta(minutes=1)
    assert fetch_descriptor(outsider.address, A, outsider.roots, 1).content is None


def test_nothing_else_is_served_where_no_certificate_is_asked_for(running: RunningDaemon, outsider: Outsider) -> None:
    peer = Peer(A, outsider.address, ServerOnly(outsider.roots))
    with pytest.raises(UppropError) as error:
        peer.call(RegistryServiceStub(peer.channel).SubmitSignals, registry_pb2.SubmitSignalsRequest())
    peer.close()
    assert error.value.code is Code.NOT_SUPPORTED
    named = Peer(A, running.address, ServerOnly(outsider.roots))
    with pytest.raises(UppropError) as error:
        named.call(RegistryServiceStub(named.channel).SubmitSignals, registry_pb2.SubmitSignalsRequest(), attempts=1)
    named.close()
    assert error.value.code is Code.PEER_UNREACHABLE


def test_whoever_joins_knows_who_answers(federation: throwaway.DevFederation, outsider: Outsider) -> None:
    with pytest.raises(UppropError) as error:
        fetch_descriptor(outsider.address, identity.registry("b"), outsider.roots)
    assert error.value.code is Code.IDENTITY_FOREIGN
    foreign = pki.certificate_pem(pki.make_ca("Another CA", utc_now()).certificate)
    with pytest.raises(UppropError) as error:
        fetch_descriptor(outsider.address, A, foreign)
    assert error.value.code is Code.IDENTITY_FOREIGN


def test_what_a_stranger_sends_is_bounded_before_it_is_read(outsider: Outsider) -> None:
    with grpc.secure_channel(
        outsider.address,
        ServerOnly(outsider.roots).make(),
        options=[("grpc.ssl_target_name_override", A.dns_name)],
    ) as channel:
        send: Any = channel.unary_unary("/federation.v1.AdmissionService/Certify", request_serializer=bytes)
        with pytest.raises(grpc.RpcError) as error:
            send(b"\x0a" + bytes(64 * 1024), timeout=10)
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_strangers_who_say_nothing_keep_no_party_away(
    own_federation: throwaway.DevFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many connect, they take few of the process's files, and parties come by another port."""
    at_most = 20
    monkeypatch.setattr(joining, "OPTIONS", {**joining.OPTIONS, "grpc.max_allowed_incoming_connections": at_most})
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(RunningDaemon(own_federation, own_federation.registry))
        member = stack.enter_context(Member(own_federation, address=running.address))
        before, silent = open_files(), 10 * at_most
        port = running.daemon.ports["join"]
        for _ in range(silent):
            stack.enter_context(contextlib.closing(socket.create_connection(("127.0.0.1", port))))

        def taken() -> int:
            """Both ends of each connection are in this process."""
            return open_files() - before - silent

        member.submit(member.batch())
        eventually(lambda: 0 < taken() <= at_most + 5)


# --- the registry's start ------------------------------------------------------------------------------------------


def test_a_ca_that_is_not_in_order_stops_the_start(own_federation: throwaway.DevFederation) -> None:
    other = pki.make_ca("Another CA", utc_now())
    home = own_federation.directory / "ca"
    files.write_secret(home / "other.key", private_pem(other.key))
    (home / "other.crt").write_bytes(pki.certificate_pem(other.certificate))
    for changes in (
        {"ca_key": home / "other.key"},
        {"ca_certificate": home / "other.crt"},
        {"ca_key": home / "other.key", "ca_certificate": home / "other.crt"},
        {"ca_key": None},
        {"ca_certificate": own_federation.directory / "registry" / "tls.crt"},
    ):
        with pytest.raises(UppropError) as error:
            RunningDaemon(own_federation, own_federation.registry, **changes).daemon.start()
        assert error.value.code is Code.CONFIG_INVALID, changes


def test_a_ca_that_the_descriptor_no_longer_names_issues_nothing(own_federation: throwaway.DevFederation) -> None:
    descriptors = DescriptorStore.of(load(own_federation.registry, RegistrySettings))
    text = io.StringIO()
    issuer = Issuer(own_federation.ca, descriptors, Log(text))
    request = signing_request.make(NODE, key_of(own_federation, "node-0180"))
    assert issuer.certify(request)
    other = pki.certificate_pem(pki.make_ca("Another CA", utc_now()).certificate).decode()
    resign(own_federation, ca_certificates=[other])
    with pytest.raises(UppropError) as error:
        issuer.certify(request)
    assert error.value.code is Code.CONFIG_INVALID
    assert text.getvalue().count("certificate_issued") == 1


def test_requests_sent_again_and_again_make_neither_certificates_nor_lines(
    own_federation: throwaway.DevFederation,
) -> None:
    """A request is no secret: whoever has seen one can send it, and without one can ask in anybody's name."""
    text, now = io.StringIO(), utc_now()
    descriptors = DescriptorStore.of(load(own_federation.registry, RegistrySettings))
    issuer = Issuer(own_federation.ca, descriptors, Log(text), now=lambda: now)
    own, other = key_of(own_federation, "node-0180"), key_of(own_federation, "node-1480")
    given = {issuer.certify(signing_request.make(NODE, own)) for _ in range(20)}
    assert text.getvalue().count("certificate_issued") == len(given) == 1
    now -= timedelta(days=1)
    given.add(issuer.certify(signing_request.make(NODE, own)))
    now += timedelta(minutes=1)
    given.add(issuer.certify(signing_request.make(NODE, own)))
    assert text.getvalue().count("certificate_issued") == len(given) == 3
    foreign = signing_request.make(NODE, other)
    for _ in range(LINES + 20):
        with pytest.raises(UppropError):
            issuer.certify(foreign)
    # Some seconds may have gone by.
    assert LINES <= text.getvalue().count("certificate_refused") < LINES + 20


def test_a_registry_without_a_ca_says_so(own_federation: throwaway.DevFederation) -> None:
    with RunningDaemon(own_federation, own_federation.registry, ca_certificate=None, ca_key=None) as running:
        request = signing_request.make(NODE, key_of(own_federation, "node-0180"))
        assert Outsider(running).refused(request) is Code.NOT_SUPPORTED


# --- what is taken as a renewed certificate ------------------------------------------------------------------------


def test_a_registry_that_gives_something_else_changes_nothing(own_federation: throwaway.DevFederation) -> None:
    """Another key, another party, another CA, an older one, noise: the file stays, and the next registry is asked."""
    reissue(own_federation, "node-0180", NODE, lifetime=timedelta(days=3), now=utc_now() - timedelta(days=2, hours=12))
    path = own_federation.directory / "node-0180" / "tls.crt"
    before = path.read_bytes()
    own, other = key_of(own_federation, "node-0180"), key_of(own_federation, "node-1480")
    foreign, now = pki.make_ca("Another CA", utc_now()), utc_now()

    def given(key: ec.EllipticCurvePrivateKey, who: Identity, ca: pki.CertificateAuthority, days: int = 90) -> bytes:
        return pki.certificate_pem(pki.issue(ca, who, key.public_key(), now, timedelta(days=days)))

    bad = [
        b"",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        bytes(100_000),
        given(other, NODE, own_federation.ca),
        given(own, identity.node("1480"), own_federation.ca),
        given(own, NODE, foreign),
        given(own, NODE, own_federation.ca, 0),
    ]
    with Member(own_federation) as member:

        def renewal(answers: list[bytes]) -> Renewal:
            given = [lambda _request, answer=answer: answer for answer in answers]
            return Renewal(path, member.descriptors, member.own, lambda: given, member.log)

        with pytest.raises(UppropError):
            renewal(bad).run()
        assert path.read_bytes() == before
        assert "certificate_not_renewed" in member.text.getvalue()
        good = given(own, NODE, own_federation.ca)
        renewal([*bad, good]).run()
        assert path.read_bytes() == good
        assert key_sha256(certificate_in(path)) == member.descriptors.current().member("0180").key_sha256


def _useless(federation: throwaway.DevFederation, key: ec.EllipticCurvePrivateKey) -> Iterator[bytes]:
    """Of the right CA, for the right party and key, and nothing that anybody could connect with."""
    uri, dns = x509.UniformResourceIdentifier(NODE.uri), x509.DNSName(NODE.dns_name)
    both = (pki.SERVER, pki.CLIENT)

    def made(names: tuple[x509.GeneralName, ...], purposes: tuple[x509.ObjectIdentifier, ...], **more: Any) -> bytes:
        now = more.pop("now", utc_now())
        return pki.certificate_pem(pki.certify(federation.ca, "a", names, purposes, key.public_key(), now, **more))

    yield made((uri, dns), (pki.SERVER,))
    yield made((uri, dns), (pki.CLIENT,))
    yield made((uri,), both)
    yield made((uri, x509.DNSName("another.example")), both)
    yield made((uri, dns), both, now=utc_now() + timedelta(minutes=8))
    yield made((uri, dns), both) + pki.certificate_pem(federation.ca.certificate) * LONGEST_CHAIN


def test_a_renewed_certificate_that_no_connection_takes_is_left(own_federation: throwaway.DevFederation) -> None:
    """Whoever holds the CA could else shut a party out until a person comes: with it, it can ask nobody for a better
    one."""
    reissue(own_federation, "node-0180", NODE, **A_THIRD_LEFT)
    path = own_federation.directory / "node-0180" / "tls.crt"
    before = path.read_bytes()
    with Member(own_federation) as member:
        for answer in _useless(own_federation, key_of(own_federation, "node-0180")):
            given = [lambda _request, answer=answer: answer]
            with pytest.raises(UppropError):
                Renewal(path, member.descriptors, member.own, given.copy, member.log).run()
            assert path.read_bytes() == before


# --- a start with a certificate that is no good any more -----------------------------------------------------------


def expired(federation: throwaway.DevFederation, home: str, who: Identity) -> None:
    reissue(federation, home, who, now=utc_now() - timedelta(days=91), lifetime=timedelta(days=90))


def test_a_party_that_was_away_for_a_summer_starts_with_a_new_certificate(
    own_federation: throwaway.DevFederation,
) -> None:
    """The registry from its own CA, the node from the registry; with another PKI both refuse to start."""
    expired(own_federation, "registry", A)
    expired(own_federation, "node-0180", NODE)
    registry = load(own_federation.registry, RegistrySettings)
    node = load(own_federation.node("0180"), NodeSettings)
    text = io.StringIO()
    log = Log(text)
    both: list[tuple[DaemonSettings, Kind]] = [(registry, Kind.REGISTRY), (node, Kind.NODE)]
    for settings, kind in both:
        with pytest.raises(UppropError) as error:
            own_identity(
                msgspec.structs.replace(settings, renew_certificate=False), DescriptorStore.of(settings), kind, log
            )
        assert error.value.code is Code.CERTIFICATE_EXPIRED
    descriptors = DescriptorStore.of(registry)
    with pytest.raises(UppropError):
        # Nobody answers yet.
        own_identity(node, DescriptorStore.of(node), Kind.NODE, log)
    assert own_identity(registry, descriptors, Kind.REGISTRY, log, certifiers(registry, descriptors, log)).identity == A
    with RunningDaemon(own_federation, own_federation.registry):
        own = own_identity(node, DescriptorStore.of(node), Kind.NODE, log)
    assert own.identity == NODE
    assert own.expires > utc_now() + timedelta(days=80)
    assert text.getvalue().count("certificate_renewed") == 2


def test_a_party_whose_ca_was_replaced_starts_with_a_certificate_of_the_new_one(
    own_federation: throwaway.DevFederation,
) -> None:
    """The old CA's key was seen: from the descriptor that lists the new one alone, nothing of the old one counts."""
    new = pki.make_ca("The next CA", utc_now())
    home = own_federation.directory / "ca"
    files.write_secret(home / "next.key", private_pem(new.key))
    (home / "next.crt").write_bytes(pki.certificate_pem(new.certificate))
    resign(own_federation, ca_certificates=[pki.certificate_pem(new.certificate).decode()])
    registry = msgspec.structs.replace(
        load(own_federation.registry, RegistrySettings), ca_certificate=home / "next.crt", ca_key=home / "next.key"
    )
    descriptors, log = DescriptorStore.of(registry), Log(io.StringIO())
    own_identity(registry, descriptors, Kind.REGISTRY, log, certifiers(registry, descriptors, log))
    node = load(own_federation.node("0180"), NodeSettings)
    with RunningDaemon(
        own_federation, own_federation.registry, ca_certificate=registry.ca_certificate, ca_key=registry.ca_key
    ):
        own = own_identity(node, DescriptorStore.of(node), Kind.NODE, log)
    certificate_in(node.certificate).verify_directly_issued_by(new.certificate)
    assert own.identity == NODE


def test_a_reader_that_only_asks_now_and_then_keeps_up_too(own_federation: throwaway.DevFederation) -> None:
    """`upprop query` begins with what daemons do all the time."""
    config = own_federation.reader("statistics")
    before = config.parent / "before.toml"
    before.write_bytes(own_federation.descriptor.read_bytes())
    settings = msgspec.structs.replace(load(config, ReaderSettings), descriptor=before)
    reissue(own_federation, "reader-statistics", Identity(Kind.AUTHORITY, "statistics"), **A_THIRD_LEFT)
    resign(own_federation)
    with (
        RunningDaemon(own_federation, own_federation.registry),
        connect(settings, Log(io.StringIO()), stays=False) as reader,
    ):
        assert reader.descriptors.current().serial == 2
        assert reader.own.expires > utc_now() + timedelta(days=80)
        assert reader.client.tables(Language.ENGLISH)
