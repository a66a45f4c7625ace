"""What the buttons give holds the numbers of the page, in each format."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page

from federation.web.i18n import Language
from registry.dashboard.addresses import path
from tests.browser.addresses import EITHER_LANGUAGE
from tests.browser.conftest import Open


def download(page: Page, form: str) -> bytes:
    with page.expect_download() as waited:
        page.locator(f"a[download][href*='outputFormat={form}']").first.click()
    assert waited.value.suggested_filename.endswith(form.removesuffix("-stat2"))
    return Path(waited.value.path()).read_bytes()


@pytest.fixture
def page(visit: Open) -> Page:
    return visit(f"{path('table', Language.ENGLISH, table='county-month')}?Region=01")


def test_csv_holds_what_the_page_shows(page: Page) -> None:
    rows = list(csv.DictReader(io.StringIO(download(page, "csv").decode("utf-8-sig"))))
    shown = page.locator("tbody tr").count()
    assert len(rows) >= shown > 0
    exported = {value for row in rows for value in row.values()}
    for number in page.locator("tbody tr td.num:nth-of-type(1)").all_inner_texts():
        digits = "".join(sign for sign in number if sign.isdigit())
        assert not digits or digits in exported, number


def test_json_stat_holds_what_the_page_shows(page: Page) -> None:
    dataset = json.loads(download(page, "json-stat2"))
    assert (dataset["version"], dataset["class"]) == ("2.0", "dataset")
    assert dataset["dimension"]["Region"]["category"]["index"] == {"01": 0} or dataset["dimension"]["Region"][
        "category"
    ]["index"] == ["01"]


def test_workbook_is_one(page: Page) -> None:
    with zipfile.ZipFile(io.BytesIO(download(page, "xlsx"))) as archive:
        assert "xl/workbook.xml" in archive.namelist()


@EITHER_LANGUAGE
def test_the_public_gets_no_small_value_whatever_the_format(language: Language, visit: Open) -> None:
    page = visit(path("start", language))
    dataset = json.loads(download(page, "json-stat2"))
    contents = dataset["id"].index("ContentsCode")
    assert contents == len(dataset["id"]) - 1
    measures = list(dataset["dimension"]["ContentsCode"]["category"]["index"])
    values = dataset["value"][measures.index("CHILDREN") :: len(measures)]
    assert len(values) >= 290
    assert [value for value in values if value is not None and value < 10] == []
    assert None in values
