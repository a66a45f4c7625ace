"""WCAG 2.1 AA as far as a machine can tell: axe-core finds nothing on any page, and a small screen loses nothing."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize

from federation.web.i18n import Language
from registry.dashboard.addresses import path
from tests.browser.addresses import EITHER_LANGUAGE, EVERY_PAGE
from tests.browser.conftest import Open

SMALL: ViewportSize = {"width": 320, "height": 640}
"""Of WCAG 1.4.10: content needs no scrolling sideways, but for tables in a frame of their own."""
SPACED = "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }"
"""Of WCAG 1.4.12."""


COLOURS = "cat.color"
"""axe-core's tag for the rules that look at colours: in the dark, nothing else differs."""


def violations(page: Page, axe: str, *, only: str | None = None) -> list[str]:
    """Each as one line: the rule, and the first element that breaks it. `only`: of the rules with this tag."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    chosen = {"runOnly": [only]} if only else {}
    found: dict[str, Any] = page.evaluate(
        "options => axe.run(document, options)", {"resultTypes": ["violations"], **chosen}
    )
    assert found["passes"], "rules were run"
    return [
        f"{each['id']}: {each['help']}; {len(each['nodes'])} times, first {each['nodes'][0]['html'][:200]} "
        f"({each['nodes'][0].get('failureSummary', '')})"
        for each in found["violations"]
    ]


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@EVERY_PAGE
def test_axe_finds_nothing_in_light_in_dark_and_on_a_small_screen(address: str, visit: Open, axe: str) -> None:
    page = visit(address)
    assert violations(page, axe) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, axe, only=COLOURS) == []
    page.set_viewport_size(SMALL)
    assert violations(page, axe) == []
    assert sideways(page) == 0


@EITHER_LANGUAGE
@pytest.mark.parametrize("page_name", ["start", "tables", "budget"])
def test_axe_finds_nothing_on_the_authoritys_face(page_name: str, language: Language, visit: Open, axe: str) -> None:
    assert violations(visit(path(page_name, language), face="authority"), axe) == []


@EITHER_LANGUAGE
def test_axe_finds_nothing_where_a_page_is_not_there(language: Language, visit: Open, axe: str) -> None:
    assert violations(visit(f"/{language}/nowhere", status=404), axe) == []


@EITHER_LANGUAGE
@pytest.mark.parametrize("page_name", ["start", "about", "coverage"])
def test_wider_letters_and_lines_fit_on_a_small_screen(page_name: str, language: Language, visit: Open) -> None:
    # The policy against foreign styles is switched off for what a reader's own browser adds.
    page = visit(path(page_name, language), viewport=SMALL, bypass_csp=True)
    page.add_style_tag(content=SPACED)
    assert sideways(page) == 0


def test_axe_would_find_something(visit: Open, axe: str) -> None:
    page = visit(path("about", Language.SWEDISH))
    page.evaluate("document.documentElement.removeAttribute('lang')")
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    found = violations(page, axe)
    assert len(found) == 2
    assert {each.partition(":")[0] for each in found} == {"html-has-lang", "color-contrast"}
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.querySelector('h1').style.color = '#222'")
    [found_in_the_dark] = violations(page, axe, only=COLOURS)
    assert found_in_the_dark.partition(":")[0] == "color-contrast"
