"""How often an address may ask: one window each, nothing kept longer, nobody hindered by others."""

from __future__ import annotations

import pytest

from federation.web.limits import MAX_ADDRESSES, CallLimit, Calls


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 5.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def calls(clock: Hand) -> Calls:
    return Calls(CallLimit(2, 60), monotonic=clock)


def test_a_window_holds_what_it_says_and_no_more(calls: Calls, clock: Hand) -> None:
    assert [calls.admit("192.0.2.1") for _ in range(2)] == [None, None]
    clock.at += 20
    wait = calls.admit("192.0.2.1")
    assert wait is not None
    assert 40 <= wait <= 41
    clock.at += wait
    assert calls.admit("192.0.2.1") is None


def test_nobody_is_hindered_by_another(calls: Calls) -> None:
    for _ in range(10):
        calls.admit("192.0.2.1")
    assert calls.admit("192.0.2.2") is None


def test_one_subscriber_of_ipv6_is_one_whatever_address_it_takes(calls: Calls) -> None:
    assert [calls.admit(f"2001:db8::{number:x}") is None for number in range(1, 5)] == [True, True, False, False]
    assert calls.admit("2001:db8:0:1::1") is None


def test_an_ipv4_address_written_as_ipv6_is_the_same(calls: Calls) -> None:
    assert [calls.admit(each) is None for each in ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1")] == [True, True, False]


def test_addresses_are_neither_kept_in_the_clear_nor_without_bound(calls: Calls, clock: Hand) -> None:
    for number in range(MAX_ADDRESSES + 100):
        calls.admit(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(calls._windows) <= MAX_ADDRESSES
    assert all(len(name) == 16 for name in calls._windows)
    clock.at += 61
    calls.admit("192.0.2.1")
    assert len(calls._windows) == 1
