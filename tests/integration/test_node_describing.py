"""Age band and sex on their way from a node to the registry: once a case, of nobody else, and in nobody's sight."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from federation.errors import Code, UppropError
from federation.rpc.client import Peer
from federation.v1 import registry_pb2, registry_pb2_grpc
from node.store.schema_descriptions import case_descriptions
from node.sync import SyncReport
from registry.store.schema_statistics import statistics_cases
from tests.integration.drill_parties import drill
from tests.integration.node_lossy import Fault, Killed, Lossy
from tests.integration.node_parties import Federation, Node, NodeStores, running
from tests.unit.node.exports import enrolment, person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE = date(2026, 8, 24)
LEFT_SHOWN, DUE = date(2026, 9, 7), date(2026, 9, 18)
LAST_DAY = "2026-09-04"
T = TypeVar("T")

OLDEST, FEMALE, MALE = "13-", "2", "1"


@pytest.fixture
def federation(tmp_path: Path, node_stores: NodeStores) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, stores=node_stores) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        yield parties


def roll(first: int, *changed: dict[str, Any], count: int = 30) -> list[dict[str, Any]]:
    """The persons of a member, those changed in place of themselves."""
    ids = {each["id"] for each in changed}
    return [each for place in range(first, first + count) if (each := person(place))["id"] not in ids] + list(changed)


def left(place: int, **fields: Any) -> dict[str, Any]:
    return person(place, enrolment(end=LAST_DAY), **fields)


def opened(federation: Federation, *leavers: dict[str, Any]) -> Node:
    """The cases of these leavers have opened, and their node has heard of it."""
    federation.day(LEFT_SHOWN, {STOCKHOLM: roll(0, *leavers), MALMO: roll(100)})
    federation.day(DUE, {STOCKHOLM: roll(0, *leavers), MALMO: roll(100)})
    return federation.nodes[STOCKHOLM]


def frozen(federation: Federation) -> list[tuple[Any, ...]]:
    """(age band, sex, described on) of the registry's cases."""
    of = statistics_cases.c
    query = sa.select(of.age_band, of.sex, of.described_on)
    return federation.registry_app.database.view(
        "test_frozen", lambda tx: sorted((tuple(row) for row in tx.execute(query)), key=repr)
    )


def noted(node: Node) -> int:
    query = sa.select(sa.func.count()).select_from(case_descriptions)
    return node.app.database.view("test_noted", lambda tx: int(tx.execute(query).scalar_one()))


Said = list[registry_pb2.DescribeCasesRequest]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    """What nodes say of cases, call by call."""
    requests: Said = []
    call = Peer.call

    def record(self: Peer, method: Any, request: Any, *args: Any, **options: Any) -> Any:
        if isinstance(request, registry_pb2.DescribeCasesRequest):
            requests.append(request)
        return call(self, method, request, *args, **options)

    monkeypatch.setattr(Peer, "call", record)
    return requests


def test_a_lead_describes_each_case_once(federation: Federation, said: Said) -> None:
    node = opened(federation, left(0), left(1, sex="Man"), left(2, sex=""))
    assert frozen(federation) == [(None, None, None)] * 3
    # Another node's sync says nothing of them; fetching alone sends nothing.
    said.clear()
    federation.nodes[MALMO].sync()
    node.sync(notices_only=True)
    assert [len(request.cases) for request in said] == [0]
    assert node.sync() == SyncReport()
    expected = [(OLDEST, MALE, DUE), (OLDEST, FEMALE, DUE), (OLDEST, FEMALE, DUE)]
    assert frozen(federation) == expected
    said.clear()
    federation.set_today(DUE + timedelta(days=1))
    node.restart()
    node.sync()
    # Called, as always, and nothing said.
    assert [len(request.cases) for request in said] == [0]
    assert frozen(federation) == expected
    assert noted(node) == 3


def test_a_case_is_described_by_the_member_that_leads_it_alone(federation: Federation, said: Said) -> None:
    # The child went to school in both, and left both on one day.
    federation.day(date(2026, 9, 2), {STOCKHOLM: roll(0), MALMO: [*roll(100), person(0)]})
    for day in (LEFT_SHOWN, DUE):
        federation.day(day, {STOCKHOLM: roll(0, left(0)), MALMO: [*roll(100), left(0)]})
    cases = {member: node.cases() for member, node in federation.nodes.items()}
    assert [(member, case.lead, case.linked) for member, of in cases.items() for case in of] == [
        (STOCKHOLM, True, True),
        (MALMO, False, True),
    ]
    said.clear()
    told = []
    for node in federation.nodes.values():
        node.sync()
        told.append(sum(len(request.cases) for request in said))
    assert told == [1, 1]
    assert frozen(federation) == [(OLDEST, FEMALE, DUE)]


def test_nobody_protected_unlinkable_or_made_up_is_described(federation: Federation, said: Said) -> None:
    unlinkable = left(3, civicNo=None, id="another")
    node = opened(federation, left(0, securityMarking="Skyddad folkbokföring"), unlinkable, left(1))
    said.clear()
    drill(node)
    federation.close_day()
    node.sync()
    federation.set_today(DUE + timedelta(days=3))
    node.sync()
    [only] = [case for request in said for case in request.cases]
    assert frozen(federation) == [(OLDEST, FEMALE, DUE)]
    assert only.opening_number == 1
    assert len(node.cases()) == 3


def test_a_case_that_closed_before_the_node_was_back_is_described(federation: Federation) -> None:
    federation.day(LEFT_SHOWN, {STOCKHOLM: roll(0, left(0)), MALMO: roll(100)})
    federation.set_today(DUE)
    federation.close_day()
    back = DUE + timedelta(days=3)
    federation.set_today(back)
    federation.nodes[MALMO].take([*roll(100), person(0, enrolment("2026-09-15"))])
    federation.nodes[MALMO].sync()
    federation.close_day()
    node = federation.nodes[STOCKHOLM]
    assert node.sync().notices
    assert [gap.state for gap in node.gaps()] == ["ANSWERED"]
    assert frozen(federation) == [(OLDEST, FEMALE, back)]


def test_what_no_table_waits_for_any_more_is_not_told(federation: Federation, said: Said) -> None:
    node = opened(federation, left(0))
    said.clear()
    federation.set_today(date(2027, 3, 2))
    node.sync()
    assert [len(request.cases) for request in said] == [0]
    federation.set_today(date(2027, 3, 1))
    node.sync()
    assert frozen(federation) == [(OLDEST, FEMALE, date(2027, 3, 1))]


def test_a_pupil_marked_before_the_description_is_not_described(federation: Federation) -> None:
    node = opened(federation, left(0))
    federation.set_today(DUE + timedelta(days=1))
    node.take(roll(0, left(0, securityMarking="Sekretessmarkering")))
    node.sync()
    assert frozen(federation) == [(None, None, None)]
    assert noted(node) == 0


class OnlyDescribing(Lossy):
    """Faults at calls that describe, counted from 0; the others get through."""

    def call(self, name: str, work: Callable[[], T]) -> T:
        return super().call(name, work) if name == "describe" else work()


@pytest.mark.parametrize("fault", list(Fault))
def test_what_is_lost_on_the_way_is_said_again(federation: Federation, fault: Fault) -> None:
    node = opened(federation, left(0))
    node.app.pipeline._links = OnlyDescribing(node.app.uplink, lambda number: fault if number == 0 else None)
    with contextlib.suppress(Killed):
        assert len(node.sync().problems) == 1
    assert noted(node) == 0
    node.restart()
    federation.set_today(DUE + timedelta(days=1))
    assert node.sync() == SyncReport()
    arrived = fault in (Fault.ANSWER_LOST, Fault.KILLED_AFTER)
    assert frozen(federation) == [(OLDEST, FEMALE, DUE if arrived else DUE + timedelta(days=1))]
    assert noted(node) == 1


def test_a_registry_of_an_earlier_version_is_no_problem(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = opened(federation, left(0))

    def unknown(*_: Any, **__: Any) -> None:
        raise UppropError(Code.NOT_SUPPORTED, "registry a does not know this request; it may be older.")

    with monkeypatch.context() as patch:
        patch.setattr("node.describing.uplink.DescribingLink.describe", unknown)
        assert node.sync() == SyncReport()
        assert noted(node) == 0
    # It has been brought up meanwhile.
    assert node.sync() == SyncReport()
    assert frozen(federation) == [(OLDEST, FEMALE, DUE)]


def test_a_failure_is_said_and_keeps_nothing_else_from_running(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = opened(federation, left(0))

    def refused(*_: Any, **__: Any) -> None:
        raise UppropError(Code.OVERLOADED, "registry a has too much to do at the moment.")

    with monkeypatch.context() as patch:
        patch.setattr("node.describing.uplink.DescribingLink.describe", refused)
        assert node.sync() == SyncReport(problems=("registry a has too much to do at the moment.",))
    assert '"step": "describe"' in node.log.getvalue()
    assert node.sync() == SyncReport()
    assert noted(node) == 1


def test_what_an_old_registry_answers_is_understood(federation: Federation) -> None:
    """A method that a server does not know is answered by gRPC itself."""
    link = federation.nodes[STOCKHOLM].app.uplink.registry()
    envelope = link.envelope()

    def call(peer: Peer) -> Any:
        method = peer.channel.unary_unary(
            "/federation.v1.RegistryService/DescribeNothing",
            request_serializer=registry_pb2.DescribeCasesRequest.SerializeToString,
            response_deserializer=registry_pb2.DescribeCasesResponse.FromString,
        )
        return peer.call(method, registry_pb2.DescribeCasesRequest(envelope=envelope), 20.0)

    with pytest.raises(UppropError) as refused:
        link.at_any(call)
    assert refused.value.code is Code.NOT_SUPPORTED


def test_the_registry_takes_what_is_well_formed_and_answers_alike(federation: Federation) -> None:
    node = opened(federation, left(0))
    link = node.app.uplink.registry()

    def describe(*cases: registry_pb2.CaseDescription) -> registry_pb2.DescribeCasesResponse:
        request = registry_pb2.DescribeCasesRequest(envelope=link.envelope(), cases=cases)
        stub = registry_pb2_grpc.RegistryServiceStub
        return link.at_any(lambda peer: peer.call(stub(peer.channel).DescribeCases, request, 20.0))

    unknown = registry_pb2.CaseDescription(handle=b"?" * 16, opening_number=1, age_band=99, sex=99)  # type: ignore[arg-type]
    assert describe() == describe(unknown) == describe(*[unknown] * 1_000) == registry_pb2.DescribeCasesResponse()
    for flawed in (
        registry_pb2.CaseDescription(handle=b"short", opening_number=1),
        registry_pb2.CaseDescription(handle=b"h" * 16),
    ):
        with pytest.raises(UppropError) as refused:
            describe(flawed)
        assert refused.value.code is Code.REQUEST_INVALID
    with pytest.raises(UppropError) as refused:
        describe(*[unknown] * 1_001)
    assert refused.value.code is Code.BATCH_TOO_LARGE
    assert frozen(federation) == [(None, None, None)]


def test_a_node_that_lost_its_store_says_it_again_without_harm(federation: Federation, said: Said) -> None:
    node = opened(federation, left(0))
    node.sync()
    before = frozen(federation)
    with node.app.database.transaction("test_lost") as tx:
        tx.execute(sa.delete(case_descriptions))
    said.clear()
    federation.set_today(DUE + timedelta(days=1))
    assert node.sync() == SyncReport()
    assert [len(request.cases) for request in said] == [1]
    assert frozen(federation) == before == [(OLDEST, FEMALE, DUE)]


def test_no_log_and_no_metric_shows_it(federation: Federation) -> None:
    node = opened(federation, left(0), left(1, sex="Man"))
    shown = [figures(federation, node)]
    for number in range(3):
        federation.set_today(DUE + timedelta(days=number))
        node.sync()
        shown.append(figures(federation, node))
    # What has no limit is the same before and after, and its difference no number.
    moved = [
        {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name)}
        for before, after in itertools.pairwise(shown)
    ]
    # The first of them described two cases, the others none.
    assert noted(node) == 2
    assert moved[0] == moved[1] == moved[2]
    assert "describe" not in node.log.getvalue()


def figures(federation: Federation, node: Node) -> dict[str, float]:
    """Every figure that the registry and the node show, those of time and of the process left out."""
    passing = ("seconds", "timestamp", "process_", "python_", "expires", "memory", "_created")
    return {
        f"{party} {sample.name}{sorted(sample.labels.items())}": sample.value
        for party, shown in (("registry", federation.measured["registry"]), ("node", node.measured))
        for family in shown.collect()
        for sample in family.samples
        if not any(word in sample.name for word in passing)
    }
