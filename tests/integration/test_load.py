"""A server under load: one member in a hurry starves nobody, and a nation that comes back at once is served."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from federation import identity
from federation.errors import Code
from federation.observability import Metrics
from federation.rpc.client import Peer
from federation.rpc.fairness import BUSY_SECONDS, Limits
from federation.rpc.status import DETAILS_KEY, PUSHBACK_KEY, RemoteError
from federation.v1 import registry_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from tests.conftest import MakeFederation
from tests.integration.registry_parties import DUE, Caller, Server
from tests.integration.rpc_parties import Party, Running, Unchecked, list_notices, submit

NATION = 290


@contextmanager
def occupied(registry: Running, peer: Peer, calls: int) -> Iterator[None]:
    """So many calls of a member that the registry is handling."""
    release, inside = threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        inside.release()
        assert release.wait(60)

    registry.servicer.list_notices = wait
    threads = [threading.Thread(target=list_notices, args=(peer,)) for _ in range(calls)]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            assert inside.acquire(timeout=30)
        yield
    finally:
        release.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def registry(make_federation: MakeFederation, metrics: Metrics) -> Iterator[Running]:
    running = Running(make_federation("0180", "1480"), metrics, limits=Limits(calls=3, burst=2_000, bytes_per_second=1))
    yield running
    running.server.stop(0)


def test_a_member_in_a_hurry_is_told_when_to_come_back_and_another_is_served(registry: Running) -> None:
    hasty = registry.peer(Party(registry.federation, "node-0180"), sleep=lambda _: None)
    other = registry.peer(Party(registry.federation, "node-1480"), sleep=lambda _: None)
    with occupied(registry, hasty, 3):
        with pytest.raises(RemoteError) as error:
            submit(hasty, attempts=2)
        assert (error.value.code, error.value.retry, error.value.pushback) == (Code.OVERLOADED, True, BUSY_SECONDS)
        assert submit(other, attempts=1) == "1480"
    assert submit(hasty, attempts=1) == "0180"
    hasty.close()
    other.close()


def test_the_refusal_carries_retry_info_for_clients_of_any_make(registry: Running) -> None:
    home = Unchecked(registry.federation, "node-0180")
    name = ("grpc.ssl_target_name_override", identity.registry("a").dns_name)
    large = registry_pb2.SubmitSignalsRequest(batch_id=bytes(4_000))
    with grpc.secure_channel(registry.address, home.make(), options=(name,)) as channel:
        stub = RegistryServiceStub(channel)
        stub.SubmitSignals(large, timeout=30)
        with pytest.raises(grpc.RpcError) as error:
            stub.SubmitSignals(large, timeout=30)
    call: Any = error.value
    assert call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    sent = dict(call.trailing_metadata())
    status = status_pb2.Status.FromString(sent[DETAILS_KEY])
    assert (status.code, status.message) == (grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], call.details())
    info = error_details_pb2.RetryInfo()
    [detail] = status.details
    assert detail.Unpack(info)
    # 4 000 bytes and their field's frame against 2 000, one a second.
    assert 1_990 < info.retry_delay.ToSeconds() < 2_010
    assert abs(int(sent[PUSHBACK_KEY]) - info.retry_delay.ToMilliseconds()) <= 1


def test_a_call_that_waited_until_nobody_waits_for_it_is_not_handled(
    make_federation: MakeFederation, metrics: Metrics
) -> None:
    registry = Running(make_federation("0180", "1480"), metrics, threads=1)
    first = registry.peer(Party(registry.federation, "node-0180"))
    second = registry.peer(Party(registry.federation, "node-1480"))
    with occupied(registry, first, 1), pytest.raises(RemoteError) as error:
        list_notices(second, deadline=0.3, attempts=1)
    assert error.value.code is Code.DEADLINE
    assert submit(second) == "1480"
    assert registry.servicer.calls == 1
    first.close()
    second.close()
    registry.server.stop(0)


def patiently(call: Callable[[], object]) -> None:
    """As a node does, which comes again with its next sync."""
    for _ in range(4):
        try:
            call()
        except RemoteError as error:
            if not error.retry:
                raise
        else:
            return
    call()


def test_a_nation_that_comes_back_at_once_is_served_beside_a_member_that_will_not_wait(
    make_federation: MakeFederation,
) -> None:
    members = [f"{number:04d}" for number in range(100, 100 + NATION)]
    server = Server(make_federation(*members))
    server.start()
    server.set_today(DUE)
    callers = [Caller(server, f"node-{member}") for member in members]
    for caller in callers:
        caller.clock.set_today(DUE)
    greedy, *others = callers
    together = threading.Barrier(len(others))
    over = threading.Event()
    refused: list[RemoteError] = []

    def hammer() -> None:
        while not over.is_set():
            try:
                greedy.peer.call(greedy.stub.ListNotices, registry_pb2.ListNoticesRequest(envelope=greedy.envelope()))
            except RemoteError as error:
                refused.append(error)

    def come_back(caller: Caller) -> None:
        # No channel is open yet: every member begins with a handshake.
        together.wait(120)
        for call in (lambda: caller.report(DUE), caller.notices, lambda: caller.acknowledge(0)):
            patiently(call)

    try:
        with ThreadPoolExecutor(32) as hammers, ThreadPoolExecutor(len(others)) as pool:
            for _ in range(32):
                hammers.submit(hammer)
            try:
                for each in [pool.submit(come_back, caller) for caller in others]:
                    each.result(300)
            finally:
                over.set()
        # Refused by its own limits, or by those of its connection: nothing was wrong with what it asked.
        assert all(error.retry for error in refused)
        greedy.report(DUE)
        assert server.kill() is not None
    finally:
        for caller in callers:
            caller.peer.close()
