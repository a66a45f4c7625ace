"""One person at a member, alone, searches for a pupil by an opening made by hand.

What the attacker learns at most: nothing. Until a second person agrees nothing about the pupil leaves the node; what is
learnt with an accomplice, both by name, is what any opening tells: whether the gap is accounted for, from its due day.
And the guard must not cost a child: what one person says opens the case file here at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from federation.descriptor_file import PolicyValues
from federation.errors import UppropError
from federation.rules.vocabulary import GapState, OpeningKind, Policy
from registry.store import schema
from tests.integration.node_parties import Federation, Node, running
from tests.unit.node.exports import enrolment, number, person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE, LATER, AFTER = date(2026, 8, 24), date(2026, 9, 7), date(2026, 9, 21)
LAST_DAY = date(2026, 9, 4)
TWO_PERSONS = PolicyValues.of(Policy(second_person=True))


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        parties.publish(2, policy=TWO_PERSONS)
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        yield parties


@pytest.fixture
def stockholm(federation: Federation) -> Node:
    return federation.nodes[STOCKHOLM]


def roll(first: int, *changed: dict[str, Any]) -> list[dict[str, Any]]:
    ids = {each["id"] for each in changed}
    return [each for each in map(person, range(first, first + 20)) if each["id"] not in ids] + list(changed)


def openings_at_the_registry(federation: Federation) -> list[tuple[int, OpeningKind]]:
    query = select(schema.gaps.c.number, schema.gaps.c.kind).order_by(schema.gaps.c.number)
    rows = federation.registry_app.database.view("test_gaps", lambda tx: tx.execute(query).all())
    return [(row.number, OpeningKind(row.kind)) for row in rows]


def signals_at_the_registry(federation: Federation) -> int:
    query = select(func.count()).select_from(schema.signals)
    return federation.registry_app.database.view("test_signals", lambda tx: tx.execute(query).scalar_one())


def test_one_who_is_gone_has_a_case_file_at_once_and_the_registry_hears_after_the_review(
    federation: Federation, stockholm: Node
) -> None:
    saying_id, waits = stockholm.app.sayings.say(number(1), "gone", on=date(2026, 8, 20), said_by="Ada Berg")
    assert waits
    federation.day(LATER, {})
    [case] = stockholm.cases()
    assert (case.state, case.opened_on, case.opened_by) == (GapState.OPEN, LATER, "immediate")
    assert signals_at_the_registry(federation) == 0
    with pytest.raises(UppropError, match="second person"):
        stockholm.app.sayings.review(saying_id, "ADA  berg")
    federation.day(AFTER, {})
    assert signals_at_the_registry(federation) == 0
    stockholm.app.sayings.review(saying_id, "Bo Ek")
    federation.day(AFTER, {})
    assert openings_at_the_registry(federation) == [(1, OpeningKind.LEFT)]
    [case] = stockholm.cases()
    assert (case.state, case.opened_on) == (GapState.OPEN, LATER)


def test_a_pupil_not_placed_is_watched_and_opened_here_though_nobody_reviews_it(
    federation: Federation, stockholm: Node
) -> None:
    federation.set_today(LATER)
    stockholm.app.sayings.say(number(150), "not-placed", on=LATER, said_by="Ada Berg")
    federation.day(LATER, {})
    assert stockholm.cases() == ()
    federation.day(AFTER, {})
    [case] = stockholm.cases()
    assert (case.kind, case.state, case.opened_on) == (OpeningKind.NOT_PLACED, GapState.OPEN, AFTER)
    assert signals_at_the_registry(federation) == 0


def test_what_a_second_person_refuses_is_taken_back_and_was_never_sent(federation: Federation, stockholm: Node) -> None:
    federation.set_today(LATER)
    saying_id, _ = stockholm.app.sayings.say(number(1), "gone", on=LAST_DAY, said_by="Ada Berg")
    stockholm.sync()
    assert len(stockholm.cases()) == 1
    stockholm.app.sayings.review(saying_id, "Bo Ek", refuse=True)
    federation.day(LATER, {})
    assert stockholm.cases() == ()
    assert [gap.state for gap in stockholm.gaps()] == [GapState.VOID]
    assert signals_at_the_registry(federation) == 0


def test_what_waits_never_goes_on_under_the_number_of_an_opening_that_was_taken_back(
    federation: Federation, stockholm: Node
) -> None:
    """Numbers grow where a version stands between without an opening, so that a gap and its answer are one thing."""
    left = roll(0, person(1, enrolment(end="2026-09-04")))
    federation.day(LATER, {STOCKHOLM: left})
    saying_id, _ = stockholm.app.sayings.say(number(1), "gone", on=LAST_DAY, said_by="Ada Berg")
    federation.day(date(2026, 9, 8), {STOCKHOLM: roll(0)})
    assert [case.effective_date for case in stockholm.cases()] == [date(2026, 9, 5)]
    stockholm.app.sayings.review(saying_id, "Bo Ek")
    federation.day(date(2026, 9, 9), {})
    assert openings_at_the_registry(federation) == [(1, OpeningKind.LEFT), (2, OpeningKind.LEFT)]
    assert [case.state for case in stockholm.cases()] == [GapState.OPEN]


def test_without_the_policy_one_person_is_enough(federation: Federation, stockholm: Node) -> None:
    federation.publish(3, policy=PolicyValues.of(Policy()))
    federation.set_today(LATER)
    _, waits = stockholm.app.sayings.say(number(1), "gone", on=LAST_DAY, said_by="Ada Berg")
    assert not waits
    federation.day(LATER, {})
    assert openings_at_the_registry(federation) == [(1, OpeningKind.LEFT)]
