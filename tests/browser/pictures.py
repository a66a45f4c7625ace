"""`make pictures`: what the README shows of the pages, taken from the site as it runs. No test."""

# ruff: noqa: E402 - TLS 1.3 must be required before any module imports gRPC

from __future__ import annotations

from federation import tls13

tls13.require()

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from federation.web.i18n import Language
from registry.dashboard.addresses import path
from tests.browser.conftest import FLAGS
from tests.harness.statistics_site import statistics_site
from tests.harness.system_tools import HOW

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
PICTURES = {
    "start.png": (path("start", Language.ENGLISH), 1240, "#map"),
    "county.png": (path("place", Language.ENGLISH, code="12"), 940, ""),
}
"""File: which page, how high, and where on it."""
WIDTH = 1180


def main() -> None:
    """Take them all."""
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit(f"Missing: the browser chromium. {HOW}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as temporary,
        statistics_site(Path(temporary) / "federation") as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        for name, (address, height, place) in PICTURES.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": height})
            page.goto(f"{site.authority}{address}{place}")
            page.screenshot(path=IMAGES / name)
        browser.close()


if __name__ == "__main__":
    main()
