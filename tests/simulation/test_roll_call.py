"""Pupils in rosters that had no reason to speak are found by the roll call before anybody alarms: with real parties."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from federation.demo.scenario import Case, write_export
from federation.demo.simulate import Simulation, prepared
from federation.rules.vocabulary import GapState, MemberId
from federation.v1 import control_pb2
from tests.unit.node.exports import enrolment, number, person, person_id

STOCKHOLM, MALMO, UPPSALA = MemberId("0180"), MemberId("1280"), MemberId("0380")
WEEKS = tuple(date(2026, 8, day) for day in (24, 31)) + tuple(date(2026, 9, day) for day in (7, 14, 21, 28))
LAST_DAY, SINCE, DUE_SEEN, AFTER = "2026-09-04", date(2026, 9, 5), WEEKS[4], WEEKS[5]
"""Due on 18 September; called from the 11th on, so by the list of the 14th."""

HERE_SINCE = "2025-08-18"
NEWER, OLDER, OLDER_AFFIRMED, NOWHERE, NOT_PLACED, NOT_PLACED_LONG = range(6)


def leaver(place: int) -> dict[str, Any]:
    return person(place, enrolment(HERE_SINCE, LAST_DAY))


def write_scenario(directory: Path, *, roll_call: bool) -> Path:
    """Stockholm's leavers have all sat in Malmö's roster since before it joined: too long for it to tell of them."""
    directory.mkdir()
    scenario = {
        "members": [{"id": member} for member in (STOCKHOLM, MALMO, UPPSALA)],
        "calendar": {"breaks": [{"start": "2026-06-13", "end": "2026-08-17"}]},
        "watch_school_days": 10,
        "as_of": [str(week) for week in WEEKS],
        "policy": {"roll_call": roll_call},
    }
    (directory / "scenario.json").write_text(json.dumps(scenario), encoding="utf-8")
    own = [person(place) for place in range(50, 60)]
    malmo = [
        person(NEWER, enrolment("2026-03-02")),
        person(OLDER, enrolment("2025-01-13")),
        person(OLDER_AFFIRMED, enrolment("2025-01-13")),
        person(NOT_PLACED, enrolment("2026-03-02")),
        person(NOT_PLACED_LONG, enrolment("2022-08-15")),
        *(person(place) for place in range(60, 70)),
    ]
    for week in WEEKS:
        leavers = [leaver(place) for place in (NEWER, OLDER, OLDER_AFFIRMED, NOWHERE)]
        write_export(directory, week, STOCKHOLM, [*leavers, *own])
        write_export(directory, week, MALMO, malmo)
        write_export(directory, week, UPPSALA, [person(place) for place in range(70, 80)])
    return directory


class Played:
    """The scenario, with what people say at Stockholm and Malmö."""

    def __init__(self, directory: Path) -> None:
        self.asked: dict[date, list[str]] = {}
        with prepared(directory, between=self._between) as simulation:
            self.cases = {(case.member, case.person_id): case for case in simulation.play().cases}

    def _between(self, simulation: Simulation, step: str) -> None:
        if step == "imported" and simulation.today == WEEKS[2]:
            for place in (NOT_PLACED, NOT_PLACED_LONG):
                self._say(simulation, STOCKHOLM, number(place), "not-placed")
        if step == "heard":
            request = control_pb2.ListCasesRequest()
            listed = simulation.trial.ask(simulation.trial.nodes[MALMO], "ListCases", request)
            assert {question.asks for question in listed.questions} <= {"ROLL_CALL"}
            self.asked[simulation.today] = sorted(question.person_id for question in listed.questions)
        if step == "heard" and simulation.today == DUE_SEEN and self.asked[DUE_SEEN]:
            self._say(simulation, MALMO, number(OLDER_AFFIRMED), "affirm")

    def _say(self, simulation: Simulation, member: MemberId, who: str, what: str) -> None:
        node = simulation.trial.nodes[member]
        said = simulation.trial.ask(node, "Say", control_pb2.SayRequest(person=who, what=what, said_by="Ada Berg"))
        if said.waits_for_review:
            review = control_pb2.ReviewRequest(saying_id=said.saying_id, reviewed_by="Bo Lind")
            simulation.trial.ask(node, "Review", review)

    def of(self, place: int) -> Case | None:
        # A resident who was never at a school has no id of a school system.
        return self.cases.get((STOCKHOLM, person_id(place)))


def state(case: Case | None) -> tuple[date, GapState, date] | None:
    return None if case is None else (case.opened_on, case.state, case.state_since)


def test_a_pupil_in_a_roster_that_never_spoke_is_found_in_time_and_an_older_row_needs_a_persons_word(
    tmp_path: Path,
) -> None:
    played = Played(write_scenario(tmp_path / "scenario", roll_call=True))
    assert {member for member, _ in played.cases} == {STOCKHOLM}
    assert state(played.of(NEWER)) is None
    # Malmö has had these for longer than Stockholm had: whether they are really there, only a person can say.
    assert played.asked[WEEKS[2]] == []
    older = [person_id(OLDER), person_id(OLDER_AFFIRMED), person_id(NOT_PLACED_LONG)]
    assert played.asked[WEEKS[3]] == played.asked[DUE_SEEN] == sorted(older)
    assert state(played.of(OLDER_AFFIRMED)) == (DUE_SEEN, GapState.ANSWERED, AFTER)
    assert state(played.of(OLDER)) == (DUE_SEEN, GapState.OPEN, DUE_SEEN)
    # Once accounted for, nobody is asked any more; the others stand.
    assert played.asked[AFTER] == sorted({person_id(OLDER), person_id(NOT_PLACED_LONG)})
    assert state(played.of(NOWHERE)) == (DUE_SEEN, GapState.OPEN, DUE_SEEN)
    # Two residents without a place: one has sat in Malmö's roster for half a year, the other for longer than is told.
    [not_placed] = [case for (_, person), case in played.cases.items() if not person]
    assert state(not_placed) == (DUE_SEEN, GapState.OPEN, DUE_SEEN)
    assert len(played.cases) == 4


@pytest.mark.parametrize("place", [NEWER, OLDER, OLDER_AFFIRMED, NOWHERE])
def test_without_the_roll_call_every_one_of_them_is_a_case(off: Played, place: int) -> None:
    assert state(off.of(place)) == (DUE_SEEN, GapState.OPEN, DUE_SEEN)
    assert not any(off.asked.values())


@pytest.fixture(scope="module")
def off(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(write_scenario(tmp_path_factory.mktemp("off") / "scenario", roll_call=False))
