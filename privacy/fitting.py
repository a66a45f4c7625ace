"""Noisy levels fitted to each other: one total, and one or more ways to divide it, made to add up. Pure, deterministic.

The total is weighed from all that measures it, by inverse variance; what it differs by from the sum of a division is
spread evenly over the parts of that division. For parts of equal variance that is the generalised least squares
solution. Whole numbers are made of it by controlled rounding. Post-processing: it costs no privacy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """A noisy value and the variance of its noise."""

    value: int
    variance: float


@dataclass(frozen=True, slots=True)
class Division:
    """Noisy parts of a total, each with noise of the same variance."""

    parts: Sequence[int]
    variance: float

    @property
    def sum_variance(self) -> float:
        return self.variance * len(self.parts)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The total, and the parts of each division in the order given: each adds up to the total."""

    total: int
    divisions: tuple[tuple[int, ...], ...]


def fit(total: Measured | None, divisions: Sequence[Division]) -> Fitted:
    """The values that add up and are nearest to what was measured. Raises ValueError where that is nothing."""
    measures = [(float(sum(each.parts)), each.sum_variance) for each in divisions]
    if total is not None:
        measures.append((float(total.value), total.variance))
    if not measures:
        raise ValueError("Nothing measures the total.")
    weights = [1 / variance for _, variance in measures]
    best = sum(value * weight for (value, _), weight in zip(measures, weights, strict=True)) / sum(weights)
    whole = round(best)
    return Fitted(whole, tuple(_spread(each.parts, whole) for each in divisions))


def total_variance(total: Measured | float | None, divisions: Sequence[tuple[int, float]]) -> float:
    """The variance of a fitted total: of its own measure, if any, and of (parts, variance of each) of the divisions."""
    own = total.variance if isinstance(total, Measured) else total
    precisions = [1 / (count * variance) for count, variance in divisions] + ([] if own is None else [1 / own])
    return 1 / sum(precisions)


def _spread(parts: Sequence[int], total: int) -> tuple[int, ...]:
    """The parts with the difference to the total spread over them, evenly, the odd ones at even distances."""
    count = len(parts)
    each, odd = divmod(total - sum(parts), count)
    return tuple(
        part + each + (1 if math.floor((index + 1) * odd / count) > math.floor(index * odd / count) else 0)
        for index, part in enumerate(parts)
    )
