"""The discrete Gaussian by its definition, to hold OpenDP against and to try rules with noise that a seed repeats."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from random import Random

NANO = 1_000_000_000


@functools.cache
def probabilities(nano_rho: int) -> dict[int, float]:
    """Noise → its probability, for all noise that is likelier than 1e-30; exp(−ρx²), as 2σ² = 1/ρ."""
    rho = nano_rho / NANO
    reach = math.isqrt(math.ceil(70 / rho))
    weights = {noise: math.exp(-rho * noise**2) for noise in range(-reach, reach + 1)}
    total = math.fsum(weights.values())
    return {noise: weight / total for noise, weight in weights.items()}


class Repeatable:
    """Draws as `privacy.noise.gaussian` does, from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def __call__(self, values: Sequence[int], nano_rho: int) -> list[int]:
        noises, cumulative = _cumulative(nano_rho)
        drawn = self._random.choices(noises, cum_weights=cumulative, k=len(values))
        return [value + noise for value, noise in zip(values, drawn, strict=True)]


@functools.cache
def _cumulative(nano_rho: int) -> tuple[list[int], list[float]]:
    likely = probabilities(nano_rho)
    return list(likely), list(itertools.accumulate(likely.values()))
