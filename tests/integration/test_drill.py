"""A drill through real evaluators and a real registry: how far it comes, what stops it, and whom it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from federation.errors import UppropError
from federation.v1 import control_pb2
from registry.store import schema as registry_schema
from tests.integration.node_parties import Federation, Node, running
from tests.unit.node.exports import enrolment, number, person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE = date(2026, 8, 24)
SATURDAY = date(2026, 10, 31)
"""In the autumn break's week: no school day, and the day before was none either."""


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        yield parties


def roll(first: int, count: int = 30) -> list[dict[str, Any]]:
    return [person(place) for place in range(first, first + count)]


def drill(node: Node, *, begin: bool = True, sync: bool = True) -> control_pb2.DrillReport:
    request = control_pb2.DrillRequest(begin=begin, sync=sync)
    *_, last = node.app.handlers["Drill"](request)
    report: control_pb2.DrillReport = last.report
    return report


def states(report: control_pb2.DrillReport) -> list[str]:
    return [step.state for step in report.steps]


def awaited(report: control_pb2.DrillReport) -> tuple[str, str]:
    """The step that is awaited, and its day."""
    [step] = [step for step in report.steps if step.state == "AWAITED"]
    return step.step, step.expected_on


def failed(report: control_pb2.DrillReport) -> tuple[str, str]:
    """The step that failed, and why."""
    assert report.state == "FAILED"
    [step] = [step.step for step in report.steps if step.state == "FAILED"]
    return step, report.fault


def at_registry(federation: Federation, *columns: sa.Column[Any]) -> list[tuple[Any, ...]]:
    with federation.registry_app.database.read("test") as tx:
        return sorted(tuple(row) for row in tx.execute(sa.select(*columns)))


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

    federation.set_today(tomorrow)
    federation.close_day()
    opened = drill(node)
    assert opened.drill_id == begun.drill_id
    assert opened.steps[4].detail == tomorrow.isoformat()
    assert awaited(opened) == ("CONFIRMED", (tomorrow + timedelta(days=1)).isoformat())

    federation.set_today(tomorrow + timedelta(days=1))
    federation.close_day()
    passed = drill(node)
    assert (passed.state, passed.drill_id) == ("PASSED", begun.drill_id)
    assert states(passed) == ["DONE"] * 7
    assert list(passed.problems) == []
    assert drill(node).drill_id == begun.drill_id + 1
