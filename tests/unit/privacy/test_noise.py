"""Noise follows the discrete Gaussian of the ρ that it costs, by OpenDP's own map; half-widths hold what they say.

OpenDP's noise has no seed. What is drawn here is counted, and each count may be 7 standard deviations off: with
expected counts of 1 000 and more that happens less than once in 1e10 tests.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter

import pytest

from privacy import noise
from privacy.budget import PROFILES
from tests.unit.privacy.discrete_gaussian import NANO, probabilities

DEVIATIONS = 7
DRAWS = 40_000

PARTS = sorted(
    {part for profile in PROFILES.values() for price in profile.tables.values() for part in price.parts}
    | {profile.question_cost for profile in PROFILES.values()}
)


@pytest.mark.parametrize("nano_rho", [*PARTS, 1, 7, 333_333_333, NANO])
def test_noise_costs_what_it_is_made_for(nano_rho: int) -> None:
    assert noise.cost_nano_rho(nano_rho) == nano_rho
    assert noise.sigma(nano_rho) == pytest.approx(1 / math.sqrt(2 * nano_rho / NANO), rel=1e-12)


def test_a_child_in_two_cells_costs_twice_and_twice_in_one_cell_four_times() -> None:
    assert noise.cost_nano_rho(60_000_000, 0) == 0
    assert noise.cost_nano_rho(60_000_000, math.sqrt(2)) in (120_000_000, 120_000_001)
    assert noise.cost_nano_rho(60_000_000, 2) in (240_000_000, 240_000_001)


def test_a_cost_is_rounded_up() -> None:
    assert noise.cost_nano_rho(10, 0.5) == 3
    assert noise.cost_nano_rho(10, 1e-6) == 1


@pytest.mark.parametrize("nano_rho", [100_000_000, 20_000_000])
def test_noise_is_as_likely_as_the_discrete_gaussian_says(nano_rho: int) -> None:
    drawn = Counter(value - 5 for value in noise.gaussian([5] * DRAWS, nano_rho))
    likely = probabilities(nano_rho)
    central = [each for each, chance in likely.items() if chance * DRAWS >= 1_000]
    assert len(central) >= 5
    tail = max(central)
    observed = [drawn[each] for each in central] + [
        sum(count for each, count in drawn.items() if side * each > tail) for side in (-1, 1)
    ]
    chances = [likely[each] for each in central] + 2 * [sum(chance for each, chance in likely.items() if each > tail)]
    for count, chance in zip(observed, chances, strict=True):
        assert abs(count - DRAWS * chance) <= DEVIATIONS * math.sqrt(DRAWS * chance * (1 - chance))


def test_each_draw_is_new_and_goes_both_ways() -> None:
    # 290 cells alike twice: 0.13 ** 290.
    assert noise.gaussian([3] * 290, 100_000_000) != noise.gaussian([3] * 290, 100_000_000)
    assert min(noise.gaussian([0] * 290, 100_000_000)) < 0


def test_counts_of_any_size_are_drawn() -> None:
    assert noise.gaussian([], 1_000_000) == []
    # 600 is 26 standard deviations.
    assert all(
        abs(drawn - count) < 600
        for drawn, count in zip(noise.gaussian([-(2**40), 2**40], 1_000_000), (-(2**40), 2**40), strict=True)
    )


@pytest.mark.parametrize("nano_rho", [0, -1])
def test_noise_that_costs_nothing_is_refused(nano_rho: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        noise.gaussian([1], nano_rho)


@pytest.mark.parametrize("nano_rho", PARTS)
def test_a_half_width_is_the_least_that_holds_95_of_100_draws(nano_rho: int) -> None:
    likely = probabilities(nano_rho)
    width = noise.half_width(noise.sigma(nano_rho))

    def within(size: int) -> float:
        return math.fsum(chance for each, chance in likely.items() if abs(each) <= size)

    assert within(width) >= 0.95 > within(width - 1)


def test_the_record_says_what_drew() -> None:
    name, number = noise.library().split()
    assert name == "OpenDP"
    assert number.startswith("0.16.")
    assert noise.MECHANISM == "discrete Gaussian"


def test_opendp_is_loaded_with_the_first_draw_only() -> None:
    program = """
import sys
from privacy import accuracy, budget, disclosure, fitting, noise
assert not [name for name in sys.modules if name.split(".")[0] == "opendp"]
noise.gaussian([1], 10**6)
assert "opendp.measurements" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
