"""`make pictures`: what the README shows of the pages, taken from the site and the demonstration. No test."""

# ruff: noqa: E402 - TLS 1.3 must be required before any module imports gRPC

from __future__ import annotations

from federation import tls13

tls13.require()

import contextlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

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
CONSOLE_WIDTH, CONSOLE_HEIGHT = 1180, 860


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
        with demonstration() as address:
            consoles(browser, address)
        browser.close()


@contextlib.contextmanager
def demonstration() -> Iterator[str]:
    """The first console of `upprop demo --serve`."""
    command = [sys.executable, "-m", "federation.cli", "demo", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in running.stdout)
            yield next(each[0] for each in found if each is not None)
        finally:
            running.send_signal(signal.SIGINT)


def consoles(browser: Browser, address: str) -> None:
    """The board, and the case file whose clock ran out first."""
    context = browser.new_context(
        viewport={"width": CONSOLE_WIDTH, "height": CONSOLE_HEIGHT}, locale="sv-SE", color_scheme="light"
    )
    page = context.new_page()
    page.goto(address)
    page.locator("input[name=name]").fill("Kim Bergdahl")
    page.locator("main button").click()
    page.wait_for_url("**/sv/")
    page.screenshot(path=IMAGES / "console-board.png")
    page.locator("a[href^='/sv/arenden/']").first.click()
    page.wait_for_load_state()
    page.screenshot(path=IMAGES / "console-case.png")
    context.close()


if __name__ == "__main__":
    main()
