"""What people state, played through real evaluators and a real registry: which case opens, and what answers it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from federation.descriptor_file import PolicyValues
from federation.rules.vocabulary import GapState, Policy
from node.casework.questions import Question, Questions
from node.settings import open_sealer
from node.store.notices import Notices
from node.store.pupils import Pupils
from node.store.sayings import Sayings
from registry.store import schema
from tests.integration.node_parties import Federation, Node, NodeStores, running
from tests.unit.node.exports import enrolment, number, person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE = date(2026, 8, 24)
SHOWN = date(2026, 9, 7)
LAST_DAY, SINCE = "2026-09-04", date(2026, 9, 5)
DUE = date(2026, 9, 18)
PEOPLE = 20


@pytest.fixture
def federation(tmp_path: Path, node_stores: NodeStores) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, stores=node_stores) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        yield parties


@pytest.fixture
def stockholm(federation: Federation) -> Node:
    return federation.nodes[STOCKHOLM]


@pytest.fixture
def malmo(federation: Federation) -> Node:
    return federation.nodes[MALMO]


def roll(first: int, *changed: dict[str, Any]) -> list[dict[str, Any]]:
    """A municipality's pupils, those changed in place of themselves."""
    ids = {each["id"] for each in changed}
    same = [person(place) for place in range(first, first + PEOPLE)]
    return [each for each in same if each["id"] not in ids] + list(changed)


def left(place: int, **fields: Any) -> dict[str, Any]:
    return person(place, enrolment(end=LAST_DAY), **fields)


def arrived(place: int, **fields: Any) -> dict[str, Any]:
    return person(place, enrolment("2026-09-07"), **fields)


def civic(place: int, *, coordination: bool = False) -> dict[str, str]:
    return {"value": number(place, coordination=coordination), "nationality": "SE"}


def say(node: Node, place: int, what: str, on: date, **fields: Any) -> None:
    """State it, and have a second person agree where one has to."""
    saying_id, waits = node.app.sayings.say(number(place), what, on=on, said_by="Ada Berg", **fields)
    if waits:
        node.app.sayings.review(saying_id, "Bo Lind")


def states(node: Node) -> list[str]:
    return [gap.state for gap in node.gaps()]


def questions(node: Node) -> tuple[Question, ...]:
    sealer = open_sealer(node.settings)
    standing = Questions(Pupils(sealer), Notices(), Sayings(sealer)).standing
    today = node.clock.today()
    return node.app.database.view("test_questions", lambda tx: standing(tx, today, protected=True))


def retracted(federation: Federation) -> list[bool]:
    """Of every handle at the registry, whether it was taken back."""
    query = select(schema.signals.c.retracted).order_by(schema.signals.c.retracted)
    return federation.registry_app.database.view("test_retracted", lambda tx: list(tx.scalars(query)))


def test_one_gone_though_enrolled_is_answered_only_by_someone_who_saw_the_pupil(
    federation: Federation, stockholm: Node, malmo: Node
) -> None:
    both = {STOCKHOLM: roll(0), MALMO: roll(100, arrived(1))}
    federation.day(SHOWN, both)
    say(stockholm, 1, "gone", date(2026, 9, 4))
    stockholm.sync()
    [case] = stockholm.cases()
    # At once, before any close: the registry has not been heard.
    assert (case.effective_date, case.opened_on, case.opened_by) == (SINCE, SHOWN, "immediate")
    assert questions(malmo) == ()
    federation.day(date(2026, 9, 8), both)
    assert states(stockholm) == [GapState.OPEN]
    [question] = questions(malmo)
    assert (question.number, question.asked_on) == (number(1), date(2026, 9, 8))
    # What the school enters afterwards makes the case no smaller.
    federation.day(date(2026, 9, 9), {STOCKHOLM: roll(0, left(1)), MALMO: roll(100, arrived(1))})
    assert states(stockholm) == [GapState.OPEN]
    say(malmo, 1, "met", date(2026, 9, 9))
    assert questions(malmo) == ()
    federation.day(date(2026, 9, 10), {})
    assert [(gap.state, gap.state_since) for gap in stockholm.gaps()] == [(GapState.ANSWERED, date(2026, 9, 10))]


def test_a_resident_in_no_export_is_looked_for_once_a_second_person_agrees(
    federation: Federation, stockholm: Node
) -> None:
    federation.publish(2, policy=PolicyValues.of(Policy(second_person=True)))
    federation.set_today(SHOWN)
    saying_id, _ = stockholm.app.sayings.say(number(77), "not-placed", on=SHOWN, said_by="Ada Berg")
    assert stockholm.sync().submitted == 0
    stockholm.app.sayings.review(saying_id, "Bo Lind")
    assert stockholm.sync().submitted == 1
    due = date(2026, 9, 18)
    federation.day(due, {})
    [case] = stockholm.cases()
    assert (case.kind, case.number, case.opened_on) == ("NOT_PLACED", number(77), due)
    federation.day(date(2026, 9, 21), {MALMO: roll(100, person(77, enrolment("2026-09-21")))})
    assert states(stockholm) == [GapState.ANSWERED]
    # A place that is lost again is no place.
    federation.day(date(2026, 9, 28), {MALMO: roll(100, person(77, enrolment("2026-09-21", "2026-09-25")))})
    assert states(stockholm) == [GapState.OPEN]


def test_a_planned_start_postpones_the_case_and_no_longer_than_ten_school_days(
    federation: Federation, stockholm: Node
) -> None:
    federation.day(SHOWN, {STOCKHOLM: roll(0, left(1), left(2)), MALMO: roll(100)})
    say(stockholm, 1, "planned-start", date(2026, 9, 24))
    say(stockholm, 2, "planned-start", date(2027, 1, 11))
    seen: dict[date, int] = {}
    for day in (DUE, date(2026, 9, 23), date(2026, 9, 24), date(2026, 10, 1), date(2026, 10, 2)):
        federation.day(day, {})
        seen[day] = len(stockholm.cases())
    assert list(seen.values()) == [0, 0, 1, 1, 2]


def test_a_corrected_typing_error_takes_the_handle_back_and_meets_under_the_right_number(
    federation: Federation, stockholm: Node
) -> None:
    wrong = left(1, civicNo=civic(88))
    federation.day(SHOWN, {STOCKHOLM: roll(0, wrong), MALMO: roll(100)})
    # The number of the baseline was replaced by another: assumed protected, never sent, open here at once.
    assert [(gap.route, gap.opened_on) for gap in stockholm.cases()] == [("renumbered", SHOWN)]
    assert retracted(federation) == []
    stockholm.app.sayings.say(number(88), "typing-error", said_by="Ada Berg")
    federation.day(date(2026, 9, 8), {MALMO: roll(100, person(88, enrolment("2026-09-07")))})
    assert retracted(federation) == [False, False]
    federation.day(DUE, {})
    assert GapState.OPEN not in states(stockholm)
    assert stockholm.cases() == ()
    # Another correction, of a number that was sent: its handle is taken back.
    right = left(1, civicNo=civic(89))
    federation.day(date(2026, 9, 21), {STOCKHOLM: roll(0, right)})
    stockholm.app.sayings.say(number(89), "typing-error", said_by="Ada Berg")
    federation.day(date(2026, 9, 22), {})
    assert retracted(federation) == [False, False, True]
    assert [gap.number for gap in stockholm.cases()] == [number(89)]


def test_a_personnummer_after_a_samordningsnummer_meets_whoever_knows_either(
    federation: Federation, stockholm: Node
) -> None:
    early = arrived(50, civicNo=civic(50, coordination=True))
    federation.day(SHOWN, {STOCKHOLM: roll(0, early)})
    gone = person(50, enrolment("2026-09-07", "2026-09-11"))
    federation.day(date(2026, 9, 14), {STOCKHOLM: roll(0, gone), MALMO: roll(100, person(50, enrolment("2026-09-14")))})
    federation.day(date(2026, 9, 28), {})
    assert states(stockholm) == []  # answered on its due day: never open
    # One handle with both pseudonyms, and that of the other member.
    assert retracted(federation) == [False, False]


def test_a_protected_pupil_is_matched_only_once_released(federation: Federation, stockholm: Node) -> None:
    marked = left(1, securityMarking="Sekretessmarkering")
    there = roll(100, arrived(1))
    federation.day(SHOWN, {STOCKHOLM: roll(0, marked), MALMO: there})
    assert [(case.route, case.opened_on) for case in stockholm.cases()] == [("protected", SHOWN)]
    assert stockholm.cases(protected=False) == ()
    federation.day(date(2026, 9, 8), {STOCKHOLM: roll(0, left(1))})
    # The marking is gone, but the role has not released the pupil.
    assert [(case.route, case.state) for case in stockholm.cases()] == [("protected", GapState.OPEN)]
    assert len(retracted(federation)) == 1
    stockholm.app.sayings.say(number(1), "release", said_by="Ada Berg")
    federation.day(date(2026, 9, 9), {})
    assert len(retracted(federation)) == 2
    federation.day(DUE, {})
    assert states(stockholm) == [GapState.ANSWERED]


def test_what_was_said_before_a_marking_stands_and_is_heard_by_the_protected_role_alone(
    federation: Federation, stockholm: Node
) -> None:
    federation.day(SHOWN, {STOCKHOLM: roll(0, left(1)), MALMO: roll(100)})
    marked = left(1, securityMarking="Skyddad folkbokföring")
    federation.day(date(2026, 9, 8), {STOCKHOLM: roll(0, marked)})
    assert [(case.route, case.opened_on) for case in stockholm.cases()] == [("protected", date(2026, 9, 8))]
    federation.day(DUE, {MALMO: roll(100, arrived(1))})
    assert states(stockholm) == [GapState.ANSWERED]
    assert stockholm.gaps(protected=False) == ()
