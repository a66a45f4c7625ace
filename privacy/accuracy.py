"""How far fitted values (`privacy.fitting`) are from the true ones: variances, and half-widths in whole children. Pure.

For a level of k cells with noise of variance σ² = 1/(2ρ), and a fitted total of variance V (1/V is the sum of the
levels' 1/(kσ²)), what is spread over a cell, s = (total − sum)/k, has the variance s² = (σ² − V/k)/k. A sum of m of its
cells is off by the noise of m cells and m·s, which together have the variance
    mσ² − m²s²
and by rounding: each cell goes up with the chance of s's fraction f. Rounded up cells are drawn without replacement, so
this adds m(k − m)/(k − 1) times the mean of f(1 − f), for s normal 1/6 − Σ exp(−2π²j²s²)/(π²j²) over j ≥ 1.

What is off is a whole number, and a sum of many draws, or a discrete Gaussian that follows the normal distribution up
to exp(−2π²σ²): at most w with the probability of a normal value within w + ½. Tests draw it.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from statistics import NormalDist

from privacy.noise import ALPHA, NANO


@dataclass(frozen=True, slots=True)
class Shape:
    """How many cells a level has, and the nano-ρ that they are drawn at."""

    cells: int
    nano_rho: int

    @property
    def variance(self) -> float:
        """Of one cell's noise."""
        return NANO / (2 * self.nano_rho)


Shapes = tuple[Shape, ...]
"""The levels that are fitted to each other, in their order."""


def total_variance(shapes: Shapes) -> float:
    """Of the fitted total, before it is rounded."""
    return 1 / sum(1 / (shape.cells * shape.variance) for shape in shapes)


def sum_variance(shapes: Shapes, level: int, cells: int = 1) -> float:
    """Of the sum of so many cells of one level, fitted and rounded. ValueError where there are not so many."""
    shape = shapes[level]
    if not 1 <= cells <= shape.cells:
        raise ValueError("a level has no such sum")
    if cells == shape.cells:
        return total_variance(shapes)
    spread = (shape.variance - total_variance(shapes) / shape.cells) / shape.cells
    rounded = cells * (shape.cells - cells) / (shape.cells - 1) * _rounding_variance(max(spread, 0.0))
    return cells * shape.variance - cells**2 * spread + rounded


@functools.lru_cache(maxsize=1024)
def half_width(shapes: Shapes, level: int, cells: int = 1, *, times: int = 1, alpha: float = ALPHA) -> int:
    """The least w such that the sum of so many cells of one level is at most w from the true one, but for `alpha`.

    `times`: `disclosure.PUBLIC_TIMES` for the public, to whose values noise of the same size was added, and fitted,
    once more.
    """
    deviation = math.sqrt(times * sum_variance(shapes, level, cells))
    return max(0, math.ceil(NormalDist(0, deviation).inv_cdf(1 - alpha / 2) - 0.5))


def _rounding_variance(spread: float) -> float:
    """The mean of f(1 − f), f being the fraction of a normal value of this variance."""
    if spread == 0:
        return 0.0
    terms = (math.exp(-2 * (math.pi * j) ** 2 * spread) / (math.pi * j) ** 2 for j in range(1, 200))
    return max(0.0, 1 / 6 - sum(terms))
