"""A drill through real evaluators and a real registry: how far it comes, and what stops it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from federation.errors import Code, UppropError
from node.store.schema import evaluations, pseudonyms, versions
from privacy.evaluator.store.schema import usage
from registry.store.schema import cases, gaps, members, signals
from registry.store.schema import notices as registry_notices
from registry.store.schema import pseudonyms as registry_pseudonyms
from tests.integration.drill_parties import (
    BASELINE,
    MALMO,
    STOCKHOLM,
    awaited,
    drill,
    failed,
    handle_of,
    joined,
    roll,
    rows,
    states,
)
from tests.integration.node_parties import Federation, running

SATURDAY = date(2026, 10, 31)
"""At the end of the autumn break: no school day for nine days."""


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        yield joined(parties)


def next_day(federation: Federation, days: int = 1) -> date:
    today = federation.clock.today() + timedelta(days=days)
    federation.set_today(today)
    return today


@pytest.mark.parametrize("today", [BASELINE, date(2026, 8, 29), SATURDAY, date(2027, 7, 5)])
def test_a_drill_passes_through_the_whole_chain_on_any_day(federation: Federation, today: date) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.day(today, {STOCKHOLM: roll(0), MALMO: roll(100)})

    # The close of today has been: the next one is tomorrow's.
    begun = drill(node)
    tomorrow = today + timedelta(days=1)
    assert states(begun) == ["DONE"] * 4 + ["AWAITED", "AHEAD", "AHEAD"]
    assert awaited(begun) == ("OPENED", tomorrow.isoformat())
    assert begun.steps[1].detail == "1,2"
    assert begun.steps[3].detail == today.isoformat()

    next_day(federation)
    federation.close_day()
    opened = drill(node)
    assert opened.drill_id == begun.drill_id
    assert opened.steps[4].detail == tomorrow.isoformat()
    # Taken back in the same breath: the next close is awaited.
    assert awaited(opened) == ("CONFIRMED", (tomorrow + timedelta(days=1)).isoformat())

    next_day(federation)
    federation.close_day()
    passed = drill(node)
    assert (passed.state, passed.drill_id) == ("PASSED", begun.drill_id)
    assert states(passed) == ["DONE"] * 7
    assert list(passed.problems) == []
    assert drill(node).drill_id == begun.drill_id + 1


def test_the_ordinary_sync_carries_a_drill_on(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    assert states(drill(node, sync=False)) == ["DONE", "AWAITED", *["AHEAD"] * 5]
    for done in (4, 6, 7):
        # One sync sends or fetches, the next says what follows from what was fetched.
        node.sync()
        node.restart()
        node.sync()
        assert states(drill(node, begin=False, sync=False)).count("DONE") == done
        next_day(federation)
        federation.close_day()
    assert drill(node, begin=False, sync=False).state == "PASSED"
    events = [json.loads(line) for line in node.log.getvalue().splitlines()]
    told = [event["event"] for event in events if event["event"].startswith("drill_")]
    assert told == ["drill_begun", *["drill_step_done"] * 6, "drill_passed"]


def test_what_a_drill_said_is_taken_back_to_the_last_trace_that_could_be_met(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    drill(node)
    federation.close_day()
    registry = federation.registry_app
    assert rows(registry, gaps.c.state, gaps.c.kind, gaps.c.urgency) == [("OPEN", "NOT_PLACED", "IMMEDIATE")]
    assert len(rows(registry, registry_pseudonyms.c.keyed)) == 1
    drill(node)
    federation.close_day()
    assert drill(node).state == "PASSED"
    assert rows(registry, signals.c.handle, signals.c.drill, signals.c.retracted) == [(handle_of(node), True, True)]
    assert rows(registry, gaps.c.state) == [("VOID",)]
    assert rows(registry, cases.c.drill, cases.c.closed_on) == [(True, BASELINE)]
    assert rows(registry, registry_pseudonyms.c.keyed) == []


def test_a_drill_costs_one_element_an_epoch_at_as_many_evaluators_as_are_needed(tmp_path: Path) -> None:
    with running(tmp_path / "two", [STOCKHOLM, MALMO], BASELINE, epochs=2, standing=(1, 2)) as federation:
        node = joined(federation).nodes[STOCKHOLM]
        drill(node)
        used = [rows(app, usage.c.member, usage.c.elements) for app in federation.apps.values()]
        assert used == [[(STOCKHOLM, 2)], [(STOCKHOLM, 2)], []]
        assert rows(node.app, pseudonyms.c.epoch, pseudonyms.c.evaluators) == [(1, "1,2"), (2, "1,2")]


def test_a_drill_begins_only_once_something_has_been_imported(tmp_path: Path) -> None:
    with running(tmp_path / "empty", [STOCKHOLM], BASELINE) as federation:
        node = federation.nodes[STOCKHOLM]
        with pytest.raises(UppropError) as refused:
            drill(node)
        assert refused.value.code is Code.INPUT_REFUSED
        with pytest.raises(UppropError) as none:
            drill(node, begin=False)
        assert "upprop node drill" in none.value.sentence


# -- what stops it -----------------------------------------------------------------------------------------------------


def test_one_evaluator_less_changes_only_who_answers(federation: Federation) -> None:
    federation.evaluators[1].stop()
    assert drill(federation.nodes[STOCKHOLM]).steps[1].detail == "2,3"


def test_without_enough_evaluators_a_drill_fails_at_the_second_step_and_says_nothing(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    for index in (1, 2):
        federation.evaluators[index].stop()
    waits = drill(node)
    assert awaited(waits) == ("PSEUDONYMISED", BASELINE.isoformat())
    assert any("2 evaluators are needed" in problem for problem in waits.problems)
    # It holds up nobody else: the registry hears of the newest import.
    federation.set_today(BASELINE + timedelta(days=2))
    node.take(roll(0))
    assert awaited(drill(node))[0] == "PSEUDONYMISED"
    assert (STOCKHOLM, date(2026, 8, 26)) in rows(federation.registry_app, members.c.member, members.c.last_contact)
    next_day(federation)
    assert failed(drill(node)) == ("PSEUDONYMISED", "LATE")
    assert node.measured.get_sample_value("upprop_drill_failed") == 1

    for index in (1, 2):
        federation.evaluators[index].start()
    for _ in range(20):
        # Whoever was out of reach is dialled again only after a pause.
        node.sync()
        if not rows(node.app, evaluations.c.epoch):
            break
        time.sleep(0.5)
    assert rows(federation.registry_app, signals.c.handle) == []
    assert rows(node.app, versions.c.state) == [("SUPERSEDED",)]
    assert rows(node.app, evaluations.c.epoch) == []
    # The next one may begin.
    assert awaited(drill(node))[0] == "OPENED"


def test_a_registry_out_of_reach_fails_a_drill_at_the_third_step(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.registry.stop()
    assert awaited(drill(node))[0] == "ACCEPTED"
    next_day(federation, 3)
    assert failed(drill(node)) == ("ACCEPTED", "LATE")
    federation.registry.start()
    # What may have reached it is taken back; what has not is not said any more.
    node.restart()
    node.sync()
    assert all(row == (True,) for row in rows(federation.registry_app, signals.c.retracted))


def test_a_registry_that_closes_no_day_fails_a_drill_at_the_fifth_step_and_is_told_the_retraction(
    federation: Federation,
) -> None:
    node = federation.nodes[STOCKHOLM]
    assert awaited(drill(node)) == ("OPENED", "2026-08-25")
    next_day(federation, 3)
    assert awaited(drill(node)) == ("OPENED", "2026-08-25")
    next_day(federation)
    assert failed(drill(node)) == ("OPENED", "LATE")
    assert drill(node, begin=False).state == "FAILED"
    assert rows(federation.registry_app, signals.c.retracted) == [(True,)]
    # The next drill does not meet what is left of this one.
    federation.close_day()
    drill(node)
    federation.close_day()
    assert awaited(drill(node))[0] == "CONFIRMED"


def test_a_registry_that_withholds_the_notice_fails_the_drill_at_the_next_close(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    drill(node)
    next_day(federation)
    federation.close_day()
    with federation.registry_app.database.transaction("test_withhold") as tx:
        tx.execute(sa.delete(registry_notices))
    assert failed(drill(node)) == ("OPENED", "UNHEARD")


def test_a_registry_that_says_the_pupil_is_elsewhere_fails_the_drill(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    drill(node)
    next_day(federation)
    federation.close_day()
    with federation.registry_app.database.transaction("test_lie") as tx:
        tx.execute(sa.update(registry_notices).values(kind="ANSWERED"))
    assert failed(drill(node)) == ("OPENED", "ANSWERED")


def test_imports_that_have_stopped_fail_a_drill_at_the_fourth_step(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.set_today(BASELINE + timedelta(days=14))
    federation.close_day()
    # All else works; yet the registry counts this member among the silent.
    assert awaited(drill(node)) == ("ROSTER", "2026-09-07")
    for _ in range(2):
        next_day(federation)
        federation.close_day()
        assert awaited(drill(node))[0] == "ROSTER"
    next_day(federation)
    report = drill(node)
    assert failed(report) == ("ROSTER", "LATE")
    assert states(report) == ["DONE"] * 3 + ["FAILED"] + ["DONE"] * 3


# -- the schedule ------------------------------------------------------------------------------------------------------


def test_a_running_node_drills_once_a_month_by_itself(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    workers = {worker.name: worker for worker in node.app.workers}
    began: list[date] = []
    for _ in range(75):
        today = next_day(federation)
        if today.weekday() < 5:
            node.take(roll(0))
        before = node.log.getvalue().count("drill_begun")
        workers["drill"].run()
        workers["drill"].run()
        if node.log.getvalue().count("drill_begun") > before:
            began.append(today)
        node.sync()
        federation.close_day()
        node.sync()
    assert len(began) in (2, 3)
    assert {(later - earlier).days for earlier, later in itertools.pairwise(began)} == {30}
    assert node.log.getvalue().count('"drill_passed"') >= len(began) - 1
    assert node.measured.get_sample_value("upprop_drill_failed") == 0


def test_metrics_show_how_drills_stand_from_the_start(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    names = ("running", "failed", "last_success_timestamp_seconds")

    def measured() -> list[float | None]:
        return [node.measured.get_sample_value(f"upprop_drill_{name}") for name in names]

    assert measured() == [0, 0, 0]
    drill(node)
    assert measured() == [1, 0, 0]
    for _ in range(2):
        next_day(federation)
        federation.close_day()
        drill(node, begin=False)
    running_now, has_failed, passed_at = measured()
    assert (running_now, has_failed) == (0, 0)
    assert passed_at is not None
    assert passed_at > 0
    node.restart()
    assert measured() == [0, 0, passed_at]


# -- while the federation changes --------------------------------------------------------------------------------------


def test_a_drill_ends_under_the_epochs_it_began_with(tmp_path: Path) -> None:
    with running(tmp_path / "two", [STOCKHOLM, MALMO], BASELINE, epochs=2, standing=(1,)) as federation:
        node = joined(federation).nodes[STOCKHOLM]
        drill(node)
        federation.set_epochs(2, 1, 2)
        federation.close_day()
        drill(node, begin=False)
        federation.close_day()
        assert drill(node, begin=False).state == "PASSED"
        assert rows(node.app, pseudonyms.c.epoch) == [(1,)]
        drill(node)
        assert rows(node.app, pseudonyms.c.epoch) == [(1,), (1,), (2,)]


def test_a_drill_whose_epoch_retires_before_it_was_sent_is_said_under_the_new_one(tmp_path: Path) -> None:
    with running(tmp_path / "two", [STOCKHOLM, MALMO], BASELINE, epochs=2, standing=(1,)) as federation:
        node = joined(federation).nodes[STOCKHOLM]
        federation.registry.stop()
        assert awaited(drill(node))[0] == "ACCEPTED"
        federation.registry.start()
        federation.set_epochs(2, 2)
        node.restart()
        # The batch is refused as a whole, and what it said is said anew.
        node.sync()
        assert awaited(drill(node))[0] == "OPENED"
        assert rows(federation.registry_app, registry_pseudonyms.c.epoch) == [(2,)]
