"""Levels of one release fitted to each other: the same children, counted in several ways, each with noise, add up.

Pure, exact and deterministic: whole numbers and fractions only, so that every machine fits alike. It hangs on noisy
values alone, so it costs nothing (post-processing).

A level is a partition of all children: 290 municipalities, or one cell for the nation. All levels have the same sum,
and each level's cells have the same variance, 1/(2ρ). Then the generalised least squares fit is
    total  = the levels' sums, weighed by inverse variance: a sum of k cells has the variance k/(2ρ);
    cell   = its noisy value + (total − its level's noisy sum)/k,
as the residual of a sum is spread over cells of one variance equally. No linear unbiased estimate is more precise.

Invariants
    - Results are whole numbers, each within 1 of the fit (the total within ½), and every level adds up to the total.
    - Nothing is clipped: what is negative stays so, or sums would be biased.
    - Which cells of a level are rounded up hangs on no order of codes: places are drawn by a hash of the noisy values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Level:
    """Noisy cells, each child in one of them, and the nano-ρ that they were drawn at."""

    values: tuple[int, ...]
    nano_rho: int

    def __post_init__(self) -> None:
        if not self.values or self.nano_rho <= 0:
            raise ValueError("a level has cells, and noise")


@dataclass(frozen=True, slots=True)
class Fitted:
    """The total, and the cells of each level in the order in which levels were given."""

    total: int
    levels: tuple[tuple[int, ...], ...]


def fit(levels: Sequence[Level]) -> Fitted:
    """The levels fitted to each other. ValueError without any."""
    if not levels:
        raise ValueError("nothing to fit")
    # Inverse variance of a level's sum, but for the factor 2 that all have.
    weights = [Fraction(level.nano_rho, len(level.values)) for level in levels]
    sums = [sum(level.values) for level in levels]
    # round() of a fraction is exact: halves go to the even number.
    total = round(sum(weight * each for weight, each in zip(weights, sums, strict=True)) / sum(weights))
    return Fitted(total, tuple(_spread(level.values, total) for level in levels))


def _spread(values: tuple[int, ...], total: int) -> tuple[int, ...]:
    """The cells with what they lack of the total spread over them equally, in whole numbers.

    All cells have the same remainder, so that largest remainders do not tell which are rounded up.
    """
    each, left = divmod(total - sum(values), len(values))
    seed = hashlib.sha256(",".join(map(str, values)).encode()).digest()
    drawn = sorted(range(len(values)), key=lambda place: hashlib.sha256(seed + place.to_bytes(4, "big")).digest())
    up = set(drawn[:left])
    return tuple(value + each + (place in up) for place, value in enumerate(values))
