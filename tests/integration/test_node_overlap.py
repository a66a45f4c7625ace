"""Two municipalities show one pupil as enrolled: the earlier is asked, through real evaluators and a real registry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from federation.descriptor_file import PolicyValues
from federation.errors import UppropError
from federation.rules.vocabulary import GapState, Policy
from node.app import App
from node.casework.questions import Asks, Question, Questions
from node.settings import open_sealer
from node.store.notices import Notices
from node.store.pupils import Pupils
from node.store.sayings import Sayings
from tests.integration.node_parties import Federation, Node, running
from tests.unit.node.exports import enrolment, number, person

STOCKHOLM, MALMO, LUND = "0180", "1280", "1281"
BASELINE, ARRIVED, AGED = date(2026, 8, 24), date(2026, 9, 7), date(2026, 9, 21)
POLICY = PolicyValues.of(Policy(overlap_school_days=10))


def roll(first: int, *changed: dict[str, object]) -> list[dict[str, object]]:
    ids = {each["id"] for each in changed}
    return [each for each in map(person, range(first, first + 20)) if each["id"] not in ids] + list(changed)


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    """Pupil 1 came to Malmö, says its school system, though Stockholm, where the pupil came before, never ended it."""
    with running(tmp_path / "federation", [STOCKHOLM, MALMO, LUND], BASELINE) as parties:
        parties.publish(2, policy=POLICY)
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100), LUND: roll(200)})
        parties.day(date(2026, 8, 31), {STOCKHOLM: roll(0, person(50, enrolment("2026-08-31")))})
        came = {MALMO: roll(100, person(50, enrolment("2026-09-07")))}
        parties.day(ARRIVED, came)
        parties.day(AGED, {STOCKHOLM: roll(0, person(50, enrolment("2026-08-31"))), **came, LUND: roll(200)})
        yield parties


def questions(node: Node) -> tuple[Question, ...]:
    sealer = open_sealer(node.settings)
    standing = Questions(Pupils(sealer), Notices(), Sayings(sealer)).standing
    today = node.clock.today()
    return node.app.database.view("test_questions", lambda tx: standing(tx, today, protected=False))


def affirm(app: App, place: int) -> None:
    _, waits = app.sayings.say(number(place), "affirm", said_by="Ada Berg")
    assert not waits


def test_the_earlier_is_asked_and_affirms(federation: Federation) -> None:
    stockholm, malmo = federation.nodes[STOCKHOLM], federation.nodes[MALMO]
    [question] = questions(stockholm)
    assert (question.asks, question.number, question.asked_on) == (Asks.OVERLAP, number(50), AGED)
    assert questions(malmo) == ()
    # It is no case: nobody is missing by what is known.
    assert stockholm.gaps() == malmo.gaps() == ()
    affirm(stockholm.app, 50)
    assert questions(stockholm) == ()
    stays = {STOCKHOLM: roll(0, person(50, enrolment("2026-08-31")))}
    for later in (date(2026, 9, 22), date(2026, 11, 9)):
        federation.day(later, stays)
    assert questions(stockholm) == questions(malmo) == ()


def test_an_affirmed_pupil_answers_for_one_who_left_elsewhere(federation: Federation) -> None:
    """Malmö's pupil leaves after all; Stockholm has affirmed since the pupil came to Malmö, so nobody is missing."""
    stockholm, malmo = federation.nodes[STOCKHOLM], federation.nodes[MALMO]
    affirm(stockholm.app, 50)
    leaves = roll(100, person(50, enrolment("2026-09-07", "2026-09-21")))
    stays = roll(0, person(50, enrolment("2026-08-31")))
    for day in (date(2026, 9, 22), date(2026, 10, 5)):
        federation.day(day, {STOCKHOLM: stays, MALMO: leaves})
    assert malmo.gaps() == ()
    assert stockholm.gaps() == ()


def test_nobody_affirms_a_pupil_whom_no_school_system_shows(federation: Federation) -> None:
    stockholm = federation.nodes[STOCKHOLM]
    federation.day(date(2026, 9, 22), {STOCKHOLM: roll(0, person(50, enrolment("2026-08-31", "2026-09-04")))})
    with pytest.raises(UppropError, match="Enter the enrolment"):
        affirm(stockholm.app, 50)


def test_a_row_that_is_ended_answers_the_question_and_is_matched_as_a_leaving(federation: Federation) -> None:
    stockholm = federation.nodes[STOCKHOLM]
    ended = {STOCKHOLM: roll(0, person(50, enrolment("2026-08-31", "2026-09-04")))}
    federation.day(date(2026, 9, 22), ended)
    assert questions(stockholm) == ()
    federation.day(date(2026, 10, 5), ended)
    # Malmö has the pupil: told as answered on its due day, never open.
    assert [gap.state for gap in stockholm.gaps()] == []
    assert GapState.OPEN not in {case.state for case in stockholm.cases()}
