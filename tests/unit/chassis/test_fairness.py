"""What one caller may have of a server, and what that leaves to the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Code
from federation.rpc.fairness import Fairness, Limits, OverloadedError

LIMITS = Limits(calls=2, burst=1_000, bytes_per_second=100)


class Scene:
    """Fairness on a clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 0.0
        self.fairness = Fairness(LIMITS, monotonic=lambda: self.now)

    def call(self, caller: str, size: int = 0) -> None:
        with self.fairness.admit(caller, size):
            pass

    def refusal(self, caller: str, size: int = 0) -> OverloadedError:
        with pytest.raises(OverloadedError) as error:
            self.call(caller, size)
        assert error.value.code is Code.OVERLOADED
        return error.value


def test_one_call_too_many_at_once_is_refused_until_one_has_ended() -> None:
    scene = Scene()
    with scene.fairness.admit("a", 0):
        with scene.fairness.admit("a", 0):
            assert scene.refusal("a").retry_after > 0
            scene.call("b")
        scene.call("a")


def test_a_refused_call_takes_no_place() -> None:
    scene = Scene()
    with scene.fairness.admit("a", 0), scene.fairness.admit("a", 0):
        for _ in range(10):
            scene.refusal("a")
    with scene.fairness.admit("a", 0), scene.fairness.admit("a", 0):
        pass


def test_a_call_that_fails_gives_its_place_back() -> None:
    scene = Scene()
    for _ in range(10):
        with pytest.raises(ValueError, match="failed"), scene.fairness.admit("a", 0):
            raise ValueError("failed")


def test_bytes_are_had_again_with_time_and_the_refusal_says_when() -> None:
    scene = Scene()
    scene.call("a", 1_000)
    refusal = scene.refusal("a", 1)
    scene.now += refusal.retry_after
    scene.call("a", 1)
    scene.call("b", 1_000)


def test_answers_count_like_requests() -> None:
    scene = Scene()
    scene.call("a")
    scene.fairness.answered("a", 1_500)
    assert scene.refusal("a").retry_after == pytest.approx(5.01)


def test_a_request_larger_than_the_burst_passes_when_nothing_is_owed() -> None:
    scene = Scene()
    scene.call("a", 5_000)
    scene.refusal("a")
    scene.now += 50
    scene.call("a", 5_000)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2_000), st.floats(0, 20)), max_size=40))
def test_a_caller_fares_as_if_it_were_alone(calls: list[tuple[str, int, float]]) -> None:
    together, alone = Scene(), Scene()
    for caller, size, pause in calls:
        for scene in (together, alone):
            scene.now += pause
        outcomes = []
        for scene in (together, alone) if caller == "a" else (together,):
            try:
                scene.call(caller, size)
            except OverloadedError as refused:
                outcomes.append(refused.retry_after)
            else:
                outcomes.append(0.0)
        if caller == "a":
            assert outcomes[0] == outcomes[1]


def test_who_is_quiet_is_forgotten_and_fares_no_worse_for_it() -> None:
    scene = Scene()
    scene.call("a", 999)
    scene.now += 4_000
    scene.call("b")
    assert "a" not in scene.fairness._used
    scene.call("a", 1_000)


def test_calls_that_ask_for_next_to_nothing_are_bounded_too() -> None:
    fairness = Fairness(Limits(burst=1_000, bytes_per_second=1, least=100), monotonic=lambda: 0.0)
    for _ in range(10):
        with fairness.admit("a", 1):
            pass
    with pytest.raises(OverloadedError), fairness.admit("a", 1):
        pass
