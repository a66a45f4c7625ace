"""A withdrawal that waits until another municipality states the pupil, and one that a named person decides."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Locator, expect

from node.casework.actor import Role
from tests.browser.console.conftest import Seat, Sit
from tests.browser.console.test_contact import carry
from tests.harness.towns import HERE, STAYS, THERE, Towns
from tests.unit.node import exports

MOVES, DECIDED = STAYS[1], STAYS[2]


def ask(seat: Seat, place: int, last_day: str, *, status: int = 200) -> None:
    page = seat.go("/sv/sparrar")
    page.fill("#person", exports.number(place))
    page.fill("#last_day", last_day)
    page.locator("#reason").select_option("moved")
    seat.press("Begär", status=status)


def row(seat: Seat, place: int) -> Locator:
    return seat.go("/sv/sparrar").locator("tbody tr", has_text=Towns.name(place))


def test_a_hold_is_released_by_an_arrival_elsewhere_and_not_before_the_next_delivery(both: Towns, sit: Sit) -> None:
    seat = sit(Role.PRINCIPAL, name="Rut Rektor")
    ask(seat, MOVES, str(both.today))
    expect(row(seat, MOVES)).to_contain_text("Väntar")
    expect(row(seat, MOVES)).to_contain_text("Rut Rektor")
    # Asked twice it is said that it waits already.
    ask(seat, MOVES, str(both.today), status=400)
    assert "väntar redan" in seat.error()
    both.enrol(THERE, MOVES, both.today + timedelta(days=1))
    # The other municipality's statement does nothing by itself: answers come with the registry's delivery alone.
    carry(both, THERE, HERE)
    expect(row(seat, MOVES)).to_contain_text("Väntar")
    both.pass_days(2)
    expect(row(seat, MOVES)).to_contain_text("Släppt")
    expect(row(seat, MOVES)).to_contain_text("redovisad hos annan huvudman")


def test_a_named_person_releases_a_hold_with_a_reason(both: Towns, sit: Sit) -> None:
    seat = sit(name="Kim Beslutande")
    ask(seat, DECIDED, str(both.today))
    row(seat, DECIDED).locator("a").click()
    seat.press("Besluta om utskrivning", status=400)
    assert "Ange skälet." in seat.error()
    seat.page.fill("#why", "Familjen har visat uppsägning av bostaden.")
    seat.press("Besluta om utskrivning")
    expect(row(seat, DECIDED)).to_contain_text("beslut av Kim Beslutande")
