"""Whoever scrapes or probes is answered in time; what could not be read is not shown as it was."""

from __future__ import annotations

import io
import json
import threading

from prometheus_client import CollectorRegistry, generate_latest

from federation.fresh import Fresh
from federation.observability import Log, Readings, Sampled, Shown

GAUGES = (Shown("test_read", "Read.", ("of",)), Shown("test_plain", "Read."))


class Source:
    """A store as it is read from, that can be down or hang."""

    def __init__(self) -> None:
        self.reads = 0
        self.down = False
        self.hangs = threading.Event()
        self.hangs.set()

    def read(self) -> Readings:
        self.reads += 1
        self.hangs.wait(60)
        if self.down:
            raise ConnectionError("the pupil 20110101")
        return {"test_read": {("a",): self.reads}, "test_plain": {(): 7}}


def test_it_is_asked_once_in_a_while_however_often_it_is_scraped() -> None:
    at = [0.0]
    source = Source()
    fresh = Fresh(source.read, seconds=15, monotonic=lambda: at[0])
    first = [fresh.get() for _ in range(5)]
    assert first == [{"test_read": {("a",): 1}, "test_plain": {(): 7}}] * 5
    at[0] = 16
    assert fresh.get() != first[0]
    assert source.reads == 2


def test_a_source_that_is_down_is_unknown_at_once_and_known_again_when_it_is_back() -> None:
    at, source = [0.0], Source()
    fresh = Fresh(source.read, seconds=15, monotonic=lambda: at[0])
    assert fresh.get() is not None
    source.down, at[0] = True, 16
    assert fresh.get() is None
    source.down, at[0] = False, 32
    assert fresh.get() is not None


def test_a_source_that_hangs_holds_up_nobody_and_is_asked_by_one_thread() -> None:
    at, source = [0.0], Source()
    fresh = Fresh(source.read, seconds=15, patience=0.01, lasts=60, monotonic=lambda: at[0])
    source.hangs.clear()
    assert fresh.get() is None
    source.hangs.set()
    while fresh.get() is None:
        pass
    source.hangs.clear()
    at[0] = 20
    # For a while it is told as it was, then no more.
    assert fresh.get() is not None
    at[0] = 61
    assert [fresh.get() for _ in range(3)] == [None, None, None]
    assert source.reads == 2
    source.hangs.set()


def test_a_scrape_goes_on_without_what_cannot_be_read_and_the_log_says_where_it_failed() -> None:
    registry, source, lines = CollectorRegistry(), Source(), io.StringIO()
    Sampled("standing", GAUGES, source.read, registry=registry, log=Log(lines), seconds=0)
    assert registry.get_sample_value("test_read", {"of": "a"}) is not None
    assert registry.get_sample_value("test_plain") == 7
    source.down = True
    scraped = generate_latest(registry).decode()
    assert "test_read{" not in scraped
    assert "# HELP test_plain Read." in scraped
    assert "test_plain 7" not in scraped
    event = json.loads(lines.getvalue().splitlines()[0])
    assert (event["event"], event["of"], event["exception"]) == ("metrics_unread", "standing", "ConnectionError")
    assert "2011" not in lines.getvalue()
