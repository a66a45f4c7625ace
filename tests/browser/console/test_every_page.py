"""WCAG 2.1 AA as far as a machine can tell, in both languages, in light, in dark and on a small screen: every page."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ViewportSize

from federation.v1 import control_pb2
from federation.web.i18n import Language
from node.casework.actor import Role
from node.console.pages import PAGES
from tests.browser.console.conftest import Sit, seated
from tests.browser.test_accessibility import COLOURS, sideways, violations
from tests.harness.towns import HERE, LINKED, STAYS, Towns
from tests.unit.node import exports

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


LETTER = {"name": "brev.txt", "mimeType": "text/plain", "buffer": b"Ett brev."}
NO_PAGES = {"lead"}
"""An address that forms alone are sent to."""


@pytest.fixture(scope="module")
def lived_in(both: Towns, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Towns:
    """With something of everything: an attachment, a hold, a task, a contact that may be asked for."""
    residents = tmp_path_factory.mktemp("residents") / "residents.csv"
    residents.write_text(f"personnummer;förnamn;efternamn\n{exports.number(900)};Någon;Utan Skola\n", encoding="utf-8")
    wanted = control_pb2.ImportResidentsRequest(path=str(residents), as_of=str(both.today))
    both.ask(HERE, "ImportResidents", wanted)
    with seated(both, browser) as sit:
        seat = sit(*Role)
        page = seat.open_case(Towns.name(LINKED))
        page.goto(f"{page.url}/journal")
        page.locator("input[type=file]").set_input_files(LETTER)  # type: ignore[arg-type]  # as Playwright takes it
        seat.press("Bifoga")
        seat.go("/sv/sparrar")
        page.fill("#person", exports.number(STAYS[0]))
        page.fill("#last_day", str(both.today))
        page.locator("#reason").select_option(index=1)
        seat.press("Begär")
    return both


@EITHER_LANGUAGE
def test_axe_finds_nothing_on_any_page_that_links_lead_to(
    language: Language, lived_in: Towns, sit: Sit, axe: str
) -> None:
    seat = sit(*Role, language=language)
    linked = seat.open_case(Towns.name(LINKED)).url.removeprefix(seat.address)
    waiting, seen, found = [linked, f"/{language}/"], set[str](), []
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
    assert {page.name for page in PAGES} - seen == NO_PAGES, "no link leads to these pages"


@EITHER_LANGUAGE
def test_axe_finds_nothing_at_the_login_and_where_nothing_is(language: Language, sit: Sit, axe: str) -> None:
    seat = sit(language=language)
    assert violations(seat.go(f"/{language}/nowhere", status=404), axe) == []
    seat.press({Language.SWEDISH: "Logga ut", Language.ENGLISH: "Log out"}[language])
    assert seat.page.url.endswith(("/inloggning", "/login"))
    assert violations(seat.page, axe) == []
