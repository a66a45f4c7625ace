"""An ordinary case worker who wants to learn of what the protected-identity role keeps to itself."""

from __future__ import annotations

import html
from datetime import date

from node.casework.actor import SYSTEM, Role
from node.casework.files.model import OpenedFor
from node.casework.persons import find_person
from node.casework.tasks.model import About, TaskKind
from node.settings import open_sealer
from node.store import Transaction
from node.store.imports import Imports
from node.store.pupils import Pupils
from node.store.tasks import New, Tasks
from tests.harness.console import TOKEN, actor, client
from tests.integration.console.conftest import federation, node, played
from tests.integration.node_parties import Node
from tests.unit.node.exports import number

__all__ = ["federation", "node", "played"]

TODAY = date(2026, 9, 21)


def test_a_resident_who_becomes_protected_is_hidden_though_the_task_was_made_before(node: Node) -> None:
    tasks = Tasks(open_sealer(node.settings))

    def ask(*, protected: bool) -> None:
        about = About(TODAY, "199801019990", "Alva Gömd")
        new = New(TaskKind.NOT_PLACED, b"somebody", about, TODAY, None, protected)
        node.app.database.run("test_ask", lambda tx: tasks.ask(tx, [new], TODAY))

    def shown(*, protected: bool) -> bool:
        return bool(node.app.database.view("test_open", lambda tx: tasks.open(tx, protected=protected)))

    ask(protected=False)
    assert shown(protected=False)
    ask(protected=True)
    assert (shown(protected=False), shown(protected=True)) == (False, True)
    [task] = node.app.database.view("test_open", lambda tx: tasks.open(tx, protected=True))
    node.app.database.run("test_drop", lambda tx: tasks.drop(tx, [task.task_id], TODAY))
    ask(protected=True)
    assert (shown(protected=False), shown(protected=True)) == (False, True)
    assert client(node.app.desk, actor()).get(f"/sv/uppgifter/{task.task_id.hex()}").status_code == 404


def test_an_answer_about_a_pupil_whose_case_file_is_hidden_tells_nothing_of_it(node: Node) -> None:
    desk, tasks = node.app.desk, Tasks(open_sealer(node.settings))
    place = 7

    def hide(tx: Transaction) -> bytes:
        sealer = open_sealer(node.settings)
        pupil_id = find_person(tx, number(place), TODAY, Pupils(sealer), Imports(sealer))
        assert pupil_id is not None
        file = desk.case_files.open_in(tx, pupil_id, OpenedFor.WORRY, "Oro.", SYSTEM, protected=False)
        desk.case_files.protect(tx, file.file_id, SYSTEM)
        tasks.ask(tx, [New(TaskKind.ABSENCE, b"absent", About(TODAY), TODAY, pupil_id)], TODAY)
        return bytes(file.file_id)

    hidden = node.app.database.run("test_hide", hide)
    [task] = node.app.database.view("test_open", lambda tx: tasks.open(tx, protected=False, kinds=[TaskKind.ABSENCE]))
    answer = client(desk, actor()).post(
        f"/sv/uppgifter/{task.task_id.hex()}",
        data={"csrf_token": TOKEN, "answer": "MISSING", "why": "Ingen svarar.", "on": "2026-09-18"},
    )
    assert answer.status_code == 303
    assert hidden.hex() not in answer.headers["location"]
    shown = client(desk, actor(Role.PROTECTED)).get(f"/sv/arenden/{hidden.hex()}")
    assert "Ingen svarar." in html.unescape(shown.text)
