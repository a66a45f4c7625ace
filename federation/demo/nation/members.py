"""The members of a nation: as many inhabitants each as Swedish municipalities have, by rank."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from federation.demo.generator import municipalities
from federation.rules.vocabulary import MemberId

INHABITANTS = (
    (1, 985_000),
    (2, 605_000),
    (3, 360_000),
    (4, 245_000),
    (10, 147_000),
    (50, 55_000),
    (100, 26_000),
    (145, 16_000),
    (200, 10_500),
    (250, 7_000),
    (290, 2_400),
)
"""Rank and inhabitants of Swedish municipalities, rounded (Statistics Sweden, 2024); in between, in proportion."""


@dataclass(frozen=True)
class Share:
    """A member and its part of the nation."""

    id: MemberId
    name: str
    population: int
    pupils: int


def members(count: int, pupils: int) -> tuple[Share, ...]:
    """`count` members, the largest first, whose pupils are `pupils` together, give or take a rounding.

    Fewer members than the nation's each stand for as many of its ranks.
    """
    ranks = INHABITANTS[-1][0] / count
    inhabitants = [_inhabitants(0.5 + (place + 0.5) * ranks) for place in range(count)]
    part = pupils / sum(inhabitants)
    return tuple(
        Share(MemberId(id_), name, round(number), max(1, round(number * part)))
        for (id_, name), number in zip(municipalities(count), inhabitants, strict=True)
    )


def _inhabitants(rank: float) -> float:
    for (low, many), (high, few) in pairwise(INHABITANTS):
        if rank <= high:
            return math.exp(math.log(many) + (math.log(few) - math.log(many)) * (rank - low) / (high - low))
    return INHABITANTS[-1][1]
