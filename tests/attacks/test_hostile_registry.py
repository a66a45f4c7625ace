"""A registry with its key, its certificate and the federation's CA tries to let in whom the authority has not listed.

It holds everything but the authority's key. The other registry, the evaluators, a member and a party that joins are
honest, and run as they do in service.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from concurrent import futures
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import descriptor, files, identity, pki, throwaway
from federation.admission.joining import Joining
from federation.clock import utc_now
from federation.descriptor_file import File
from federation.descriptor_file import Member as Listed
from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.rpc.client import Peer
from federation.rpc.envelope import make_envelope
from federation.tls import identity_of, public_key_sha256
from federation.v1 import admission_pb2, evaluator_pb2, registry_pb2
from federation.v1.admission_pb2_grpc import AdmissionServiceServicer, add_AdmissionServiceServicer_to_server
from federation.v1.evaluator_pb2_grpc import EvaluatorServiceStub
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from privacy.keys import deal_epoch
from tests.harness.ports import free_ports
from tests.harness.signing import tls_key
from tests.integration.travelling_parties import Member, RunningDaemon, eventually, resigned

STRANGER = identity.node("9999")
LATER = utc_now().replace(microsecond=0) + timedelta(days=300)


class Registry(AdmissionServiceServicer):
    """What registry `a` says to whoever asks; what the honest one would say is nothing new."""

    def __init__(self, federation: throwaway.DevFederation) -> None:
        self._federation = federation
        self.given = b""
        self.chain = ""
        self.asked = 0

    def GetDescriptor(self, request: Any, context: Any) -> admission_pb2.GetDescriptorResponse:  # noqa: N802
        self.asked += 1
        answer = admission_pb2.GetDescriptorResponse(descriptor=self.given)
        answer.now.FromDatetime(utc_now())
        return answer

    def Certify(self, request: Any, context: Any) -> admission_pb2.CertifyResponse:  # noqa: N802
        return admission_pb2.CertifyResponse(chain=self.chain)

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """At both of its addresses, with its own certificate."""
        listed = descriptor.parse_file(self._federation.descriptor.read_bytes()).registries[0]
        home = self._federation.registry.parent
        pair = [((home / "tls.key").read_bytes(), (home / "tls.crt").read_bytes())]
        roots = pki.certificate_pem(self._federation.ca.certificate)
        server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        add_AdmissionServiceServicer_to_server(self, server)
        server.add_secure_port(listed.address, grpc.ssl_server_credentials(pair, roots, require_client_auth=True))
        assert listed.join_address is not None
        server.add_secure_port(listed.join_address, grpc.ssl_server_credentials(pair))
        server.start()
        try:
            yield
        finally:
            server.stop(None).wait()


class Certified:
    """Credentials with a certificate that the registry made for itself, in whose name and for which key it likes."""

    stamp = None

    def __init__(self, federation: throwaway.DevFederation, who: Identity, key: EllipticCurvePrivateKey) -> None:
        self._roots = pki.certificate_pem(federation.ca.certificate)
        self._key = pki.private_pem(key)
        self._certificate = pki.certificate_pem(pki.issue(federation.ca, who, key.public_key(), utc_now()))

    def make(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(self._roots, self._key, self._certificate)


class World:
    """Registry `a`, hostile; registry `b`, an evaluator and the member 1480, honest."""

    def __init__(self, directory: Path, stack: contextlib.ExitStack) -> None:
        a, b, one, two, joining, _ = free_ports(6)
        self.federation = throwaway.dev(
            directory / "federation",
            [throwaway.DevMember("0180"), throwaway.DevMember("1480")],
            deal_epoch=deal_epoch,
            ports=throwaway.Ports(a, (one, two), (b,), joining=joining),
            clock="system",
            # Never spoken to: here it keeps to a store of its own.
            database_url="postgresql://nobody@127.0.0.1:1/none",
        )
        self.signed = self.federation.descriptor.read_bytes()
        self.file = descriptor.parse_file(self.signed)
        self.registry = Registry(self.federation)
        stack.enter_context(self.registry.serving())
        own = self.federation.directory / "registry-b" / "config.toml"
        self.replica = stack.enter_context(RunningDaemon(self.federation, own, database_url_file=None))
        self.evaluator = stack.enter_context(RunningDaemon(self.federation, self.federation.evaluator(1)))
        self.member = stack.enter_context(Member(self.federation, "1480"))
        self.node = self.federation.directory / "node-1480"

    def ask_evaluator(self, credentials: Certified) -> Code | None:
        """As what the call is refused; None where it is answered."""
        peer = Peer(identity.evaluator(1), self.evaluator.address, credentials)
        request = evaluator_pb2.GetEpochsRequest(envelope=self._envelope(self.evaluator))
        return _outcome(
            peer, lambda: peer.call(EvaluatorServiceStub(peer.channel).GetEpochs, request, 10.0, attempts=1)
        )

    def ask_replica(self, credentials: Certified) -> Code | None:
        peer = Peer(identity.registry("b"), self.replica.address, credentials)
        request = registry_pb2.ListNoticesRequest(envelope=self._envelope(self.replica))
        return _outcome(
            peer, lambda: peer.call(RegistryServiceStub(peer.channel).ListNotices, request, 10.0, attempts=1)
        )

    def _envelope(self, daemon: RunningDaemon) -> registry_pb2.Envelope:
        """By the descriptor that the callee has."""
        return make_envelope(self.member.clock, daemon.descriptors.current())

    def joining(self, directory: Path, who: Identity = STRANGER) -> Joining:
        """A municipality that has the true descriptor and the authority's key, and asks at registry `a` alone."""
        made = Joining(directory, who, self.federation.authority_key.public_key())
        made.begin()
        made.keep(self.signed)
        return made


def _outcome(peer: Peer, call: Callable[[], object]) -> Code | None:
    with contextlib.closing(peer):
        try:
            call()
        except UppropError as error:
            return error.code
    return None


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with contextlib.ExitStack() as stack:
        yield World(tmp_path_factory.mktemp("hostile"), stack)


# --- certificates --------------------------------------------------------------------------------------------------


def test_who_is_listed_gets_in(world: World) -> None:
    """Without which all that follows would prove nothing."""
    key = tls_key(world.federation.directory / "node-0180")
    credentials = Certified(world.federation, identity.node("0180"), key)
    assert (world.ask_evaluator(credentials), world.ask_replica(credentials)) == (None, None)


@pytest.mark.parametrize(
    "who",
    [STRANGER, identity.node("1480"), identity.evaluator(2), identity.registry("a"), identity.registry("c")],
    ids=["nobody's id", "another key for a member", "for an evaluator", "for a registry", "a registry more"],
)
def test_a_certificate_that_it_makes_opens_no_door(world: World, who: Identity) -> None:
    credentials = Certified(world.federation, who, pki.new_tls_key())
    refusals = [len(each.events("rpc_refused")) for each in (world.evaluator, world.replica)]
    assert world.ask_evaluator(credentials) is Code.IDENTITY_UNLISTED
    assert world.ask_replica(credentials) is Code.IDENTITY_UNLISTED
    for daemon, before in zip((world.evaluator, world.replica), refusals, strict=True):
        logged = daemon.events("rpc_refused")[before:]
        assert [each["code"] for each in logged] == [Code.IDENTITY_UNLISTED]
        # Who it says it is is its own word: no log repeats that, nor anything else of it.
        assert set(logged[0]) <= {"time", "level", "event", "method", "code", "caller"}
        assert who.uri not in json.dumps(logged)


def test_its_own_certificate_opens_what_a_registry_may_ask_and_no_more(world: World) -> None:
    credentials = Certified(world.federation, identity.registry("a"), tls_key(world.federation.registry.parent))
    assert world.ask_evaluator(credentials) is Code.METHOD_FORBIDDEN
    assert world.ask_replica(credentials) is Code.METHOD_FORBIDDEN


# --- descriptors ---------------------------------------------------------------------------------------------------


def _added(file: File) -> File:
    more = Listed(id="9999", name="Nowhere", population=50_000, key_sha256="ab" * 32)
    return msgspec.structs.replace(file, serial=file.serial + 1, members=[*file.members, more])


def _changed(file: File, **changes: Any) -> File:
    members = [msgspec.structs.replace(each, **changes) if each.id == "1480" else each for each in file.members]
    return msgspec.structs.replace(file, serial=file.serial + 1, members=members)


def _own(file: File) -> bytes:
    return descriptor.sign(file, Ed25519PrivateKey.generate())


@pytest.mark.parametrize(
    "make",
    [
        lambda world: _own(_added(world.file)),
        lambda world: _own(_changed(world.file, key_sha256="cd" * 32)),
        lambda world: _own(_changed(world.file, population=5_000_000)),
        lambda world: world.signed.replace(b"population = 50000", b"population = 59999").replace(
            b"serial = 1", b"serial = 2"
        ),
        lambda world: descriptor.serialise_file(_added(world.file)),
        lambda world: b"\0" * 1_000,
        lambda world: b"serial = 2\n",
    ],
    ids=["member added", "another key", "population raised", "changed", "unsigned", "noise", "cut off"],
)
def test_a_descriptor_that_the_authority_did_not_sign_is_taken_by_nobody(
    world: World, make: Callable[[World], bytes], tmp_path: Path
) -> None:
    content = make(world)
    assert content != world.signed
    world.registry.given = content
    daemons = (world.replica, world.evaluator)
    refusals = [len(each.events("descriptor_not_taken")) for each in daemons]
    told = len(world.member.text.getvalue())
    try:
        for daemon, before in zip(daemons, refusals, strict=True):
            eventually(lambda daemon=daemon, before=before: len(daemon.events("descriptor_not_taken")) > before)  # type: ignore[misc]
            # One event for each asking: which registry, and what for.
            logged = daemon.events("descriptor_not_taken")[-1]
            assert (logged["registry"], logged["code"]) == ("a", Code.DESCRIPTOR_UNSIGNED)
            assert set(logged) <= {"time", "level", "event", "registry", "code"}
        # A member asks one of the two, as it happens.
        while len(world.member.text.getvalue()) == told:
            with contextlib.suppress(UppropError):
                world.member.courier.fetch()
        joining = world.joining(tmp_path / "node")
        mine = joining.verified(world.signed)
        assert joining.newest(mine) == (mine, None)
    finally:
        world.registry.given = b""
    for daemon in daemons:
        assert daemon.descriptors.current().serial == 1
        assert daemon.descriptors.offer() is None
    assert world.member.descriptors.current().serial == 1
    assert joining.descriptor_path.read_bytes() == world.signed


def test_an_older_descriptor_brings_nobody_back(tmp_path: Path) -> None:
    """1480 was in the first and is not in the second, which all have; the first is valid for as long."""
    with contextlib.ExitStack() as stack:
        world = World(tmp_path, stack)
        older = world.signed
        newer = resigned(world.federation, members=[each for each in world.file.members if each.id != "1480"])
        world.replica.put(newer)
        eventually(lambda: world.evaluator.descriptors.offer() is not None)
        world.evaluator.descriptors.accept(newer)
        joining = world.joining(tmp_path / "node")
        joining.keep(newer)
        world.registry.given = older
        asked = world.registry.asked
        eventually(lambda: world.registry.asked > asked + 6)
        credentials = Certified(world.federation, identity.node("1480"), tls_key(world.node))
        assert world.ask_evaluator(credentials) is Code.IDENTITY_UNLISTED
        assert world.ask_replica(credentials) is Code.IDENTITY_UNLISTED
        for daemon in (world.replica, world.evaluator):
            assert daemon.descriptors.current().serial == 2
        assert joining.newest(joining.verified(newer))[0].serial == 2
        # Its own file that lists 1480 no longer is all that the registry itself could still go by.
        with pytest.raises(UppropError) as error:
            joining.verified(older)
        assert error.value.code is Code.DESCRIPTOR_OLDER


def test_what_the_authority_signed_lets_nobody_in_before_an_evaluator_has_accepted_it(tmp_path: Path) -> None:
    """One comes, one goes. The registry, which needs nobody's consent, lets the new one in; evaluators do not."""
    with contextlib.ExitStack() as stack:
        world = World(tmp_path, stack)
        new, old = pki.new_tls_key(), tls_key(world.node)
        newcomer = Certified(world.federation, identity.node("2480"), new)
        leaver = Certified(world.federation, identity.node("1480"), old)
        assert world.ask_evaluator(leaver) is None
        listed = Listed(id="2480", population=9_000, key_sha256=public_key_sha256(new.public_key()))
        stays = [each for each in world.file.members if each.id != "1480"]
        content = resigned(world.federation, members=[*stays, listed], expires=LATER)
        world.registry.given = content
        eventually(lambda: world.evaluator.descriptors.offer() is not None)
        eventually(lambda: world.replica.descriptors.current().serial == 2)
        assert world.evaluator.descriptors.current().serial == 1
        assert (world.ask_evaluator(newcomer), world.ask_replica(newcomer)) == (Code.IDENTITY_UNLISTED, None)
        assert (world.ask_evaluator(leaver), world.ask_replica(leaver)) == (Code.IDENTITY_UNLISTED,) * 2
        [offered] = world.evaluator.events("descriptor_offered")
        assert set(offered) <= {"time", "level", "event", "serial"}
        world.evaluator.descriptors.accept(world.evaluator.descriptors.offered_content())
        assert world.ask_evaluator(newcomer) is None
        assert world.ask_evaluator(leaver) is Code.IDENTITY_UNLISTED


# --- whoever joins -------------------------------------------------------------------------------------------------


def test_whoever_joins_keeps_no_certificate_but_its_own(world: World, tmp_path: Path) -> None:
    who = identity.node("0180")
    home = world.federation.directory / "node-0180"
    directory = tmp_path / "node"
    files.private_directory(directory)
    files.write_secret(directory / "tls.key", (home / "tls.key").read_bytes())
    joining = world.joining(directory, who)
    own, now = tls_key(home), utc_now()
    elsewhere = pki.make_ca("Another CA", now)

    def chain(ca: pki.CertificateAuthority, name: Identity, key: EllipticCurvePrivateKey) -> str:
        return pki.certificate_pem(pki.issue(ca, name, key.public_key(), now)).decode()

    ca = world.federation.ca
    mine = joining.verified(world.signed)
    alone = dataclasses.replace(mine, registries=(mine.registry("a"),))
    for given in (
        "",
        "no certificate",
        chain(ca, who, pki.new_tls_key()),
        chain(ca, identity.node("1480"), own),
        chain(elsewhere, who, own),
        pki.certificate_pem(ca.certificate).decode(),
    ):
        world.registry.chain = given
        with pytest.raises(UppropError):
            joining.certificate(alone, own)
        assert not joining.certificate_path.exists()
    # Another registry is asked as well, and a good one is kept from whomever.
    assert joining.certificate(mine, own)
    joining.certificate_path.unlink()
    world.registry.chain = chain(ca, who, own)
    assert joining.certificate(alone, own)
    kept = x509.load_pem_x509_certificate(joining.certificate_path.read_bytes())
    assert (kept.public_key(), identity_of(kept)) == (own.public_key(), who)
