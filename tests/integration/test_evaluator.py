"""The evaluator over real mutual TLS and a real store: what it answers, refuses, counts and keeps."""

from __future__ import annotations

import contextlib
import io
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from federation import control, throwaway
from federation import identity as identities
from federation.clock import ManualClock
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.migration import migrate
from federation.observability import COUNTED_STEP, Log, Metrics
from federation.rpc.client import Peer
from federation.rpc.envelope import make_envelope
from federation.rpc.fairness import MEMBER_LIMITS
from federation.runtime import Daemon
from federation.settings import DaemonSettings, load
from federation.tls import ChannelCredentials, OwnIdentity
from federation.v1 import evaluator_pb2, evaluator_pb2_grpc
from node.settings import NodeSettings
from privacy import oprf, protocol, pseudonym
from privacy.evaluator import app, client
from privacy.evaluator.app import App
from privacy.evaluator.settings import DATABASE_NAME, STORE_PACKAGE, EvaluatorSettings, open_database
from privacy.identifiers import CanonicalNumber
from privacy.keys import deal_epoch
from privacy.protocol import Answer, Blinded, EpochKey
from registry.settings import RegistrySettings
from tests.harness.ports import free_ports

TODAY = date(2026, 10, 19)
ZONE = "Europe/Stockholm"
DAY_LIMIT, YEAR_LIMIT = 333, 1_000
"""The quota of a member of 100 inhabitants."""

NUMBERS = [CanonicalNumber(f"2013010198{at:02}") for at in range(20)]


class Evaluator:
    """One evaluator's daemon in this process; `start` and `stop` may be called again and again."""

    def __init__(self, settings: EvaluatorSettings, clock: ManualClock) -> None:
        self.settings = settings
        self.clock = clock
        self.log = io.StringIO()
        self.metrics = Metrics(CollectorRegistry())
        self.daemon: Daemon | None = None

    def start(self) -> None:
        database = open_database(self.settings)
        migrate(database, STORE_PACKAGE)
        database.close()
        log, metrics = Log(self.log), Metrics(CollectorRegistry())
        descriptors = DescriptorStore.of(self.settings)
        own = OwnIdentity.of(self.settings, descriptors)

        def make() -> App:
            return app.build(
                self.settings, clock=self.clock, metrics=metrics, descriptors=descriptors, own=own, log=log
            )

        self.metrics = metrics
        self.daemon = Daemon(
            self.settings, make, clock=self.clock, metrics=metrics, log=log, descriptors=descriptors, own=own
        )
        self.daemon.start()

    def stop(self) -> None:
        if self.daemon is not None:
            self.daemon.stop()
            self.daemon = None

    def counted(self) -> int:
        """What the store holds, seen from outside the process's own connections."""
        with contextlib.closing(sqlite3.connect(self.settings.data_dir / DATABASE_NAME)) as connection:
            return int(connection.execute("SELECT coalesce(sum(elements), 0) FROM usage").fetchone()[0])


@dataclass
class World:
    """A throw-away federation of small members, with one or more of its evaluators running."""

    dev: throwaway.DevFederation
    clock: ManualClock
    evaluators: dict[int, Evaluator]

    def caller(self, member: str, index: int = 1) -> Caller:
        return Caller(self, load(self.dev.node(member), NodeSettings), index)

    def registry(self) -> Caller:
        return Caller(self, load(self.dev.registry, RegistrySettings), 1)

    def epoch_key(self) -> EpochKey:
        listed = DescriptorStore.of(self.evaluators[1].settings).current().epoch(1)
        return EpochKey.checked(1, listed.threshold, listed.share_version, listed.public_key, listed.commitments)


class Caller:
    """A party that speaks to one evaluator."""

    def __init__(self, world: World, settings: DaemonSettings, index: int) -> None:
        self._descriptors = DescriptorStore.of(settings)
        own = OwnIdentity.of(settings, self._descriptors)
        address = self._descriptors.current().evaluator(index).address
        self._peer = Peer(identities.evaluator(index), address, ChannelCredentials(own))
        self._stub = evaluator_pb2_grpc.EvaluatorServiceStub(self._peer.channel)
        self._clock = world.clock
        self.index = index

    def request(
        self, elements: Sequence[bytes], request_id: bytes | None = None, epoch: int = 1
    ) -> evaluator_pb2.BlindEvaluateRequest:
        return evaluator_pb2.BlindEvaluateRequest(
            envelope=make_envelope(self._clock, self._descriptors.current()),
            request_id=secrets.token_bytes(16) if request_id is None else request_id,
            epoch=epoch,
            blinded_elements=elements,
        )

    def send(self, request: evaluator_pb2.BlindEvaluateRequest) -> evaluator_pb2.BlindEvaluateResponse:
        return self._peer.call(self._stub.BlindEvaluate, request, 20.0, attempts=1)

    def ask(self, elements: Sequence[bytes], request_id: bytes | None = None) -> Answer:
        response = self.send(self.request(elements, request_id))
        assert response.HasField("composite")
        return Answer(
            response.share_index,
            response.epoch,
            response.share_version,
            response.evaluated_elements,
            response.proof,
            response.composite,
        )

    def epochs(self) -> evaluator_pb2.GetEpochsResponse:
        envelope = make_envelope(self._clock, self._descriptors.current())
        return self._peer.call(self._stub.GetEpochs, evaluator_pb2.GetEpochsRequest(envelope=envelope), 20.0)

    def used(self) -> tuple[int, int]:
        quota = self.epochs().quota
        return quota.year_used, quota.day_used


def blinded(count: int) -> Blinded:
    return protocol.blind([b"%d" % at for at in range(count)], secrets.token_bytes)


MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[MakeWorld]:
    with contextlib.ExitStack() as stack:

        def make(*running: int) -> World:
            registry_port, *ports = free_ports(4)
            dev = throwaway.dev(
                tmp_path / "federation",
                [throwaway.DevMember("0180", population=100), throwaway.DevMember("1480", population=100)],
                deal_epoch=deal_epoch,
                ports=throwaway.Ports(registry_port, tuple(ports)),
                today=TODAY,
            )
            clock = ManualClock(ZONE, TODAY)
            evaluators = {index: Evaluator(load(dev.evaluator(index), EvaluatorSettings), clock) for index in (1, 2, 3)}
            for index in running or (1,):
                stack.callback(evaluators[index].stop)
                evaluators[index].start()
            return World(dev, clock, evaluators)

        yield make


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world(1)


def refused(code: Code) -> pytest.RaisesExc[UppropError]:
    return pytest.RaisesExc(UppropError, check=lambda error: error.code is code)


def test_any_two_evaluators_give_the_same_pseudonyms(make_world: MakeWorld) -> None:
    world = make_world(1, 2, 3)
    inputs = [pseudonym.pupil_input(number) for number in NUMBERS]
    outputs = []
    for pair in ((1, 2), (3, 1), (2, 3)):
        batch = protocol.blind(inputs, secrets.token_bytes)
        answers = [world.caller("0180", index).ask(batch.elements) for index in pair]
        verified = protocol.verify(world.epoch_key(), batch, answers, secrets.token_bytes)
        outputs.append(protocol.finalize(verified))
    assert outputs[0] == outputs[1] == outputs[2]
    assert len(set(outputs[0])) == len(NUMBERS)


def test_an_evaluator_tells_its_epochs_and_the_callers_own_quota(world: World) -> None:
    told = world.caller("0180").epochs()
    commitment = world.epoch_key().commitments[1]
    assert [(e.epoch, e.share_index, e.share_version, e.commitment) for e in told.epochs] == [(1, 1, 1, commitment)]
    world.caller("1480").ask(blinded(5).elements)
    quota = world.caller("0180").epochs().quota
    assert (quota.year_limit, quota.day_limit) == (YEAR_LIMIT, DAY_LIMIT)
    assert (quota.year_used, quota.day_used) == (0, 0)


def test_a_quota_of_a_day_holds_and_the_next_day_begins_anew(world: World) -> None:
    caller = world.caller("0180")
    caller.ask(blinded(300).elements)
    with refused(Code.QUOTA_EXCEEDED):
        caller.ask(blinded(34).elements)
    caller.ask(blinded(33).elements)
    with refused(Code.QUOTA_EXCEEDED):
        caller.ask(blinded(1).elements)
    world.caller("1480").ask(blinded(1).elements)
    world.clock.set_today(TODAY + timedelta(days=1))
    caller.ask(blinded(1).elements)
    assert caller.used() == (334, 1)


def test_a_quota_of_a_year_holds_over_days_and_restarts(world: World) -> None:
    evaluator = world.evaluators[1]
    caller = world.caller("0180")
    for day in range(3):
        world.clock.set_today(TODAY + timedelta(days=day))
        caller.ask(blinded(DAY_LIMIT).elements)
        evaluator.stop()
        evaluator.start()
    world.clock.set_today(TODAY + timedelta(days=3))
    with refused(Code.QUOTA_EXCEEDED):
        caller.ask(blinded(2).elements)
    caller.ask(blinded(1).elements)
    assert caller.used() == (YEAR_LIMIT, 1)
    world.clock.set_today(date(2027, 1, 1))
    caller.ask(blinded(2).elements)
    assert caller.used() == (2, 2)


def test_the_same_request_counts_once_however_often_it_comes(world: World) -> None:
    caller, batch, request_id = world.caller("0180"), blinded(200), secrets.token_bytes(16)
    first = caller.ask(batch.elements, request_id)
    world.evaluators[1].stop()
    world.evaluators[1].start()
    again = caller.ask(batch.elements, request_id)
    world.clock.set_today(TODAY + timedelta(days=1))
    next_day = caller.ask(batch.elements, request_id)
    assert first.evaluated == again.evaluated == next_day.evaluated
    assert len({first.proof, again.proof, next_day.proof}) == 3
    assert caller.used() == (200, 0)
    # Another member's request of the same id is another request.
    world.caller("1480").ask(batch.elements, request_id)
    assert world.caller("1480").used() == (200, 200)


def test_the_same_id_with_other_content_is_refused(world: World) -> None:
    caller, batch, request_id = world.caller("0180"), blinded(3), secrets.token_bytes(16)
    caller.ask(batch.elements, request_id)
    for other in (batch.elements[::-1], batch.elements[:2], blinded(3).elements):
        with refused(Code.BATCH_REUSED):
            caller.ask(other, request_id)
    assert caller.used() == (3, 3)


def test_a_quota_holds_against_many_requests_at_once(world: World) -> None:
    caller = world.caller("0180")
    batches = [blinded(50) for _ in range(12)]

    def ask(batch: Blinded) -> Code | None:
        try:
            caller.ask(batch.elements)
        except UppropError as error:
            return error.code
        return None

    with ThreadPoolExecutor(MEMBER_LIMITS.calls) as pool:
        codes = list(pool.map(ask, batches))
    fitting = DAY_LIMIT // 50
    assert sorted(codes, key=str) == sorted([None] * fitting + [Code.QUOTA_EXCEEDED] * (12 - fitting), key=str)
    assert caller.used() == (300, 300)


def test_use_is_durable_before_an_answer_is_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    prove = oprf.generate_proof

    def watching(*args: object) -> oprf.Proof:
        seen.append(world.evaluators[1].counted())
        return prove(*args)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(oprf, "generate_proof", watching)
    world.caller("0180").ask(blinded(7).elements)
    assert seen == [7]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        pytest.param(lambda r: r.blinded_elements.append(bytes(32)), Code.REQUEST_INVALID, id="identity"),
        pytest.param(lambda r: r.blinded_elements.append(b"\xff" * 32), Code.REQUEST_INVALID, id="non-canonical"),
        pytest.param(lambda r: r.blinded_elements.append(b"\x02" * 31), Code.REQUEST_INVALID, id="short-element"),
        pytest.param(lambda r: r.ClearField("blinded_elements"), Code.REQUEST_INVALID, id="empty"),
        pytest.param(lambda r: r.blinded_elements.extend([b"x" * 32] * 1_000), Code.BATCH_TOO_LARGE, id="over-long"),
        pytest.param(lambda r: r.ClearField("request_id"), Code.REQUEST_INVALID, id="no-request-id"),
        pytest.param(lambda r: setattr(r, "request_id", b"x" * 17), Code.REQUEST_INVALID, id="long-request-id"),
        pytest.param(lambda r: setattr(r, "epoch", 2), Code.EPOCH_UNKNOWN, id="unknown-epoch"),
        pytest.param(lambda r: setattr(r, "epoch", 0), Code.EPOCH_UNKNOWN, id="no-epoch"),
        pytest.param(lambda r: r.ClearField("envelope"), Code.REQUEST_INVALID, id="no-envelope"),
        pytest.param(lambda r: setattr(r.envelope, "business_date", "2026-10-21"), Code.DATE_SKEW, id="date-skew"),
        pytest.param(lambda r: setattr(r.envelope, "descriptor_serial", 0), Code.DESCRIPTOR_OLDER, id="old-descriptor"),
    ],
)
def test_what_is_wrong_in_a_request_is_told_by_its_code(
    world: World, spoil: Callable[[evaluator_pb2.BlindEvaluateRequest], None], code: Code
) -> None:
    caller = world.caller("0180")
    request = caller.request(blinded(1).elements)
    spoil(request)
    with refused(code):
        caller.send(request)
    # And the evaluator goes on as if nothing had been.
    assert caller.ask(blinded(1).elements).evaluator == 1


def test_only_nodes_are_answered(world: World) -> None:
    with refused(Code.METHOD_FORBIDDEN):
        world.registry().ask(blinded(1).elements)
    with refused(Code.METHOD_FORBIDDEN):
        world.registry().epochs()


def test_nothing_of_a_pupil_stays_at_an_evaluator(world: World) -> None:
    batch = protocol.blind([pseudonym.pupil_input(number) for number in NUMBERS], secrets.token_bytes)
    answer = world.caller("0180").ask(batch.elements)
    with refused(Code.REQUEST_INVALID):
        world.caller("0180").ask([*batch.elements, bytes(32)])
    evaluator = world.evaluators[1]
    home = evaluator.settings.data_dir.parent
    kept = b"".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file() and not path.is_socket())
    kept += evaluator.log.getvalue().encode()
    assert evaluator.counted() == 2 * len(NUMBERS) + 1
    assert b"0180" in kept
    for number in NUMBERS:
        assert number.encode() not in kept
        assert number[2:].encode() not in kept
    for element in (*batch.elements, *answer.evaluated, answer.proof):
        assert bytes(element) not in kept
        assert bytes(element).hex().encode() not in kept


def test_the_operator_sees_how_much_each_member_asked_for(world: World) -> None:
    world.caller("0180").ask(blinded(7).elements)
    world.clock.set_today(TODAY + timedelta(days=1))
    world.caller("0180").ask(blinded(2).elements)
    with control.connect(world.evaluators[1].settings.data_dir) as stub:
        lines = client.status(stub)
    assert lines["epochs"] == "1 (share version 1)"
    assert lines["member 0180"] == f"9 of {YEAR_LIMIT} this year, 2 of {DAY_LIMIT} today"
    assert "member 1480" not in lines


def test_metrics_count_elements_by_the_thousand_and_once_the_day_is_over(world: World) -> None:
    caller, batch, request_id = world.caller("0180"), blinded(5), secrets.token_bytes(16)
    for _ in range(1 + COUNTED_STEP // 5):
        caller.ask(batch.elements, request_id)

    def counted(outcome: str) -> float | None:
        registry = world.evaluators[1].metrics.registry
        return registry.get_sample_value("upprop_evaluator_elements_total", {"outcome": outcome})

    assert counted("repeated") == 0
    world.clock.set_today(world.clock.today() + timedelta(days=1))
    # A whole step is shown as it is.
    assert counted("repeated") == COUNTED_STEP
    assert counted("charged") in (0, COUNTED_STEP)


def test_refusals_are_counted_without_naming_members(world: World) -> None:
    with refused(Code.QUOTA_EXCEEDED):
        world.caller("0180").ask(blinded(DAY_LIMIT + 1).elements)
    registry = world.evaluators[1].metrics.registry
    assert registry.get_sample_value("upprop_evaluator_quota_refusals_total", {"span": "day"}) == 1


def test_what_is_left_of_a_quota_is_shown_and_nothing_else_names_a_member(world: World) -> None:
    caller, registry = world.caller("0180"), world.evaluators[1].metrics.registry

    def left(member: str) -> float | None:
        return registry.get_sample_value("upprop_evaluator_quota_left_ratio", {"member": member, "span": "day"})

    caller.ask(blinded(DAY_LIMIT).elements)
    assert left("0180") == 0
    assert left("1480") == 1
    named = {
        sample.name
        for metric in registry.collect()
        for sample in metric.samples
        if any("0180" in value for value in sample.labels.values())
    }
    assert named == {"upprop_evaluator_quota_left_ratio"}
