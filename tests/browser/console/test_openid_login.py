"""Login and logout by a certified OpenID provider, npm `oidc-provider`: real node, real provider, real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from federation import control
from federation.demo.leash import THEN
from federation.demo.supervisor import Party, Supervisor
from federation.files import write_secret
from federation.runtime import PORTS_NAME
from federation.throwaway import DevMember, Ports, dev
from privacy.keys import deal_epoch
from tests.browser.test_accessibility import violations
from tests.harness.openid_provider import openid_provider
from tests.harness.ports import free_ports

PEOPLE = {
    "kim": {"name": "Kim Handläggare", "groups": ["upprop-handlaggare", "alla"]},
    "robin": {"name": "Robin Skydd", "groups": ["upprop-skydd"]},
    "rut": {"name": "Rut Rektor", "groups": ["upprop-rektorer"], "school_units": ["12345678"]},
    "pal": {"name": "Pål Rektor", "groups": ["upprop-rektorer"]},
    "sam": {"name": "Sam Utomstående", "groups": ["alla"]},
}
CONSOLE = """
[console]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
idle_minutes = 5

[console.openid]
issuer = "{issuer}"
client_id = "upprop"
client_secret_file = "client.secret"
scope = "openid profile groups units"
units_claim = "school_units"

[console.roles]
upprop-handlaggare = "caseworker"
upprop-skydd = "protected-identity"
upprop-rektorer = "principal"

[console.units]
12345678 = "a-unit"
"""


@dataclass(frozen=True)
class Console:
    """A node whose people log in at a provider."""

    address: str
    issuer: str
    log: Path


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    home = tmp_path_factory.mktemp("openid")
    at_node, at_provider = free_ports(2)
    address = f"http://127.0.0.1:{at_node}"
    client = {
        "client_id": "upprop",
        "client_secret": "a secret of a test",
        "redirect_uris": [f"{address}/login/answer"],
        "post_logout_redirect_uris": [f"{address}/sv/utloggad", f"{address}/en/logged-out"],
    }
    federation = dev(
        home / "federation", [DevMember("0180", "Stockholm")], deal_epoch=deal_epoch, ports=Ports(0, (0,) * 3)
    )
    settings = federation.node("0180")
    write_secret(settings.parent / "client.secret", b"a secret of a test\n")
    with openid_provider(at_provider, [client], PEOPLE, home / "provider.log") as issuer, Supervisor() as supervisor:
        with settings.open("a", encoding="utf-8") as file:
            file.write(CONSOLE.format(port=at_node, issuer=issuer))
        given = ("node", "migrate", "--config", str(settings), THEN, "node", "serve", "--config", str(settings))
        data_dir = settings.parent / "data"
        party = supervisor.start("node", given, settings.parent, data_dir)

        def ready(_party: Party) -> bool:
            return (data_dir / PORTS_NAME).exists() and control.socket_path(data_dir).exists()

        supervisor.wait_until(ready, [party])
        yield Console(address, issuer, party.log)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="sv-SE")
    yield context.new_page()
    context.close()


def log_in(page: Page, who: str) -> None:
    """At the provider's own form."""
    page.fill("input[name=login]", who)
    page.fill("input[name=password]", "anything")
    page.click("button[type=submit]")
    # Consent is asked for once.
    if page.url.startswith("http") and page.locator("form button[type=submit]").count() and "interaction" in page.url:
        page.click("button[type=submit]")


def test_somebody_of_a_group_logs_in_with_its_role_and_out_again(console: Console, page: Page, axe: str) -> None:
    page.goto(f"{console.address}/sv/arenden/{'0' * 32}")
    assert page.url.startswith(f"{console.address}/sv/inloggning?to=")
    assert violations(page, axe) == []
    page.get_by_role("link", name="Logga in", exact=True).click()
    assert page.url.startswith(console.issuer)
    log_in(page, "kim")
    # The page that was asked for in the first place.
    assert page.url == f"{console.address}/sv/arenden/{'0' * 32}"
    assert page.locator("header").inner_text().count("Kim Handläggare") == 1
    assert page.locator(".site-head > .warning").count() == 0
    [cookie] = [each for each in page.context.cookies(console.address) if each["name"] == "upprop"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    page.get_by_role("button", name="Logga ut").click()
    page.wait_for_url(re.compile(r".*/(session/end|utloggad).*"))
    if "session/end" in page.url:
        page.get_by_role("button", name=re.compile("yes", re.IGNORECASE)).click()
    expect(page.locator("h1")).to_have_text("Du är utloggad")
    page.goto(f"{console.address}/sv/")
    assert "/sv/inloggning" in page.url
    # There too: the provider asks who it is.
    page.get_by_role("link", name="Logga in", exact=True).click()
    assert page.locator("input[name=login]").count() == 1


def test_somebody_of_no_group_is_told_so_and_has_no_session(console: Console, page: Page, axe: str) -> None:
    page.goto(f"{console.address}/en/login")
    page.get_by_role("link", name="Log in", exact=True).click()
    log_in(page, "sam")
    expect(page.locator("h1")).to_have_text("You have no role here")
    assert violations(page, axe) == []
    page.goto(f"{console.address}/en/")
    assert "/en/login" in page.url
    assert '"reason": "roles"' in console.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(("who", "blind"), [("rut", False), ("pal", True)])
def test_a_principal_whose_school_units_the_provider_does_not_tell_is_told_so(
    console: Console, page: Page, axe: str, who: str, *, blind: bool
) -> None:
    page.goto(f"{console.address}/sv/inloggning")
    page.get_by_role("link", name="Logga in", exact=True).click()
    log_in(page, who)
    page.goto(f"{console.address}/sv/uppgifter")
    expect(page.get_by_text("Du ser inga elever här")).to_have_count(int(blind))
    assert violations(page, axe) == []


def test_an_answer_that_this_browser_did_not_ask_for_logs_nobody_in(console: Console, page: Page) -> None:
    page.goto(f"{console.address}/sv/inloggning")
    page.get_by_role("link", name="Logga in", exact=True).click()
    # As for somebody who was sent a link with the answer to another's login.
    page.context.clear_cookies(name="upprop-login")
    log_in(page, "robin")
    assert "/login/answer?" in page.url
    expect(page.locator("h1")).to_have_text("Inloggningen gick inte att slutföra")
    assert [each["name"] for each in page.context.cookies(console.address) if each["name"].startswith("upprop")] == []


def test_a_login_that_is_broken_off_says_so(console: Console, page: Page) -> None:
    page.goto(f"{console.address}/sv/inloggning")
    page.get_by_role("link", name="Logga in", exact=True).click()
    page.get_by_role("link", name=re.compile("cancel", re.IGNORECASE)).click()
    expect(page.locator("h1")).to_have_text("Inloggningen avbröts")


def test_nothing_of_who_logs_in_stands_in_the_log(console: Console) -> None:
    logged = console.log.read_text(encoding="utf-8")
    assert "console_login_refused" in logged
    for each in ("Kim", "Sam", "kim", "robin", "upprop-skydd", "code="):
        assert each not in logged
