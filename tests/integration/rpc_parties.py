"""A server of the contract with a caller over mutual TLS, for the tests of calls between parties."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
import msgspec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from federation import descriptor, identity, pki, throwaway
from federation.clock import utc_now
from federation.descriptor_store import DescriptorStore
from federation.identity import Identity, Kind
from federation.observability import Log, Metrics
from federation.rpc.authorisation import Authoriser, Rule
from federation.rpc.caller import Party as CallingParty
from federation.rpc.caller import caller
from federation.rpc.client import Peer
from federation.rpc.server import Binding, RpcServer
from federation.tls import ChannelCredentials, OwnIdentity, server_credentials
from federation.v1 import registry_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub

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
        return registry_pb2.SubmitSignalsResponse(batch_id=caller(CallingParty).require_member().encode())

    def ListNotices(self, request: Any, context: grpc.ServicerContext) -> registry_pb2.ListNoticesResponse:  # noqa: N802 - the contract's name
        self.calls += 1
        self.list_notices()
        return registry_pb2.ListNoticesResponse()

    def AckNotices(self, request: Any, context: grpc.ServicerContext) -> registry_pb2.AckNoticesResponse:  # noqa: N802 - the contract's name
        return registry_pb2.AckNoticesResponse()

    def ReportRoster(self, request: Any, context: grpc.ServicerContext) -> registry_pb2.ReportRosterResponse:  # noqa: N802 - the contract's name
        return registry_pb2.ReportRosterResponse()

    def ListSignals(self, request: Any, context: grpc.ServicerContext) -> registry_pb2.ListSignalsResponse:  # noqa: N802 - the contract's name
        return registry_pb2.ListSignalsResponse()

    def FindHandles(self, request: Any, context: grpc.ServicerContext) -> registry_pb2.FindHandlesResponse:  # noqa: N802 - the contract's name
        return registry_pb2.FindHandlesResponse()

    def DescribeCases(self, request: Any, context: grpc.ServicerContext) -> registry_pb2.DescribeCasesResponse:  # noqa: N802 - the contract's name
        return registry_pb2.DescribeCasesResponse()


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


def handled(running: Running) -> Mapping[str, float]:
    return {
        "/".join((sample.labels["grpc_method"], sample.labels["grpc_code"])): sample.value
        for family in running.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "grpc_server_handled_total"
    }
