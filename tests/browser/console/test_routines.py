"""A checklist worked in a browser: a worry is told at any time and reported at once; what is handed out reads right."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from node.casework.actor import Role
from tests.browser.console.conftest import Sit
from tests.harness.towns import Towns


def line(title: str) -> str:
    """The line of a step that is still open."""
    return f"li:has(h4:text-is({title!r})):has(form)"


def test_a_worry_is_told_by_keyboard_and_its_report_is_due_the_same_day(sit: Sit, both: Towns, leaver: int) -> None:
    seat = sit(Role.CASEWORKER)
    page = seat.open_case(both.name(leaver))
    page.get_by_role("link", name="Hela checklistan").click()
    # Before the register was asked, no contact can be noted; a worry can.
    assert page.locator(line("Sök alla kontakter")).count() == 0
    worry = page.locator(line("Oro har uppstått"))
    worry.locator("summary").focus()
    page.keyboard.press("Enter")
    worry.get_by_label("Det finns oro").focus()
    page.keyboard.press("Space")
    worry.get_by_role("textbox", name="Anteckning").fill("Mormor ringde.")
    worry.get_by_role("button", name="Spara steget").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Steget är sparat")).to_be_visible()
    report = page.locator(line("Gör orosanmälan genast"))
    expect(report.locator(".badge").first).to_contain_text(both.today.isoformat())
    expect(report).to_contain_text("112")
    report.locator("summary").click()
    report.get_by_label("Orosanmälan är gjord", exact=True).check()
    report.get_by_role("button", name="Spara steget").click()
    expect(page.locator(line("Bekräfta socialtjänstens beslut"))).to_have_count(1)
    page.get_by_text(re.compile(r"^Gjorda steg")).first.click()
    expect(page.locator("li.done", has_text="Mormor ringde.")).to_contain_text("Av Kim Handläggare")


def test_the_child_s_paper_reads_from_the_right_and_prints_nothing_of_the_console(sit: Sit) -> None:
    seat = sit(Role.CASEWORKER)
    page = seat.go("/sv/hjalp")
    page.locator("a[lang=ar]").first.click()
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).direction") == "rtl"
    page.emulate_media(media="print")
    expect(page.locator("nav")).to_be_hidden()
    printed = page.locator("body").inner_text()
    assert "116 111" in printed
    assert not re.search("Upprop|Stockholm|Bris|Kim", printed)
