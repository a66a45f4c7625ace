"""What a node shows its operator is what has happened to it, on each kind of store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from federation.errors import Code, UppropError
from federation.fresh import Fresh
from privacy import oprf
from privacy.evaluator import evaluation
from tests.integration.node_parties import ZONE, Federation, Node, NodeStores, running
from tests.unit.node.exports import OTHER_UNIT, enrolment, person

MEMBER, OTHER = "0180", "1480"
BASELINE, LEFT = date(2026, 8, 24), date(2026, 9, 7)


@pytest.fixture(autouse=True)
def read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fresh, "get", lambda fresh: fresh._ask())


@pytest.fixture
def federation(tmp_path: Path, node_stores: NodeStores) -> Iterator[Federation]:
    with running(tmp_path, [MEMBER], BASELINE, stores=node_stores) as parties:
        yield parties


@pytest.fixture
def sqlite_federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path, [MEMBER], BASELINE) as parties:
        parties.day(BASELINE, {MEMBER: roster()})
        yield parties


def roster(*left: int) -> list[dict[str, Any]]:
    return [person(place, enrolment(end="2026-09-04" if place in left else None)) for place in range(30)]


def shown(node: Node, name: str, **labels: str) -> float | None:
    return node.measured.get_sample_value(f"upprop_{name}", labels)


def until(attempt: Callable[[], object], done: Callable[[], bool]) -> None:
    """Again and again: a connection that was refused is not dialled at once."""
    give_up = time.monotonic() + 60
    attempt()
    while not done():
        assert time.monotonic() < give_up
        time.sleep(0.2)
        attempt()


def begin_of(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONE)).timestamp()


def test_the_outbox_shows_what_waits_since_when_and_what_was_not_taken(federation: Federation) -> None:
    node = federation.nodes[MEMBER]
    federation.day(BASELINE, {MEMBER: roster()})
    assert (shown(node, "outbox_signals", state="waiting"), shown(node, "outbox_oldest_timestamp_seconds")) == (0, 0)
    federation.set_today(LEFT)
    node.take(roster(3, 4))
    federation.registry.stop()
    node.sync()
    assert shown(node, "outbox_signals", state="waiting") == 2
    assert shown(node, "outbox_oldest_timestamp_seconds") == begin_of(LEFT + timedelta(days=1))
    federation.set_today(LEFT + timedelta(days=3))
    node.take(roster(3, 4, 5))
    node.sync()
    assert shown(node, "outbox_signals", state="waiting") == 3
    assert shown(node, "outbox_oldest_timestamp_seconds") == begin_of(LEFT + timedelta(days=1))
    federation.registry.start()
    until(node.sync, lambda: shown(node, "outbox_signals", state="waiting") == 0)
    assert shown(node, "outbox_signals", state="parked") == 0
    assert shown(node, "outbox_oldest_timestamp_seconds") == 0
    assert shown(node, "epoch_pupils_ratio", epoch="1") == 1


def test_imports_show_their_age_what_was_rejected_and_which_was_refused(federation: Federation) -> None:
    node = federation.nodes[MEMBER]
    assert shown(node, "import_as_of_timestamp_seconds", system="main") is None
    broken = person(40, {"enroledAt": {"id": OTHER_UNIT}, "schoolType": "GR", "startDate": "no date"})
    node.take([*roster(), broken])
    assert shown(node, "import_as_of_timestamp_seconds", system="main") == begin_of(BASELINE)
    at = shown(node, "import_last_success_timestamp_seconds", system="main")
    assert at is not None
    assert abs(at - node.clock.now().timestamp()) < 600
    assert shown(node, "import_rejected_rows", system="main") == 1
    assert shown(node, "import_refused", system="main") == 0
    federation.set_today(LEFT)
    with pytest.raises(UppropError) as shrunk:
        node.take(roster()[:10])
    assert shrunk.value.code is Code.EXPORT_SHRUNK
    assert shown(node, "import_refused", system="main") == 1
    assert shown(node, "import_as_of_timestamp_seconds", system="main") == begin_of(BASELINE)
    node.take(roster())
    assert shown(node, "import_refused", system="main") == 0
    assert shown(node, "import_rejected_rows", system="main") == 0
    assert shown(node, "import_as_of_timestamp_seconds", system="main") == begin_of(LEFT)


def test_leavings_that_wait_for_a_person_show_until_they_are_confirmed(federation: Federation) -> None:
    node = federation.nodes[MEMBER]
    node.take(roster())
    assert shown(node, "leavings_held") == 0
    federation.set_today(LEFT)
    node.take(roster(*range(11)))
    assert shown(node, "leavings_held") == 1
    node.take(roster(*range(11)), confirm_leavings=True)
    assert shown(node, "leavings_held") == 0


def test_an_evaluator_that_is_gone_no_longer_answers_and_one_that_is_back_does(sqlite_federation: Federation) -> None:
    federation, node = sqlite_federation, sqlite_federation.nodes[MEMBER]
    assert (shown(node, "evaluators_answering"), shown(node, "evaluators_threshold")) == (3, 2)
    evaluators = {worker.name: worker for worker in node.app.workers}["evaluators"]
    federation.evaluators[2].stop()
    evaluators.run()
    assert shown(node, "evaluators_answering") == 2
    federation.evaluators[2].start()
    until(evaluators.run, lambda: shown(node, "evaluators_answering") == 3)
    at = shown(node, "evaluator_last_answer_timestamp_seconds", evaluator="2")
    assert at is not None
    assert abs(at - node.clock.now().timestamp()) < 600


def test_evaluators_that_a_sync_did_not_reach_answer_again_though_no_later_sync_needs_them(
    sqlite_federation: Federation,
) -> None:
    federation, node = sqlite_federation, sqlite_federation.nodes[MEMBER]
    evaluators = {worker.name: worker for worker in node.app.workers}["evaluators"]
    for index in (2, 3):
        federation.evaluators[index].stop()
    federation.set_today(LEFT)
    node.take(roster(3, 4))
    node.sync()
    assert shown(node, "evaluators_answering") == 1
    for index in (2, 3):
        federation.evaluators[index].start()
    until(evaluators.run, lambda: shown(node, "evaluators_answering") == 3)


def test_an_evaluator_whose_proof_does_not_hold_is_counted(
    sqlite_federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    federation, node = sqlite_federation, sqlite_federation.nodes[MEMBER]

    class Lying:
        """Proves what evaluator 1 has made of the first element alone."""

        def __getattr__(self, name: str) -> Any:
            return getattr(oprf, name)

        def blind_evaluate(self, secret: Any, blinded: Any) -> Any:
            made = list(oprf.blind_evaluate(secret, blinded))
            return made[::-1] if secret == first.secret else made

    (first,) = federation.apps[1].evaluation.epochs()
    monkeypatch.setattr(evaluation, "oprf", Lying())
    federation.set_today(LEFT)
    node.take(roster(3, 4))
    report = node.sync()
    assert report.submitted == 2
    failures = [shown(node, "evaluator_proof_failures_total", evaluator=index) for index in "123"]
    assert failures == [1, 0, 0]
    assert shown(node, "evaluators_answering") == 2
    assert not any("0180" in value for value in labels_of(node))
    monkeypatch.undo()


def labels_of(node: Node) -> set[str]:
    return {value for family in node.measured.collect() for each in family.samples for value in each.labels.values()}
