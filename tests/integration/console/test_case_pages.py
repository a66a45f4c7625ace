"""The board and the page of a case file, asked for as people of the municipality."""

from __future__ import annotations

import html
import re

import pytest
from starlette.testclient import TestClient

from federation.rules.vocabulary import CaseOutcome, CaseStatus
from node.casework.actor import Role
from tests.harness.console import TOKEN, actor, client
from tests.integration.console.conftest import LAST_DAY, OPEN, PROTECTED, WATCHED
from tests.integration.node_parties import Node
from tests.unit.node.exports import enrolment, number, person

_FILE = re.compile(r'href="/sv/arenden/([0-9a-f]{32})"')
_REVISION = re.compile(r'name="revision" value="(\d+)"')


def name_of(place: int) -> str:
    name = person(place)
    return f"{name['givenName']} {name['familyName']}"


def board(node: Node, *roles: Role, language: str = "sv") -> str:
    return html.unescape(client(node.app.desk, actor(*roles)).get(f"/{language}/").text)


def files(node: Node, *roles: Role) -> list[str]:
    return _FILE.findall(board(node, *roles))


def revision(asked: TestClient, path: str) -> str:
    found = _REVISION.search(asked.get(path).text)
    assert found is not None
    return found[1]


def send(asked: TestClient, path: str, **fields: str) -> tuple[int, str]:
    answer = asked.post(path, data={"csrf_token": TOKEN, **fields})
    return answer.status_code, html.unescape(answer.text)


def test_the_board_shows_open_files_and_who_is_watched(node: Node) -> None:
    shown = board(node, Role.CASEWORKER)
    assert name_of(OPEN) in shown
    assert name_of(WATCHED) in shown
    assert len(files(node, Role.CASEWORKER)) == 1
    assert "Whose clock runs out?" in board(node, Role.CASEWORKER, language="en")


def test_a_case_file_is_assigned_to_a_colleague_who_has_had_one(node: Node) -> None:
    [file] = files(node, Role.CASEWORKER)
    [hidden] = set(files(node, Role.PROTECTED)) - {file}
    path = f"/sv/arenden/{file}"
    ada, bo = (client(node.app.desk, actor(Role.CASEWORKER, name=name)) for name in ("Ada", "Bo"))
    eve = client(node.app.desk, actor(Role.PROTECTED, name="Eve"))
    assert "Tilldela en kollega" not in html.unescape(ada.get(path).text)
    assert send(ada, path, do="take", revision=revision(ada, path))[0] == 303
    assert send(eve, f"/sv/arenden/{hidden}", do="take", revision=revision(eve, f"/sv/arenden/{hidden}"))[0] == 303
    choices = dict(map(reversed, re.findall(r'<option value="([^"]+)">(Ada|Bo|Eve)<', bo.get(path).text)))
    assert choices.keys() == {"Eve"}
    status, said = send(bo, path, do="assign", revision=revision(bo, path), to="nobody")
    assert (status, "Välj en kollega" in said) == (400, True)
    assert send(bo, path, do="assign", revision=revision(bo, path), to=choices["Eve"])[0] == 303
    assert "tilldelat en kollega" in html.unescape(bo.get(f"{path}/journal").text)
    choices = dict(map(reversed, re.findall(r'<option value="([^"]+)">(Ada|Bo|Eve)<', bo.get(path).text)))
    assert choices == {}
    # One of a protected identity goes to those alone who work such case files.
    assert "Tilldela en kollega" not in html.unescape(eve.get(f"/sv/arenden/{hidden}").text)


def test_a_protected_case_file_is_invisible_to_all_but_its_role(node: Node) -> None:
    [hidden] = set(files(node, Role.PROTECTED)) - set(files(node, Role.CASEWORKER))
    for role in (Role.CASEWORKER, Role.AUDITOR):
        assert name_of(PROTECTED) not in board(node, role)
        asked = client(node.app.desk, actor(role))
        assert asked.get(f"/sv/arenden/{hidden}").status_code == 404
        # Neither is it told apart from one that is not there.
        assert asked.get(f"/sv/arenden/{hidden}").text == asked.get(f"/sv/arenden/{'0' * 32}").text.replace(
            "0" * 32, hidden
        )
    assert client(node.app.desk, actor(Role.PROTECTED)).get(f"/sv/arenden/{hidden}").status_code == 200


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.ADMINISTRATOR])
def test_who_works_no_case_files_sees_none(role: Role, node: Node) -> None:
    [known] = files(node, Role.CASEWORKER)
    asked = client(node.app.desk, actor(role))
    led = asked.get("/sv/")
    assert led.status_code == 303
    assert name_of(OPEN) not in asked.get(led.headers["location"]).text
    assert asked.get(f"/sv/arenden/{known}").status_code == 403


def test_a_form_without_its_token_is_not_taken(node: Node) -> None:
    [known] = files(node, Role.CASEWORKER)
    asked = client(node.app.desk, actor())
    assert asked.post(f"/sv/arenden/{known}", data={"do": "take", "revision": "1"}).status_code == 409


def test_a_case_file_is_taken_moved_on_assessed_and_closed(node: Node) -> None:
    [known] = files(node, Role.CASEWORKER)
    path = f"/sv/arenden/{known}"
    asked = client(node.app.desk, actor())
    for fields in (
        {"do": "take"},
        {"do": "status", "status": CaseStatus.SCHOOL_ENQUIRY},
        {"do": "absence", "absence": "MISSING", "why": "Ingen svarar."},
        {"do": "classify", "classification": "HELD_ABROAD_SUSPECTED", "why": "Syskonet säger det."},
        {"do": "status", "status": CaseStatus.CLOSED, "outcome": CaseOutcome.RETURNED, "why": "Hemma igen."},
    ):
        status, _ = send(asked, path, revision=revision(asked, path), **fields)
        assert status == 303
    assert files(node, Role.CASEWORKER) == []
    shown = html.unescape(asked.get(path).text)
    assert "Avslutat: Har kommit tillbaka" in shown
    assert "Kim Handläggare" in shown
    # Of the routine that ends with the close nothing is asked any more; held abroad goes on.
    assert "Inte gjorda när ärendet avslutades" in shown
    assert "Ange hur det gick" not in shown.partition("Inte gjorda när ärendet avslutades")[2]


def test_of_two_editors_the_second_is_shown_what_changed_and_loses_nothing(node: Node) -> None:
    [known] = files(node, Role.CASEWORKER)
    path = f"/sv/arenden/{known}"
    first, second = client(node.app.desk, actor(name="Alva Ett")), client(node.app.desk, actor(name="Bo Två"))
    seen = revision(second, path)
    assert send(first, path, do="status", status="ACKNOWLEDGED", revision=seen)[0] == 303
    status, shown = send(second, path, do="classify", classification="ADMIN_LAG", why="Skolan var sen.", revision=seen)
    assert status == 409
    assert "Någon annan har ändrat ärendet" in shown
    assert "Alva Ett: Ny status – Status: Mottaget" in shown
    assert "Skolan var sen." in shown


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "CLOSED", "why": "x"}, "Ange utfallet för att avsluta."),
        ({"status": "CLOSED", "outcome": "RETURNED", "why": "x"}, "Bedöm ärendet innan det avslutas."),
        ({"status": "SUSPENDED", "until": "2026-09-20", "why": "x"}, "Dagen har redan varit."),
        ({"status": "SUSPENDED", "until": "2027-09-20", "why": "x"}, "högst två månader"),
        ({"status": "SUSPENDED", "until": "snart", "why": "x"}, "ÅÅÅÅ-MM-DD"),
        ({"status": "NEW"}, "kan inte väljas nu"),
        ({"status": "GLAD"}, "Välj något i listan."),
    ],
)
def test_what_cannot_be_is_said_in_plain_words_and_changes_nothing(
    fields: dict[str, str], said: str, node: Node
) -> None:
    [known] = files(node, Role.CASEWORKER)
    path = f"/sv/arenden/{known}"
    asked = client(node.app.desk, actor())
    seen = revision(asked, path)
    status, shown = send(asked, path, do="status", revision=seen, **fields)
    assert status == 400
    assert said in shown
    assert revision(asked, path) == seen


def test_no_address_of_a_page_names_a_pupil(node: Node) -> None:
    links = re.findall(r'(?:href|action)="([^"]*)"', board(node, Role.CASEWORKER, Role.PROTECTED))
    for place in (OPEN, PROTECTED, WATCHED):
        assert not [each for each in links if number(place) in each or person(place)["id"] in each]


def test_a_pupil_of_whom_no_export_states_a_name_is_called_by_the_number(node: Node) -> None:
    here = [person(place) for place in range(30)]
    here[OPEN] = person(OPEN, enrolment(end=LAST_DAY), givenName="", familyName="")
    node.take(here)
    [file] = files(node, Role.CASEWORKER)
    assert f">{number(OPEN)}</a>" in board(node, Role.CASEWORKER)
    assert f"<h1>{number(OPEN)}</h1>" in client(node.app.desk, actor()).get(f"/sv/arenden/{file}").text
