"""A case file is opened by hand, and whoever tells learns nothing of what was there."""

from __future__ import annotations

import html

from node.casework.actor import Role
from tests.harness.console import TOKEN, actor, client
from tests.integration.console.conftest import PROTECTED
from tests.integration.console.test_case_pages import board, files, name_of
from tests.integration.node_parties import Node
from tests.unit.node.exports import number

ENROLLED = 12


def tell(node: Node, role: Role = Role.PRINCIPAL, *, place: int = ENROLLED, **fields: str) -> tuple[int, str, str]:
    form = {"person": number(place), "what": "WORRY", "why": "Kom inte efter lovet."} | fields
    answer = client(node.app.desk, actor(role)).post("/sv/oro", data={"csrf_token": TOKEN, **form})
    return answer.status_code, answer.headers.get("location", ""), html.unescape(answer.text)


def test_a_principal_tells_of_a_worry_and_one_case_file_stands_on_the_board(node: Node) -> None:
    before = len(files(node, Role.CASEWORKER))
    assert tell(node)[:2] == (303, "/sv/oro?said=worry-told")
    assert tell(node, why="Syskonet säger Somalia.")[0] == 303
    assert name_of(ENROLLED) in board(node, Role.CASEWORKER)
    known = files(node, Role.CASEWORKER)
    assert len(known) == before + 1
    node.sync()
    assert len(files(node, Role.CASEWORKER)) == before + 1
    pages = [client(node.app.desk, actor()).get(f"/sv/arenden/{file}").text for file in known]
    assert any("Syskonet säger Somalia." in html.unescape(page) for page in pages)


def test_a_worry_that_its_form_sends_twice_is_told_once(node: Node) -> None:
    before = len(files(node, Role.CASEWORKER))
    for form, why in (("a" * 32, "Kom inte."), ("b" * 32, "Syskonet säger Somalia.")):
        for _ in range(2):
            assert tell(node, form=form, why=why)[:2] == (303, "/sv/oro?said=worry-told")
    known = files(node, Role.CASEWORKER)
    assert len(known) == before + 1
    journals = [html.unescape(client(node.app.desk, actor()).get(f"/sv/arenden/{file}/journal").text) for file in known]
    [journal] = [each for each in journals if "Somalia" in each]
    assert (journal.count("Kom inte."), journal.count("Syskonet säger Somalia.")) == (1, 1)


def test_gone_though_enrolled_is_a_case_file_at_once_and_its_gap_makes_no_second_one(node: Node) -> None:
    before = len(files(node, Role.CASEWORKER))
    assert tell(node, Role.CASEWORKER, what="GONE", since="2026-09-17")[0] == 303
    assert len(files(node, Role.CASEWORKER)) == before + 1
    node.sync()
    known = files(node, Role.CASEWORKER)
    assert len(known) == before + 1
    pages = [html.unescape(client(node.app.desk, actor()).get(f"/sv/arenden/{file}").text) for file in known]
    [page] = [page for page in pages if name_of(ENROLLED) in page]
    assert "Utan skola sedan" in page


def test_of_a_protected_pupil_the_teller_sees_what_they_see_of_any_other(node: Node) -> None:
    hidden, shown = len(files(node, Role.PROTECTED)), board(node, Role.CASEWORKER)
    assert tell(node, Role.CASEWORKER, place=PROTECTED) == tell(node, Role.CASEWORKER, place=PROTECTED)
    assert tell(node, Role.CASEWORKER, place=PROTECTED)[:2] == (303, "/sv/oro?said=worry-told")
    assert board(node, Role.CASEWORKER) == shown
    assert len(files(node, Role.PROTECTED)) == hidden


def test_what_cannot_be_taken_is_said_and_what_was_typed_stays(node: Node) -> None:
    wrong: tuple[tuple[dict[str, str], str], ...] = (
        ({"person": number(77)}, "Ingen elev med det personnumret"),
        ({"why": ""}, "Skriv vad som har hänt"),
        ({"why": "x" * 5_001}, "Skriv vad som har hänt"),
        ({"what": "?"}, "Välj vad det gäller."),
        ({"what": "GONE", "since": "2027-01-01"}, "Den får inte ligga i framtiden."),
        ({"what": "GONE", "since": "1826-01-01"}, "Kontrollera uppgifterna"),
    )
    for fields, sentence in wrong:
        status, location, page = tell(node, Role.PRINCIPAL, place=ENROLLED, **fields)
        assert (status, location) == (400, "")
        assert sentence in page
        if fields.get("why") is None:
            assert "Kom inte efter lovet." in page
    assert tell(node, Role.ADMINISTRATOR)[0] == 403
