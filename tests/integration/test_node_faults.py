"""Lost requests, lost answers and killed processes change nothing: a disturbed autumn ends like an undisturbed one."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from federation.rules.vocabulary import MemberId
from node.store.schema import versions
from node.sync import SyncReport
from registry.store import signals as registry_signals
from tests.harness.postgres import PostgresServer
from tests.integration.node_lossy import Fault, Killed, put_between
from tests.integration.node_parties import EVALUATORS, Federation, running
from tests.unit.node.exports import enrolment, person

STOCKHOLM, MALMO = "0180", "1280"
DAYS = (date(2026, 8, 24), date(2026, 9, 7), date(2026, 9, 14), date(2026, 9, 21), date(2026, 9, 28))
LAST_DAY = "2026-09-04"
BEFORE = (Fault.REQUEST_LOST, Fault.KILLED_BEFORE)
ATTEMPTS = 60
"""More than the plans below make fail in a row: they are drawn from fixed seeds."""


def exports(day: date) -> dict[str, list[dict[str, Any]]]:
    """Five leave: one for the other member in time, one late, one comes back, one nowhere, one without a number."""
    here = {place: person(place) for place in range(20)}
    there = {place: person(place) for place in range(100, 120)}
    nameless = {"value": "20130101TF01", "nationality": "SE"}
    if day >= DAYS[1]:
        for place in range(4):
            here[place] = person(place, enrolment(end=LAST_DAY))
        here[50] = person(50, enrolment("2026-08-26", LAST_DAY), civicNo=nameless)
        there[1] = person(1, enrolment("2026-09-07"))
    if day >= DAYS[3]:
        here[50] = person(50, enrolment("2026-08-26", LAST_DAY))
    if day >= DAYS[4]:
        there[2] = person(2, enrolment("2026-09-23"))
        here[3] = person(3, enrolment(end=LAST_DAY), enrolment("2026-09-22"))
    return {STOCKHOLM: list(here.values()), MALMO: list(there.values())}


def play(federation: Federation, sync: Callable[[Any, bool], None]) -> None:
    for day in DAYS:
        federation.set_today(day)
        for member, persons in exports(day).items():
            federation.nodes[member].take(persons)
        for node in federation.nodes.values():
            sync(node, False)
        federation.close_day()
        for node in federation.nodes.values():
            sync(node, True)


def outcome(federation: Federation) -> dict[str, Any]:
    """What all parties hold in the end, random names left out."""
    return {
        "gaps": {member: node.gaps() for member, node in federation.nodes.items()},
        "versions": {
            member: node.app.database.view("test_versions", versions_made) for member, node in federation.nodes.items()
        },
        "signals": federation.registry_app.database.view("test_signals", registry_signals.count),
        "notices": {member: len(node.dump()["notices"]) for member, node in federation.nodes.items()},
        "quota": {
            member: sorted(
                federation.apps[index].evaluation.used(MemberId(member), DAYS[-1]).year
                for index in range(1, EVALUATORS + 1)
            )
            for member in federation.nodes
        },
    }


def versions_made(tx: Any) -> list[tuple[int, str]]:
    return sorted((row.version, row.state) for row in tx.execute(versions.select()))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with running(tmp_path_factory.mktemp("undisturbed") / "federation", [STOCKHOLM, MALMO], DAYS[0]) as federation:
        play(federation, lambda node, notices_only: node.sync(notices_only=notices_only))
        yield outcome(federation)


def test_the_undisturbed_autumn_has_every_kind_of_end(undisturbed: dict[str, Any]) -> None:
    states = sorted((gap.route, gap.state) for gap in undisturbed["gaps"][STOCKHOLM])
    assert states == [("registry", "ANSWERED")] * 2 + [("registry", "OPEN")] * 2
    # Shares 1 and 2 were asked once for every number that moved, share 3 never.
    assert undisturbed["quota"] == {STOCKHOLM: [0, 5, 5], MALMO: [0, 2, 2]}


def until_done(node: Any, notices_only: bool) -> None:
    """Sync again and again, as a daemon does, until one succeeds; a node that was killed is started anew."""
    for _ in range(ATTEMPTS):
        lossy = node.app.pipeline._links
        try:
            report: SyncReport = node.sync(notices_only=notices_only)
        except Killed:
            node.restart()
            lossy.uplink = node.app.uplink
            node.app.pipeline._links = lossy
            continue
        if not report.problems and not report.waiting:
            return
    raise AssertionError("the sync never came to an end")


def only_evaluators(one_and_two: Any) -> None:
    """Ask evaluators 1 and 2 alone, so that quotas can be compared: a third one would be asked after a lost answer."""
    evaluators = one_and_two.evaluators
    one_and_two.evaluators = lambda: [link for link in evaluators() if link.index != 3]


@pytest.mark.parametrize(
    ("fault", "seed"),
    [
        # What comes before the work is done changes less than what comes after it.
        pytest.param(fault, seed, marks=pytest.mark.long if seed == 2 or fault in BEFORE else ())
        for fault in Fault
        for seed in (1, 2)
    ],
)
def test_a_fault_at_a_third_of_all_calls_changes_nothing(
    fault: Fault, seed: int, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    random = Random(seed)
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], DAYS[0]) as federation:
        lossy = [
            put_between(node, lambda _: fault if random.random() < 1 / 3 else None)
            for node in federation.nodes.values()
        ]
        for each in lossy:
            only_evaluators(each)
        play(federation, until_done)
        assert outcome(federation) == undisturbed
        assert any("submit" in each.calls and "acknowledge" in each.calls for each in lossy)


@pytest.mark.parametrize("fault", [pytest.param(Fault.REQUEST_LOST, marks=pytest.mark.long), Fault.ANSWER_LOST])
def test_lost_messages_change_nothing_where_all_store_in_postgresql(
    fault: Fault, undisturbed: dict[str, Any], tmp_path: Path, postgres: PostgresServer
) -> None:
    random = Random(3)
    with contextlib.ExitStack() as stack:
        stores = {name: stack.enter_context(postgres.fresh_database()) for name in (STOCKHOLM, MALMO, "registry")}
        federation = stack.enter_context(
            running(
                tmp_path / "federation",
                [STOCKHOLM, MALMO],
                DAYS[0],
                stores=lambda member: stores[member],
                registry_store=stores["registry"],
            )
        )
        for node in federation.nodes.values():
            only_evaluators(put_between(node, lambda _: fault if random.random() < 1 / 3 else None))
        play(federation, until_done)
        assert outcome(federation) == undisturbed


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, pytest.param(Fault.KILLED_AFTER, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "name", ["blind_evaluate", "submit", "report_roster", "list_notices", "acknowledge", "describe"]
)
def test_each_call_whose_answer_never_came_is_made_good(
    name: str, fault: Fault, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], DAYS[0]) as federation:
        for node in federation.nodes.values():
            lossy = put_between(node, lambda _: None)
            only_evaluators(lossy)
            fail_half(lossy, name, fault)
        play(federation, until_done)
        assert outcome(federation) == undisturbed


def fail_half(lossy: Any, name: str, fault: Fault) -> None:
    """The first call of this name, and then half of them, fail."""
    random = Random(name)
    first = iter([True])
    call = lossy.call

    def chosen(called: str, work: Callable[[], Any]) -> Any:
        failing = called == name and (next(first, False) or random.random() < 1 / 2)
        lossy.faults = (lambda _: fault) if failing else (lambda _: None)
        return call(called, work)

    lossy.call = chosen


def test_a_restart_between_any_two_steps_changes_nothing(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    def broken_off(node: Any, notices_only: bool) -> None:
        """Break the sync off at its first step, then at its second, … until it gets through."""
        for stop_at in itertools.count():
            steps = node.app.pipeline.sync(notices_only=notices_only)
            for position, step in enumerate(steps):
                if isinstance(step, SyncReport):
                    return
                if position == stop_at:
                    break
            steps.close()
            node.restart()

    with running(tmp_path / "federation", [STOCKHOLM, MALMO], DAYS[0]) as federation:
        play(federation, broken_off)
        assert outcome(federation) == undisturbed
