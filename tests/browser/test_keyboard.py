"""Everything can be reached and used with the keyboard alone, and one sees where one is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from federation.web.i18n import Language
from registry.dashboard.addresses import path
from tests.browser.addresses import EITHER_LANGUAGE
from tests.browser.conftest import Open
from tests.browser.watching import until

MOST_STOPS = 400
"""The start page lists 290 municipalities and 21 counties."""
MOST_MISSES = 25
STOP = """() => {
  const here = document.activeElement;
  if (here === document.body || here === document.documentElement) return null;
  // The parts of a date are stops of one field.
  if (here === window.stopBefore) return {again: true};
  window.stopBefore = here;
  // A browser without a bar of its own may begin anew at once.
  window.stopsSeen ??= new WeakSet();
  if (window.stopsSeen.has(here)) return null;
  window.stopsSeen.add(here);
  const style = getComputedStyle(here), box = here.getBoundingClientRect();
  const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return {what: here.outerHTML.slice(0, 120), shown, seen: box.width > 0 && box.height > 0 && box.bottom > 0,
          text: (here.textContent || "").trim()};
}"""
CAN_BE_REACHED = "a[href], button, input, select, textarea, [tabindex='0']"


def stops(page: Page) -> list[dict[str, object]]:
    """Where the Tab key leads, from the top of the page until it leaves it or begins anew."""
    found: list[dict[str, object]] = []
    # A page that has just been opened, on a machine with much to do, may not have the keyboard yet.
    misses = 0
    while len(found) < MOST_STOPS:
        page.keyboard.press("Tab")
        here = page.evaluate(STOP)
        if here is None and (found or misses == MOST_MISSES):
            return found
        if here is None:
            misses += 1
            page.wait_for_timeout(200)
            continue
        if "again" not in here:
            found.append(here)
    return found


@EITHER_LANGUAGE
def test_the_first_stop_leads_past_the_menu(language: Language, visit: Open) -> None:
    page = visit(path("tables", language))
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.get_attribute("href") == "#content"
    assert skip.bounding_box() is not None
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


@pytest.mark.parametrize("page_name", ["start", "tables", "calendar", "budget", "about"])
def test_tab_reaches_everything_and_shows_where_it_is(page_name: str, visit: Open) -> None:
    page = visit(path(page_name, Language.SWEDISH))
    reached = stops(page)
    assert [each["what"] for each in reached if not (each["shown"] and each["seen"])] == []
    there = page.locator(CAN_BE_REACHED).filter(visible=True).count()
    assert len(reached) == there < MOST_STOPS


def test_a_form_is_filled_in_and_sent_without_a_mouse(visit: Open) -> None:
    page = visit(path("start", Language.ENGLISH))
    years = page.locator("select[name=year] option").all_inner_texts()
    page.locator("select[name=level]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**level=county*")
    assert page.locator("select[name=level]").input_value() == "county"
    assert page.locator("select[name=year]").input_value() == years[1]


def test_a_frame_that_scrolls_can_be_scrolled_with_keys(visit: Open) -> None:
    page = visit(path("start", Language.SWEDISH))
    frame = page.locator(".table-frame").first
    frame.focus()
    page.keyboard.press("End")
    until(page, lambda: frame.evaluate("it => it.scrollTop"))
    assert frame.evaluate("it => it.scrollTop") > 0
