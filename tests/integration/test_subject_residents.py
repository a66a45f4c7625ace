"""A child of the list of residents who never was a pupil here: a copy of what is kept, and that it goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from federation.errors import Code, UppropError
from node.casework.tasks.answering import Given
from node.casework.tasks.model import Answer, Task, TaskKind
from node.cli import node as commands
from node.recovery.copies import Copies, restore
from node.settings import open_sealer
from node.store.subjects import Kind, State
from node.store.tasks import Tasks
from tests.harness.console import actor
from tests.integration.node_parties import Federation, Node, keys_of, running
from tests.integration.test_backup import unseen
from tests.integration.test_subject import erasing, export
from tests.unit.node.exports import enrolment, number, person

MEMBER = "0180"
BASELINE, NOW = date(2026, 8, 24), date(2026, 9, 8)
PLACES = SEEN, HIDDEN, LATER = 200, 201, 202


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [MEMBER], BASELINE) as parties:
        parties.day(BASELINE, {MEMBER: [person(place) for place in range(12)]})
        parties.set_today(NOW)
        listed(parties.nodes[MEMBER], tmp_path, *PLACES)
        yield parties


@pytest.fixture
def node(federation: Federation) -> Node:
    return federation.nodes[MEMBER]


def listed(node: Node, directory: Path, *places: int) -> None:
    """The list of residents shows these children, and some of whom nothing is asked."""
    rows = [f"{number(place)};Barn;Nr{place};{'ja' if place == HIDDEN else 'nej'}" for place in (*places, *range(10))]
    path = directory / "residents.csv"
    path.write_text("\n".join(["personnummer;förnamn;efternamn;skyddad", *rows]) + "\n", encoding="utf-8")
    node.app.desk.sources.residents_file(path, node.clock.today(), accept_shrink=True)


def task_of(node: Node, place: int) -> Task | None:
    tasks = Tasks(open_sealer(node.settings))
    found = node.app.database.view("test_task", lambda tx: tasks.of_residents(tx, [number(place)]))
    return next(iter(found), None)


def answer(node: Node, place: int, given: Answer, until: date | None = None) -> None:
    task = task_of(node, place)
    assert task is not None
    node.app.desk.answering.answer(task.task_id, Given(answer=given, why="Intyg.", until=until), actor())


def refused(node: Node, place: int, *, protected: bool = False) -> str:
    with pytest.raises(UppropError) as caught:
        erasing(node).begin(number(place), "Karin Ek", "begärt", protected=protected)
    assert caught.value.code is Code.INPUT_REFUSED
    return caught.value.sentence


def test_a_copy_holds_what_the_list_and_staff_said_and_a_protected_child_is_nobody_to_others(
    federation: Federation, node: Node
) -> None:
    answer(node, SEEN, Answer.ELSEWHERE)
    told = export(node, number(SEEN))
    assert told["identity"] == {"name": f"Barn Nr{SEEN}", "numbers": [number(SEEN)], "protected": False}
    assert told["tasks"][0]["answered"]["why"] == "Intyg."
    assert [(each["table"], each["rows"]) for each in told["kept"]] == [("tasks", 1)]
    for place in (HIDDEN, 203):
        with pytest.raises(UppropError) as caught:
            export(node, number(place))
        assert "or it is not yours to see" in caught.value.sentence
    assert export(node, number(HIDDEN), protected=True)["identity"]["protected"]
    node.close()
    config = str(federation.dev.node(MEMBER))
    shown = CliRunner().invoke(commands, ["subject", "export", number(SEEN), "--by", "Karin Ek", "--config", config])
    assert f"Barn Nr{SEEN}" in shown.output
    assert "lista över folkbokförda barn" in shown.output
    assert "registret. Det har fått pseudonymer" not in shown.output


def test_a_child_whom_nobody_looks_for_any_more_is_erased_at_once_and_comes_back_by_no_copy(
    node: Node, tmp_path: Path
) -> None:
    assert "duty to find out" in refused(node, SEEN)
    assert "not yours to see" in refused(node, HIDDEN)
    answer(node, SEEN, Answer.NOT_DUE, until=NOW + timedelta(days=30))
    assert "looked at again" in refused(node, SEEN)
    listed(node, tmp_path)  # the next list shows none of them
    assert task_of(node, LATER) is not None
    copy = tmp_path / "copy.sqlite"
    Copies(node.app.database, keys_of(node.settings)).make(copy, unseen)
    plan = erasing(node).plan(number(LATER), protected=False)
    assert (plan.rows, plan.takes_back, plan.begun) == ({"tasks": 1}, False, False)
    begun = erasing(node).begin(number(LATER), "Karin Ek", "begärt", protected=False)
    request = erasing(node).requests()[-1]
    assert (request.request_id, request.kind, request.state) == (begun.request_id, Kind.ERASURE, State.DONE)
    assert task_of(node, LATER) is None
    assert "Nothing is kept" in refused(node, LATER)
    node.close()
    restore(node.settings, copy, replace=True, report=unseen)
    node.open()
    assert task_of(node, LATER) is None
    assert task_of(node, SEEN) is not None


def test_what_was_asked_of_a_pupil_before_it_was_one_is_shown_and_goes_with_it(
    federation: Federation, node: Node
) -> None:
    here = [person(place) for place in range(12)]
    preschool = person(LATER, enrolment("2026-09-09", schoolType="FS"))
    federation.day(date(2026, 9, 9), {MEMBER: [*here, preschool]})
    told = export(node, number(LATER))
    assert [(each["kind"], each["name"]) for each in told["tasks"]] == [(TaskKind.NOT_PLACED, f"Barn Nr{LATER}")]
    assert {"tasks", "pupils"} <= {each["table"] for each in told["kept"]}
    federation.day(date(2026, 9, 10), {MEMBER: here})
    erasing(node).begin(number(LATER), "Karin Ek", "begärt", protected=False)
    node.sync()
    assert "Nothing is kept" in refused(node, LATER)
    assert task_of(node, LATER) is None
