"""A stage as large as a nation: members in proportion to their pupils, moves in their season, and enough numbers."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from federation.demo.generator.people import BIRTH_NUMBERS, Population, Pupil, number
from federation.demo.generator.stage import DoesNotFitError, Stage
from federation.errors import Code, UppropError
from federation.rules.vocabulary import MemberId

FIRST_BIRTH = date(1860, 1, 1)
LAST_BIRTH = date(2019, 12, 31)
"""Days of birth that numbers are made of."""


@dataclass
class NationPopulation(Population):
    """Gives out numbers in order, so that none has to be remembered.

    There are twenty test numbers to a day of birth, 980 to 999, so that those of a million pupils are of a century and
    a half. The date in a number is therefore not when the pupil was born, and no real age; the export's `birthDate` is,
    and a node, which takes nobody for a grown-up in doubt, goes by the later of the two.
    """

    given: int = 0

    def pupil(self, form: str, year: int) -> Pupil:
        return replace(super().pupil(form, year), birth=self._birth(year))

    def _draw(self, birth: date) -> tuple[str, date, int]:  # noqa: ARG002 - in that year there may be no room
        day, place = divmod(self.given, len(BIRTH_NUMBERS))
        self.given += 1
        born = FIRST_BIRTH + timedelta(days=day)
        if born > LAST_BIRTH:
            raise UppropError(
                Code.INPUT_REFUSED, "There are not enough test numbers for so many pupils: ask for fewer of them."
            )
        return number(born, BIRTH_NUMBERS[place]), born, BIRTH_NUMBERS[place]


@dataclass
class NationStage(Stage):
    """`sizes`: pupils of each member, in their order; `told_at`: how much is first told on each date."""

    sizes: Sequence[int] = ()
    told_at: Sequence[int] = ()
    _sizes_up_to: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._sizes_up_to = list(itertools.accumulate(self.sizes))

    def member(self, *others: MemberId) -> MemberId:
        """A member other than `others`, more often a larger one."""
        if set(self.members) <= set(others):
            raise DoesNotFitError
        while True:
            place = bisect.bisect(self._sizes_up_to, self.rng.random() * self._sizes_up_to[-1])
            if (drawn := self.members[place]) not in others:
                return drawn

    def told(self, earliest: int = 1, latest: int | None = None) -> int:
        """A date index, more often one at which more is told."""
        latest = self.term.last if latest is None else min(latest, self.term.last)
        if latest < earliest:
            raise DoesNotFitError
        weights = self.told_at[earliest : latest + 1]
        return self.rng.choices(range(earliest, latest + 1), weights)[0]
