"""A drill leaves everybody else alone: lists, counts and pupils, at its own member and at others."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from federation.errors import UppropError
from federation.observability import Log
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import Policy
from federation.v1 import control_pb2
from node.drill.drilling import Drilling
from node.drill.observability import DrillMetrics
from node.drill.pupil import random_number
from node.settings import open_sealer
from node.store.imports import Imports
from node.store.pupils import Pupils
from node.store.schema_drills import drills
from registry.store.schema import members, signals
from tests.integration.drill_parties import BASELINE, MALMO, STOCKHOLM, drill, joined, roll, rows
from tests.integration.node_parties import Federation, Node, running
from tests.unit.node.exports import enrolment, person

SHOWN = date(2026, 9, 7)
DUE = date(2026, 9, 18)


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        yield joined(parties)


def seen(node: Node) -> list[Any]:
    """All that the node shows of its pupils to anybody; the ledger's leaves are of batches, whatever they hold."""
    handlers = node.app.handlers
    lists = [
        handlers["ListCases"](control_pb2.ListCasesRequest(all_gaps=all_gaps, protected=protected))
        for all_gaps in (False, True)
        for protected in (False, True)
    ]
    status, waiting = handlers["Status"](control_pb2.StatusRequest()), handlers["Review"](control_pb2.ReviewRequest())
    lines = {line.name: line.value for line in status.lines if line.name != "ledger"}
    pupils = Pupils(open_sealer(node.settings))
    roster = node.app.database.view("test_roster", pupils.roster)
    return [*lists, lines, waiting, roster]


def number_of(node: Node) -> str:
    """The test number of the newest drill."""
    pupils = Pupils(open_sealer(node.settings))
    pupil_id = rows(node.app, drills.c.drill_id, drills.c.pupil_id)[-1][1]
    number = node.app.database.view("test_pupil", lambda tx: pupils.load(tx, pupil_id)).identity.number
    assert number is not None
    return number.number


def play(federation: Federation, between: Any = lambda _step: None) -> list[Any]:
    """A term with a leaver who is nowhere, one who moved and one who is urgently looked for; what both members show."""
    leavers = [person(0, enrolment(end="2026-09-04")), person(1, enrolment(end="2026-09-04")), *roll(2, 28)]
    arrivals = [*roll(100), person(1, enrolment("2026-09-07"))]
    shown: list[Any] = []
    for today in (SHOWN, SHOWN + timedelta(days=7), DUE, DUE + timedelta(days=3)):
        federation.set_today(today)
        for member, persons in ((STOCKHOLM, leavers), (MALMO, arrivals)):
            federation.nodes[member].take(persons)
        between("imported")
        for node in federation.nodes.values():
            node.sync()
        federation.close_day()
        between("closed")
        for node in federation.nodes.values():
            node.sync(notices_only=True)
        shown.append([seen(node) for node in federation.nodes.values()])
        shown.append(rows(federation.registry_app, members.c.member, members.c.last_contact, members.c.roster))
    return shown


def test_all_that_nodes_show_is_the_same_with_and_without_drills(federation: Federation, tmp_path: Path) -> None:
    def drill_everywhere(step: str) -> None:
        for node in federation.nodes.values():
            drill(node)
        if step == "closed":
            federation.close_day()
            for node in federation.nodes.values():
                assert drill(node, begin=False).state == "PASSED"

    with_drills = play(federation, drill_everywhere)
    with running(tmp_path / "without", [STOCKHOLM, MALMO], BASELINE) as other:
        assert play(joined(other)) == with_drills
    assert len(rows(federation.registry_app, signals.c.handle, where=signals.c.drill)) == 8


def test_a_drill_under_way_or_failed_shows_nowhere_but_in_its_own_report(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    before = seen(node)
    for stopped in (True, False):
        for index in (1, 2):
            server = federation.evaluators[index]
            server.stop() if stopped else server.start()
        drill(node)
        assert seen(node) == before
    federation.close_day()
    for _ in range(3):
        drill(node)
        assert seen(node) == before


def test_an_import_neither_counts_nor_misses_the_pupil_of_a_drill(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    drill(node)
    federation.close_day()
    drill(node)
    federation.set_today(SHOWN)
    node.take(roll(0)[:-2])
    report = node.app.database.view("test_report", Imports(open_sealer(node.settings)).newest)
    assert report is not None
    assert (report.persons, report.changed, report.vanished) == (28, 0, 2)


def test_a_child_who_bears_the_number_of_a_drill_is_a_child_like_any_other(federation: Federation) -> None:
    """Only in trials, where every pupil bears a test number: the drill is neither answered nor found by it."""
    stockholm, malmo = federation.nodes[STOCKHOLM], federation.nodes[MALMO]
    drill(stockholm)
    number = {"civicNo": {"value": number_of(stockholm), "nationality": "SE"}}

    def both(today: date, *until: str) -> None:
        enrolled = enrolment("2026-08-25", *until)
        here, there = (person(place, enrolled, **number) for place in (50, 150))
        federation.day(today, {STOCKHOLM: [*roll(0), here], MALMO: [*roll(100), there]})

    both(date(2026, 8, 25))
    # Though two schools have a pupil of this number, the drill is opened.
    assert drill(stockholm, begin=False).steps[4].state == "DONE"
    both(date(2026, 8, 26))
    assert drill(stockholm, begin=False).state == "PASSED"
    for today in (date(2026, 9, 14), date(2026, 9, 21), date(2026, 9, 28)):
        both(today, "2026-09-10")
    for node, place in ((stockholm, 50), (malmo, 150)):
        [case] = [case for case in node.cases() if case.person_id == person(place)["id"]]
        assert (case.state, case.linked) == ("OPEN", True)


def test_a_clerk_who_types_the_number_of_a_drill_finds_nobody(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    drill(node)
    number = number_of(node)
    request = control_pb2.SayRequest(person=number, what="met", said_by="Ada Berg")
    with pytest.raises(UppropError) as refused:
        node.app.handlers["Say"](request)
    assert "known here" in refused.value.sentence
    assert number not in refused.value.sentence


def test_a_drill_takes_no_number_that_a_pupil_or_a_drill_has_borne(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    borne, free, second = [700, 0], [1_400, 0], [2_100, 0]
    today = federation.clock.today()
    number = random_number(today, drawing(borne))
    node.take([*roll(0), person(60, civicNo={"value": number.number, "nationality": "SE"})])

    drilling(node, [*borne, *free]).begin()
    assert number_of(node) == random_number(today, drawing(free)).number
    for _ in range(2):
        drill(node)
        federation.close_day()
    assert drill(node).state == "PASSED"
    drilling(node, [*borne, *free, *second]).begin()
    assert number_of(node) == random_number(today, drawing(second)).number


def drilling(node: Node, drawn: Sequence[int]) -> Drilling:
    """The node's drills, with the random numbers they will draw."""
    return Drilling(
        database=node.app.database,
        sealer=open_sealer(node.settings),
        member=node.app.member,
        rules=lambda: (Policy(), SchoolCalendar()),
        clock=node.clock,
        metrics=DrillMetrics(CollectorRegistry()),
        log=Log(io.StringIO()),
        below=drawing(drawn),
    )


def drawing(drawn: Sequence[int]) -> Callable[[int], int]:
    draws = iter(drawn)
    return lambda _below: next(draws)
