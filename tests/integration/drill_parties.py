"""A federation of two members to drill in, and short ways to drill and to look at it."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from federation.v1 import control_pb2
from node.store.schema_drills import drills
from tests.integration.node_parties import Federation, Node
from tests.unit.node.exports import person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE = date(2026, 8, 24)


def roll(first: int, count: int = 30) -> list[dict[str, Any]]:
    return [person(place) for place in range(first, first + count)]


def joined(federation: Federation) -> Federation:
    """Both members have imported their baseline, and its day is closed."""
    federation.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
    return federation


def drill(node: Node, *, begin: bool = True, sync: bool = True) -> control_pb2.DrillReport:
    *_, last = node.app.handlers["Drill"](control_pb2.DrillRequest(begin=begin, sync=sync))
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


def rows(app: Any, *columns: Any, where: Any = None) -> list[tuple[Any, ...]]:
    """Rows of a party's store."""
    query = sa.select(*columns)
    with app.database.read("test") as tx:
        found = tx.execute(query if where is None else query.where(where))
        return sorted((tuple(row) for row in found), key=repr)


def handle_of(node: Node) -> bytes:
    """The handle of the newest drill."""
    newest: bytes = rows(node.app, drills.c.drill_id, drills.c.handle)[-1][1]
    return newest
