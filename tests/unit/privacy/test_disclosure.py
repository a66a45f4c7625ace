"""What is shown: never below zero, nothing under ten to the public, and nothing that hangs on a true count."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import disclosure
from privacy.fitting import Fitted, Level, fit
from tests.unit.privacy.discrete_gaussian import Repeatable

VALUES = st.integers(-60, 3_000)
WIDTHS = st.integers(0, 60)


@given(value=VALUES)
def test_what_is_shown_is_no_less_than_zero_and_no_less_true(value: int) -> None:
    assert disclosure.shown(value) == max(value, 0)
    assert all(abs(disclosure.shown(value) - true) <= abs(value - true) for true in (0, 1, 7, 2_000))


@given(value=VALUES, half_width=WIDTHS, true=st.integers(0, 3_000))
def test_an_interval_holds_whatever_is_within_its_half_width(value: int, half_width: int, true: int) -> None:
    low, high = disclosure.interval(value, half_width)
    assert 0 <= low <= disclosure.shown(value) <= high
    if abs(value - true) <= half_width:
        assert low <= true <= high


def test_an_interval_lies_about_the_value_that_is_shown() -> None:
    assert disclosure.interval(48, 5) == (43, 53)
    assert disclosure.interval(3, 5) == (0, 8)
    assert disclosure.interval(-9, 5) == (0, 5)


@pytest.mark.parametrize(("value", "withheld"), [(-3, True), (0, True), (9, True), (10, False), (11, False)])
def test_the_public_is_shown_nothing_below_ten(value: int, withheld: bool) -> None:
    assert disclosure.suppressed(value) is withheld


def test_the_publics_values_add_up_and_are_made_of_the_authoritys_alone() -> None:
    authority = fit([Level((4, -1, 12, 30), 60_000_000), Level((47,), 20_000_000)])
    given_to: list[tuple[Sequence[int], int]] = []
    noise = Repeatable(seed=9)

    def draw(values: Sequence[int], nano_rho: int) -> list[int]:
        given_to.append((tuple(values), nano_rho))
        return noise(values, nano_rho)

    public = disclosure.further_noise(authority, (60_000_000, 20_000_000), draw)
    assert given_to == [(authority.levels[0], 60_000_000), ((authority.total,), 20_000_000)]
    assert {sum(cells) for cells in public.levels} == {public.total}
    assert public != authority


def test_levels_and_prices_go_together() -> None:
    with pytest.raises(ValueError, match="zip"):
        disclosure.further_noise(Fitted(3, ((1, 2), (3,))), (5,), Repeatable(seed=1))
