"""What registry/STATISTICS.md claims is tested: the tests it names exist, and its numbers are those of the code."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from privacy import noise
from privacy.budget import PROFILES, QUESTIONS, ROLE_PERCENT, STANDARD, STRICT
from registry.statistics import drawing
from registry.statistics.catalogue import TABLES, ReleaseKind, TableId
from registry.statistics.model import Period
from tests.harness.attack_scoring import best_accuracy, bound

TESTS = Path(__file__).parents[1]
TEXT = (TESTS.parent / "registry" / "STATISTICS.md").read_text(encoding="utf-8")
PROFILE_COLUMNS = {"standard": 0, "strict": 1}


def rows() -> dict[str, list[str]]:
    """First cell of each row of a table → the others."""
    found = (re.findall(r"[^|]+", line) for line in TEXT.splitlines() if line.startswith("|"))
    return {first.strip(): [cell.strip() for cell in rest] for first, *rest in found}


def names_in(file: Path) -> list[str]:
    return re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    assert len(named) > 30
    defined = {name for file in TESTS.rglob("test_*.py") for name in names_in(file)}
    assert named <= defined, named - defined


def test_every_attack_is_named() -> None:
    """So that nobody takes one out unnoticed: of each file of attacks the document names some."""
    for file in (TESTS / "attacks").glob("test_statistics_*.py"):
        if file.name != Path(__file__).name:
            assert any(name in TEXT for name in names_in(file)), file


@pytest.mark.parametrize("table", TableId)
def test_prices_noise_and_intervals_are_those_of_the_code(table: TableId) -> None:
    [row] = [cells for first, cells in rows().items() if first.startswith(f"`{table}`")]
    rho, strict, _, sigma, width = row
    own = table is TableId.OWN_SELECTION
    prices = [profile.reserve if own else profile.cost(table) for profile in (STANDARD, STRICT)]
    assert [round(float(each) * noise.NANO) for each in (rho, strict)] == prices
    if own:
        drawn = noise.sigma(STANDARD.question_cost)
        half_width = noise.half_width(drawn)
    else:
        kind = TABLES[table].released_with
        assert kind is not None
        period = Period(kind, 2026, 9 if kind is ReleaseKind.MONTH else None)
        scale = drawing.scales(period, STANDARD, noise)[table]
        drawn, half_width = scale.sigma, scale.half_width
    assert float(sigma) == round(drawn, 1)
    assert int(width) == half_width


@pytest.mark.parametrize("name", PROFILES)
def test_the_profiles_are_told_as_they_are(name: str) -> None:
    profile, column = PROFILES[name], PROFILE_COLUMNS[name]
    told = {first: cells[column] for first, cells in rows().items() if len(cells) == 2}
    cap = profile.cap_nano_rho
    assert round(float(told["ρ of a year's children"]) * noise.NANO) == cap
    assert float(told["ε at δ = 10⁻⁶"]) == round(noise.epsilon(cap, 1e-6), 2)
    assert int(told["An attacker who knows all else is right, of 100 guesses, at most"]) == math.ceil(100 * bound(cap))
    assert int(told["… and the best one there is"]) == round(100 * best_accuracy(cap))
    width = noise.half_width(noise.sigma(profile.question_cost))
    assert int(told["A further question: ± in 95 of 100"]) == width
    assert f"{float(told['ε at δ = 10⁻⁶'])}" in TEXT.split("\n\n")[1], "the guarantee states it"


def test_what_two_years_cost_together_is_told() -> None:
    both = 2 * STANDARD.cap_nano_rho
    assert f"an ε of {noise.epsilon(both, 1e-6):.1f}, and {100 * bound(both):.0f} of 100 guesses" in TEXT


def test_shares_of_the_reserve_are_told() -> None:
    shares = [QUESTIONS * ROLE_PERCENT[role] // 100 for role in ("statistics", "oversight")]
    assert (QUESTIONS, shares) == (20, [12, 8])
    for word in ("twenty a year", "have twelve", "has eight"):
        assert word in " ".join(TEXT.split())
