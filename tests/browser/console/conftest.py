"""People of two municipalities before their consoles, each in a browser of their own.

The towns stand for a whole run of tests, and some tests let days pass in them: each takes a pupil of its own (`leaver`)
and asks for no date that stands still.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from federation.web.i18n import Language
from node.casework.actor import Role
from tests.browser.watching import Watched
from tests.harness.towns import HERE, LEAVERS, Towns, towns
from tests.unit.node.exports import UNIT

WIDE = {"width": 1280, "height": 720}
LOGIN = {Language.SWEDISH: "/sv/inloggning", Language.ENGLISH: "/en/login"}


@dataclass(frozen=True)
class Seat:
    """One person at one console. Whatever a page does that it should not fails the test at its end."""

    page: Page
    address: str
    language: Language
    watched: Watched

    def go(self, path: str = "", *, status: int = 200) -> Page:
        """Open an address of the console; its start page in the seat's language where none is given."""
        self.watched.expect(status)
        answer = self.page.goto(f"{self.address}{path or f'/{self.language}/'}")
        assert answer is not None
        assert answer.status == status, path
        return self.page

    def open_case(self, name: str) -> Page:
        """From the board to the case file of whom the board calls so."""
        self.go()
        self.page.get_by_role("link", name=re.compile(rf"^{re.escape(name)}\b")).first.click()
        return self.page

    def press(self, button: str, *, status: int = 200) -> Page:
        """Send the form of the button with this name; `status` of the answer, after a redirect where it was taken."""
        self.watched.expect(status)
        # The answer after a redirect is the last one.
        with self.page.expect_navigation() as navigation:
            self.page.get_by_role("button", name=button, exact=True).first.click()
        answer = navigation.value
        assert answer is not None
        assert answer.status == status, button
        return self.page

    def error(self) -> str:
        """What the page says is wrong with what was sent."""
        return self.page.locator(".error-summary").first.inner_text()


Sit = Callable[..., Seat]


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    """The two municipalities, running."""
    with towns(tmp_path_factory.mktemp("towns") / "scenario") as found:
        yield found


@pytest.fixture(scope="session")
def _leavers() -> Iterator[int]:
    return iter(LEAVERS)


@pytest.fixture
def leaver(_leavers: Iterator[int]) -> int:
    """A pupil who is gone, and whose case file no other test touches."""
    return next(_leavers)


@pytest.fixture
def sit(browser: Browser, both: Towns) -> Iterator[Sit]:
    """`sit(Role.CASEWORKER, …, name=, member=, language=)`: somebody logs in at a console, in an own browser."""
    with seated(both, browser) as sitting:
        yield sitting


@contextlib.contextmanager
def seated(both: Towns, browser: Browser) -> Iterator[Sit]:
    """What `sit` is; at the end everybody leaves, and whatever a page did that it should not fails."""
    seats: list[Seat] = []

    def sit_down(
        *roles: Role,
        name: str = "Kim Handläggare",
        member: str = HERE,
        language: Language = Language.SWEDISH,
        units: str = UNIT,
        **options: Any,
    ) -> Seat:
        address = both.address(member)
        context = browser.new_context(
            **{"locale": "sv-SE", "reduced_motion": "reduce", "color_scheme": "light", "viewport": WIDE, **options}
        )
        page = context.new_page()
        seat = Seat(page, address, language, Watched(page, address))
        seats.append(seat)
        seat.go(LOGIN[language])
        page.fill("#name", name)
        for role in Role:
            page.locator(f"input[name=role][value={role.value}]").set_checked(role in (roles or (Role.CASEWORKER,)))
        page.fill("#units", units)
        page.locator("main form button").click()
        assert page.url.startswith(f"{address}/{language}/")
        return seat

    yield sit_down
    for each in seats:
        each.watched.leave()
        each.page.context.close()
    assert [flaw for each in seats for flaw in each.watched.flaws] == []
