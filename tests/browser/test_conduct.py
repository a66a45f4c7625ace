"""What pages may do is stated to the browser, which holds them to it. That nothing is refused, every test looks at."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from federation.web.i18n import Language
from registry.dashboard.addresses import path
from tests.browser.addresses import EVERY_PAGE
from tests.browser.conftest import Open
from tests.browser.watching import Watched, until
from tests.harness.statistics_site import StatisticsSite

START = path("start", Language.SWEDISH)
FOREIGN = {
    "a script in the page": "const it = document.createElement('script'); it.textContent = 'window.here = 1'; "
    "document.body.append(it)",
    "a style in the page": "const it = document.createElement('div'); it.setAttribute('style', 'color: red'); "
    "it.innerHTML = '<p style=\"color: red\">x</p>'; document.body.append(it)",
    "a picture from elsewhere": "const it = new Image(); it.src = 'http://127.0.0.2:9/x.png'; document.body.append(it)",
    "a call to elsewhere": "fetch('http://127.0.0.2:9/').catch(() => 0)",
    "a frame": "const it = document.createElement('iframe'); it.src = 'http://127.0.0.2:9/'; document.body.append(it)",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_the_policy_refuses_what_no_page_does(what: str, browser: Browser, site: StatisticsSite) -> None:
    page = browser.new_context().new_page()
    watched = Watched(page, site.public)
    page.goto(f"{site.public}{START}")
    assert watched.flaws == []
    page.evaluate(f"() => {{ {FOREIGN[what]} }}")

    def refused() -> bool:
        return any("Content Security Policy" in flaw or "Content-Security-Policy" in flaw for flaw in watched.flaws)

    until(page, refused)
    assert refused()
    assert page.evaluate("window.here") is None
    page.context.close()


def test_no_other_page_can_frame_it(browser: Browser, site: StatisticsSite) -> None:
    page = browser.new_context().new_page()
    page.set_content(f'<iframe src="{site.public}{START}"></iframe>')
    until(page, lambda: page.frames[1].url not in ("", "about:blank"))
    assert page.frames[1].url.startswith("chrome-error:")
    page.context.close()


@EVERY_PAGE
def test_a_page_keeps_nothing_in_the_browser(address: str, visit: Open) -> None:
    page = visit(address)
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.locator("[style], style, script:not([src])").count() == 0
