"""Withdrawals that wait, over whole parties: let go by an arrival elsewhere, or due and a case file."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from federation.demo.cli import simulate
from federation.demo.scenario import Case, Withdrawal, plain, read, write_export
from federation.demo.simulate import Simulation, prepared
from federation.demo.withdrawing import Asked
from federation.errors import UppropError
from federation.rules.vocabulary import GapState, MemberId
from tests.unit.node.exports import enrolment, person, person_id

STOCKHOLM, MALMO = MemberId("0180"), MemberId("1280")
AS_OF = tuple(date(2026, 8, day) for day in (24,)) + tuple(date(2026, 9, day) for day in (7, 8, 9, 24, 25, 28))
BASELINE, ASKED_ON, NEXT, ARRIVED, BEFORE, DUE, AFTER = AS_OF
LAST_DAY = date(2026, 9, 11)
THERE_ALREADY, ARRIVES, NOWHERE, STAYS = range(4)


def write_scenario(directory: Path) -> Path:
    asked = [
        {"on": str(ASKED_ON), "member": STOCKHOLM, "person_id": person_id(place), "last_day": str(LAST_DAY)}
        for place in (THERE_ALREADY, ARRIVES, NOWHERE)
    ]
    scenario = {
        "members": [{"id": STOCKHOLM}, {"id": MALMO}],
        "calendar": {},
        "watch_school_days": 10,
        "as_of": [str(day) for day in AS_OF],
        "withdrawals": asked,
    }
    directory.mkdir()
    (directory / "scenario.json").write_text(json.dumps(scenario), encoding="utf-8")
    for day in AS_OF:
        # Stockholm keeps those enrolled of whom it has no answer.
        gone = {THERE_ALREADY, ARRIVES} if day > LAST_DAY else set()
        here = [person(place, enrolment(end=str(LAST_DAY) if place in gone else None)) for place in range(20)]
        there = [person(place) for place in range(100, 120)]
        if day > BASELINE:
            there.append(person(THERE_ALREADY, enrolment("2026-09-01")))
        if day >= ARRIVED:
            there.append(person(ARRIVES, enrolment(str(ARRIVED))))
        if day == AFTER:
            there.append(person(NOWHERE, enrolment(str(AFTER))))
        write_export(directory, day, STOCKHOLM, here)
        write_export(directory, day, MALMO, there)
    return directory


def test_withdrawals_are_let_go_by_arrivals_elsewhere_never_on_the_day_they_were_asked_and_else_come_due(
    tmp_path: Path,
) -> None:
    seen: dict[date, dict[str, str]] = {}
    cases: dict[date, tuple[Case, ...]] = {}

    def look(simulation: Simulation, step: str) -> None:
        if step == "heard" and simulation.today >= ASKED_ON:
            seen[simulation.today] = {each.person_id: each.state for each in simulation.withdrawals()}
            cases[simulation.today] = tuple(simulation._cases(STOCKHOLM))

    with prepared(write_scenario(tmp_path / "scenario"), between=look) as simulation:
        outcome = simulation.play()
    states = [[seen[day][person_id(place)] for day in AS_OF[1:]] for place in (THERE_ALREADY, ARRIVES, NOWHERE)]
    assert states == [
        ["HELD", "RELEASED", "RELEASED", "RELEASED", "RELEASED", "RELEASED"],
        ["HELD", "HELD", "RELEASED", "RELEASED", "RELEASED", "RELEASED"],
        ["HELD", "HELD", "HELD", "HELD", "HELD", "RELEASED"],
    ]
    # Those let go were withdrawn: no gap of theirs ever opened. The one that nobody accounts for did, on its due day.
    since = date(2026, 9, 12)
    assert cases[BEFORE] == ()
    assert cases[DUE] == (Case(STOCKHOLM, person_id(NOWHERE), since, "registry", DUE, GapState.OPEN, DUE),)
    assert outcome.cases == (Case(STOCKHOLM, person_id(NOWHERE), since, "registry", DUE, GapState.ANSWERED, AFTER),)
    assert outcome.withdrawals[0] == Asked(STOCKHOLM, person_id(THERE_ALREADY), ASKED_ON, "RELEASED", NEXT)
    assert len(outcome.plain()["withdrawals"]) == 3


def test_what_a_withdrawal_of_a_scenario_lacks_is_said(tmp_path: Path) -> None:
    directory = write_scenario(tmp_path / "scenario")
    scenario = read(directory)
    assert scenario.withdrawals[0] == Withdrawal(ASKED_ON, STOCKHOLM, person_id(THERE_ALREADY), LAST_DAY)
    assert "withdrawals" in (simulate.help or "")
    with pytest.raises(UppropError, match="--nodes-in-process"), prepared(directory, nodes_in_process=True):
        pass
    stated = plain(scenario)
    stated["withdrawals"][0]["on"] = "2026-09-10"
    (directory / "scenario.json").write_text(json.dumps(stated), encoding="utf-8")
    with pytest.raises(UppropError, match="on no date of as_of"):
        read(directory)
