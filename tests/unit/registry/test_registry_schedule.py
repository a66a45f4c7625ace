"""When the daily close is due."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.schedule import CLOSE_AT, close_due

ZONE = ZoneInfo("Europe/Stockholm")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("now", "begun", "finished_at", "due"),
    [
        # An ordinary evening: not at a minute to six, at six, and once.
        ("10-20 17:59", "10-19", "10-19 18:00", None),
        ("10-20 18:00", "10-19", "10-19 18:00", "10-20"),
        ("10-20 18:01", "10-20", "10-20 18:00", None),
        # Down over the evening: before six it is yesterday's close, whose day is over; after six today's.
        ("10-21 09:00", "10-19", "10-19 18:00", "10-20"),
        ("10-21 19:00", "10-19", "10-19 18:00", "10-21"),
        # Down over several evenings: the last one alone.
        ("10-25 09:00", "10-19", "10-19 18:00", "10-24"),
        # Closed by hand in the morning: the evening has its close all the same.
        ("10-20 10:05", "10-20", "10-20 10:00", None),
        ("10-20 18:00", "10-20", "10-20 10:00", "10-20"),
        # Begun under today's date by hand and not finished: finished under that date.
        ("10-20 10:05", "10-20", "10-18 18:00", "10-20"),
        # The first start.
        ("10-20 12:00", None, None, "10-19"),
        ("10-20 18:00", None, None, "10-20"),
    ],
)
def test_the_day_to_close(now: str, begun: str | None, finished_at: str | None, due: str | None) -> None:
    begun_on = None if begun is None else at(begun).date()
    finished = None if finished_at is None else at(finished_at).astimezone(UTC)
    expected = None if due is None else at(due).date()
    assert close_due(at(now).astimezone(UTC), ZONE, begun_on, finished) == expected


@given(st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 10)), st.integers(1, 30 * 24 * 60))  # noqa: DTZ001 - given a zone below
def test_every_evening_has_its_close_once_whatever_the_hours_of_looking(start: datetime, step_minutes: int) -> None:
    """Summer time begins and ends within these dates."""
    now = start.replace(tzinfo=UTC)
    begun: date | None = None
    finished_at: datetime | None = None
    closed: list[date] = []
    for _ in range(60):
        due = close_due(now, ZONE, begun, finished_at)
        if due is not None:
            closed.append(due)
            begun, finished_at = due, now
            assert close_due(now, ZONE, begun, finished_at) is None
            local = now.astimezone(ZONE)
            assert due == local.date() if local.time() >= CLOSE_AT else due == local.date() - timedelta(days=1)
        now += timedelta(minutes=step_minutes)
    assert closed == sorted(set(closed))
    if step_minutes <= 24 * 60 - 61:
        assert all(after - before == timedelta(days=1) for before, after in itertools.pairwise(closed))
