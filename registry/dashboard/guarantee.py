"""What a ρ of zero-concentrated differential privacy means in words. Pure, and without OpenDP: a face needs no noise.

Tests hold it against `privacy.budget`, which asks OpenDP.
"""

from __future__ import annotations

import math

DELTA = 1e-6
_ORDERS = tuple(1 + 10 ** (exponent / 100) for exponent in range(-200, 401))


def guess_percent(nano_rho: int) -> int:
    """How often, of 100 times, the best guess whether a child is in the figures is right at most; rounded upwards.

    ½ + ½√(ρ/2): half and half the greatest difference of probabilities that ρ allows (Pinsker's inequality).
    """
    return min(100, math.ceil(100 * (0.5 + 0.5 * math.sqrt(nano_rho / 1e9 / 2)) - 1e-9))


def epsilon(nano_rho: int, delta: float = DELTA) -> float:
    """The ε of (ε, δ) that ρ implies: Canonne, Kamath and Steinke 2020, corollary 13, the best of many orders α."""
    rho = nano_rho / 1e9
    if rho == 0:
        return 0.0
    return min(
        order * rho + (math.log(1 / delta) + (order - 1) * math.log(1 - 1 / order) - math.log(order)) / (order - 1)
        for order in _ORDERS
    )
