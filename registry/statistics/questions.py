"""Further questions: a sum over places and months of the asker's own choice, as values. Pure.

Invariants
    - Questions that mean the same children are the same question, and have one id: a county is its municipalities.
    - What a question may cost, and who may pay for it, hangs on the year's profile and on what was spent alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from federation.errors import Code, UppropError
from privacy.budget import Profile
from registry.statistics.catalogue import DimensionId, Measure
from registry.statistics.geography import NATION, county_of, geography
from registry.statistics.model import Spend
from registry.statistics.selecting import Askable, Selected

_ID_BYTES = 16


def spends_of(year: int) -> str:
    """How the spends on questions about a year begin."""
    return f"{year:04d}/query/"


def answer_of(query_id: str) -> str:
    """What the answer to a question is noted as (`outside`)."""
    return f"answer/{query_id}"


@dataclass(frozen=True, slots=True)
class Question:
    """`municipalities` and `months` of one year, each in order and once."""

    year: int
    municipalities: tuple[str, ...]
    months: tuple[int, ...]

    @classmethod
    def of(cls, asked: Askable, selected: Selected) -> Question:
        """The question that selected codes pose. Raises UppropError(REQUEST_INVALID) where it is of several years."""
        by_name = dict(zip(asked.codes, selected, strict=True))
        times = by_name[DimensionId.TIME]
        years = sorted({time[:4] for time in times})
        if len(years) != 1:
            raise UppropError(
                Code.REQUEST_INVALID,
                f"A further question is about months of one year; these are of {len(years)}. Each year's children have "
                f"a budget of their own: ask year by year, such as Tid={years[-1]}M*.",
            )
        months = sorted({int(time[5:]) for time in times})
        return cls(int(years[0]), _municipalities(by_name[DimensionId.REGION]), tuple(months))

    @classmethod
    def read(cls, selection: str) -> Question:
        """The question that a selection states."""
        return msgspec.json.decode(selection, type=cls)

    @property
    def selection(self) -> str:
        """As it is kept; canonical."""
        return msgspec.json.encode(self).decode()

    @property
    def query_id(self) -> str:
        return hashlib.sha256(self.selection.encode()).digest()[:_ID_BYTES].hex()

    @property
    def spend_id(self) -> str:
        return f"{spends_of(self.year)}{self.query_id}"

    @property
    def places(self) -> tuple[str, ...]:
        """Its municipalities in few codes: the nation, or counties where all of theirs are among them."""
        asked = set(self.municipalities)
        if len(asked) == len(geography().municipalities):
            return (NATION,)
        partly = {county_of(code) for code in geography().municipalities.keys() - asked}
        whole = {county_of(code) for code in asked} - partly
        return (*sorted(whole), *(code for code in self.municipalities if county_of(code) not in whole))

    @property
    def codes(self) -> Mapping[DimensionId, tuple[str, ...]]:
        """As codes of its dimensions."""
        months = tuple(f"{self.year:04d}M{month:02d}" for month in self.months)
        return {DimensionId.REGION: self.places, DimensionId.TIME: months}

    def refuse_silence(self, silent: Iterable[str]) -> None:
        """Raise UppropError(REQUEST_INVALID) where nobody had reported of any of its places: nothing is to be paid."""
        if set(self.municipalities) <= set(silent):
            raise UppropError(
                Code.REQUEST_INVALID,
                f"Nobody had reported of these places when {self.year} was released: there is silence to be summed. "
                "Nothing was spent. The list of releases says who was silent; ask for places that were not.",
            )


@dataclass(frozen=True, slots=True)
class Posed:
    """A question that was paid for; `value` once it is answered, as it was drawn."""

    question: Question
    nano_rho: int
    asked_at: datetime
    value: int | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a year's reserve for a role, and of it for one reader."""

    role: int
    reader: int


def left(profile: Profile, spends: Sequence[Spend], role: str, reader: str) -> Left:
    """After these spends of the year."""
    of_role = sum(each.nano_rho for each in spends if each.role == role)
    of_reader = sum(each.nano_rho for each in spends if each.role == role and each.reader == reader)
    role_left = max(profile.role_share(role) - of_role, 0)
    return Left(role_left, min(role_left, max(profile.reader_share(role) - of_reader, 0)))


def check_affordable(profile: Profile, spends: Sequence[Spend], role: str, reader: str, year: int) -> None:
    """Raise UppropError(BUDGET_EXHAUSTED) where the reader may not pay for another question of the year."""
    rest = left(profile, spends, role, reader)
    if rest.role < profile.question_cost:
        whose = f"readers of the role {role}"
    elif rest.reader < profile.question_cost:
        whose = "one reader"
    else:
        return
    raise UppropError(
        Code.BUDGET_EXHAUSTED,
        f"What {whose} may spend on further questions about {year} is spent. What was asked before is still answered, "
        "and so are the released tables. The budget says what is left of other years.",
    )


def measures(asked: Askable, selected: Selected) -> tuple[Measure, ...]:
    """The contents that were asked for."""
    return tuple(Measure(code) for code in dict(zip(asked.codes, selected, strict=True))[DimensionId.CONTENTS])


def _municipalities(places: Iterable[str]) -> tuple[str, ...]:
    asked = set(places)
    return tuple(
        code for code in geography().municipalities if NATION in asked or code in asked or county_of(code) in asked
    )
