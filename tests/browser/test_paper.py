"""On paper there is what is to be read: all rows, the legend, and nothing to click on."""

from __future__ import annotations

from playwright.sync_api import ViewportSize

from federation.web.i18n import Language
from registry.dashboard.addresses import path
from tests.browser.addresses import EITHER_LANGUAGE
from tests.browser.conftest import Open

WHITE = ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
A4: ViewportSize = {"width": 794, "height": 1123}


@EITHER_LANGUAGE
def test_menu_forms_and_buttons_are_not_printed_and_figures_are(language: Language, visit: Open) -> None:
    page = visit(path("start", language), viewport=A4)
    page.emulate_media(media="print")
    for name in ("nav.menu", "form", "button", ".buttons", ".skip", ".readout"):
        assert page.locator(name).filter(visible=True).count() == 0, name
    for name in ("h1", ".map", ".legend", "table"):
        assert page.locator(name).first.is_visible(), name


def test_no_row_of_a_long_table_is_cut_off(visit: Open) -> None:
    page = visit(path("start", Language.SWEDISH), viewport=A4)
    page.emulate_media(media="print")
    hidden = "frame => frame.scrollHeight - frame.clientHeight"
    for frame in page.locator(".table-frame").all():
        assert frame.evaluate(hidden) == 0


def test_dark_colours_are_not_printed(visit: Open) -> None:
    page = visit(path("tables", Language.SWEDISH), color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )


def test_it_becomes_a_document(visit: Open) -> None:
    document = visit(path("table", Language.SWEDISH, table="county-month")).pdf(format="A4")
    assert document.startswith(b"%PDF-")
    assert len(document) > 10_000
