"""One history told in different ways, into real stores: whole or in part, in whatever order, by one system or two."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from federation.rules.vocabulary import Policy
from node.store.schema import pupils
from node.store.schema_systems import records
from tests.integration.node_alone import BASELINE, Node, make
from tests.integration.test_node_systems import take
from tests.unit.node.exports import OTHER_UNIT, UNIT, enrolment, number, person

SEEDS = range(12)
SYSTEMS = ("main", "resursskolan")

Roster = dict[str, list[dict[str, Any]]]
"""Id → what the school system says of that person: mostly one record."""


@pytest.fixture
def pair(tmp_path: Path, empty_sqlite: Path) -> Iterator[tuple[Node, Node]]:
    """Two nodes that hear of the same."""
    made = []
    for name in ("one", "other"):
        directory = tmp_path / name
        directory.mkdir()
        store = directory / "node.sqlite"
        store.write_bytes(empty_sqlite.read_bytes())
        made.append(make(directory, f"sqlite:///{store}", Policy()))
    yield made[0], made[1]
    for node in made:
        node.database.close()


class School:
    """School systems in which anything may change from day to day; `numbers`: national numbers too."""

    def __init__(self, seed: int, systems: tuple[str, ...], *, numbers: bool = True) -> None:
        self.random = random.Random(seed)
        self.rosters: dict[str, Roster] = {system: {} for system in systems}
        self._numbers = numbers
        self._persons = 0
        for system in systems:
            for _ in range(self.random.randrange(2, 7)):
                self._begin(system, BASELINE)

    def change(self, day: date) -> None:
        for _ in range(self.random.randrange(1, 5)):
            self._change(self.random.choice(list(self.rosters)), day)

    def _change(self, system: str, day: date) -> None:
        draw, roster = self.random, self.rosters[system]
        kind = draw.randrange(11) if roster else 0
        if kind == 0:
            self._begin(system, day)
            return
        chosen = draw.choice(sorted(roster))
        record = draw.choice(roster[chosen])
        if kind in (1, 2):
            record["enrolments"] = [] if draw.random() < 0.2 else self._rows(day)
        elif kind in (3, 4):
            del roster[chosen]
        elif kind == 5:
            record["securityMarking"] = draw.choice(["Ingen", "Sekretessmarkering"])
        elif kind == 6:
            record["personStatus"] = draw.choice(["Aktiv", "Utvandrad", "Avliden"])
        elif kind == 7 and self._numbers:
            place = draw.randrange(1, self._persons + 1)
            texts = (number(place), number(place, coordination=True), number(500), "nonsense", "")
            record["civicNo"] = {"value": draw.choice(texts)}
        elif kind == 8:
            # In another system as well, or instead.
            other = draw.choice(list(self.rosters))
            of_other = f"{other} {draw.randrange(100, 106)}"
            self.rosters[other].setdefault(of_other, [{**record, "id": of_other, "enrolments": self._rows(day)}])
            if draw.random() < 0.5:
                del roster[chosen]
        elif kind == 9:
            roster[chosen].append({**record, "enrolments": self._rows(day)})
        elif kind == 10 and len(roster[chosen]) > 1:
            roster[chosen].remove(record)

    def _begin(self, system: str, day: date) -> None:
        self._persons += 1
        found = person(self._persons, *self._rows(day), id=f"{system} {self._persons}")
        if (kind := self.random.random()) < 0.3:
            found["civicNo"] = {"value": number(self._persons, coordination=True)} if kind < 0.15 else None
        self.rosters[system][found["id"]] = [found]

    def _rows(self, day: date) -> list[dict[str, Any]]:
        draw = self.random

        def around(before: int, after: int) -> str:
            return str(day + timedelta(days=draw.randrange(-before, after)))

        return [
            enrolment(
                draw.choice([None, "2025-08-18", around(20, 10)]),
                draw.choice([None, None, around(15, 25)]),
                enroledAt={"id": draw.choice([UNIT, OTHER_UNIT])},
                cancelled=draw.random() < 0.1,
                schoolYear=draw.choice([4, 9]),
            )
            for _ in range(draw.choice([1, 1, 2]))
        ]


def days(school: School) -> Iterator[date]:
    """Some days of school, with what changes on each."""
    day = BASELINE
    yield day
    for _ in range(school.random.randrange(2, 6)):
        day += timedelta(days=school.random.choice([1, 1, 2, 7]))
        school.change(day)
        yield day


def whole(roster: Mapping[str, list[Any]]) -> list[Any]:
    return [copy.deepcopy(record) for of_person in roster.values() for record in of_person]


def state(node: Node, *, told: bool = True) -> list[tuple[Any, ...]]:
    """All that is known of every pupil, and with `told` what is said; whoever is live has a record."""
    of_records = select(records.c.pupil_id).distinct()
    of_live = select(pupils.c.pupil_id).where(pupils.c.live)
    recorded, live = (
        node.database.view("test_live", lambda tx, query=query: set(tx.execute(query).scalars()))  # type: ignore[misc]
        for query in (of_records, of_live)
    )
    assert recorded == live
    return sorted(
        (
            [sound.number for sound in pupil.identity.numbers],
            pupil.route,
            pupil.protected,
            pupil.live,
            repr(pupil.observations),
            repr(node.states(pupil)) if told else "",
        )
        for pupil in node.pupils().values()
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("systems", [SYSTEMS[:1], SYSTEMS])
def test_what_is_told_in_changes_is_what_is_told_as_a_whole(
    pair: tuple[Node, Node], seed: int, systems: tuple[str, ...]
) -> None:
    school = School(seed, systems)
    before: dict[str, Roster] = {}
    for day in days(school):
        for system, roster in school.rosters.items():
            take(pair[0], day, system, whole(roster), accept_shrink=True)
            told = before.get(system)
            if told is None:
                take(pair[1], day, system, whole(roster))
                continue
            changed = {each: said for each, said in roster.items() if said != told.get(each)}
            again = {each: said for each, said in roster.items() if school.random.random() < 0.2}
            gone = told.keys() - roster.keys()
            take(pair[1], day, system, whole(changed | again), whole=False, gone=sorted(gone), accept_shrink=True)
        before = copy.deepcopy(school.rosters)
        assert state(pair[0]) == state(pair[1])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_systems_on_a_day_and_of_persons_in_a_roster_decides_nothing(
    pair: tuple[Node, Node], seed: int
) -> None:
    school = School(seed, SYSTEMS)
    for day in days(school):
        for node, order in zip(pair, (SYSTEMS, SYSTEMS[::-1]), strict=True):
            for system in order:
                persons = whole(school.rosters[system])
                school.random.shuffle(persons)
                take(node, day, system, persons, accept_shrink=True)
        assert state(pair[0]) == state(pair[1])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_roster_in_two_systems_shows_what_it_shows_in_one(pair: tuple[Node, Node], seed: int) -> None:
    """What is sent of it may differ: the days on which a school year begins are each roster's own."""
    school = School(seed, SYSTEMS[:1], numbers=False)
    for day in days(school):
        roster = school.rosters["main"]
        take(pair[0], day, "main", whole(roster), accept_shrink=True)
        for part, system in enumerate(SYSTEMS):
            of_system = {each: said for each, said in roster.items() if int(each.split()[1]) % 2 == part}
            take(pair[1], day, system, whole(of_system), accept_shrink=True)
        assert state(pair[0], told=False) == state(pair[1], told=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_wrong_for_a_part_of_a_day_leaves_no_trace(pair: tuple[Node, Node], seed: int) -> None:
    school = School(seed, SYSTEMS, numbers=False)
    before: dict[str, set[str]] = {}
    for day in days(school):
        for system, roster in school.rosters.items():
            if system in before:
                known = {each: said for each, said in roster.items() if each in before[system]}
                part = {each: said for each, said in known.items() if school.random.random() < 0.5}
                take(pair[1], day, system, whole(part), accept_shrink=True)
            for node in pair:
                take(node, day, system, whole(roster), accept_shrink=True)
        before = {system: set(roster) for system, roster in school.rosters.items()}
        assert state(pair[0]) == state(pair[1])
