"""Profiles keep to their cap, and the reserve to its shares; no rule has a child to look at."""

from __future__ import annotations

import pytest

from privacy import budget, noise
from privacy.budget import PROFILES, STANDARD, STRICT, Price, Profile
from registry.statistics.catalogue import TableId

ALL = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)


def test_a_years_budget_is_a_quarter_and_a_tenth_where_it_is_strict() -> None:
    assert STANDARD.cap_nano_rho == 250_000_000
    assert STRICT.cap_nano_rho == 100_000_000
    assert PROFILES == {"standard": STANDARD, "strict": STRICT}


def test_strict_is_two_fifths_of_standard_in_every_part() -> None:
    assert STRICT.tables.keys() == STANDARD.tables.keys()
    for table, price in STANDARD.tables.items():
        assert [5 * part for part in STRICT.tables[table].parts] == [2 * part for part in price.parts]
    assert 5 * STRICT.reserve == 2 * STANDARD.reserve


@ALL
def test_every_table_of_the_catalogue_has_its_price(profile: Profile) -> None:
    assert set(profile.tables) == set(TableId) - {TableId.OWN_SELECTION}
    assert [STANDARD.cost(table) for table in STANDARD.tables] == [
        20_000_000,
        60_000_000,
        30_000_000,
        100_000_000,
        30_000_000,
    ]


@ALL
def test_what_is_drawn_costs_what_it_is_priced_at_by_opendps_map(profile: Profile) -> None:
    drawn = sum(noise.cost_nano_rho(part) for price in profile.tables.values() for part in price.parts)
    asked = budget.QUESTIONS * noise.cost_nano_rho(profile.question_cost)
    assert drawn + asked == profile.cap_nano_rho


@ALL
def test_the_reserve_pays_for_twenty_questions(profile: Profile) -> None:
    assert profile.question_cost * budget.QUESTIONS == profile.reserve


@ALL
def test_no_role_can_use_up_what_another_needs_nor_one_reader_what_its_role_needs(profile: Profile) -> None:
    assert profile.role_share("statistics") + profile.role_share("oversight") == profile.reserve
    assert profile.role_share("statistics") * 2 == profile.role_share("oversight") * 3
    for role in budget.ROLE_PERCENT:
        assert 2 * profile.reader_share(role) == profile.role_share(role)
        assert profile.reader_share(role) % profile.question_cost == 0


@ALL
@pytest.mark.parametrize("role", ["public", "", "unknown"])
def test_who_has_no_share_asks_nothing_further(profile: Profile, role: str) -> None:
    assert profile.role_share(role) == profile.reader_share(role) == 0


def test_a_price_is_the_sum_of_its_draws() -> None:
    assert Price(5).parts == (5,)
    assert Price(5).nano_rho == 5
    assert Price(5, 2).parts == (5, 2)
    assert Price(5, 2).nano_rho == 7


def test_epsilon_follows_from_rho_and_delta() -> None:
    assert budget.epsilon(STANDARD.cap_nano_rho) == pytest.approx(3.54, abs=0.01)
    assert budget.epsilon(STRICT.cap_nano_rho) == pytest.approx(2.14, abs=0.01)
    assert budget.epsilon(STANDARD.cap_nano_rho, 1e-9) > budget.epsilon(STANDARD.cap_nano_rho)
