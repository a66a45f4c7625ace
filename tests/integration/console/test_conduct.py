"""How the console conducts itself: sessions, tokens of forms, roles, headers, names and rates."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from federation.observability import Log
from federation.web.i18n import Language
from node.casework.actor import Role
from node.console import app as console
from node.console.app import build
from node.console.login.gate import DevelopmentGate
from node.console.login.stored import StoredSessions
from node.console.pages import PAGES
from node.console.visit import ASSETS
from node.store.sealing import Sealer
from node.store.sessions import Lifetime, SessionStore
from tests.harness.console import TOKEN, actor, client
from tests.integration.console.conftest import MEMBER, municipality
from tests.integration.console.test_case_pages import files
from tests.integration.node_parties import Federation, Node
from tests.unit.node.exports import UNIT

HTMX_2_0_11 = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
"""SHA-256 of dist/htmx.min.js of the npm package htmx.org@2.0.11."""
IDLE, MOST = timedelta(minutes=30), timedelta(hours=10)
SAME = {"sec-fetch-site": "same-origin"}


class Hands:
    """A system clock that a test turns."""

    def __init__(self) -> None:
        self.at = datetime(2026, 9, 21, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """One for all tests here: none of them changes it."""
    with municipality(tmp_path_factory.mktemp("console") / "federation") as parties:
        yield parties


@pytest.fixture(scope="module")
def node(federation: Federation) -> Node:
    return federation.nodes[MEMBER]


@pytest.fixture
def hands() -> Hands:
    return Hands()


Open = Callable[[], TestClient]


@pytest.fixture
def door(node: Node, hands: Hands) -> Open:
    """A browser before the console with its real sessions and its development login."""
    store = SessionStore(Sealer(b"k" * 32), Lifetime(IDLE, MOST))
    sessions = StoredSessions(node.app.database, store, hands, secure=False)  # type: ignore[arg-type]  # now() alone
    app = build(node.app.desk, sessions, log=Log(), gate=DevelopmentGate(sessions), hosts=("console.example",))
    return lambda: TestClient(app, base_url="http://console.example", follow_redirects=False)


def log_in(browser: TestClient, *roles: Role, name: str = "Kim") -> None:
    form = {"name": name, "role": [role.value for role in roles or (Role.CASEWORKER,)]}
    answer = browser.post("/sv/inloggning", data=form, headers=SAME)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sv/")


def token_of(browser: TestClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/sv/sok").text)
    assert found is not None
    return found[1]


def test_whoever_has_not_logged_in_is_led_to_the_login_and_nowhere_else(door: Open) -> None:
    for page in PAGES:
        for language in Language:
            path = re.sub(r"{[a-z_]+}", "0" * 32, page.pattern(language))
            for answer in (door().get(path), door().post(path, data={"csrf_token": "x"})):
                assert answer.status_code == 303, path
                assert answer.headers["location"].startswith(("/sv/inloggning?", "/en/login?"))
                assert answer.text == ""


def test_a_login_keeps_the_school_units_of_a_principal_and_of_nobody_else(door: Open) -> None:
    for roles, units, blind in (("principal", "", True), ("principal", UNIT, False), ("caseworker", UNIT, False)):
        browser = door()
        form = {"name": "Rut", "role": roles, "units": f" {units} another"} if units else {"name": "Rut", "role": roles}
        assert browser.post("/sv/inloggning", data=form, headers=SAME).status_code == 303
        assert ("Du ser inga elever här" in browser.get("/sv/sparrar").text) == blind
    assert "Andra skolenheter" in door().get("/sv/inloggning").text


def test_a_session_ends_when_it_is_not_used_and_when_it_is_old(door: Open, hands: Hands) -> None:
    browser = door()
    log_in(browser)
    for _ in range(int(MOST / timedelta(minutes=25))):
        assert browser.get("/sv/").status_code == 200
        hands.at += timedelta(minutes=25)
    hands.at += timedelta(minutes=1)
    assert browser.get("/sv/").status_code == 303
    log_in(browser)
    hands.at += IDLE + timedelta(minutes=2)
    assert browser.get("/sv/").status_code == 303


def test_a_page_that_looks_again_by_itself_does_not_keep_a_session_alive(door: Open, hands: Hands) -> None:
    browser = door()
    log_in(browser)
    looks = []
    for _ in range(8):
        hands.at += timedelta(minutes=5)
        looks.append(browser.get("/sv/", headers={"HX-Request": "true", "X-Looks-Again": "1"}))
    assert looks[0].status_code in (200, 204)
    assert looks[-1].headers.get("hx-redirect", "").startswith("/sv/inloggning")


def test_a_login_gives_a_new_token_and_a_logout_ends_the_session_everywhere(door: Open) -> None:
    browser = door()
    browser.cookies.set("upprop", "chosen-by-an-attacker")
    log_in(browser)
    cookie = next(each for each in browser.cookies.jar if each.value != "chosen-by-an-attacker")
    assert len(cookie.value or "") >= 43
    copy = door()
    copy.cookies.set("upprop", cookie.value or "")
    assert copy.get("/sv/").status_code == 200
    assert browser.post("/sv/utloggning", headers={"sec-fetch-site": "cross-site"}).status_code == 303
    assert copy.get("/sv/").status_code == 200
    assert copy.post("/sv/utloggning", headers=SAME).status_code == 303
    again = door()
    again.cookies.set("upprop", cookie.value or "")
    assert again.get("/sv/").status_code == 303


def test_a_form_is_taken_with_the_token_of_its_own_session_alone(door: Open) -> None:
    one, other = door(), door()
    log_in(one, name="Kim")
    log_in(other, name="Robin")
    for token in ("", "x", token_of(other)):
        answer = one.post("/sv/sok", data={"csrf_token": token, "person": "1"})
        assert answer.status_code == 409
        assert "för gammalt" in answer.text
    assert one.post("/sv/sok", data={"csrf_token": token_of(one), "person": "1"}).status_code == 200


def test_a_login_form_of_another_site_logs_nobody_in(door: Open) -> None:
    form = {"name": "Kim", "role": "caseworker"}
    for headers in ({}, {"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}):
        browser = door()
        assert "set-cookie" not in browser.post("/sv/inloggning", data=form, headers=headers).headers


@pytest.mark.parametrize(
    "to", ["https://elsewhere.example/", "//elsewhere.example", "/sv//elsewhere", "/sv/\\x", "/other"]
)
def test_a_login_leads_to_pages_of_the_console_alone(to: str, door: Open) -> None:
    answer = door().post("/sv/inloggning", data={"name": "Kim", "role": "caseworker", "to": to}, headers=SAME)
    assert answer.headers["location"] == "/sv/"


def test_every_page_of_every_role_is_refused_to_the_others(node: Node) -> None:
    [hidden] = set(files(node, Role.PROTECTED)) - set(files(node, Role.CASEWORKER))
    for role in Role:
        browser = client(node.app.desk, actor(role))
        for page in PAGES:
            path, unknown = (
                page.path(Language.SWEDISH, **dict.fromkeys(re.findall(r"{([a-z_]+)}", page.swedish), part))
                for part in (hidden, "0" * 32)
            )
            answer = browser.get(path)
            if role not in page.roles:
                # The start page leads those who have no board to their own work.
                assert answer.status_code == (303 if page.name == "board" else 403), (role, path)
            elif hidden in path and role is not Role.PROTECTED:
                # What is hidden reads as what is not there.
                nothing = browser.get(unknown)
                assert answer.status_code == nothing.status_code != 200, (role, path)
                assert answer.text.replace(hidden, "") == nothing.text.replace("0" * 32, ""), (role, path)
            may = page.act is not None and role in (page.act_roles or page.roles)
            sent = browser.post(path, data={"csrf_token": TOKEN}).status_code
            assert may or sent in (403, 405), (role, path)


def test_every_answer_forbids_what_no_page_does_and_is_kept_nowhere(door: Open) -> None:
    browser = door()
    log_in(browser)
    for path in ("/sv/", "/sv/nowhere", "/", "/sv/inloggning", "/static/nothing.css"):
        headers = browser.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] in ("no-store", "no-cache"), path
        assert headers["referrer-policy"] == "no-referrer"
    assert "immutable" in browser.get(ASSETS.path("console.css")).headers["cache-control"]


def test_under_another_name_nothing_is_answered(door: Open) -> None:
    answer = door().get("/sv/inloggning", headers={"host": "elsewhere.example"})
    assert answer.status_code == 421


def test_logins_and_pages_have_a_limit_and_say_when_to_come_back(door: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = door()
    answers = [browser.get("/sv/inloggning") for _ in range(console.LOGINS.calls + 1)]
    assert {each.status_code for each in answers[:-1]} == {200}
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["retry-after"]) <= console.LOGINS.seconds + 1
    assert "För många försök" in answers[-1].text


def test_htmx_is_the_file_that_its_makers_published() -> None:
    assert hashlib.sha256(ASSETS.files["htmx.min.js"].content).hexdigest() == HTMX_2_0_11


def test_htmx_is_told_to_run_nothing_and_to_keep_nothing(door: Open) -> None:
    found = re.search(r"<meta name=\"htmx-config\" content='([^']+)'>", door().get("/sv/inloggning").text)
    assert found is not None
    told = json.loads(found[1])
    assert told | {"allowEval": False, "allowScriptTags": False, "historyCacheSize": 0} == told
    assert told["selfRequestsOnly"] is True


def test_the_board_says_that_it_has_changed_and_nothing_where_it_has_not(node: Node) -> None:
    browser = client(node.app.desk, actor())
    page = browser.get("/sv/").text
    found = re.search(r'hx-get="(/sv/\?state=[0-9a-f]+)"', page)
    assert found is not None
    asks = {"HX-Request": "true"}
    assert browser.get(found[1], headers=asks).status_code == 204
    [file_id, *_] = files(node, Role.CASEWORKER)
    revision = re.search(r'name="revision" value="(\d+)"', browser.get(f"/sv/arenden/{file_id}").text)
    assert revision is not None
    form = {"csrf_token": TOKEN, "do": "take", "revision": revision[1]}
    assert browser.post(f"/sv/arenden/{file_id}", data=form).status_code == 303
    changed = browser.get(found[1], headers=asks)
    assert "Tavlan har ändrats." in changed.text
    assert "<html" not in changed.text
