"""Half-widths hold: of 100 values that are fitted and rounded, 95 are at most so far off, whatever sum they are.

Noise comes from a seed here, so that a test that passes passes always; the last test draws OpenDP's. Its limits are 6.5
standard deviations of a count away from what is claimed: that happens less than once in 1e10 tests.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import pytest

from privacy import accuracy, disclosure, noise
from privacy.accuracy import Shape, Shapes
from privacy.budget import PROFILES, Profile
from privacy.disclosure import Draw
from privacy.fitting import Fitted, Level, fit
from tests.unit.privacy.discrete_gaussian import Repeatable, probabilities

COUNTIES = 21
MUNICIPALITIES = 290
CLASSES = 36
DAYS = 7
DEVIATIONS = 6.5


def month(profile: Profile) -> Shapes:
    tables = profile.tables
    return Shape(1, tables["nation-month"].cells), Shape(COUNTIES, tables["county-month"].cells)


def year(profile: Profile) -> Shapes:
    tables = profile.tables
    cells, total = tables["nation-year"].parts
    return Shape(MUNICIPALITIES, tables["municipality-year"].cells), Shape(CLASSES, cells), Shape(1, total)


def closed(profile: Profile) -> Shapes:
    cells, total = profile.tables["closed-county-year"].parts
    return Shape(COUNTIES * DAYS, cells), Shape(1, total)


def pair(_: Profile) -> Shapes:
    """Two cells and much noise on one level, little on the other: all of the residual goes to two cells."""
    return Shape(2, 5_000_000), Shape(1, 50_000_000)


RELEASES: dict[str, tuple[Callable[[Profile], Shapes], int, tuple[int, ...]]] = {
    "month": (month, 2_000, (1, 5, 20)),
    "year": (year, 250, (1, 6, 49, 200)),
    "closed": (closed, 400, (1, 7, 21)),
    "pair": (pair, 20_000, (1,)),
}
"""Levels, how often they are drawn, and of how many cells sums are looked at."""


def errors(shapes: Shapes, draw: Draw, times: int) -> Fitted:
    """What is off in one release: of a nation without children, whatever is released is error."""
    levels = [Level(tuple(draw([0] * shape.cells, shape.nano_rho)), shape.nano_rho) for shape in shapes]
    fitted = fit(levels)
    return fitted if times == 1 else disclosure.further_noise(fitted, [shape.nano_rho for shape in shapes], draw)


def sums(cells: tuple[int, ...], of: int) -> Iterator[int]:
    """Sums of neighbours and of cells far from each other, none of which share a cell."""
    half = len(cells) // 2 // of * of
    for start in range(0, half, of):
        yield sum(cells[start : start + of])
    step = (len(cells) - half) // of
    for start in range(step):
        yield sum(cells[half + start + step * place] for place in range(of))


@pytest.mark.parametrize("name", RELEASES)
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("times", [1, 2])
def test_an_interval_holds_the_true_value_in_95_of_100(name: str, profile: Profile, times: int) -> None:
    shapes_of, draws, of_cells = RELEASES[name]
    shapes = shapes_of(profile)
    draw = Repeatable(seed=draws + times)
    widest = max(range(len(shapes)), key=lambda level: shapes[level].cells)
    totals: list[int] = []
    found: dict[int, list[int]] = {cells: [] for cells in of_cells}
    for _ in range(draws):
        drawn = errors(shapes, draw, times)
        totals.append(drawn.total)
        for cells in of_cells:
            found[cells] += sums(drawn.levels[widest], cells)
    found[shapes[widest].cells] = totals
    for cells, off in found.items():
        width = accuracy.half_width(shapes, widest, cells, times=times)
        held = sum(abs(each) <= width for each in off)
        # Of a sample this large; the seed stays, and so does the outcome.
        spare = 3 * math.sqrt(0.95 * 0.05 / len(off))
        assert held / len(off) >= 0.95 - spare, (cells, width)
        variance = times * accuracy.sum_variance(shapes, widest, cells)
        rounded = 0 if cells < shapes[widest].cells else times / 12
        # The mean of n squares is off by √(2/n) of itself in a standard deviation.
        assert sum(each**2 for each in off) / len(off) == pytest.approx(
            variance + rounded, rel=4 * math.sqrt(2 / len(off))
        )


def test_a_half_width_is_no_wider_than_it_must_be() -> None:
    shapes = month(PROFILES["standard"])
    assert accuracy.half_width(shapes, 0) == accuracy.half_width(shapes, 1, COUNTIES) == 9
    assert accuracy.half_width(shapes, 1) == 6
    assert accuracy.half_width(year(PROFILES["standard"]), 0) == 4
    assert accuracy.half_width(year(PROFILES["standard"]), 2) == 13
    assert accuracy.half_width(shapes, 1, alpha=0.5) < 6


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_level_by_itself_is_as_wide_as_opendp_says(profile: Profile) -> None:
    for price in profile.tables.values():
        for part in price.parts:
            assert accuracy.half_width((Shape(1, part),), 0) == noise.half_width(noise.sigma(part))


def test_levels_together_are_more_precise_than_each_alone() -> None:
    shapes = month(PROFILES["standard"])
    alone = [accuracy.total_variance((shape,)) for shape in shapes]
    assert accuracy.total_variance(shapes) < min(alone)
    assert accuracy.sum_variance(shapes, 1) < shapes[1].variance
    assert accuracy.sum_variance(shapes, 0) == accuracy.sum_variance(shapes, 1, COUNTIES)


@pytest.mark.parametrize(("profile", "exact"), [("standard", 0.95640), ("strict", 0.95107)])
def test_a_months_total_is_within_its_half_width_by_the_exact_distribution_of_its_noise(
    profile: str, exact: float
) -> None:
    """Nothing is drawn here: the noise of the nation and the sum of 21 counties' noise, weighed and rounded."""
    nation, counties = (shape.nano_rho for shape in month(PROFILES[profile]))
    of_sum = {0: 1.0}
    for _ in range(COUNTIES):
        of_sum = added(of_sum, probabilities(counties))
    width = accuracy.half_width(month(PROFILES[profile]), 0)
    held = math.fsum(
        chance * likely
        for own, chance in probabilities(nation).items()
        for summed, likely in of_sum.items()
        if abs(round(Fraction(COUNTIES * nation * own + counties * summed, COUNTIES * nation + counties))) <= width
    )
    assert held >= 0.95
    assert held == pytest.approx(exact, abs=1e-5)


def added(one: dict[int, float], other: dict[int, float]) -> dict[int, float]:
    """The distribution of the sum of two independent numbers, but for what is less likely than 1e-12."""
    found: dict[int, float] = {}
    for (a, chance), (b, likely) in itertools.product(one.items(), other.items()):
        found[a + b] = found.get(a + b, 0.0) + chance * likely
    return {number: chance for number, chance in found.items() if chance > 1e-12}


@pytest.mark.parametrize("cells", [0, COUNTIES + 1])
def test_a_sum_that_a_level_has_not_is_refused(cells: int) -> None:
    with pytest.raises(ValueError, match="no such sum"):
        accuracy.sum_variance(month(PROFILES["standard"]), 1, cells)


def test_opendps_noise_holds_as_well() -> None:
    shapes = month(PROFILES["standard"])
    drawn = [errors(shapes, noise.gaussian, 1) for _ in range(1_000)]
    cells = [cell for each in drawn for cell in each.levels[1]]
    for off, level in ((cells, 1), ([each.total for each in drawn], 0)):
        held = sum(abs(each) <= accuracy.half_width(shapes, level) for each in off)
        assert held >= 0.95 * len(off) - DEVIATIONS * math.sqrt(0.95 * 0.05 * len(off))
