"""Generates scenarios from a seed: the exports of every date and member, and the truth the plots stand for."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from federation.demo import scenario as scenarios
from federation.demo.generator.people import Entry, Population, Row, unit_name
from federation.demo.generator.plots import CROWDS, MOVED, PLOTS
from federation.demo.generator.schooldays import Term, dates
from federation.demo.generator.stage import DoesNotFitError, File, Stage, Story
from federation.demo.scenario import Exports, Scenario, ScenarioBreak, ScenarioCalendar, ScenarioMember, Truth
from federation.rules.vocabulary import MemberId

MUNICIPALITIES = (
    ("0180", "Stockholm"),
    ("1480", "Göteborg"),
    ("1280", "Malmö"),
    ("1980", "Västerås"),
    ("0380", "Uppsala"),
    ("0580", "Linköping"),
    ("1880", "Örebro"),
    ("2480", "Umeå"),
    ("0680", "Jönköping"),
    ("1283", "Helsingborg"),
    ("0581", "Norrköping"),
    ("1281", "Lund"),
)
UNITS_PER_MEMBER = 4
ATTEMPTS = 200
"""Draws of one plot before it is given up as impossible in this scenario."""

BREAKS = (
    (date(2026, 2, 23), date(2026, 2, 27)),
    (date(2026, 3, 30), date(2026, 4, 2)),
    (date(2026, 6, 13), date(2026, 8, 17)),
    (date(2026, 10, 26), date(2026, 10, 30)),
    (date(2026, 12, 21), date(2027, 1, 8)),
    (date(2027, 2, 22), date(2027, 2, 26)),
    (date(2027, 3, 29), date(2027, 4, 2)),
    (date(2027, 6, 12), date(2027, 8, 16)),
    (date(2027, 11, 1), date(2027, 11, 5)),
    (date(2027, 12, 20), date(2028, 1, 7)),
)
"""The breaks of a common school year; inclusive at both ends."""

EVERY_KIND: Mapping[str, int] = {kind: 2 for kind in PLOTS if kind != "stay" and kind not in CROWDS}


@dataclass(frozen=True)
class Recipe:
    """What to generate. `kinds` counts histories by kind; `stay` fills each member up to `pupils`."""

    seed: int
    members: int = 4
    pupils: int = 64
    start: date = date(2026, 8, 24)
    weeks: int = 14
    every: int = 7
    """Days from one export to the next."""
    watch: int = 10
    breaks: tuple[tuple[date, date], ...] = BREAKS
    kinds: Mapping[str, int] = field(default_factory=lambda: EVERY_KIND)
    name: str = ""
    protected: str = "local"
    """The policy for protected identities: `local` or `same`."""
    exports: Exports = Exports.FULL


@dataclass(frozen=True)
class Generated:
    """A scenario with the stories it is made of."""

    scenario: Scenario
    stories: tuple[tuple[str, Story], ...]

    @property
    def truth(self) -> Truth:
        return Truth(
            cases=tuple(sorted(case for _, story in self.stories for case in story.cases)),
            kinds=dict(Counter(kind for kind, _ in self.stories)),
            rejected_numbers=sum(story.rejected for _, story in self.stories),
        )

    @property
    def quiet_moves(self) -> tuple[Story, ...]:
        """Those of pupils who changed members and must not cause a case."""
        return tuple(story for kind, story in self.stories if kind in MOVED and not story.cases)


def generate(recipe: Recipe) -> Generated:
    """The same recipe gives the same scenario. A kind that does not fit the dates at all is left out."""
    rng = random.Random(recipe.seed)  # noqa: S311 - a seed has to give the same scenario again; no secret
    members = tuple(MemberId(id_) for id_, _ in municipalities(recipe.members))
    as_of = dates(recipe.start, recipe.weeks, recipe.every)
    stage = Stage(
        rng=rng,
        term=Term(as_of, recipe.breaks, recipe.watch),
        members=members,
        units={member: _ids(rng, UNITS_PER_MEMBER) for member in members},
        people=Population(rng, _school_year(recipe.start)),
        settled=date(_school_year(recipe.start), 8, 18),
        protected_same=recipe.protected == "same",
    )
    stories: list[tuple[str, Story]] = []
    for kind, count in recipe.kinds.items():
        for _ in range(count):
            story = draw(stage, kind)
            if story is None:
                break
            stories.append((kind, story))
    present = Counter(file.member for _, story in stories for file in story.files)
    for member in members:
        alone = replace(stage, members=(member,))
        stories += [("stay", PLOTS["stay"](alone)) for _ in range(recipe.pupils - present[member])]
    return Generated(_scenario(recipe, as_of), tuple(stories))


def municipalities(count: int) -> tuple[tuple[str, str], ...]:
    """Ids and names of `count` members; past the named ones they are numbered."""
    return (*MUNICIPALITIES, *((f"{n:04}", f"Kommun {n}") for n in range(3001, 3001 + count)))[:count]


def write(generated: Generated, directory: Path) -> None:
    """Write the scenario directory; each export lists its persons in an order of its own, as school systems do."""
    scenario = generated.scenario
    scenarios.write(directory, scenario, generated.truth)
    rng = random.Random(len(generated.stories))  # noqa: S311 - the order of rows, nothing secret
    for index, as_of in enumerate(scenario.as_of):
        for member in scenario.members:
            files = [file for _, story in generated.stories for file in story.files if file.member == member.id]
            delta = scenario.is_delta(as_of)
            persons = [person for file in files if (person := exported(file, index, delta=delta)) is not None]
            gone = [file.person_id for file in files if is_gone(file, index)] if delta else None
            rng.shuffle(persons)
            if persons or gone or not delta:
                scenarios.write_export(directory, as_of, member.id, persons, gone)


def draw(stage: Stage, kind: str) -> Story | None:
    """A story of that kind, or None where none fits."""
    for _ in range(ATTEMPTS):
        stage.drawn.clear()
        try:
            story = PLOTS[kind](stage)
        except DoesNotFitError:
            continue
        stage.leavings.update(stage.drawn)
        return story
    return None


def _school_year(start: date) -> int:
    """The calendar year in which the rows of the settled begin: a full school year before an autumn's first date."""
    return start.year - 1


def _ids(rng: random.Random, count: int) -> Sequence[str]:
    return [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(count)]


def _scenario(recipe: Recipe, as_of: tuple[date, ...]) -> Scenario:
    until = as_of[-1] + timedelta(days=366)
    return Scenario(
        name=recipe.name or f"generated-{recipe.seed}",
        members=tuple(ScenarioMember(MemberId(id_), name) for id_, name in municipalities(recipe.members)),
        calendar=ScenarioCalendar(tuple(ScenarioBreak(*each) for each in recipe.breaks if each[0] <= until)),
        watch_school_days=recipe.watch,
        as_of=as_of,
        policy={} if recipe.protected == "local" else {"protected": recipe.protected},
        exports=recipe.exports,
    )


def exported(file: File, index: int, *, delta: bool) -> dict[str, Any] | None:
    """The person as the export of a date has it; None where it does not. A `delta` has those alone who have changed."""
    entry = file.shown[index]
    return None if entry is None or (delta and entry == file.shown[index - 1]) else _person(file, entry)


def is_gone(file: File, index: int) -> bool:
    """Whether the person was in the export of the date before, and is not in this one."""
    return index > 0 and file.shown[index] is None and file.shown[index - 1] is not None


def _person(file: File, entry: Entry) -> dict[str, Any]:
    """The person as SS 12000 `GET /persons` gives it."""
    person: dict[str, Any] = {
        "id": file.person_id,
        "givenName": file.pupil.given_name,
        "familyName": file.pupil.family_name,
        "birthDate": file.pupil.birth.isoformat(),
        "sex": file.pupil.sex,
        "securityMarking": entry.marking,
        "personStatus": entry.status,
        "enrolments": [_enrolment(row) for row in entry.rows],
    }
    if entry.number is not None:
        person["civicNo"] = {"value": entry.number, "nationality": "SE"}
    return person


def _enrolment(row: Row) -> dict[str, Any]:
    enrolment: dict[str, Any] = {
        "enroledAt": {"id": row.unit, "displayName": unit_name(row.unit)},
        "schoolType": row.form,
        "startDate": row.start_text or row.start.isoformat(),
        "schoolYear": row.year,
        "cancelled": row.cancelled,
    }
    if row.end is not None:
        enrolment["endDate"] = row.end.isoformat()
    return enrolment
