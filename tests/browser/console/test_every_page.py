"""WCAG 2.1 AA as far as a machine can tell, in both languages, in light, in dark and on a small screen: every page."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ViewportSize

from federation.web.i18n import Language
from node.casework.actor import Role
from node.console.pages import PAGES
from tests.browser.console.conftest import Sit
from tests.browser.test_accessibility import COLOURS, sideways, violations

SMALL: ViewportSize = {"width": 320, "height": 640}
EITHER_LANGUAGE = pytest.mark.parametrize("language", list(Language), ids=str)
MOST = 200
"""Pages of one language that are looked at; a walk that does not end is a mistake."""


def _kind(path: str, language: Language) -> str | None:
    """Which page an address is of; None: none of this language."""
    for page in PAGES:
        if re.fullmatch(re.sub(r"{[a-z_]+}", "[^/]+", page.pattern(language)), path):
            return page.name
    return None


@EITHER_LANGUAGE
def test_axe_finds_nothing_on_any_page_that_links_lead_to(language: Language, sit: Sit, axe: str) -> None:
    seat = sit(*Role, language=language)
    waiting, seen, found = [f"/{language}/"], set[str](), []
    while waiting:
        path = waiting.pop(0)
        kind = _kind(path, language)
        if kind is None or kind in seen:
            continue
        seen.add(kind)
        page = seat.page
        answer = page.request.get(f"{seat.address}{path}")
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        seat.go(path)
        links = [str(each.get_attribute("href")) for each in page.locator("main a[href], nav a[href]").all()]
        waiting += [urlsplit(link).path for link in links]
        page.emulate_media(color_scheme="light")
        found += [(path, each) for each in violations(page, axe)]
        page.emulate_media(color_scheme="dark")
        found += [(path, each) for each in violations(page, axe, only=COLOURS)]
        page.set_viewport_size(SMALL)
        found += [(path, "wider than a small screen")] * (sideways(page) > 0)
        page.set_viewport_size({"width": 1280, "height": 720})
        assert len(seen) < MOST
    assert found == [], "\n".join(map(str, found))
    reachable = {page.name for page in PAGES if Role.CASEWORKER in page.roles or page.roles & set(Role)}
    assert reachable - seen == set(), "no link leads to these pages"


@EITHER_LANGUAGE
def test_axe_finds_nothing_at_the_login_and_where_nothing_is(language: Language, sit: Sit, axe: str) -> None:
    seat = sit(language=language)
    assert violations(seat.go(f"/{language}/nowhere", status=404), axe) == []
    seat.press({Language.SWEDISH: "Logga ut", Language.ENGLISH: "Log out"}[language])
    assert seat.page.url.endswith(("/inloggning", "/login"))
    assert violations(seat.page, axe) == []
