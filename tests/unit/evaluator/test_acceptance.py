"""Populations are held against a figure that the authority does not choose."""

from __future__ import annotations

import pytest

from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from privacy.evaluator.acceptance import check_populations
from tests.unit.chassis.test_descriptor import file, member


def stating(*populations: int) -> Descriptor:
    return Descriptor.of(file(members=[member(180 + place, population=each) for place, each in enumerate(populations)]))


@pytest.mark.parametrize(
    ("published", "stated"), [(100, (110,)), (100, (60, 50)), (1_200_000, (1_320_000,)), (9, (9,)), (5, (0, 5))]
)
def test_a_tenth_more_than_is_published_is_plausible_and_one_more_is_not(
    published: int, stated: tuple[int, ...]
) -> None:
    check_populations(stating(*stated), published)
    most = published * 11 // 10
    check_populations(stating(most), published)
    for over in ((most + 1,), (most, 1)):
        with pytest.raises(UppropError) as error:
            check_populations(stating(*over), published)
        assert error.value.code is Code.POPULATION_IMPLAUSIBLE
        assert str(most + 1) in error.value.sentence


def test_where_no_figure_is_known_nothing_is_held_against_it() -> None:
    check_populations(stating(10**9), None)
