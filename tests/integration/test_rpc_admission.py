"""Who is let in, over real connections: the certificate, its issuer, its date, its listed key, its kind."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from datetime import timedelta

import grpc
import pytest
from cryptography import x509

from federation import identity, pki
from federation.clock import utc_now
from federation.errors import Code
from federation.identity import Identity, Kind
from federation.observability import Log
from federation.rpc.authorisation import Authoriser
from federation.rpc.client import Peer
from federation.rpc.server import Binding, RpcServer
from federation.rpc.status import RemoteError
from federation.tls import server_credentials
from federation.v1 import registry_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from tests.integration.rpc_parties import (
    RULES,
    SERVICE,
    Party,
    Running,
    handled,
    reissue,
    resign,
    submit,
)


def test_the_sender_is_the_certificate(running: Running, peer: Peer) -> None:
    assert submit(peer) == "0180"
    other = running.peer(Party(running.federation, "node-1480"))
    assert submit(other) == "1480"
    other.close()


def test_a_certificate_of_a_foreign_ca_is_refused(running: Running, refused: Callable[[str], RemoteError]) -> None:
    foreign = pki.make_ca("Another CA", utc_now())
    reissue(running.federation, "node-0180", identity.node("0180"), ca=foreign)
    assert refused("node-0180").code in (Code.PEER_UNREACHABLE, Code.IDENTITY_FOREIGN)
    assert handled(running) == {}


def test_an_expired_certificate_is_refused(running: Running, refused: Callable[[str], RemoteError]) -> None:
    reissue(
        running.federation,
        "node-0180",
        identity.node("0180"),
        now=utc_now() - timedelta(days=2),
        lifetime=timedelta(days=1),
    )
    assert refused("node-0180").code in (Code.PEER_UNREACHABLE, Code.IDENTITY_FOREIGN)
    assert handled(running) == {}


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
