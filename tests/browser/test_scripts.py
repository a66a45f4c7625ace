"""Pages say the same with and without scripts; only the map's hover needs one."""

from __future__ import annotations

import re

import pytest

from federation.web.i18n import Language
from registry.dashboard.addresses import path
from tests.browser.addresses import EITHER_LANGUAGE, EVERY_PAGE
from tests.browser.conftest import Open

START = path("start", Language.ENGLISH)


@EVERY_PAGE
def test_a_page_reads_the_same_without_scripts(address: str, visit: Open) -> None:
    said = [visit(address, java_script_enabled=scripts).locator("body").inner_text() for scripts in (True, False)]
    assert said[0] == said[1] != ""


def test_forms_and_links_work_without_scripts(visit: Open) -> None:
    page = visit(START, java_script_enabled=False)
    page.locator("select[name=level]").select_option("county")
    page.locator("select[name=year]").select_option("2025")
    page.locator("form", has=page.locator("select[name=level]")).locator("button").click()
    page.wait_for_url("**level=county*")
    page.locator("select[name=code]").select_option("0180")
    page.locator("form", has=page.locator("select[name=code]")).locator("button").click()
    page.wait_for_url("**/0180")
    assert page.locator("h1").inner_text() == "Stockholm"


def test_every_area_of_the_map_has_a_name_and_its_value_without_scripts(visit: Open) -> None:
    page = visit(START, java_script_enabled=False)
    titles = page.locator(".map > g > .area > title").all_text_contents()
    assert len(titles) == len(set(titles)) == 290
    [kiruna] = (title for title in titles if title.startswith("Kiruna"))
    assert re.search(r"\d|too few", kiruna)


@EITHER_LANGUAGE
def test_the_map_says_what_is_under_the_pointer(language: Language, visit: Open) -> None:
    page = visit(path("start", language))
    readout = page.locator(".readout")
    at_rest = readout.inner_text()
    area = page.locator(".map > g > .area[data-label^=Kiruna]")
    area.scroll_into_view_if_needed()
    area.hover()
    label = area.get_attribute("data-label")
    assert label is not None
    assert readout.inner_text() == label != at_rest
    assert "pointed" in (area.get_attribute("class") or "")
    page.mouse.move(1, 1)
    assert readout.inner_text() == at_rest
    assert page.locator(".pointed").count() == 0


@pytest.mark.parametrize("face", ["public", "authority"])
def test_both_faces_show_the_map(face: str, visit: Open) -> None:
    assert visit(START, face=face).locator(".map > g > .area").count() == 290
