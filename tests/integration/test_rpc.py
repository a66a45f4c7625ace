"""Calls between parties: real servers and real mutual TLS on loopback."""

from __future__ import annotations

import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import generate_latest

from federation import descriptor, identity, pki, throwaway
from federation.boundary import transaction
from federation.clock import utc_now
from federation.descriptor import DescriptorStore
from federation.errors import Code, UppropError
from federation.identity import Identity, Kind
from federation.observability import Log, Metrics
from federation.rpc.authorisation import Authoriser, Rule
from federation.rpc.caller import caller
from federation.rpc.client import Peer
from federation.rpc.server import Binding, RpcServer, check_rules
from federation.rpc.status import INTERNAL_SENTENCE, RemoteError
from federation.tls import ChannelCredentials, OwnIdentity, server_credentials
from federation.v1 import registry_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from tests.conftest import MakeFederation

SERVICE = registry_pb2.DESCRIPTOR.services_by_name["RegistryService"]
RULES = {f"{SERVICE.full_name}/{method.name}": Rule(frozenset({Kind.NODE})) for method in SERVICE.methods}
SECRET = "199801019807"
"""Stands for whatever an exception may quote; a birth number kept for tests."""


class Servicer:
    """Answers SubmitSignals with the caller's member id; ListNotices does as the test says."""

    def __init__(self) -> None:
        self.list_notices: Callable[[], None] = lambda: None
        self.calls = 0

    def SubmitSignals(self, request: Any, context: grpc.ServicerContext) -> registry_pb2.SubmitSignalsResponse:  # noqa: N802 - the contract's name
        return registry_pb2.SubmitSignalsResponse(batch_id=caller().require_member().encode())

    def ListNotices(self, request: Any, context: grpc.ServicerContext) -> registry_pb2.ListNoticesResponse:  # noqa: N802 - the contract's name
        self.calls += 1
        self.list_notices()
        return registry_pb2.ListNoticesResponse()

    def AckNotices(self, request: Any, context: grpc.ServicerContext) -> registry_pb2.AckNoticesResponse:  # noqa: N802 - the contract's name
        return registry_pb2.AckNoticesResponse()

    def ReportRoster(self, request: Any, context: grpc.ServicerContext) -> registry_pb2.ReportRosterResponse:  # noqa: N802 - the contract's name
        return registry_pb2.ReportRosterResponse()


class Party:
    """What one party of a throw-away federation holds."""

    def __init__(self, federation: throwaway.DevFederation, name: str, descriptor_path: Path | None = None) -> None:
        home = federation.directory / name
        self.certificate, self.key = home / "tls.crt", home / "tls.key"
        self.descriptors = DescriptorStore(
            descriptor_path or federation.descriptor,
            federation.authority_key.public_key(),
            home / "data" / "descriptor.seen",
        )

    def own(self) -> OwnIdentity:
        return OwnIdentity(self.certificate, self.key, self.descriptors)


class Running:
    """A registry that listens."""

    def __init__(self, federation: throwaway.DevFederation, metrics: Metrics, **options: Any) -> None:
        self.federation = federation
        self.servicer = Servicer()
        self.log = io.StringIO()
        self.metrics = metrics
        party = Party(federation, "registry")
        self.descriptors = party.descriptors
        self.address = party.descriptors.current().registry("a").address
        self.server = RpcServer(
            [Binding(SERVICE, self.servicer)],
            RULES,
            credentials=server_credentials(party.own()),
            authoriser=Authoriser(party.descriptors),
            metrics=metrics,
            log=Log(self.log),
            **options,
        )
        self.server.start(self.address)

    def peer(self, party: Party, **options: Any) -> Peer:
        return Peer(identity.registry("a"), self.address, ChannelCredentials(party.own()), **options)


@pytest.fixture
def federation(make_federation: MakeFederation) -> throwaway.DevFederation:
    return make_federation("0180", "1480")


@pytest.fixture
def running(federation: throwaway.DevFederation, metrics: Metrics) -> Iterator[Running]:
    registry = Running(federation, metrics)
    yield registry
    registry.server.stop(0)


@pytest.fixture
def peer(running: Running) -> Iterator[Peer]:
    peer = running.peer(Party(running.federation, "node-0180"), sleep=lambda _: None)
    yield peer
    peer.close()


def submit(peer: Peer, **options: Any) -> str:
    stub = RegistryServiceStub(peer.channel)
    return peer.call(stub.SubmitSignals, registry_pb2.SubmitSignalsRequest(), **options).batch_id.decode()


def list_notices(peer: Peer, **options: Any) -> registry_pb2.ListNoticesResponse:
    return peer.call(RegistryServiceStub(peer.channel).ListNotices, registry_pb2.ListNoticesRequest(), **options)


def resign(federation: throwaway.DevFederation, **changes: Any) -> None:
    """Put a changed descriptor with the next serial in place."""
    file = descriptor.parse_file(federation.descriptor.read_bytes())
    file = msgspec.structs.replace(file, serial=file.serial + 1, **changes)
    federation.descriptor.write_bytes(descriptor.sign(file, federation.authority_key))


def reissue(federation: throwaway.DevFederation, home: str, who: Identity, **options: Any) -> None:
    """Give the party in `home` another certificate for the key it has."""
    directory = federation.directory / home
    key = load_pem_private_key((directory / "tls.key").read_bytes(), None)
    ca = options.pop("ca", federation.ca)
    certificate = pki.issue(ca, who, key.public_key(), **{"now": utc_now(), **options})  # type: ignore[arg-type]
    (directory / "tls.crt").write_bytes(pki.certificate_pem(certificate))


class Unchecked:
    """Client credentials from files, without the check that honest parties make of themselves."""

    stamp = None

    def __init__(self, federation: throwaway.DevFederation, home: str) -> None:
        self._directory = federation.directory / home
        self._roots = pki.certificate_pem(federation.ca.certificate)

    def make(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(
            self._roots, (self._directory / "tls.key").read_bytes(), (self._directory / "tls.crt").read_bytes()
        )


@pytest.fixture
def refused(running: Running) -> Iterator[Callable[[str], RemoteError]]:
    """Calls with whatever stands in a party's directory and returns the refusal."""
    peers: list[Peer] = []

    def attempt(home: str) -> RemoteError:
        credentials: Any = Unchecked(running.federation, home)
        peer = Peer(identity.registry("a"), running.address, credentials, sleep=lambda _: None)
        peers.append(peer)
        with pytest.raises(RemoteError) as error:
            submit(peer, attempts=1, deadline=5)
        return error.value

    yield attempt
    for peer in peers:
        peer.close()


def test_the_sender_is_the_certificate(running: Running, peer: Peer) -> None:
    assert submit(peer) == "0180"
    other = running.peer(Party(running.federation, "node-1480"))
    assert submit(other) == "1480"
    other.close()


def test_a_certificate_of_a_foreign_ca_is_refused(running: Running, refused: Callable[[str], RemoteError]) -> None:
    foreign = pki.make_ca("Another CA", utc_now())
    reissue(running.federation, "node-0180", identity.node("0180"), ca=foreign)
    assert refused("node-0180").code in (Code.PEER_UNREACHABLE, Code.IDENTITY_FOREIGN)
    assert _handled(running) == {}


def test_an_expired_certificate_is_refused(running: Running, refused: Callable[[str], RemoteError]) -> None:
    reissue(
        running.federation,
        "node-0180",
        identity.node("0180"),
        now=utc_now() - timedelta(days=2),
        lifetime=timedelta(days=1),
    )
    assert refused("node-0180").code in (Code.PEER_UNREACHABLE, Code.IDENTITY_FOREIGN)
    assert _handled(running) == {}


def test_a_key_that_is_not_listed_is_refused(running: Running, refused: Callable[[str], RemoteError]) -> None:
    """A second certificate for 0180, rightly issued, for the key of another member."""
    reissue(running.federation, "node-1480", identity.node("0180"))
    assert refused("node-1480").code is Code.IDENTITY_UNLISTED


def test_a_member_that_is_not_listed_is_refused(running: Running, refused: Callable[[str], RemoteError]) -> None:
    reissue(running.federation, "node-1480", identity.node("2480"))
    assert refused("node-1480").code is Code.IDENTITY_UNLISTED


def test_a_certificate_without_a_party_is_refused(running: Running, refused: Callable[[str], RemoteError]) -> None:
    reissue(running.federation, "node-1480", Identity(Kind.AUTHORITY, "skolverket"))
    assert refused("node-1480").code is Code.IDENTITY_UNLISTED


def test_a_party_of_another_kind_is_refused(running: Running, refused: Callable[[str], RemoteError]) -> None:
    assert refused("evaluator-1").code is Code.METHOD_FORBIDDEN


def test_no_certificate_is_no_connection(running: Running) -> None:
    roots = pki.certificate_pem(running.federation.ca.certificate)
    name = ("grpc.ssl_target_name_override", identity.registry("a").dns_name)
    with grpc.secure_channel(running.address, grpc.ssl_channel_credentials(roots), options=(name,)) as channel:
        with pytest.raises(grpc.RpcError) as error:
            RegistryServiceStub(channel).SubmitSignals(registry_pb2.SubmitSignalsRequest(), timeout=5)
        assert error.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(("version", "accepted"), [(ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)])
def test_nothing_below_tls_1_3_is_spoken(running: Running, version: ssl.TLSVersion, accepted: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(running.federation.directory / "ca" / "ca.crt")
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    home = running.federation.directory / "node-0180"
    context.load_cert_chain(home / "tls.crt", home / "tls.key")
    host, _, port = running.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        if accepted:
            with context.wrap_socket(connection) as wrapped:
                assert wrapped.version() == "TLSv1.3"
        else:
            with pytest.raises(OSError):  # noqa: PT011 - how a refused handshake shows differs
                context.wrap_socket(connection)


def test_a_server_that_is_not_the_peer_is_not_spoken_to(running: Running) -> None:
    """Rightly issued to an evaluator, which answers at the registry's address: its name gives it away."""
    impostor = Party(running.federation, "evaluator-1")
    running.server.stop(0)
    server = RpcServer(
        [Binding(SERVICE, running.servicer)],
        RULES,
        credentials=server_credentials(impostor.own()),
        authoriser=Authoriser(running.descriptors),
        metrics=running.metrics,
        log=Log(running.log),
    )
    server.start(running.address)
    peer = running.peer(Party(running.federation, "node-0180"), sleep=lambda _: pytest.fail("tried again"))
    with pytest.raises(RemoteError) as error:
        submit(peer)
    assert error.value.code is Code.IDENTITY_FOREIGN
    assert running.servicer.calls == 0
    peer.close()
    server.stop(0)


def test_a_member_taken_from_the_descriptor_is_refused_on_its_open_connection(running: Running, peer: Peer) -> None:
    assert submit(peer) == "0180"
    members = [each for each in running.descriptors.current().members if each.id != "0180"]
    resign(running.federation, members=members)
    with pytest.raises(RemoteError) as error:
        submit(peer, attempts=1)
    assert error.value.code is Code.IDENTITY_UNLISTED


def test_a_call_without_a_deadline_is_refused(running: Running) -> None:
    home = Unchecked(running.federation, "node-0180")
    name = ("grpc.ssl_target_name_override", identity.registry("a").dns_name)
    with grpc.secure_channel(running.address, home.make(), options=(name,)) as channel:
        with pytest.raises(grpc.RpcError) as error:
            RegistryServiceStub(channel).SubmitSignals(registry_pb2.SubmitSignalsRequest())
        call: Any = error.value
        assert dict(call.trailing_metadata())["upprop-code"] == "REQUEST_INVALID"
        assert "deadline" in call.details()


def test_a_coded_error_arrives_as_it_was_raised(running: Running, peer: Peer) -> None:
    def refuse() -> None:
        raise UppropError(Code.DATE_SKEW, "Check the clock.")

    running.servicer.list_notices = refuse
    with pytest.raises(RemoteError) as error:
        list_notices(peer)
    assert (error.value.code, error.value.sentence) == (Code.DATE_SKEW, "Check the clock.")
    assert running.servicer.calls == 1


def test_an_unforeseen_exception_tells_nobody_anything(running: Running, peer: Peer) -> None:
    def fail() -> None:
        raise ValueError(f"cannot parse {SECRET}")

    running.servicer.list_notices = fail
    with pytest.raises(RemoteError) as error:
        list_notices(peer)
    assert (error.value.code, error.value.sentence) == (Code.INTERNAL, INTERNAL_SENTENCE)
    logged = running.log.getvalue()
    line = json.loads(logged.splitlines()[-1])
    assert (line["event"], line["exception"]) == ("rpc_failed", "ValueError")
    assert "test_rpc.py" in line["where"]
    assert SECRET not in logged
    assert SECRET.encode() not in generate_latest(running.metrics.registry)


def test_what_may_fare_better_later_is_tried_again(running: Running, peer: Peer) -> None:
    def busy_twice() -> None:
        if running.servicer.calls < 3:
            raise UppropError(Code.STORE_LOCKED, "Busy.")

    running.servicer.list_notices = busy_twice
    list_notices(peer)
    assert running.servicer.calls == 3


def test_a_used_up_quota_is_not_tried_again(running: Running, peer: Peer) -> None:
    def refuse() -> None:
        raise UppropError(Code.QUOTA_EXCEEDED, "Come back tomorrow.")

    running.servicer.list_notices = refuse
    with pytest.raises(RemoteError):
        list_notices(peer)
    assert running.servicer.calls == 1


def test_a_slow_answer_is_given_up_at_the_deadline(running: Running, peer: Peer) -> None:
    release = threading.Event()

    def wait() -> None:
        release.wait(30)

    running.servicer.list_notices = wait
    with pytest.raises(RemoteError) as error:
        list_notices(peer, deadline=0.2, attempts=1)
    release.set()
    assert error.value.code is Code.DEADLINE


def test_a_party_that_is_down_is_unreachable_and_found_again(running: Running, peer: Peer) -> None:
    assert submit(peer) == "0180"
    running.server.stop(0)
    with pytest.raises(RemoteError) as error:
        submit(peer, attempts=1)
    assert error.value.code is Code.PEER_UNREACHABLE
    again = Running(running.federation, Metrics(type(running.metrics.registry)()))
    patient = running.peer(Party(running.federation, "node-0180"), sleep=time.sleep)
    # Sixteen attempts with growing pauses: far longer than the longest pause between two connection attempts.
    assert submit(patient, attempts=16) == "0180"
    patient.close()
    again.server.stop(0)


def test_the_limit_on_concurrent_calls_holds(federation: throwaway.DevFederation, metrics: Metrics) -> None:
    registry = Running(federation, metrics, threads=2, max_concurrent_rpcs=2)
    release, inside = threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        inside.release()
        release.wait(30)

    registry.servicer.list_notices = wait
    peer = registry.peer(Party(federation, "node-0180"), sleep=lambda _: None)
    threads = [threading.Thread(target=list_notices, args=(peer,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=30)
    with pytest.raises(RemoteError) as error:
        submit(peer, attempts=3)
    assert error.value.code is Code.OVERLOADED
    assert error.value.retry
    release.set()
    for thread in threads:
        thread.join()
    assert submit(peer) == "0180"
    peer.close()
    registry.server.stop(0)


def test_a_message_over_the_limit_is_not_sent(running: Running, peer: Peer) -> None:
    request = registry_pb2.SubmitSignalsRequest(batch_id=bytes(5 * 1024 * 1024))
    with pytest.raises(RemoteError) as error:
        peer.call(RegistryServiceStub(peer.channel).SubmitSignals, request, attempts=1)
    assert error.value.code is Code.OVERLOADED
    assert _handled(running) == {}


def test_a_message_over_the_limit_is_not_taken(running: Running) -> None:
    """From a caller that does not keep to the limit itself."""
    home = Unchecked(running.federation, "node-0180")
    name = ("grpc.ssl_target_name_override", identity.registry("a").dns_name)
    with grpc.secure_channel(running.address, home.make(), options=(name,)) as channel:
        request = registry_pb2.SubmitSignalsRequest(batch_id=bytes(5 * 1024 * 1024))
        with pytest.raises(grpc.RpcError) as error:
            RegistryServiceStub(channel).SubmitSignals(request, timeout=10)
        call: Any = error.value
        assert call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert _handled(running) == {}


def test_a_stop_lets_running_calls_end_and_takes_no_new_ones(running: Running, peer: Peer) -> None:
    release, inside, answered = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        inside.set()
        release.wait(30)

    def call() -> None:
        list_notices(peer, attempts=1)
        answered.set()

    running.servicer.list_notices = wait
    calling = threading.Thread(target=call)
    calling.start()
    assert inside.wait(30)
    stopping = threading.Thread(target=running.server.stop, args=(30.0,))
    stopping.start()
    other = running.peer(Party(running.federation, "node-1480"), sleep=lambda _: None)
    refused = False
    give_up = time.monotonic() + 30
    while not refused and time.monotonic() < give_up:
        try:
            submit(other, attempts=1)
        except RemoteError:
            refused = True
    assert refused
    assert not answered.is_set()
    release.set()
    stopping.join()
    calling.join()
    assert answered.is_set()
    other.close()


def test_a_taken_port_is_refused(running: Running) -> None:
    """gRPC shares ports by default, and a second server would take half of the calls in silence."""
    with pytest.raises(UppropError) as error:
        Running(running.federation, Metrics(type(running.metrics.registry)()))
    assert error.value.code is Code.PORT_TAKEN


def _handled(running: Running) -> Mapping[str, float]:
    return {
        "/".join((sample.labels["grpc_method"], sample.labels["grpc_code"])): sample.value
        for family in running.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "grpc_server_handled_total"
    }


def test_calls_are_counted_under_the_usual_names(running: Running, peer: Peer) -> None:
    submit(peer)
    running.servicer.list_notices = lambda: (_ for _ in ()).throw(UppropError(Code.DATE_SKEW, "x"))
    with pytest.raises(RemoteError):
        list_notices(peer)
    labels = {"grpc_type": "unary", "grpc_service": SERVICE.full_name, "grpc_method": "SubmitSignals"}
    value = running.metrics.registry.get_sample_value
    assert value("grpc_server_started_total", labels) == 1
    assert value("grpc_server_handled_total", {**labels, "grpc_code": "OK"}) == 1
    assert value("grpc_server_handling_seconds_count", {**labels, "grpc_code": "OK"}) == 1
    assert _handled(running) == {"SubmitSignals/OK": 1, "ListNotices/FAILED_PRECONDITION": 1}


def test_health_is_told_to_every_party(federation: throwaway.DevFederation, metrics: Metrics) -> None:
    ready = True
    registry = Running(federation, metrics, is_ready=lambda: ready)
    peer = registry.peer(Party(federation, "evaluator-2"))
    stub = health_pb2_grpc.HealthStub(peer.channel)
    request = health_pb2.HealthCheckRequest()
    assert stub.Check(request).status == health_pb2.HealthCheckResponse.SERVING
    ready = False
    assert stub.Check(request).status == health_pb2.HealthCheckResponse.NOT_SERVING
    with pytest.raises(RemoteError) as error:
        next(iter(stub.Watch(request)))
    assert error.value.code is Code.NOT_SUPPORTED
    peer.close()
    registry.server.stop(0)


def test_a_method_without_a_rule_fails_the_start() -> None:
    rules = dict(RULES)
    del rules[f"{SERVICE.full_name}/AckNotices"]
    with pytest.raises(ValueError, match=r"without a rule: .*AckNotices"):
        check_rules([SERVICE], rules)


def test_a_rule_without_a_method_fails_the_start(federation: throwaway.DevFederation, metrics: Metrics) -> None:
    party = Party(federation, "registry")
    with pytest.raises(ValueError, match=r"without a method: .*Forget"):
        RpcServer(
            [Binding(SERVICE, Servicer())],
            {**RULES, f"{SERVICE.full_name}/Forget": Rule(frozenset({Kind.NODE}))},
            credentials=server_credentials(party.own()),
            authoriser=Authoriser(party.descriptors),
            metrics=metrics,
            log=Log(io.StringIO()),
        )


def test_a_method_that_nobody_serves_fails_the_start(federation: throwaway.DevFederation, metrics: Metrics) -> None:
    party = Party(federation, "registry")
    with pytest.raises(ValueError, match="nobody serves"):
        RpcServer(
            [Binding(SERVICE, object())],
            RULES,
            credentials=server_credentials(party.own()),
            authoriser=Authoriser(party.descriptors),
            metrics=metrics,
            log=Log(io.StringIO()),
        )


def test_no_call_leaves_from_inside_a_transaction(peer: Peer) -> None:
    with transaction("writing"), pytest.raises(RuntimeError, match="writing"):
        submit(peer)


def test_a_renewed_certificate_is_taken_up_without_a_restart(running: Running, peer: Peer) -> None:
    """Both sides: new connections use the certificate that stands in the files now."""
    assert submit(peer) == "0180"
    reissue(running.federation, "registry", identity.registry("a"))
    reissue(running.federation, "node-0180", identity.node("0180"))
    assert submit(peer) == "0180"
    served = x509.load_pem_x509_certificate((running.federation.directory / "registry" / "tls.crt").read_bytes())
    assert _served_certificate(running) == served


def _served_certificate(running: Running) -> x509.Certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(running.federation.directory / "ca" / "ca.crt")
    context.set_alpn_protocols(["h2"])
    host, _, port = running.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw, context.wrap_socket(raw) as wrapped:
        der = wrapped.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der)
