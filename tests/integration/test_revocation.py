"""Whom a new descriptor no longer lists is out: on open connections, at every replica, at evaluators by the offer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from federation import descriptor, throwaway
from federation.errors import Code, UppropError
from federation.rpc.admission import fetch_descriptor
from federation.rpc.client import Peer
from federation.tls import ChannelCredentials
from node.uplink import Uplink
from privacy.keys import deal_epoch
from tests.harness.ports import free_ports
from tests.harness.postgres import PostgresServer
from tests.integration.travelling_parties import (
    Load,
    Member,
    RunningDaemon,
    eventually,
    resigned,
    without_member,
)


@pytest.fixture
def federation(postgres: PostgresServer, tmp_path: Path) -> Iterator[throwaway.DevFederation]:
    """Two registries on one database, and two evaluators."""
    first, second, one, two, joining, _ = free_ports(6)
    with postgres.fresh_database() as url:
        yield throwaway.dev(
            tmp_path / "federation",
            [throwaway.DevMember("0180"), throwaway.DevMember("1480")],
            deal_epoch=deal_epoch,
            ports=throwaway.Ports(first, (one, two), (second,), joining=joining),
            clock="system",
            database_url=url,
        )


def refused(peer: Peer) -> Code | None:
    """With what a call on an open connection is refused; None where it is not."""
    try:
        health_pb2_grpc.HealthStub(peer.channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    except UppropError as error:
        return error.code
    return None


def test_a_member_taken_from_the_descriptor_at_one_replica_is_out_everywhere(
    federation: throwaway.DevFederation,
) -> None:
    replica = federation.directory / "registry-b" / "config.toml"
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(RunningDaemon(federation, federation.registry))
        second = stack.enter_context(RunningDaemon(federation, replica))
        evaluator = stack.enter_context(RunningDaemon(federation, federation.evaluator(1)))
        other = stack.enter_context(Member(federation, "1480"))
        member = stack.enter_context(Member(federation, "0180"))
        credentials = ChannelCredentials(member.own)
        identities = member.descriptors.current()
        connections = [
            member.peer,
            stack.enter_context(
                contextlib.closing(Peer(identities.registry("b").identity, second.address, credentials))
            ),
            stack.enter_context(
                contextlib.closing(Peer(identities.evaluator(1).identity, evaluator.address, credentials))
            ),
        ]
        assert [refused(each) for each in connections] == [None, None, None]
        with Load(other) as load:
            load.goes_on()
            first.put(without_member(federation, "0180"))
            eventually(lambda: [refused(each) for each in connections] == [Code.IDENTITY_UNLISTED] * 3)
            with pytest.raises(UppropError):
                member.submit(member.batch())
            other.work()
            eventually(lambda: other.descriptors.current().serial == 2)
            load.goes_on()
        # Nobody else notices, except a batch that was made by the older descriptor.
        assert {error.code for error in load.refusals} <= {Code.DESCRIPTOR_OLDER}
        assert load.acknowledged <= first.handles()
        # The evaluator has not taken it up: that is its administrator's to do. A denial needs nobody's consent.
        assert evaluator.descriptors.current().serial == 1
        offer = evaluator.descriptors.offer()
        assert offer is not None
        assert offer.serial == 2
        assert second.descriptors.current().serial == 2
        # Whoever is out can learn it, where no certificate is asked for.
        a = identities.registry("a")
        assert a.join_address is not None
        told = fetch_descriptor(a.join_address, a.identity, identities.ca_certificates[0].encode(), 1)
        assert told.content == first.descriptor.read_bytes()


def test_an_evaluator_is_dialled_where_the_newest_descriptor_has_it_and_nowhere_else(
    federation: throwaway.DevFederation,
) -> None:
    """Nodes go by what the registry brought: an evaluator that has moved, a registry that is gone."""
    file = descriptor.parse_file(federation.descriptor.read_bytes())
    moved = [
        msgspec.structs.replace(each, address="127.0.0.1:1") if each.index == 1 else each for each in file.evaluators
    ]
    with (
        RunningDaemon(federation, federation.registry) as running,
        RunningDaemon(federation, federation.evaluator(1)),
        Member(federation) as member,
        contextlib.closing(Uplink(member.descriptors, ChannelCredentials(member.own), member.clock)) as uplink,
    ):

        def answer() -> Code:
            with pytest.raises(UppropError) as error:
                uplink.evaluators()[0].blind_evaluate(b"", 1, [])
            return error.value.code

        assert answer() is Code.REQUEST_INVALID
        running.put(resigned(federation, evaluators=moved, registries=[file.registries[0]]))
        member.work()
        eventually(lambda: member.descriptors.current().serial == 2)
        assert answer() is Code.PEER_UNREACHABLE
        assert [each.name for each in member.registries.others()] == ["a"]
