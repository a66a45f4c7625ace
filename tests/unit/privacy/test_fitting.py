"""Fitted levels add up, lie as near to what was drawn as any that add up, and hang on nothing but the noisy values."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.fitting import Level, fit

LEVELS = st.lists(
    st.builds(
        Level,
        st.lists(st.integers(-50, 3_000), min_size=1, max_size=40).map(tuple),
        st.integers(1, 250_000_000),
    ),
    min_size=1,
    max_size=4,
)


def loss(levels: list[Level], total: int) -> Fraction:
    """What the best fit of this total misses of the noisy values: squares weighed by inverse variance."""
    return sum(
        (Fraction(level.nano_rho * (total - sum(level.values)) ** 2, len(level.values)) for level in levels),
        Fraction(0),
    )


@given(levels=LEVELS)
def test_every_level_adds_up_to_the_total(levels: list[Level]) -> None:
    fitted = fit(levels)
    assert {sum(cells) for cells in fitted.levels} == {fitted.total}
    assert [len(cells) for cells in fitted.levels] == [len(level.values) for level in levels]


@given(levels=LEVELS)
def test_no_other_total_is_nearer_to_what_was_drawn(levels: list[Level]) -> None:
    total = fit(levels).total
    assert loss(levels, total) <= min(loss(levels, total - 1), loss(levels, total + 1))


@given(levels=LEVELS)
def test_each_cell_is_within_one_of_the_least_squares_fit(levels: list[Level]) -> None:
    fitted = fit(levels)
    for level, cells in zip(levels, fitted.levels, strict=True):
        share = Fraction(fitted.total - sum(level.values), len(level.values))
        assert all(abs(cell - value - share) < 1 for cell, value in zip(cells, level.values, strict=True))


@given(levels=LEVELS, data=st.data())
def test_the_order_of_levels_changes_nothing(levels: list[Level], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(levels))))
    fitted, turned = fit(levels), fit([levels[place] for place in order])
    assert turned.total == fitted.total
    assert turned.levels == tuple(fitted.levels[place] for place in order)


@given(levels=LEVELS)
def test_what_is_fitted_stays_as_it_is(levels: list[Level]) -> None:
    fitted = fit(levels)
    again = fit([Level(cells, level.nano_rho) for cells, level in zip(fitted.levels, levels, strict=True)])
    assert again == fitted


def test_levels_are_weighed_by_the_variance_of_their_sums() -> None:
    # Variances 1/(2ρ): 4 cells at 4 have a sum as good as one cell at 1.
    fitted = fit([Level((10, 20, 30, 40), 4), Level((108,), 1)])
    assert fitted.total == 104
    assert fitted.levels == ((11, 21, 31, 41), (104,))
    assert fit([Level((10, 20, 30, 40), 4), Level((108,), 3)]).total == 106


def test_nothing_is_clipped() -> None:
    fitted = fit([Level((-9, 1), 10), Level((-2,), 15)])
    assert fitted.total == -4
    assert fitted.levels == ((-7, 3), (-4,))
    assert fit([Level((-7, -3), 5)]).total == -10


def test_no_place_is_rounded_up_more_often_than_others() -> None:
    """Codes are in order of geography: the first county must not gain a child every month."""
    random = Random(21)
    cells, rounds = 21, 3_000
    up: Counter[int] = Counter()
    for _ in range(rounds):
        noisy = tuple(random.randrange(-5, 40) for _ in range(cells))
        # Five more than the sum: in each round five places of 21 go up.
        fitted = fit([Level(noisy, 1), Level((sum(noisy) + 5,), 10**9)])
        up.update(place for place in range(cells) if fitted.levels[0][place] > noisy[place])
    expected = rounds * 5 / cells
    assert sum(up.values()) == 5 * rounds
    # Always the same, as the seed is; 5 standard deviations of 27.
    assert all(abs(up[place] - expected) < 5 * 27 for place in range(cells))


def test_a_fit_is_the_same_on_every_machine() -> None:
    fitted = fit([Level((3, 0, 7, -2, 11), 60_000_000), Level((24,), 20_000_000)])
    # (19 · 60/5 + 24 · 20) / (60/5 + 20) = 22.125; three too few, and SHA-256 says where.
    assert fitted.total == 22
    assert fitted.levels == ((3, 0, 8, -1, 12), (22,))


def test_nothing_to_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        fit([])
    with pytest.raises(ValueError, match="cells"):
        Level((), 1)
    with pytest.raises(ValueError, match="noise"):
        Level((1,), 0)
