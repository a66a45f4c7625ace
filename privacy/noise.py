"""Noise for counts: OpenDP's discrete Gaussian (Canonne, Kamath and Steinke 2020), and what it costs by OpenDP's map.

Invariants
    - Noise comes from OpenDP alone, which takes it from the operating system's cryptographic generator; no seed.
    - ρ of zero-concentrated differential privacy (Bun and Steinke 2016) is counted in whole 1e-9, nano-ρ, rounded up.
    - The scale for a ρ is never one that costs more than it by OpenDP's map: `cost_nano_rho(n) == n`.

Noise is drawn when a table is released, never while a reader waits: how long a draw takes hangs on what is drawn.
OpenDP is loaded with the first use, so that a process that draws nothing starts without it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from fractions import Fraction
from importlib.metadata import version
from typing import Any

NANO = 1_000_000_000

MECHANISM = "discrete Gaussian"

ALPHA = 0.05
"""Of intervals: so often at most they miss the true value."""

ONE_CHILD = 1.0
"""How far one child moves the counts of a table, by the Euclidean norm: it is in one cell, once."""


def library() -> str:
    """What draws, with its version, for the record of a release."""
    return f"OpenDP {version('opendp')}"


def gaussian(values: Sequence[int], nano_rho: int) -> list[int]:
    """The counts with independent noise for each, so that one child in one of them costs `nano_rho`."""
    return list(_mechanism(sigma(nano_rho))(list(values)))


@functools.lru_cache
def sigma(nano_rho: int) -> float:
    """The scale of the noise that costs `nano_rho`: 1/√(2ρ), in the last digits so that OpenDP's map agrees."""
    if nano_rho <= 0:
        raise ValueError("ρ is not positive")
    scale = 1 / math.sqrt(2 * nano_rho / NANO)
    while _cost(scale, ONE_CHILD) > nano_rho:
        scale = math.nextafter(scale, math.inf)
    return scale


def cost_nano_rho(nano_rho: int, l2_distance: float = ONE_CHILD) -> int:
    """What noise made for `nano_rho` costs where neighbours are `l2_distance` apart; by OpenDP's map, rounded up."""
    return _cost(sigma(nano_rho), l2_distance)


@functools.lru_cache
def half_width(scale: float, alpha: float = ALPHA) -> int:
    """The least w such that noise of this scale is at most w in size, but for `alpha` of the draws."""
    _load()
    from opendp.accuracy import discrete_gaussian_scale_to_accuracy

    # OpenDP's accuracy is the least a with P[|noise| ≥ a] ≤ alpha.
    return math.ceil(float(discrete_gaussian_scale_to_accuracy(scale=scale, alpha=alpha))) - 1


@functools.lru_cache
def epsilon(nano_rho: int, delta: float) -> float:
    """The ε that ρ amounts to at δ, by OpenDP's map from zero-concentrated to approximate differential privacy."""
    _load()
    from opendp.combinators import make_zCDP_to_approxDP

    measure: Any = make_zCDP_to_approxDP(_mechanism(sigma(nano_rho)))
    return float(measure.map(ONE_CHILD).epsilon(delta))


def _cost(scale: float, l2_distance: float) -> int:
    return math.ceil(Fraction(float(_mechanism(scale).map(l2_distance))) * NANO)


@functools.lru_cache
def _mechanism(scale: float) -> Any:
    _load()
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_gaussian
    from opendp.metrics import l2_distance

    return make_gaussian(vector_domain(atom_domain(T="i64")), l2_distance(T="f64"), scale=scale)


@functools.cache
def _load() -> None:
    from opendp.mod import enable_features

    # OpenDP's name for what its own reviewers have not yet proved in writing; make_gaussian is among it.
    enable_features("contrib")
