"""Checklists and their pages: who may take a step, what follows from it, what is said of what cannot be taken."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest
from starlette.testclient import TestClient

from federation.rules.vocabulary import CaseOutcome, CaseStatus
from federation.web.i18n import Language
from node.casework.actor import Role
from node.casework.files.model import CaseFile, Classification, FileId
from node.casework.journal.model import MAX_NOTE, EntryKind
from node.casework.routines.checklist import Line, LineName, StepDoneError, StepError
from node.casework.routines.model import HELD_ABROAD, MISSING_PUPIL, PROTECTED_IDENTITY, CountsAs
from tests.harness.console import TOKEN, actor, client
from tests.integration.console.conftest import DUE_PAST
from tests.integration.node_parties import Node

HANDLER, KEEPER = actor(Role.CASEWORKER), actor(Role.PROTECTED, name="Robin Särskild")


def files(node: Node) -> dict[bool, CaseFile]:
    """Protected or not → the case file."""
    desk = node.app.desk
    found = desk.database.view("test_files", lambda tx: desk.showing.board(tx, KEEPER))
    named = [named.line.file for named in found if named.line.file is not None]
    return {file.protected: file for file in named}


def lines(node: Node, file_id: FileId) -> dict[str, Line]:
    """Step → its newest round, of the routine begun last that has it."""
    desk = node.app.desk
    found = desk.database.view("test_lines", lambda tx: desk.routines.checklist(tx, file_id))
    return {line.step.id: line for line in sorted(found, key=lambda each: (each.name.run, each.name.round))}


def finish(node: Node, file_id: FileId, step: str, outcome: str, who: object = HANDLER, **more: object) -> Line:
    desk, name = node.app.desk, lines(node, file_id)[step].name
    return desk.database.run(
        "test_finish",
        lambda tx: desk.routines.finish(tx, file_id, name, outcome, who, **more),  # type: ignore[arg-type]
    )


def send(asked: TestClient, file: CaseFile, line: LineName, **fields: str) -> tuple[int, str]:
    told = {"run": str(line.run), "step": line.step_id, "round": str(line.round), **fields}
    address = f"/sv/arenden/{file.file_id.hex()}/checklista"
    answer = asked.post(address, data={"csrf_token": TOKEN, **told})
    return answer.status_code, html.unescape(answer.text)


def test_a_case_file_begins_with_the_routine_of_its_kind_and_its_clocks(node: Node) -> None:
    opened = files(node)
    assert {line.routine.name for line in lines(node, opened[True].file_id).values()} == {PROTECTED_IDENTITY}
    found = lines(node, opened[False].file_id)
    assert {line.routine.name for line in found.values()} == {MISSING_PUPIL}
    begun = opened[False].opened_on
    assert found["folkbokforing"].due_on == begun
    assert found["orsak"].due_on == begun
    school = node.app.desk.showing._calendar()
    for step, count in {"kontakter": 3, "brev": 5, "hembesok": 5, "hemkommunen": 10, "gemensam-bedomning": 20}.items():
        assert found[step].due_on == school.nth_on_or_after(begun, count + 1)
    assert found["inte-passivt"].due_on == date(begun.year, begun.month + 2, begun.day)
    # What outcomes lead to has not begun.
    assert not {"orosanmalan", "socialtjanstens-beslut", "utlandsvistelse"} & found.keys()
    due = node.app.desk.database.view(
        "test_due", lambda tx: node.app.desk.routines.next_due(tx, [file.file_id for file in opened.values()])
    )
    assert due[opened[False].file_id].due_on == begun


def test_the_register_is_asked_first_and_by_its_role_alone_but_a_worry_never_waits(node: Node) -> None:
    file_id = files(node)[False].file_id
    assert [step.id for step in lines(node, file_id)["kontakter"].waits_for] == ["folkbokforing"]
    with pytest.raises(StepError, match=r"step\.error\.waits"):
        finish(node, file_id, "kontakter", "onabar")
    with pytest.raises(StepError, match=r"step\.error\.role"):
        finish(node, file_id, "folkbokforing", "inget-hinder")
    finish(node, file_id, "ny-oro", "oro", note="Mormor ringde.")
    report = lines(node, file_id)["orosanmalan"]
    assert (report.due_on, report.waits_for, report.step.counts_as) == (DUE_PAST, (), CountsAs.WORRY_REPORT)
    # It can be told again.
    assert lines(node, file_id)["ny-oro"].open
    finish(node, file_id, "orosanmalan", "anmald")
    assert lines(node, file_id)["socialtjanstens-beslut"].due_on == date(2026, 10, 5)
    finish(node, file_id, "folkbokforing", "inget-hinder", KEEPER)
    finish(node, file_id, "kontakter", "onabar")
    assert lines(node, file_id)["kontakter"].outcome is not None


def test_a_follow_up_comes_again_until_it_ends_and_a_step_is_done_once(node: Node) -> None:
    desk, file = node.app.desk, files(node)[False]
    file_id = file.file_id
    desk.database.run("test_begin", lambda tx: desk.routines.start(tx, file, HELD_ABROAD, DUE_PAST))
    first = finish(node, file_id, "uppfoljning", "fyllt-18", note="Har fyllt 18.", next_on=date(2026, 12, 1))
    again = lines(node, file_id)["uppfoljning"]
    assert (again.name.round, again.due_on, again.open) == (2, date(2026, 12, 1), True)
    with pytest.raises(StepDoneError) as caught:
        desk.database.run(
            "test_finish", lambda tx: desk.routines.finish(tx, file_id, first.name, "fortsatter", HANDLER, "igen")
        )
    assert caught.value.line.outcome == first.outcome
    with pytest.raises(StepError, match=r"step\.error\.past"):
        finish(node, file_id, "uppfoljning", "fortsatter", note="x", next_on=date(2026, 9, 1))
    goes_on = desk.database.view("test_goes_on", lambda tx: desk.routines.goes_on(tx, file_id))
    assert [routine.past_18 for routine in goes_on] == [True]
    finish(node, file_id, "uppfoljning", "inte-hallen", note="Två har prövat det.")
    assert all(line.lapsed for line in lines(node, file_id).values() if line.open and line.routine.name == HELD_ABROAD)
    assert desk.database.view("test_goes_on", lambda tx: desk.routines.goes_on(tx, file_id)) == ()


def test_what_is_due_after_the_close_is_only_what_outlives_it(node: Node) -> None:
    desk, file = node.app.desk, files(node)[False]
    desk.database.run("test_begin", lambda tx: desk.routines.start(tx, file, HELD_ABROAD, DUE_PAST))
    stands = desk.case_files.classify(
        file.file_id, file.revision, Classification.HELD_ABROAD_CONFIRMED, HANDLER, why="Intyg."
    )
    desk.case_files.set_status(
        file.file_id, stands.revision, CaseStatus.CLOSED, HANDLER, why="18 år.", outcome=CaseOutcome.NO_LONGER_DUE
    )
    due = desk.database.view("test_due", lambda tx: desk.routines.due(tx, [file.file_id]))
    assert {each.routine.name for each in due} == {HELD_ABROAD}


def test_a_protected_identity_found_takes_the_case_file_out_of_ordinary_sight(node: Node) -> None:
    file = files(node)[False]
    both = client(node.app.desk, actor(Role.PROTECTED))
    status, _ = send(both, file, lines(node, file.file_id)["folkbokforing"].name, outcome="skyddad")
    assert status == 303
    ordinary = client(node.app.desk, HANDLER)
    assert ordinary.get(f"/sv/arenden/{file.file_id.hex()}/checklista").status_code == 404
    assert file.reference not in ordinary.get("/sv/uppfoljningar?all=1").text
    found = lines(node, file.file_id)
    assert found["kontakter"].lapsed
    assert found["bekrafta-skydd"].open


def test_what_cannot_be_taken_is_said_and_what_was_typed_stays(node: Node) -> None:
    file = files(node)[False]
    asked = client(node.app.desk, HANDLER)
    reason = lines(node, file.file_id)["orsak"].name
    for fields, said in (
        ({"outcome": ""}, "Välj hur det gick"),
        ({"outcome": "oro"}, "kräver en anteckning"),
        ({"outcome": "oro", "note": "x" * (MAX_NOTE + 1)}, "har 100\N{NO-BREAK SPACE}001 tecken"),
        ({"outcome": "oro", "note": "Behåll mig", "done_on": "2026-12-01"}, "Dagen har inte varit än"),
        ({"outcome": "oro", "note": "Behåll mig", "done_on": "2020-01-01"}, "Ange den dagen eller en senare"),
        ({"outcome": "oro", "note": "Behåll mig", "done_on": "i går"}, "Dagen går inte att läsa"),
    ):
        status, page = send(asked, file, reason, **fields)
        assert status == 422
        assert said in page
        assert fields.get("note", "")[:10] in page
    assert lines(node, file.file_id)["orsak"].open
    # Two people, and the same form sent twice: the second is told, and nothing of theirs is lost.
    assert send(asked, file, reason, outcome="ingen-oro", note="<script>alert(1)</script>")[0] == 303
    status, page = send(client(node.app.desk, actor(name="Sam Andra")), file, reason, outcome="oro", note="Behåll mig")
    assert status == 409
    for said in ("Någon annan har redan gjort steget", "Ingen oro i nuläget", "Kim Handläggare", "Behåll mig"):
        assert said in page
    shown = asked.get(f"/sv/arenden/{file.file_id.hex()}/checklista").text
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    entries = node.app.database.view("test_journal", lambda tx: node.app.desk.journal.of_file(tx, file.file_id))
    assert [entry.kind for entry in entries].count(EntryKind.STEP) == 1


def test_the_pages_of_routines_speak_both_languages_and_print_for_a_child_alone(node: Node) -> None:
    file = files(node)[False]
    asked = client(node.app.desk, HANDLER)
    for address in (
        f"/sv/arenden/{file.file_id.hex()}",
        f"/en/cases/{file.file_id.hex()}/checklist",
        "/sv/uppfoljningar",
        "/en/follow-ups?all=1",
        "/sv/rutiner",
        "/en/routines/saknad-elev",
        "/sv/rutiner/hallen-utomlands",
        "/sv/hjalp",
        "/en/help",
    ):
        answer = asked.get(address)
        assert answer.status_code == 200, address
    assert asked.get("/sv/rutiner/finns-inte").status_code == 404
    assert asked.get("/sv/utskrifter/barn/xx").status_code == 404
    for leaflet in node.app.desk.leaflets.all():
        page = asked.get(f"/sv/utskrifter/barn/{leaflet.language}").text
        assert f'<html lang="{leaflet.language}" dir="{leaflet.direction}">' in page
        paper = html.unescape(page[page.index("<main") :])
        assert leaflet.child.title in paper
        assert "116 111" in paper
        for telling in (node.app.desk.member_name or "Kommun", "Upprop", file.reference, "Bris", "Kim"):
            assert telling not in paper
        assert "<title>" + leaflet.child.title + "</title>" in page
        assert leaflet.family.title in html.unescape(asked.get(f"/en/prints/family/{leaflet.language}").text)


def test_a_routine_that_is_not_in_order_is_told_in_the_reader_s_language(node: Node) -> None:
    text = """
name: egen
edition: 1
title: {sv: "Egen"}
summary: {sv: "Egen rutin"}
steps:
  - {id: a, title: {sv: "A"}, text: {sv: "A"}, role: caseworker, due: {school_days: -2},
     outcomes: [{id: ja, title: {sv: "Ja"}, then: [b, saknas]}]}
  - {id: b, title: {sv: "B"}, text: {sv: "B"}, role: caseworker, due: {days: 1},
     outcomes: [{id: ja, title: {sv: "Ja"}, then: [a]}]}
"""
    asked = client(node.app.desk, actor(Role.ADMINISTRATOR))
    for language, said in (
        (
            Language.SWEDISH,
            ("ligger i det förflutna", "inget steg som heter ”saknas”", "Stegen går i cirkel: a → b → a"),
        ),
        (Language.ENGLISH, ("lies in the past", "no step called “saknas”", "The steps go in a circle: a → b → a")),
    ):
        address = "/sv/rutiner" if language is Language.SWEDISH else "/en/routines"
        answer = asked.post(address, data={"csrf_token": TOKEN, "content": text})
        assert answer.status_code == 422
        for sentence in said:
            assert sentence in html.unescape(answer.text)


_FORM = re.compile(r'name="step" value="([^"]+)"')


def test_an_auditor_reads_the_checklist_and_takes_no_step(node: Node) -> None:
    file = files(node)[False]
    address = f"/sv/arenden/{file.file_id.hex()}/checklista"
    auditor = client(node.app.desk, actor(Role.AUDITOR))
    assert _FORM.findall(auditor.get(address).text) == []
    assert send(auditor, file, lines(node, file.file_id)["orsak"].name, outcome="oro", note="x")[0] == 403
    assert "orsak" in _FORM.findall(client(node.app.desk, HANDLER).get(address).text)
    assert client(node.app.desk, actor(Role.PRINCIPAL)).get(address).status_code == 403
