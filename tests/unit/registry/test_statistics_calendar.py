"""When releases are due, in which order, and what they wait for."""

from __future__ import annotations

from datetime import date

import pytest

from registry.statistics.calendar import Known, due, due_on, refusal, through, upcoming
from registry.statistics.model import Period, ReleaseId, parse_release_id

FIRST = date(2026, 8, 20)


def known(closed_on: str, first: date = FIRST) -> Known:
    return Known(first, date.fromisoformat(closed_on))


def names(found: list[Period]) -> list[str]:
    return [each.release_id for each in found]


@pytest.mark.parametrize(
    ("release_id", "last", "day"),
    [
        ("2026-09", "2026-09-30", "2026-11-14"),
        ("2026-12", "2026-12-31", "2027-02-14"),
        ("2028-02", "2028-02-29", "2028-04-14"),
        ("2026", "2026-12-31", "2027-02-14"),
        ("2026-closed", "2027-12-31", "2028-01-01"),
    ],
)
def test_a_release_is_due_45_days_after_its_period_and_the_closed_12_months_after(
    release_id: str, last: str, day: str
) -> None:
    period = parse_release_id(release_id)
    assert through(period).isoformat() == last
    assert due_on(period).isoformat() == day


def test_releases_begin_with_the_first_month_in_which_a_day_was_closed() -> None:
    assert names(due(known("2027-03-01"), date(2027, 3, 1), set())) == [
        *("2026-08", "2026-09", "2026-10", "2026-11", "2026-12"),
        "2026",
    ]


def test_what_was_missed_is_made_up_for_oldest_first() -> None:
    drawn = {ReleaseId("2026-10")}
    assert names(due(known("2026-12-20"), date(2026, 12, 20), drawn)) == ["2026-08", "2026-09"]


def test_nothing_is_due_before_its_day_nor_before_its_last_day_was_closed() -> None:
    assert names(due(known("2026-11-13"), date(2026, 11, 13), set())) == ["2026-08"]
    assert names(due(known("2026-09-29"), date(2026, 11, 14), set())) == ["2026-08"]
    assert names(due(known("2026-09-30"), date(2026, 11, 14), set())) == ["2026-08", "2026-09"]
    assert due(Known(None, None), date(2026, 11, 14), set()) == []


@pytest.mark.parametrize(
    ("release_id", "closed_on", "today", "words"),
    [
        ("2026-09", "2026-11-13", "2026-11-13", "is not due before 2026-11-14; today is 2026-11-13"),
        ("2026-09", "2026-09-29", "2026-11-14", "the newest that was closed is 2026-09-29"),
        ("2026-07", "2026-11-13", "2026-11-14", "releases begin with 2026-08"),
        ("2026-closed", "2027-12-30", "2028-01-01", "up to 2027-12-31"),
    ],
)
def test_whoever_asks_too_early_is_told_why(release_id: str, closed_on: str, today: str, words: str) -> None:
    said = refusal(parse_release_id(release_id), known(closed_on), date.fromisoformat(today))
    assert said is not None
    assert words in said


def test_before_the_first_close_there_is_nothing_to_release() -> None:
    said = refusal(parse_release_id("2026-09"), Known(None, None), date(2027, 1, 1))
    assert said is not None
    assert "closed no day yet" in said


def test_what_is_due_is_not_refused() -> None:
    today = date(2028, 1, 1)
    for period in due(known("2027-12-31"), today, set()):
        assert refusal(period, known("2027-12-31"), today) is None


def test_the_next_of_each_kind_is_announced() -> None:
    drawn = {ReleaseId("2026-08"), ReleaseId("2026-09")}
    assert names(upcoming(known("2026-11-30"), date(2026, 11, 30), drawn)) == ["2026-10", "2026", "2026-closed"]
    # Without any close: as from today.
    assert names(upcoming(Known(None, None), date(2026, 8, 5), set())) == ["2026-08", "2026", "2026-closed"]
