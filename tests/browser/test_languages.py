"""Swedish first, English beside it, and the same page in both."""

from __future__ import annotations

import pytest

from federation.web.i18n import Language
from registry.dashboard.addresses import path
from tests.browser.addresses import EVERY_PAGE
from tests.browser.conftest import Open


@EVERY_PAGE
def test_the_switch_leads_to_the_same_page_and_back(address: str, visit: Open) -> None:
    page = visit(address)
    heading, language = page.locator("h1").inner_text(), page.locator("html").get_attribute("lang")
    switch = page.locator("header a[hreflang]")
    switch.click()
    assert page.locator("html").get_attribute("lang") != language
    page.locator("header a[hreflang]").click()
    assert page.url.endswith(address)
    assert page.locator("h1").inner_text() == heading


def test_choices_are_kept_when_the_language_is_changed(visit: Open) -> None:
    page = visit(f"{path('start', Language.SWEDISH)}?level=county&year=2025")
    page.locator("header a[hreflang]").click()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("select[name=level]").input_value() == "county"
    assert page.locator("select[name=year]").input_value() == "2025"


@pytest.mark.parametrize(("locale", "language"), [("sv-SE", "sv"), ("en-GB", "en"), ("fi-FI", "sv")])
def test_the_way_in_speaks_the_readers_language(locale: str, language: str, visit: Open) -> None:
    assert visit("/", locale=locale).locator("html").get_attribute("lang") == language
