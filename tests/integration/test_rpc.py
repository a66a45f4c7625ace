"""How calls between parties fare: deadlines, errors, limits, retries, stops, metrics, health."""

from __future__ import annotations

import io
import json
import threading
import time
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import generate_latest

from federation import identity, throwaway
from federation.boundary import transaction
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.observability import Log, Metrics
from federation.rpc.authorisation import Authoriser, Rule
from federation.rpc.client import Peer
from federation.rpc.server import Binding, RpcServer, check_rules
from federation.rpc.status import INTERNAL_SENTENCE, RemoteError
from federation.tls import server_credentials
from federation.v1 import registry_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from tests.integration.rpc_parties import (
    RULES,
    SECRET,
    SERVICE,
    Party,
    Running,
    Servicer,
    Unchecked,
    handled,
    list_notices,
    submit,
)


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


@pytest.mark.parametrize("side", ["the server", "the caller"])
def test_a_call_that_a_stop_breaks_off_is_no_failure_of_the_other_party(
    running: Running, peer: Peer, side: str
) -> None:
    """A node that took it for one would raise an alarm whenever it is stopped while it asks for a proof."""
    release, inside = threading.Event(), threading.Event()

    def wait() -> None:
        inside.set()
        release.wait(30)

    def stop() -> None:
        assert inside.wait(30)
        if side == "the server":
            running.server.stop(0)
        else:
            peer.close()

    running.servicer.list_notices = wait
    stopping = threading.Thread(target=stop)
    stopping.start()
    with pytest.raises(RemoteError) as error:
        list_notices(peer, deadline=30.0, attempts=1)
    release.set()
    stopping.join()
    assert error.value.code is Code.PEER_UNREACHABLE


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
    assert handled(running) == {}


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
    assert handled(running) == {}


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
    assert handled(running) == {"SubmitSignals/OK": 1, "ListNotices/FAILED_PRECONDITION": 1}


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
