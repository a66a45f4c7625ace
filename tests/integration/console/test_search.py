"""Search by number: what is found is noted, and whom somebody may not see reads as nobody known."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from node.casework.actor import Role
from node.casework.files.searching import LIMIT
from tests.harness.console import TOKEN, actor, client
from tests.integration.console.conftest import MEMBER, OPEN, PROTECTED, municipality
from tests.integration.console.test_case_pages import files, name_of
from tests.integration.node_parties import Federation, Node
from tests.unit.node.exports import number

NOBODY = "Ingen känd elev och inget ärende har det numret."
ENROLLED = 12


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """One for all tests here: none of them changes it."""
    with municipality(tmp_path_factory.mktemp("console") / "federation") as parties:
        yield parties


@pytest.fixture(scope="module")
def node(federation: Federation) -> Node:
    return federation.nodes[MEMBER]


def search(
    node: Node, person: str, *roles: Role, partial: bool = False, name: str = "Kim Handläggare"
) -> tuple[int, str]:
    headers = {"HX-Request": "true"} if partial else {}
    form = {"csrf_token": TOKEN, "person": person}
    answer = client(node.app.desk, actor(*roles, name=name)).post("/sv/sok", data=form, headers=headers)
    return answer.status_code, html.unescape(answer.text)


def test_a_case_file_is_found_by_every_spelling_of_the_number_and_noted(node: Node) -> None:
    twelve = number(OPEN)
    page = ""
    for spelt in (twelve, f"{twelve[:8]}-{twelve[8:]}", twelve[2:], f" {twelve} "):
        status, page = search(node, spelt)
        assert status == 200
        assert name_of(OPEN) in page
        assert "/sv/arenden/" in page
    [file_id] = [each for each in files(node, Role.CASEWORKER) if f"/sv/arenden/{each}" in page]
    views = client(node.app.desk, actor(Role.AUDITOR)).get(f"/sv/arenden/{file_id}/visningar").text
    assert views.count("Kim Handläggare") >= 4


def test_a_case_file_is_found_by_what_it_is_called_by_and_a_protected_one_is_not(node: Node) -> None:
    page = client(node.app.desk, actor(Role.CASEWORKER, Role.PROTECTED)).get("/sv/").text
    called = dict(re.findall(r'href="/sv/arenden/([0-9a-f]{32})".*?<span class="meta">(\d{4}-\d{5})</span>', page))
    [known] = set(files(node, Role.CASEWORKER))
    [hidden] = set(called) - {known}
    assert name_of(OPEN) in search(node, f" {called[known]} ")[1]
    assert search(node, called[hidden]) == search(node, "2031-99999")
    assert name_of(PROTECTED) in search(node, called[hidden], Role.PROTECTED)[1]


def test_a_pupil_without_a_case_file_is_said_to_have_none(node: Node) -> None:
    _, page = search(node, number(ENROLLED))
    assert name_of(ENROLLED) in page
    assert "Inget ärende finns om eleven." in page


def test_a_protected_pupil_reads_as_nobody_known_but_for_that_role(node: Node) -> None:
    unknown, hidden = search(node, number(9_999)), search(node, number(PROTECTED))
    assert hidden == unknown
    assert NOBODY in hidden[1]
    assert search(node, number(PROTECTED), Role.AUDITOR) == search(node, number(9_999), Role.AUDITOR)
    assert name_of(PROTECTED) in search(node, number(PROTECTED), Role.PROTECTED)[1]


def test_principals_and_administrators_search_for_nobody(node: Node) -> None:
    for role in (Role.PRINCIPAL, Role.ADMINISTRATOR):
        assert search(node, number(OPEN), role)[0] == 403


def test_a_part_of_the_page_is_given_where_a_part_is_asked_for(node: Node) -> None:
    status, part = search(node, number(OPEN), partial=True)
    assert (status, "<html" in part, name_of(OPEN) in part) == (200, False, True)


def test_somebody_who_leafs_through_numbers_is_stopped_and_others_are_not(node: Node) -> None:
    for place in range(LIMIT.calls):
        assert search(node, number(place + 5_000), name="Bläddrare")[0] == 200
    status, page = search(node, number(OPEN), name="Bläddrare")
    assert status == 429
    assert name_of(OPEN) not in page
    assert search(node, number(OPEN))[0] == 200


def test_figures_count_what_each_person_may_see(node: Node) -> None:
    def opened(role: Role) -> str:
        page = client(node.app.desk, actor(role)).get("/sv/statistik").text
        return page.split('<p class="number">')[1].split("<")[0]

    shown, hidden = len(files(node, Role.CASEWORKER)), len(files(node, Role.PROTECTED))
    assert hidden == shown + 1
    assert (opened(Role.CASEWORKER), opened(Role.AUDITOR), opened(Role.PROTECTED)) == (
        str(shown),
        str(shown),
        str(hidden),
    )
