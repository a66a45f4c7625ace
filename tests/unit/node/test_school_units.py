"""Which school units a pupil belongs to."""

from __future__ import annotations

from datetime import date

import pytest

from node.casework.actor import Role, knows, units_of
from node.casework.school_units import units_at
from node.model import Observation, Row
from tests.harness.console import actor

TODAY = date(2026, 9, 21)


def row(unit: str, start: str | None = "2025-08-18", end: str | None = None, *, cancelled: bool = False) -> Row:
    begins = None if start is None else date.fromisoformat(start)
    return Row(unit, "GR", begins, None if end is None else date.fromisoformat(end), cancelled)


@pytest.mark.parametrize(
    ("rows", "units"),
    [
        ((row("a"),), {"a"}),
        ((row("a", None),), {"a"}),
        ((row("a"), row("b", "2026-09-01", "2026-12-31")), {"a", "b"}),
        # Not yet there, and no longer there.
        ((row("a"), row("b", "2027-01-11")), {"a"}),
        ((row("a", end="2026-09-20"), row("b", "2026-09-21")), {"b"}),
        # At none today: where an enrolment ends last.
        ((row("a", end="2026-06-10"), row("b", end="2026-09-18")), {"b"}),
        ((row("a", end="2026-06-10"), row("b", "2026-10-01")), {"b"}),
        ((row("a"), row("b", cancelled=True), row("c", "2026-09-01", "2026-08-01")), {"a"}),
        ((), set()),
    ],
)
def test_a_pupil_belongs_to_the_units_of_today_else_to_those_that_ended_last(
    rows: tuple[Row, ...], units: set[str]
) -> None:
    assert units_at((Observation(date(2026, 9, 14), rows),), TODAY) == units


def test_who_is_shown_no_more_belongs_to_the_units_that_were_shown_last() -> None:
    seen = [Observation(date(2026, 8, 24), (row("a"),)), Observation(date(2026, 8, 31), (row("b"),))]
    for gone in (None, (), (row("c", cancelled=True),)):
        assert units_at((*seen, Observation(date(2026, 9, 14), gone)), TODAY) == {"b"}
    assert units_at((), TODAY) == frozenset()


def test_a_principal_knows_pupils_of_their_own_units_alone_and_others_as_before() -> None:
    rut = actor(Role.PRINCIPAL, units=["a"])
    assert knows(rut, {"a", "b"}, protected=False)
    assert not knows(rut, {"a"}, protected=True)
    assert not knows(rut, {"b"}, protected=False)
    assert not knows(rut, (), protected=False)
    assert not knows(actor(Role.PRINCIPAL, units=()), {"a"}, protected=False)
    assert not knows(actor(Role.ADMINISTRATOR, units=["a"]), {"a"}, protected=False)
    assert knows(actor(Role.PRINCIPAL, Role.CASEWORKER, units=()), {"b"}, protected=False)
    assert actor(Role.PRINCIPAL, units=()).lacks_units
    assert not actor(Role.PRINCIPAL, Role.AUDITOR, units=()).lacks_units


def test_a_unit_is_what_the_settings_call_it_or_its_own_id() -> None:
    assert units_of(["1234", "b", ""], {"1234": "a"}) == {"a", "b"}
