"""What is released adds up, and what stands beside a value is as wide as its error is."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import pytest

from privacy import accuracy, noise
from privacy.accuracy import Shape, Shapes
from privacy.budget import PROFILES, Profile
from privacy.disclosure import PUBLIC_ALPHA, PUBLIC_TIMES, interval, suppressed
from registry.statistics import drawing
from registry.statistics.calendar import last_day
from registry.statistics.catalogue import ReleaseKind, TableId
from registry.statistics.model import Coverage, Period, Record, Release, dimensions
from registry.statistics.reading import Level
from registry.statistics.released import Held
from tests.unit.privacy.discrete_gaussian import Repeatable

PERIODS = [Period(ReleaseKind.MONTH, 2026, 9), Period(ReleaseKind.YEAR, 2026), Period(ReleaseKind.CLOSED, 2026)]
ALL = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
EACH = pytest.mark.parametrize("period", PERIODS, ids=[period.release_id for period in PERIODS])


class SeededNoise(Repeatable):
    """Noise that a seed repeats, so that a test that passes passes always."""

    MECHANISM = noise.MECHANISM
    gaussian = Repeatable.__call__

    def library(self) -> str:
        return "none"

    def sigma(self, nano_rho: int) -> float:
        return noise.sigma(nano_rho)


def size(table: TableId) -> int:
    return math.prod(map(len, dimensions(table).values()))


def shapes(period: Period, profile: Profile) -> tuple[Shapes, dict[TableId, int]]:
    """The levels that are fitted to each other in a release, and at which place each table's cells are."""
    found: list[Shape] = []
    places: dict[TableId, int] = {}
    for table in period.tables:
        price = profile.tables[table]
        places[table] = len(found)
        found.append(Shape(size(table), price.cells))
        if price.total is not None:
            found.append(Shape(1, price.total))
    return tuple(found), places


@ALL
@EACH
def test_the_tables_of_a_release_add_up_to_one_total_for_authority_and_public(period: Period, profile: Profile) -> None:
    counts = {table: [3] * size(table) for table in period.tables}
    released = drawing.draw(counts, profile, noise)
    assert [each.table_id for each in released] == list(period.tables)
    for values in ([each.authority for each in released], [each.public for each in released]):
        assert len({each.total for each in values}) == 1
        assert all(sum(each.leaves) == each.total for each in values)
    assert all(each.authority != each.public for each in released if len(each.cells()) > 1)


@ALL
@EACH
def test_half_widths_are_those_of_fitted_and_rounded_values(period: Period, profile: Profile) -> None:
    levels, places = shapes(period, profile)
    for table, scale in drawing.scales(period, profile, noise).items():
        place, cells = places[table], size(table)
        assert scale.half_width == accuracy.half_width(levels, place)
        assert scale.total_half_width == accuracy.half_width(levels, place, cells)
        assert scale.public_half_width == accuracy.half_width(levels, place, times=PUBLIC_TIMES, alpha=PUBLIC_ALPHA)
        assert scale.public_total_half_width == accuracy.half_width(levels, place, cells, times=PUBLIC_TIMES)
        assert scale.nano_rho == profile.cost(table)
        assert scale.sigma == noise.sigma(scale.cells_nano_rho)


@ALL
def test_intervals_hold_of_those_values_too_that_the_public_is_shown(profile: Profile) -> None:
    """Most cells are small, and many that are shown are shown for their noise."""
    period = Period(ReleaseKind.YEAR, 2026)
    # Of 290 cells so many of each size; the mean is 8.
    sizes = [*range(12)] * 20 + [*range(12, 62)]
    counts = {TableId.MUNICIPALITY_YEAR: sizes, TableId.NATION_YEAR: [sum(sizes) // 35] * 35 + [sum(sizes) % 35]}
    half_width = drawing.scales(period, profile, noise)[TableId.MUNICIPALITY_YEAR].public_half_width
    draws = SeededNoise(seed=8)
    shown = held = 0
    for _ in range(150):
        released = {each.table_id: each for each in drawing.draw(counts, profile, draws)}
        for value, true in zip(released[TableId.MUNICIPALITY_YEAR].public.leaves, sizes, strict=True):
            if not suppressed(value):
                low, high = interval(value, half_width)
                shown, held = shown + 1, held + (low <= true <= high)
    assert shown > 10_000
    assert held / shown >= 0.95


@ALL
@EACH
def test_a_sum_of_cells_has_the_interval_that_holds_after_fitting(period: Period, profile: Profile) -> None:
    levels, places = shapes(period, profile)
    covered = Coverage(last_day(period), 0)
    record = Record(noise.MECHANISM, "none", profile.name, covered, drawing.scales(period, profile, noise))
    release = Release(period, date(2028, 1, 1), datetime(2028, 1, 1, tzinfo=UTC), record)
    for table in drawing.draw({each: [3] * size(each) for each in period.tables}, profile, noise):
        held, place = Held(release, table), places[table.table_id]
        for summed in range(2, size(table.table_id)):
            assert held.half_width(summed, Level.AUTHORITY) == accuracy.half_width(levels, place, summed)
            assert held.half_width(summed, Level.PUBLIC) == accuracy.half_width(
                levels, place, summed, times=PUBLIC_TIMES, alpha=PUBLIC_ALPHA
            )
