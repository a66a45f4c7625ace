"""Noise of the discrete Gaussian mechanism, drawn by OpenDP from the operating system's cryptographic generator.

Invariants
    - The scale for a price is rounded up, so that OpenDP's own map of it never says more than the price.
    - Prices are whole nano-ρ; what the map says is rounded up to them.
    - Nothing is drawn where somebody waits for it: how long a draw takes tells of what was drawn.

Canonne, Kamath and Steinke 2020 (the discrete Gaussian); Bun and Steinke 2016 (zero-concentrated privacy, ρ).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

NANO = 1_000_000_000
"""Nano-ρ in a ρ."""

MECHANISM = "discrete Gaussian"
LIBRARY = f"OpenDP {version('opendp')}"

_SPARE = 1 + 1e-9
"""What a scale is made wider by, so that the floating-point map stays under the price."""


def sigma(nano_rho: int) -> float:
    """The scale at which a count, of which one child moves one cell by one, costs this price: 1/√(2ρ), and a little."""
    if nano_rho < 1:
        raise ValueError("A draw costs something.")
    return math.sqrt(NANO / (2 * nano_rho)) * _SPARE


def gaussian(values: Sequence[int], nano_rho: int) -> list[int]:
    """Each value with noise of its own, all of them together at this price where one child moves one of them by one."""
    if not values:
        return []
    drawn: list[int] = _mechanism(nano_rho)([int(value) for value in values])
    return drawn


def cost_nano_rho(nano_rho: int, l2_distance: float) -> int:
    """What a draw made for this price costs between two tables that are so far apart (L2), by OpenDP's map."""
    return math.ceil(_rho(_mechanism(nano_rho), l2_distance) * NANO)


def half_width(scale: float, alpha: float = 0.05) -> int:
    """The least whole number that noise of this scale exceeds, either way, with a probability of at most alpha."""
    from opendp.accuracy import discrete_gaussian_scale_to_accuracy

    accuracy: float = discrete_gaussian_scale_to_accuracy(scale=scale, alpha=alpha)
    return math.ceil(accuracy) - 1


def epsilon(nano_rho: int, delta: float = 1e-6) -> float:
    """The ε for which a price of so much is (ε, δ)-differential privacy, by OpenDP's conversion."""
    from opendp import combinators

    _enable()
    pure = combinators.make_fix_delta(combinators.make_zCDP_to_approxDP(_mechanism(nano_rho)), delta=delta)
    # The library states no type for it.
    spent: tuple[float, float] = pure.map(1.0)  # type: ignore[no-untyped-call]
    return spent[0]


@functools.cache
def _enable() -> None:
    from opendp.mod import enable_features

    enable_features("contrib")


@functools.lru_cache(maxsize=64)
def _mechanism(nano_rho: int) -> Any:
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_gaussian
    from opendp.metrics import l2_distance

    _enable()
    mechanism = make_gaussian(vector_domain(atom_domain(T="i64")), l2_distance(T="f64"), sigma(nano_rho))
    if math.ceil(_rho(mechanism, 1.0) * NANO) > nano_rho:
        raise ValueError("OpenDP's map says more than the price.")
    return mechanism


def _rho(mechanism: Any, distance: float) -> float:
    rho: float = mechanism.map(distance)
    return rho
