"""A real browser before the real processes: Debian's Chromium under Playwright.

What is missing fails the tests and says how to get it; nothing here is ever skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.watching import Watched
from tests.harness.statistics_site import StatisticsSite, statistics_site
from tests.harness.system_tools import content, program

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Without the sandbox, since CI is root; the pages are our own. The rest keeps the browser from calling anybody."""


WIDE = {"width": 1280, "height": 720}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, with an empty profile."""
    chromium = program("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    return content("axe-core", "axe.min.js")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StatisticsSite]:
    """Two years of a synthetic nation, published, behind a public dashboard and one for the authority."""
    with statistics_site(tmp_path_factory.mktemp("statistics") / "federation") as running:
        yield running


Open = Callable[..., Page]


@pytest.fixture(scope="session")
def pages(browser: Browser) -> dict[str, Page]:
    """Context options → a page with them that no test looks at just now: a new one takes as long as a test does."""
    return {}


@pytest.fixture
def visit(browser: Browser, site: StatisticsSite, pages: dict[str, Page]) -> Iterator[Open]:
    """Opens an address of the public face (or of `face`), with Playwright's context options.

    One test after the other has the same page, as a reader does; how it is looked at is set back in between. Whatever a
    page then does that it should not — errors on the console, refusals by the content security policy, requests to
    anybody else — fails the test at its end.
    """
    watched: list[tuple[str, Watched]] = []

    def open_page(path: str, *, face: str = "public", status: int = 200, **options: Any) -> Page:
        address = {"public": site.public, "authority": site.authority}[face]
        options = {"locale": "sv-SE", "reduced_motion": "reduce", "color_scheme": "light", "viewport": WIDE, **options}
        key = repr(sorted(options.items()))
        page = pages.pop(key, None) or browser.new_context(**options).new_page()
        page.emulate_media(media="null", color_scheme=options["color_scheme"], reduced_motion=options["reduced_motion"])
        page.set_viewport_size(options["viewport"])
        watched.append((key, Watched(page, address, expected_status=status)))
        answer = page.goto(f"{address}{path}")
        assert answer is not None
        assert answer.status == status, path
        return page

    yield open_page
    for key, each in watched:
        each.leave()
        if each.flaws or key in pages:
            each.page.context.close()
        else:
            each.page.goto("about:blank")
            each.page.mouse.move(0, 0)
            pages[key] = each.page
    assert [flaw for _, each in watched for flaw in each.flaws] == []
