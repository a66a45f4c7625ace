"""A registry that is late, or that withholds what it has to say: the node opens its case files, and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from node.casework.opening import WITHHOLDING
from node.uplink import Page
from tests.integration.node_lossy import put_between
from tests.integration.node_parties import Federation, Node, NodeStores, running
from tests.integration.test_node_sync import (
    BASELINE,
    DUE,
    LEFT_SHOWN,
    MALMO,
    STOCKHOLM,
    left,
    roll,
    without,
)

DAY = timedelta(days=1)
MONDAY, TUESDAY = date(2026, 9, 21), date(2026, 9, 22)
"""The school days after `DUE`, a Friday."""

LATE = "The registry answers, but the newest day it has closed is"


@pytest.fixture
def federation(tmp_path: Path, node_stores: NodeStores) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, stores=node_stores) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        parties.day(LEFT_SHOWN, {STOCKHOLM: without(roll(0), left(0)), MALMO: roll(100)})
        parties.day(DUE - DAY, {})
        yield parties


def answers(node: Node, listed: Callable[[Page], Page]) -> None:
    """From now on the registry's answers to this node are changed on their way."""
    lossy: Any = put_between(node, lambda _: None)
    registry = lossy.uplink.registry

    def changed() -> Any:
        link = registry()
        given = link.list_notices
        link.list_notices = lambda after: listed(given(after))
        return link

    lossy.uplink.registry = changed


def gauge(node: Node, name: str) -> float | None:
    return node.measured.get_sample_value(name)


def test_a_registry_that_withholds_a_gap_is_told_from_one_that_is_silent(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    answers(node, lambda page: Page((), page.through, False, page.closed_on))
    federation.day(DUE, {})
    [case] = node.cases()
    assert (case.opened_by, case.opened_on) == ("withheld", DUE)
    # It is said at every sync for as long as it is so.
    assert WITHHOLDING in node.sync().problems
    assert '"registry_withholds_states"' in node.log.getvalue()
    assert '"level": "error"' in node.log.getvalue().lower()
    assert gauge(node, "upprop_registry_withholds") == 1
    assert gauge(node, "upprop_registry_late") == 0


def test_a_registry_that_speaks_after_all_withholds_no_longer(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    kept: list[Page] = []

    def late(page: Page) -> Page:
        kept.append(page)
        return page if len(kept) > 3 else Page((), 0, False, page.closed_on)

    answers(node, late)
    federation.day(DUE, {})
    assert [case.opened_by for case in node.cases()] == ["withheld"]
    while len(kept) <= 3:
        node.sync()
    assert WITHHOLDING not in node.sync().problems
    assert gauge(node, "upprop_registry_withholds") == 0
    # The case file stays, and how it was opened.
    assert [case.opened_by for case in node.cases()] == ["withheld"]


def test_a_registry_that_answers_and_closes_no_day_opens_the_case_file(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    for day in (DUE, MONDAY):
        federation.set_today(day)
        node.sync()
        # Over the whole of Monday it told of no close later than Thursday's.
        assert node.cases() == ()
    federation.set_today(TUESDAY)
    report = node.sync()
    [case] = node.cases()
    assert (case.opened_by, case.opened_on) == ("silent registry", TUESDAY)
    assert any(problem.startswith(f"{LATE} {DUE - DAY}") for problem in report.problems)
    assert not any("cannot be reached" in problem for problem in report.problems)
    assert '"registry_closes_no_day"' in node.log.getvalue()
    assert gauge(node, "upprop_registry_late") == 1
    federation.day(TUESDAY, {})
    assert not any(problem.startswith(LATE) for problem in node.sync().problems)
    assert gauge(node, "upprop_registry_late") == 0


def test_a_registry_that_tells_of_an_old_close_is_late_as_well(federation: Federation) -> None:
    """As one would that was set back to an old copy, and closes nothing any more."""
    node = federation.nodes[STOCKHOLM]
    answers(node, lambda page: Page((), page.through, False, BASELINE))
    for day in (DUE - DAY, DUE):
        federation.set_today(day)
        node.sync()
    federation.set_today(DUE + DAY)
    report = node.sync()
    assert [case.opened_by for case in node.cases()] == ["silent registry"]
    assert any(problem.startswith(f"{LATE} {BASELINE}") for problem in report.problems)


def test_what_the_registry_has_not_taken_yet_it_does_not_withhold(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    for index in (1, 2):
        federation.evaluators[index].stop()
    federation.set_today(DUE)
    node.take(without(roll(0), left(0), left(1)))
    assert node.sync().waiting == 1
    federation.close_day()
    federation.set_today(MONDAY)
    federation.close_day()
    problems = node.sync().problems
    assert [case.opened_by for case in node.cases()] == ["notice", "silent registry"]
    assert WITHHOLDING not in problems
