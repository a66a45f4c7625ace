"""A nation as a scenario: hundreds of members, a million pupils, a school year of moves, and the truth about each.

Histories, and the truth of each, are the generator's plots (`federation.demo.generator`). What is different here is
size: the story of one pupil is in memory at a time, and exports are written as it is told.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from federation.demo import scenario as scenarios
from federation.demo.generator import BREAKS, draw
from federation.demo.generator.plots import PLOTS
from federation.demo.generator.schooldays import Term
from federation.demo.generator.stage import Story
from federation.demo.nation.kinds import MOVES, kinds
from federation.demo.nation.members import Share, members
from federation.demo.nation.stage import NationPopulation, NationStage
from federation.demo.nation.writing import ExportWriter
from federation.demo.scenario import Case, Exports, Scenario, ScenarioBreak, ScenarioCalendar, ScenarioMember, Truth

BASELINE = date(2026, 7, 6)
DATES = (
    (date(2026, 7, 27), 10),
    (date(2026, 8, 10), 20),
    (date(2026, 8, 24), 25),
    (date(2026, 9, 7), 8),
    (date(2026, 9, 14), 5),
    (date(2026, 10, 5), 6),
    (date(2026, 11, 9), 6),
    (date(2026, 12, 7), 4),
    (date(2027, 1, 25), 7),
    (date(2027, 3, 8), 5),
    (date(2027, 5, 3), 4),
)
"""The dates of a school year (1 July to 30 June) after the baseline, and how much is first told on each, in hundredths:
more than half of the year's moves are made in July and August. School systems have moved everyone up a year before the
baseline, and do so again after the last date."""

PUPILS_PER_UNIT = 200
SETTLED = date(2025, 8, 18)

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total)."""


@dataclass(frozen=True)
class Nation:
    """What to generate. `moves` pupils change members in the year; `pupils` are on the rolls at the baseline."""

    members: int = 290
    pupils: int = 1_100_000
    moves: int = MOVES
    seed: int = 2026
    watch: int = 10
    breaks: Sequence[tuple[date, date]] = field(default=BREAKS)

    @property
    def as_of(self) -> tuple[date, ...]:
        return (BASELINE, *(day for day, _ in DATES))

    @property
    def scenario(self) -> Scenario:
        return Scenario(
            name=f"nation-{self.seed}",
            members=tuple(ScenarioMember(each.id, each.name, each.population) for each in self.shares),
            calendar=ScenarioCalendar(tuple(ScenarioBreak(*each) for each in self.breaks)),
            watch_school_days=self.watch,
            as_of=self.as_of,
            exports=Exports.DELTA,
        )

    @property
    def shares(self) -> tuple[Share, ...]:
        """The members, the largest first."""
        return members(self.members, self.pupils)


def stories(nation: Nation) -> Iterator[tuple[str, Story]]:
    """Histories by kind, one after the other; the same nation gives the same ones.

    Of a kind that does not fit the dates, or of which no more fit the school units, there are fewer or none.
    """
    rng = random.Random(nation.seed)  # noqa: S311 - a seed has to give the same scenario again; no secret
    shares = nation.shares
    stage = NationStage(
        rng=rng,
        term=Term(nation.as_of, tuple(nation.breaks), nation.watch),
        members=[share.id for share in shares],
        units={share.id: _units(rng, share.pupils) for share in shares},
        people=NationPopulation(rng, SETTLED.year),
        settled=SETTLED,
        sizes=[share.pupils for share in shares],
        told_at=(0, *(weight for _, weight in DATES)),
    )
    settled: Counter[str] = Counter()
    for kind, count in kinds(nation.moves).items():
        for _ in range(count):
            story = draw(stage, kind)
            if story is None:
                break
            settled.update(file.member for file in story.files if file.shown[0] is not None)
            yield kind, story
    for share in shares:
        alone = replace(stage, members=(share.id,), sizes=(1,))
        for _ in range(share.pupils - settled[share.id]):
            yield "stay", PLOTS["stay"](alone)


def write(nation: Nation, directory: Path, progress: Progress = lambda _step, _done, _total: None) -> Truth:
    """Write the scenario directory; returns its truth. Takes about a minute and 100 MB for a million pupils."""
    cases: list[Case] = []
    counted: Counter[str] = Counter()
    rejected = 0
    with ExportWriter(directory, nation.scenario) as writer:
        for done, (kind, story) in enumerate(stories(nation)):
            writer.write(story)
            cases += story.cases
            counted[kind] += 1
            rejected += story.rejected
            if done % _PROGRESS_EVERY == 0:
                progress("writing pupils", min(done, nation.pupils), nation.pupils)
    progress("writing pupils", nation.pupils, nation.pupils)
    truth = Truth(tuple(sorted(cases)), dict(counted), rejected)
    scenarios.write(directory, nation.scenario, truth)
    return truth


def _units(rng: random.Random, pupils: int) -> list[str]:
    return [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(max(3, pupils // PUPILS_PER_UNIT))]


_PROGRESS_EVERY = 2_000
