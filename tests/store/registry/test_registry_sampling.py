"""What an operator of the registry is shown of its store is what has happened there, on each kind of store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from federation.coarse import Steps
from federation.identity import node, registry
from federation.observability import Readings
from federation.rpc.caller import Party
from federation.rules.vocabulary import Signal
from registry.sampling import EPOCHS, STANDING, Sampling
from registry.schedule import Behind, behind, behind_by_hand
from registry.silence.seen import MembersSeen
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.scene import SINCE, A, B, C, Scene, arrival, pupil
from tests.store.registry.statistics_scene import YEAR, Statistics

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Stockholm")


def sampling(scene: Scene, seen: MembersSeen | None = None) -> Sampling:
    seen = seen or MembersSeen(lambda: NOW)
    return Sampling(scene.database, lambda: scene.descriptor, scene.clock, scene.metrics, seen, Steps())


def of_members(readings: Readings, what: str) -> dict[str, float]:
    return {member: value for (member,), value in readings[f"upprop_registry_member_{what}"].items()}


def test_every_gauge_that_is_named_is_read(scene: Scene) -> None:
    read = sampling(scene)
    assert read.standing().keys() == {each.name for each in STANDING}
    assert read.epochs().keys() == {each.name for each in EPOCHS}


def test_members_are_current_silent_or_were_never_heard(scene: Scene) -> None:
    scene.report(A, as_of=SINCE)
    scene.clock.set_today(SINCE + timedelta(days=21))
    scene.report(B, as_of=scene.clock.today())
    read = sampling(scene).standing()
    assert read["upprop_registry_members"] == {("current",): 1, ("silent",): 1, ("never",): 1}
    lag = of_members(read, "lag_days")
    assert lag.keys() == {A, B}
    assert (lag[A] > 10, lag[B]) == (True, 0)
    assert 0.3 <= read["upprop_registry_coverage_ratio"][()] <= 0.34


def test_a_member_was_last_seen_when_it_called_or_when_its_import_was_of(scene: Scene) -> None:
    scene.report(A, B, as_of=SINCE)
    # To the quarter of an hour: to the second it would tell whose batch it was that came just then.
    times = iter((NOW + timedelta(minutes=2, seconds=3), NOW + timedelta(minutes=14, seconds=59), NOW))
    seen, expires = MembersSeen(lambda: next(times)), NOW + timedelta(days=30)
    seen(Party.of(node(A)), expires)
    seen(Party.of(node(C)), expires)
    seen(Party.of(registry("a")), expires)
    read = sampling(scene, seen).standing()
    of_import = datetime(2026, 9, 1, tzinfo=ZONE).timestamp()
    assert of_members(read, "last_seen_timestamp_seconds") == {A: NOW.timestamp(), B: of_import, C: NOW.timestamp()}
    assert of_members(read, "certificate_expires_timestamp_seconds") == dict.fromkeys((A, C), expires.timestamp())


def test_a_close_that_is_missing_shows_and_one_that_is_made_up_for_does_not(scene: Scene) -> None:
    scene.close(SINCE)
    scene.clock.set_today(SINCE + timedelta(days=7))
    late = sampling(scene).standing()
    # Of a Tuesday; Monday is the last day that is over.
    assert late["upprop_registry_deadline_lag_days"] == {(): 4}
    assert late["upprop_registry_matching_lag_seconds"] == {(): 6 * 86_400}
    scene.close(scene.clock.today())
    made = sampling(scene).standing()
    assert made["upprop_registry_deadline_lag_days"] == {(): 0}
    assert made["upprop_registry_matching_lag_seconds"] == {(): 0}


@pytest.mark.parametrize(
    ("now", "closed_on", "finished_at", "days", "hours"),
    [
        ("2026-10-19T12:00", "2026-10-18", "2026-10-18T18:01", 0, 0),
        ("2026-10-19T18:30", "2026-10-18", "2026-10-18T18:01", 1, 0.5),
        ("2026-10-19T18:30", "2026-10-19", "2026-10-19T18:10", 0, 0),
        # Saturday's is late, and no gap falls due by it.
        ("2026-10-24T20:00", "2026-10-23", "2026-10-23T18:10", 0, 2),
        ("2026-10-27T12:00", "2026-10-19", "2026-10-19T18:10", 5, 18),
    ],
)
def test_lateness_by_the_systems_clock(now: str, closed_on: str, finished_at: str, days: int, hours: float) -> None:
    at, finished = (datetime.fromisoformat(each).replace(tzinfo=ZONE) for each in (now, finished_at))
    found = behind(at.astimezone(UTC), ZONE, date.fromisoformat(closed_on), finished.astimezone(UTC))
    assert found == Behind(hours * 3_600, days)


def test_a_registry_that_never_closed_is_behind_by_a_day_and_one_on_trial_is_not() -> None:
    monday = datetime(2026, 10, 20, 11, tzinfo=UTC)
    assert behind(monday, ZONE, None, None).days == 1
    assert behind_by_hand(date(2026, 10, 20), None) == Behind()


def test_a_close_by_another_replica_shows(scene: Scene) -> None:
    scene.close(SINCE)
    scene.metrics.last_close.set(0)
    sampling(scene).standing()
    (family,) = scene.metrics.last_close.collect()
    assert family.samples[0].value > 0


def shares(scene: Scene) -> list[float]:
    return list(sampling(scene).epochs()["upprop_registry_epoch_members_ratio"].values())


def carrying(names: Sequence[str], *epochs: int) -> list[Signal]:
    return [arrival(*(pupil(name, epoch) for epoch in epochs)) for name in names]


def test_a_change_of_epochs_is_told_by_members_and_not_by_the_pupil(scene: Scene) -> None:
    names = [f"p{number}" for number in range(20)]
    scene.submit(A, *carrying(names, 1, 2))
    assert shares(scene) == [1.0, 1.0]
    scene.submit(B, *carrying(names, 1))
    assert shares(scene) == [1.0, 0.65]
    # One of twenty-one is none.
    scene.submit(A, *carrying(["one more"], 1))
    assert shares(scene) == [1.0, 0.65]


def test_releases_and_budgets_are_shown_as_they_are(empty_database: MakeDatabase) -> None:
    statistics = Statistics.filled(empty_database(), date(YEAR + 1, 3, 1), children=20)
    scene = Scene(statistics.database, statistics.nation.descriptor)
    scene.clock.set_today(date(YEAR + 1, 3, 1))
    before = sampling(scene).standing()
    assert before["upprop_statistics_release_overdue_days"][()] > 0
    assert before["upprop_statistics_last_release_timestamp_seconds"] == {}
    assert before["upprop_statistics_budget_left_ratio"] == {}
    statistics.releasing.publish_due()
    after = sampling(scene).standing()
    assert after["upprop_statistics_release_overdue_days"] == {(): 0}
    released = after["upprop_statistics_last_release_timestamp_seconds"]
    assert {"nation-month", "county-month", "nation-year"} <= {table for (table,) in released}
    assert 0 < after["upprop_statistics_budget_left_ratio"][str(YEAR),] < 1
    reserves = after["upprop_statistics_reserve_left_ratio"]
    assert reserves == {(str(YEAR), "statistics"): 1, (str(YEAR), "oversight"): 1}
