"""What a plot works with: the dates, the members, the pupils, and the few moves that histories are made of.

A plot claims over which dates its gap is unanswered, answered, ended or taken back; the only thing reckoned here is
when an unanswered gap opens. No rule of the project is asked.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from federation.demo.generator.people import Entry, Population, Pupil, Row
from federation.demo.generator.schooldays import DAY, Term
from federation.demo.scenario import Case
from federation.rules.vocabulary import GapState, MemberId

CROWD = 9
"""Leavings of one school unit at one import stay below the size at which they would wait for a person."""


class DoesNotFitError(Exception):
    """The plot needs more dates than are left, or would crowd a school unit; another draw may fit."""


@dataclass(frozen=True)
class File:
    """One person in one member's exports: what each date shows, None where the person is not in the export."""

    member: MemberId
    person_id: str
    pupil: Pupil
    shown: tuple[Entry | None, ...]


@dataclass(frozen=True)
class Story:
    """One child over the whole scenario, and what has to come of it."""

    files: tuple[File, ...]
    cases: tuple[Case, ...] = ()
    rejected: int = 0
    """Distinct rows refused for an invalid or missing number or date."""


@dataclass(frozen=True)
class Gap:
    """A gap as its plot tells it. `states` maps the first date index of a stretch to the state in it; in a stretch
    that is `OPEN` the gap is unanswered, and open only once `watch` school days have passed since `since`.
    """

    file: File
    since: date
    states: Mapping[int, GapState]
    route: str = "registry"
    at_once: int | None = None
    """From this date index on the case is open without waiting: the identity is protected."""
    before: tuple[int, date] | None = None
    """Until this date index, another `since` was stated."""


@dataclass
class Stage:
    rng: random.Random
    term: Term
    members: Sequence[MemberId]
    units: Mapping[MemberId, Sequence[str]]
    people: Population
    settled: date
    """First day of the rows of those who were there long before the scenario begins."""
    protected_same: bool = False
    """The policy under which a protected identity is spoken of like any other."""
    leavings: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Leavings and vanishings per school unit and date index."""
    drawn: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Those of the plot that is being drawn: they count once it has turned out to fit."""

    # -- people and rows

    def pupil(self, *, form: str | None = None, year: int | None = None) -> Pupil:
        form = form or self.rng.choices(("GR", "GRS", "SAM"), (12, 2, 1))[0]
        return self.people.pupil(form, self.rng.randint(1, 8) if year is None else year)

    def member(self, *others: MemberId) -> MemberId:
        """A member other than `others`."""
        choice = [member for member in self.members if member not in others]
        if not choice:
            raise DoesNotFitError
        return self.rng.choice(choice)

    def unit(self, member: MemberId, *others: str) -> str:
        return self.rng.choice([unit for unit in self.units[member] if unit not in others])

    def row(
        self,
        member: MemberId,
        pupil: Pupil,
        start: date | None = None,
        *,
        form: str | None = None,
        unit: str | None = None,
    ) -> Row:
        return Row(unit or self.unit(member), form or pupil.form, start or self.settled, pupil.year)

    def new_unit(self) -> str:
        """A school unit of which nobody but the caller's pupils know."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def file(self, member: MemberId, pupil: Pupil, scenes: Mapping[int, Entry | None]) -> File:
        """A file that shows each entry from its date index on, and nobody before the first."""
        shown: list[Entry | None] = []
        current: Entry | None = None
        for index in range(len(self.term.as_of)):
            current = scenes.get(index, current)
            shown.append(current)
        return File(member, str(uuid.UUID(int=self.rng.getrandbits(128), version=4)), pupil, tuple(shown))

    # -- dates

    def told(self, earliest: int = 1, latest: int | None = None) -> int:
        """A date index on which something is first shown; by default not the baseline."""
        latest = self.term.last if latest is None else min(latest, self.term.last)
        if latest < earliest:
            raise DoesNotFitError
        return self.rng.randint(earliest, latest)

    def day_before(self, told: int, *, days: int = 6, row: Row | None = None) -> date:
        """A last day in school that the export of `told` is the first to show; that date itself is possible.

        With `row`, its unit is counted as left on that date.
        """
        if row is not None:
            self.leave(row, told)
        return self.term.as_of[told] - self.rng.randint(0, days) * DAY

    def arrival(self, told: int, earliest: date) -> date:
        """A first day in school, from `earliest` on, that the export of `told` shows as begun."""
        latest = self.term.as_of[told]
        if earliest > latest:
            raise DoesNotFitError
        return max(earliest, latest - self.rng.randint(0, 6) * DAY)

    def leave(self, row: Row, told: int) -> None:
        for index in (told, told + 1):  # a last day on the date of an export is a leaving in the next one
            self.drawn[row.unit, index] += 1
            if self.leavings[row.unit, index] + self.drawn[row.unit, index] > CROWD:
                raise DoesNotFitError

    def summer_before(self) -> tuple[date, date] | None:
        """The summer break that ended within the sixty days before the first date."""
        return next(((start, end) for start, end in self._summers() if 0 < (self.term.as_of[0] - end).days <= 60), None)

    def summer_within(self) -> tuple[date, date] | None:
        """The summer break that begins after the first date and before the last."""
        return next(
            ((start, end) for start, end in self._summers() if self.term.as_of[0] < start <= self.term.as_of[-1]), None
        )

    def _summers(self) -> list[tuple[date, date]]:
        """The breaks that hold a 1 July."""
        return [(start, end) for start, end in self.term.breaks if start <= date(start.year, 7, 1) <= end]

    def open_from(self, since: date, told: int) -> int:
        """Date index of the first close on which an unanswered gap is open; past the last one where there is none."""
        return max(told, self.term.index(self.term.due(since)))

    def later(self, index: int, *, least: int = 0, most: int = 3) -> int:
        """A date index some dates after `index`, within the scenario."""
        return self.told(index + least, index + most)

    def believed(self, told: int, since: date) -> int:
        """Date index at which exports have said for long enough that a whole school unit left."""
        summer = any(start <= since <= end for start, end in self._summers())
        wait = 20 if summer else 5
        days = self.term.as_of
        return next(
            (i for i in range(told + 1, len(days)) if self.term.between(days[told], days[i]) >= wait), len(days)
        )

    # -- truth

    def cases(self, *gaps: Gap) -> tuple[Case, ...]:
        return tuple(case for gap in gaps if (case := self.case(gap)) is not None)

    def case(self, gap: Gap) -> Case | None:
        """What the gap looks like to whoever reads the result; None where it never opened."""
        run: list[GapState] = []
        state: GapState | None = None
        for index, as_of in enumerate(self.term.as_of):
            since = gap.before[1] if gap.before and index < gap.before[0] else gap.since
            hidden = gap.at_once is not None and index >= gap.at_once
            waits = as_of < (since if hidden else self.term.due(since))
            state = gap.states.get(index, state)
            if state is not None:
                run.append(GapState.WATCH if state is GapState.OPEN and waits else state)
        if GapState.OPEN not in run:
            return None
        dates = self.term.as_of[-len(run) :]
        newest = next((n for n in reversed(range(len(run))) if run[n] is not run[-1]), -1) + 1
        return Case(
            member=gap.file.member,
            person_id=gap.file.person_id,
            effective_date=gap.since,
            route=gap.route,
            opened_on=dates[run.index(GapState.OPEN)],
            state=run[-1],
            state_since=dates[newest],
        )
