"""Numbers, dates and sentences in the two languages."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from federation.web.i18n import Language, Texts, differences, preferred
from privacy import budget
from registry.dashboard import formatting
from registry.dashboard.guarantee import epsilon, guess_percent
from registry.dashboard.wording import texts

SV, EN = Language.SWEDISH, Language.ENGLISH


def test_thousands_stand_apart_as_each_language_writes_them() -> None:
    assert formatting.whole(2360, SV) == "2\N{NO-BREAK SPACE}360"
    assert formatting.whole(2360, EN) == "2,360"
    assert formatting.whole(-7, SV) == "−7"
    assert formatting.interval(990, 1010, EN) == "990–1,010"


def test_a_budget_is_written_without_zeros_that_say_nothing() -> None:
    assert formatting.rho(250_000_000, SV) == "0,25"
    assert formatting.rho(500_000, EN) == "0.0005"
    assert formatting.rho(0, EN) == "0"
    assert formatting.rho(1_000_000_000, EN) == "1"


@pytest.mark.parametrize(
    ("code", "swedish", "english"),
    [
        ("2026M09", "september 2026", "September 2026"),
        ("2026-09", "september 2026", "September 2026"),
        ("2026", "2026", "2026"),
        ("2026-closed", "2026", "2026"),
        ("2026-13", "2026-13", "2026-13"),
    ],
)
def test_periods_are_named(code: str, swedish: str, english: str) -> None:
    assert formatting.period(code, SV) == swedish
    assert formatting.period(code, EN) == english


def test_days_are_written_out() -> None:
    assert formatting.day(dt.date(2026, 5, 3), SV) == "3\N{NO-BREAK SPACE}maj 2026"
    assert formatting.day(dt.date(2026, 5, 3), EN) == "3\N{NO-BREAK SPACE}May 2026"


def test_both_languages_say_everything_and_ask_for_the_same() -> None:
    assert differences(texts(SV), texts(EN)) == []


def test_a_text_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        texts(SV)("no.such.text")
    with pytest.raises(ValueError, match="two areas"):
        Texts(SV, {"a": "x"}, {"a": "y"})


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", SV),
        ("en", EN),
        ("en-GB,en;q=0.9,sv;q=0.8", EN),
        ("de,sv;q=0.4,en;q=0.5", EN),
        ("de-DE", SV),
        ("en;q=x, sv", SV),
        ("en;q=nan", SV),
    ],
)
def test_the_browsers_language_is_followed_where_it_is_one_of_ours(header: str, language: Language) -> None:
    assert preferred(header) is language


@pytest.mark.parametrize("nano_rho", [100_000_000, 250_000_000, 500_000_000])
def test_epsilon_told_on_the_pages_is_what_the_privacy_core_says(nano_rho: int) -> None:
    assert math.isclose(epsilon(nano_rho), budget.epsilon(nano_rho), abs_tol=0.01)


def test_the_best_guess_is_told_as_the_guarantee_tells_it() -> None:
    assert (guess_percent(250_000_000), guess_percent(100_000_000)) == (68, 62)
    assert guess_percent(0) == 50
