"""A gap arrives and is worked to its close; what is protected is nowhere; two who change one case file."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from federation.web.i18n import Language
from node.casework.actor import Role
from tests.browser.console.conftest import Seat, Sit
from tests.browser.test_keyboard import MOST_STOPS, stops
from tests.harness.towns import HERE, PROTECTED, STAYS, THERE, WATCHED, Towns
from tests.unit.node import exports


def test_a_gap_arrives_and_is_worked_to_its_close(both: Towns, sit: Sit) -> None:
    pupil, name = STAYS[-1], Towns.name(STAYS[-1])
    both.leave(HERE, pupil, both.today)
    seat = sit(Role.CASEWORKER, Role.PROTECTED, name="Robin Skoglund")
    both.pass_days(1)
    page = seat.go()
    # Day 0 is the first day without school: on the board, and no case file yet.
    watched = page.locator("table").nth(1).locator("tr", has_text=name)
    expect(watched).to_have_count(1)
    assert watched.locator("a").count() == 0
    both.pass_days(11)
    page = seat.open_case(name)
    seat.press("Ta över ansvaret")
    expect(page.locator("dl.facts")).to_contain_text("Robin Skoglund")
    # Step 0 first.
    step = page.locator("li", has=page.get_by_role("heading", name="Kontrollera folkbokföringen före all kontakt"))
    step.locator("summary").click()
    step.get_by_label("Folkbokförd som förut").check()
    with page.expect_navigation():
        step.locator("button").click()
    seat.open_case(name)
    page.goto(f"{page.url}/journal")
    page.fill("#note-text", "Mentorn säger att familjen har flyttat till Göteborg.")
    seat.press("Skriv in")
    seat.open_case(name)
    page.locator("#status").select_option("SCHOOL_ENQUIRY")
    seat.press("Spara status")
    # The pupil turns up at another municipality.
    both.enrol(THERE, pupil, both.today)
    both.pass_days(1)
    page = seat.open_case(name)
    expect(page.locator("main")).to_contain_text("Granska och avsluta ärendet")
    page.locator("#status").select_option("CLOSED")
    page.locator("#outcome").select_option("ENROLLED_ELSEWHERE")
    page.locator("#status-why").fill("Går i skola igen.")
    seat.press("Spara status", status=400)
    assert seat.error()
    # What was typed is still there.
    assert page.locator("#status-why").input_value() == "Går i skola igen."
    page.locator("#classification").select_option("ADMIN_LAG")
    page.locator("#classify-why").fill("Ny skola sent registrerad.")
    seat.press("Spara bedömning")
    page.locator("#status").select_option("CLOSED")
    page.locator("#outcome").select_option("ENROLLED_ELSEWHERE")
    page.locator("#status-why").fill("Går i skola igen.")
    seat.press("Spara status")
    expect(page.locator("dl.facts")).to_contain_text("Avslutat")
    seat.go()
    assert page.get_by_role("link", name=name).count() == 0
    # Every entry stands in the journal, with who did it.
    seat.go("/sv/sok")
    page.fill("#person", exports.number(pupil))
    page.locator("main form button").click()
    page.locator("#found a").first.click()
    journal = page.locator(".timeline").first.inner_text()
    for said in ("Mentorn säger", "Ny skola sent registrerad.", "Går i skola igen.", "Robin Skoglund"):
        assert said in journal, said


@pytest.mark.parametrize("role", [Role.CASEWORKER, Role.AUDITOR])
def test_a_protected_case_file_is_nowhere_for_anybody_else(role: Role, sit: Sit) -> None:
    handler, other = sit(Role.PROTECTED, name="Skydd"), sit(role, name="Annan")
    name = Towns.name(PROTECTED)
    page = handler.open_case(name)
    path = page.url.removeprefix(handler.address)

    def count(seat: Seat) -> int:
        found = re.search(r"\((\d+)\)", seat.go().locator("#files").inner_text())
        assert found is not None
        return int(found[1])

    assert count(handler) == count(other) + 1
    assert name not in other.page.locator("body").inner_text()
    for rest in ("", "/journal", "/checklista", "/visningar", "/utlamna"):
        other.page.goto(f"{other.address}/sv/")
        status = 404 if role in (Role.CASEWORKER, Role.AUDITOR) else 200
        answer = other.page.request.get(f"{other.address}{path}{rest}")
        assert answer.status in (status, 403), rest
        assert name not in answer.text()
    # Searching for it reads as searching for nobody.
    found = []
    for number in (exports.number(PROTECTED), exports.number(9_000)):
        other.go("/sv/sok")
        other.page.fill("#person", number)
        other.page.locator("main form button").click()
        expect(other.page.locator("#found")).not_to_be_empty()
        found.append(other.page.locator("#found").inner_text())
    assert found[0] == found[1]
    handler_figures, other_figures = (
        int(seat.go("/sv/statistik").locator(".number").inner_text()) for seat in (handler, other)
    )
    assert handler_figures == other_figures + 1


def test_the_second_of_two_sees_what_the_first_changed_and_loses_nothing(leaver: int, sit: Sit) -> None:
    name = Towns.name(leaver)
    one, other = sit(name="Ada Första"), sit(name="Bo Andra")
    one.open_case(name)
    other.open_case(name)
    one.page.locator("#classification").select_option("MISSING_UNREACHABLE")
    one.page.locator("#classify-why").fill("Ingen svarar.")
    one.press("Spara bedömning")
    other.page.locator("#status").select_option("ESCALATED")
    other.page.locator("#status-why").fill("Mormor är orolig.")
    other.press("Spara status", status=409)
    assert "Ada Första" in other.error()
    assert other.page.locator("#status").input_value() == "ESCALATED"
    assert other.page.locator("#status-why").input_value() == "Mormor är orolig."
    other.press("Spara status")
    facts = other.page.locator("dl.facts").inner_text()
    assert "Eskalerat" in facts
    assert "Saknad, går inte att nå" in facts


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_the_language_is_changed_on_the_page_one_is_on(language: Language, leaver: int, sit: Sit) -> None:
    seat = sit(language=language)
    page = seat.open_case(Towns.name(leaver))
    heading, address = page.locator("h1").inner_text(), page.url
    page.locator("header a[hreflang]").click()
    assert page.locator("html").get_attribute("lang") == language.other
    assert page.locator("h1").inner_text() == heading
    assert page.locator("main").inner_text() != ""
    page.locator("header a[hreflang]").click()
    assert page.url == address


def test_the_board_and_a_case_page_are_used_with_the_keyboard_alone(leaver: int, sit: Sit) -> None:
    seat = sit()
    for name in ("", Towns.name(leaver)):
        page = seat.open_case(name) if name else seat.go()
        reached = stops(page)
        assert [each["what"] for each in reached if not (each["shown"] and each["seen"])] == []
        assert len(reached) < MOST_STOPS
        text = " ".join(str(each["what"]) for each in reached)
        for each in page.locator("main button, main select, main textarea, main summary").filter(visible=True).all():
            assert str(each.evaluate("it => it.outerHTML.slice(0, 60)")) in text


def kept(seat: Seat) -> list[str]:
    """What the browser keeps of the pages, but for the address that it shows: htmx notes that one for itself."""
    found = seat.page.evaluate("[...Object.entries(localStorage), ...Object.entries(sessionStorage)]")
    return [value for key, value in found if key != "htmx-current-path-for-history" or value not in seat.page.url]


def test_a_case_page_works_without_scripts_and_keeps_nothing_in_the_browser(leaver: int, sit: Sit) -> None:
    seat = sit(java_script_enabled=False)
    page = seat.open_case(Towns.name(leaver))
    seat.press("Ta över ansvaret")
    assert "Kim Handläggare" in page.locator("dl.facts").inner_text()
    scripted = sit(name="Robin")
    scripted.open_case(Towns.name(leaver))
    assert kept(scripted) == []
    # The search is answered in its place, and nothing of it stands in the address or in the history.
    scripted.go("/sv/sok")
    before = scripted.page.evaluate("history.length")
    scripted.page.fill("#person", exports.number(leaver))
    scripted.page.locator("main form button").click()
    expect(scripted.page.locator("#found a")).to_have_count(1)
    assert scripted.page.url == f"{scripted.address}/sv/sok"
    assert scripted.page.evaluate("history.length") == before
    assert kept(scripted) == []


def test_on_paper_stands_what_is_read_and_nothing_to_click_on(leaver: int, sit: Sit) -> None:
    seat = sit(color_scheme="dark", viewport={"width": 794, "height": 1123})
    page = seat.open_case(Towns.name(leaver))
    page.emulate_media(media="print")
    for name in ("nav", "form", "button", ".skip"):
        assert page.locator(name).filter(visible=True).count() == 0, name
    for name in ("h1", "dl.facts", ".timeline"):
        assert page.locator(name).first.is_visible(), name
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_watched_pupils_have_a_day_count_and_no_case_file(sit: Sit) -> None:
    page = sit().go()
    assert Towns.name(WATCHED) in page.locator("body").inner_text()
