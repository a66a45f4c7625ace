"""Counts by the pupil: what is shown is nearly so many, and one more shows in next to nothing, wherever one looks."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from federation.coarse import SECRET_BYTES, Steps
from federation.observability import CoarseCounter
from privacy.evaluator.sampling import QUOTA_ELEMENTS, quota_left

STEP = 1_000
SECRETS = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)
COUNTS = st.integers(0, 1_000_000)


@given(SECRETS, COUNTS, st.integers(1, 5_000))
def test_what_is_shown_is_less_than_a_step_away_and_never_falls(secret: bytes, count: int, step: int) -> None:
    steps = Steps(secret)
    shown = steps.shown(count, step, "signals")
    assert shown % step == 0
    assert abs(shown - count) < step
    assert steps.shown(count + 1, step, "signals") - shown in (0, step)


@given(SECRETS, st.integers(0, 1_000))
def test_each_step_has_one_place_where_one_more_shows(secret: bytes, whole: int) -> None:
    steps = Steps(secret)
    shown = [steps.shown(count, STEP, "signals") for count in range(whole * STEP, (whole + 1) * STEP + 1)]
    assert shown[0] == whole * STEP
    assert shown[-1] == (whole + 1) * STEP
    assert len(set(shown)) == 2


def test_one_more_shows_in_one_process_of_a_thousand() -> None:
    """Whatever the count is: nobody can have a count wait just before a threshold."""
    for count in (0, 1, 499, 999, 54_321):
        told = sum(
            steps.shown(count, STEP, "x") != steps.shown(count + 1, STEP, "x")
            for steps in (Steps(bytes([number % 251, number // 251]) * 16) for number in range(10_000))
        )
        assert told < 40, count


def test_where_one_threshold_lay_says_nothing_of_the_next() -> None:
    steps = Steps(bytes(SECRET_BYTES))
    places = [
        next(rest for rest in range(STEP + 1) if steps.shown(whole * STEP + rest, STEP, "x") > whole * STEP)
        for whole in range(20)
    ]
    assert len(set(places)) > 10
    assert repr(steps) == "Steps()"


def test_processes_draw_their_own_places() -> None:
    one, other = Steps(), Steps()
    assert [one.shown(at, STEP, "x") for at in range(0, 99_000, 99)] != [
        other.shown(at, STEP, "x") for at in range(0, 99_000, 99)
    ]


@pytest.mark.parametrize("limit", [333, 1_000, 50_000, 150_000])
def test_a_quota_is_told_coarsely_until_it_is_used_up(limit: int) -> None:
    steps, day = Steps(), date(2026, 10, 19)
    shown = [quota_left(steps, used, limit, "0180", day) for used in range(0, limit + 1, max(1, limit // 1_000))]
    assert shown[0] == 1
    assert quota_left(steps, limit, limit, "0180", day) == 0
    assert quota_left(steps, limit + 5, limit, "0180", day) == 0
    assert shown == sorted(shown, reverse=True)
    for value in set(shown):
        assert round(value * 20) == pytest.approx(value * 20)
    assert len(set(shown)) <= 1 + limit / QUOTA_ELEMENTS + 1
    # It is nearly what is left.
    wide = max(0.05, 2 * QUOTA_ELEMENTS / limit + 0.05)
    assert abs(quota_left(steps, limit // 2, limit, "0180", day) - 0.5) <= wide


def test_a_daily_counter_tells_of_a_day_once_it_is_over() -> None:
    today, registry = [date(2026, 10, 19)], CollectorRegistry()
    counter = CoarseCounter(
        "test_elements", "Counted.", "outcome", ("a", "b"), steps=Steps(), registry=registry, day=lambda: today[0]
    )

    def shown(outcome: str) -> float | None:
        return registry.get_sample_value("test_elements_total", {"outcome": outcome})

    counter.add("a", 2 * STEP)
    assert shown("a") == 0
    today[0] = date(2026, 10, 20)
    assert shown("a") == 2 * STEP
    counter.add("a", STEP)
    assert shown("a") == 2 * STEP
    today[0] = date(2026, 10, 21)
    counter.add("b", STEP)
    assert (shown("a"), shown("b")) == (3 * STEP, 0)
