"""What a page does besides showing itself: messages on the console, errors, and whom it asks."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Page, Request

PATIENCE_MS = 20_000
"""A slow machine is no flaw."""


def until(page: Page, holds: Callable[[], object]) -> None:
    """Wait until it holds, or a while at most: whoever waits then says what is missing.

    Not Playwright's own waiting for a function, which looks again by `eval`: the pages' policy refuses that, unless it
    holds the first time.
    """
    for _ in range(PATIENCE_MS // 20):
        if holds():
            return
        page.wait_for_timeout(20)


class Watched:
    """Writes down what `page` should not do. `address` is the only one it may ask.

    A browser reports a page that is answered with an error as a failed resource: that one is expected where the test
    says so (`expected_status`).
    """

    def __init__(self, page: Page, address: str, *, expected_status: int = 200) -> None:
        self.page = page
        self.flaws: list[str] = []
        self._origin = urlsplit(address).netloc
        self._status = expected_status
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("request", self._request)

    def expect(self, status: int) -> None:
        """The next answers may have this status."""
        self._status = status

    def leave(self) -> None:
        """Watch no longer: the page goes to another test."""
        self.page.remove_listener("console", self._console)
        self.page.remove_listener("pageerror", self._error)
        self.page.remove_listener("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if self._status >= 400 and f"status of {self._status}" in message.text:
            return
        if message.type in ("error", "warning"):
            self.flaws.append(f"console, {message.type}: {message.text}")

    def _error(self, error: Error) -> None:
        self.flaws.append(f"error: {error.message}")

    def _request(self, request: Request) -> None:
        found = urlsplit(request.url)
        if found.scheme != "data" and found.netloc != self._origin:
            self.flaws.append(f"asked somebody else: {request.url}")
