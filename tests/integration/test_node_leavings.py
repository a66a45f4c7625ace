"""Leavings of a school unit that empties at once, over imports into a real store: they wait, and are not forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from federation.rules.vocabulary import OpeningKind
from tests.integration.node_alone import BASELINE, WEEK, Node, roster
from tests.unit.node.exports import OTHER_UNIT, UNIT, enrolment, person


def emptied(unit_size: int, gone: int, how: str) -> tuple[list[Any], list[Any]]:
    """A large roster before and after `gone` pupils left the other unit."""
    stay = roster(100)
    there = [person(place, enrolment(enroledAt={"id": OTHER_UNIT})) for place in range(100, 100 + unit_size)]
    after = [
        person(place, enrolment(end="2026-08-28", enroledAt={"id": OTHER_UNIT})) for place in range(100, 100 + gone)
    ]
    return [*stay, *there], [*stay, *(after if how == "ends" else []), *there[gone:]]


def left(node: Node, place: int) -> bool:
    opening = node.states(node.pupil(place)).opening
    return opening is not None and opening.kind is OpeningKind.LEFT


@pytest.mark.parametrize("how", ["ends", "vanishes"])
def test_a_unit_that_empties_waits_until_imports_of_five_school_days_still_say_so(node: Node, how: str) -> None:
    before, after = emptied(40, 11, how)
    node.take(BASELINE, before)
    report = node.take(BASELINE + WEEK, after)
    assert [(held.unit, held.pupils) for held in report.held] == [(OTHER_UNIT, 11)]
    assert not left(node, 100)
    four_days = node.take(BASELINE + WEEK + timedelta(days=4), after)
    assert four_days.held
    assert not left(node, 100)
    later = node.take(BASELINE + 2 * WEEK, after)
    assert not later.held
    assert left(node, 100)


@pytest.mark.parametrize("how", ["ends", "vanishes"])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_unit_that_empties_is_let_through_by_a_person(node: Node, how: str, at_once: bool) -> None:
    before, after = emptied(40, 11, how)
    node.take(BASELINE, before)
    if not at_once:
        assert node.take(BASELINE + WEEK, after).held
    report = node.take(BASELINE + WEEK, after, confirm_leavings=True)
    assert not report.held
    assert report.repeated is not at_once
    assert left(node, 100)


def test_ten_leavings_of_a_unit_do_not_wait(node: Node) -> None:
    before, after = emptied(40, 10, "ends")
    node.take(BASELINE, before)
    assert not node.take(BASELINE + WEEK, after).held
    assert left(node, 100)


def test_leavings_that_only_the_calendar_shows_wait_too(node: Node) -> None:
    ended = [person(place, enrolment(end="2026-08-28")) for place in range(12)]
    persons = [*ended, *[person(place) for place in range(20, 50)]]
    node.take(BASELINE, persons)
    report = node.take(BASELINE + WEEK, persons)
    assert (report.changed, [(held.unit, held.pupils) for held in report.held]) == (0, [(UNIT, 12)])
    assert not left(node, 0)


def test_an_emptied_unit_that_is_back_is_forgotten(node: Node) -> None:
    before, after = emptied(40, 11, "vanishes")
    node.take(BASELINE, before)
    node.take(BASELINE + WEEK, after)
    node.take(BASELINE + 2 * WEEK, before)
    node.take(BASELINE + 3 * WEEK, before)
    assert not left(node, 100)
