"""A school system, a person at the form or a member that asks to withdraw pupils to learn where they are.

What the attacker learns at most: what the registry's next delivery tells anyway, that the pupil is accounted for; not
where, not before, and no second time for the same pupil. Asking costs a gap of its own name, watched until its due day.
Not the clock is compared, which a busy machine would blur, but what is done: the statements that each store runs.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from federation.database import Database
from federation.rules.vocabulary import OpeningKind, Presence, Signal
from node.casework.actor import Role
from node.casework.holds.model import Asked, HoldError, HoldId, HoldState
from node.model import Reason
from tests.harness.console import actor
from tests.integration.node_parties import Federation, Node, running
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.scene import DUE, SINCE, A, B, Scene, again, arrival, day, leaving, pupil
from tests.unit.node.exports import enrolment, number, person

DAY = timedelta(days=1)
MEMBER, OTHER = "0180", "1280"
BASELINE, ASKED_ON = date(2026, 8, 24), date(2026, 9, 7)
LAST_DAY = date(2026, 9, 4)
NOWHERE, ELSEWHERE, PROTECTED = 0, 1, 2
WORLDS = pytest.mark.parametrize("elsewhere", [True, False], ids=["elsewhere", "nowhere"])


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements that run meanwhile, without what is in them."""
    run: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        run.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield run
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def asked_at_the_registry(name: str = "p") -> Signal:
    return leaving(pupil(name), kind=OpeningKind.HELD)


def test_to_the_registry_taking_a_hold_is_the_same_work_and_answer_wherever_the_pupil_is(limited: Scene) -> None:
    limited.submit(B, arrival(pupil("here")), arrival(pupil("unrelated")))
    taken, done = [], []
    for name in ("here", "gone"):
        with statements(limited.database) as run:
            taken.append(limited.submit(A, asked_at_the_registry(name)))
            limited.kinds(A)
        done.append(run)
    assert taken[0] == taken[1]
    # One row more is written where the group was there before, and no other work done.
    assert {text for text in done[0] if text.startswith("SELECT")} == {t for t in done[1] if t.startswith("SELECT")}


def test_no_close_of_the_day_it_came_tells_of_a_hold_however_often_it_is_said_and_closed(limited: Scene) -> None:
    limited.submit(B, arrival(pupil("p")))
    mine = asked_at_the_registry()
    for _ in range(3):
        limited.submit(A, mine)
        limited.close(SINCE)
        assert limited.kinds(A) == []
        mine = again(mine)
    limited.close(SINCE + DAY)
    assert limited.kinds(A) == ["RELEASED"]


def test_a_hold_that_nobody_answers_is_told_of_on_its_due_day_alone(limited: Scene) -> None:
    limited.submit(A, asked_at_the_registry())
    for later in range((DUE - SINCE).days):
        limited.close(SINCE + later * DAY)
        assert limited.kinds(A) == []
    limited.close(DUE)
    assert limited.kinds(A) == ["OPENED"]


@WORLDS
def test_a_hold_taken_back_and_asked_for_anew_gets_no_second_answer(limited: Scene, *, elsewhere: bool) -> None:
    """Learnt at most: nothing of whether the pupil is still there, for 60 days."""
    there = arrival(pupil("p"))
    limited.submit(B, there)
    mine = asked_at_the_registry()
    limited.submit(A, mine)
    limited.close(SINCE)
    limited.close(SINCE + DAY)
    assert limited.kinds(A) == ["RELEASED"]
    back = again(mine, opening=None, presences=(Presence(day("01-07"), None, day("01-07")),))
    limited.submit(A, back, on=SINCE + 2 * DAY)
    if not elsewhere:
        limited.submit(B, again(there, presences=(Presence(SINCE, SINCE + DAY, SINCE),)), on=SINCE + 2 * DAY)
    limited.close(SINCE + 2 * DAY)
    assert limited.kinds(A) == ["VOIDED"]
    assert mine.opening is not None
    anew = again(back, opening=replace(mine.opening, number=2, since=SINCE + 3 * DAY))
    limited.submit(A, anew, on=SINCE + 3 * DAY)
    for later in range(3, 40):
        limited.close(SINCE + later * DAY)
    assert limited.kinds(A) == ["OPENED"]


# -- at the node ------------------------------------------------------------------------------------------------------


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [MEMBER, OTHER], BASELINE) as parties:
        here = [person(place) for place in range(30)]
        here[PROTECTED] = person(PROTECTED, securityMarking="Sekretessmarkering")
        there = [person(place) for place in range(100, 130)]
        parties.day(BASELINE, {MEMBER: here, OTHER: there})
        # A school that the pupil has begun at already.
        parties.day(date(2026, 9, 4), {MEMBER: here, OTHER: [*there, person(ELSEWHERE, enrolment("2026-09-01"))]})
        parties.set_today(ASKED_ON)
        yield parties


def asked(system: str = "main") -> Asked:
    return Asked(HoldId(secrets.token_bytes(16)), LAST_DAY, Reason.MOVED, "Rut Rektor", system)


def done(node: Node, work: Callable[[], object]) -> list[str]:
    with statements(node.app.database) as run:
        work()
    return run


def test_to_the_node_a_hold_is_the_same_work_and_answer_until_the_next_delivery(federation: Federation) -> None:
    node = federation.nodes[MEMBER]
    holding = node.app.desk.holding
    requests = {place: asked() for place in (NOWHERE, ELSEWHERE)}
    assert done(node, lambda: holding.ask(person(NOWHERE)["id"], requests[NOWHERE])) == done(
        node, lambda: holding.ask(person(ELSEWHERE)["id"], requests[ELSEWHERE])
    )

    def seen(place: int) -> tuple[HoldState, date | None]:
        found = holding.of_system(requests[place].hold_id, "main")
        assert found is not None
        return found.state, found.state_since

    for _ in range(3):
        federation.day(ASKED_ON, {})
        for place in (NOWHERE, ELSEWHERE):
            holding.ask(person(place)["id"], requests[place])
            node.sync()
        assert seen(NOWHERE) == seen(ELSEWHERE) == (HoldState.HELD, ASKED_ON)
        assert done(node, lambda: seen(NOWHERE)) == done(node, lambda: seen(ELSEWHERE))
    # The day after, though nobody asks again.
    federation.day(ASKED_ON + DAY, {})
    assert (seen(NOWHERE)[0], seen(ELSEWHERE)[0]) == (HoldState.HELD, HoldState.RELEASED)


def test_a_school_system_learns_of_nobody_whom_it_did_not_put(federation: Federation) -> None:
    """Learnt at most: nothing. A pupil of another school system here is to it as nobody at all."""
    holding = federation.nodes[MEMBER].app.desk.holding
    for who in (person(NOWHERE)["id"], number(NOWHERE), number(PROTECTED), number(777), "nobody"):
        with pytest.raises(HoldError, match="unknown-person"):
            holding.ask(who, asked("annan"))


def test_who_may_not_see_protected_pupils_learns_of_none_by_the_form(federation: Federation) -> None:
    """Learnt at most: nothing. The protected role alone asks for them."""
    holding = federation.nodes[MEMBER].app.desk.holding
    for role in (Role.CASEWORKER, Role.PRINCIPAL):
        for who in (number(PROTECTED), person(PROTECTED)["id"], number(777)):
            with pytest.raises(HoldError, match="unknown-person"):
                holding.ask(who, asked(""), actor(role))
    assert holding.ask(number(PROTECTED), asked(""), actor(Role.PROTECTED)).state is HoldState.HELD


def test_the_limits_are_what_keeps_a_second_answer_back(empty_database: MakeDatabase) -> None:
    """Without them each hold tells one bit, a day after it was asked."""
    scene = Scene(empty_database())
    scene.submit(B, arrival(pupil("p")))
    mine = asked_at_the_registry()
    scene.submit(A, mine)
    scene.close(SINCE)
    scene.close(SINCE + DAY)
    back = again(mine, opening=None, presences=(Presence(day("01-07"), None, day("01-07")),))
    scene.submit(A, back, on=SINCE + 2 * DAY)
    scene.close(SINCE + 2 * DAY)
    assert mine.opening is not None
    scene.submit(A, again(back, opening=replace(mine.opening, number=2)), on=SINCE + 3 * DAY)
    for later in (3, 4):
        scene.close(SINCE + later * DAY)
    assert scene.kinds(A) == ["RELEASED", "VOIDED", "RELEASED"]
