"""The daemon's own daily close: each evening once, and made up for after a downtime."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from federation.clock import SystemClock
from registry.app import close_if_due
from registry.store import schema
from tests.store.registry.scene import DUE, SINCE, A, B, C, Scene, arrival, leaving, pupil

ZONE = "Europe/Stockholm"


class SetClock(SystemClock):
    """A system clock that stands at a moment a test chooses."""

    def __init__(self, moment: str) -> None:
        super().__init__(ZONE)
        self.set(moment)

    def set(self, moment: str) -> None:
        self._moment = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(ZONE))

    def now(self) -> datetime:
        return self._moment

    def today(self) -> date:
        return self._moment.date()


def closed(scene: Scene) -> list[date]:
    with scene.database.read("test") as tx:
        finished = schema.closes.c.finished_at.is_not(None)
        return list(
            tx.scalars(sa.select(schema.closes.c.closed_on).where(finished).order_by(schema.closes.c.closed_on))
        )


def at(scene: Scene, clock: SetClock, moment: str) -> None:
    clock.set(moment)
    scene.report(A, B, C, as_of=clock.today())
    close_if_due(scene.daily_close, clock, scene.descriptor)


def set_up(scene: Scene, moment: str) -> SetClock:
    clock = SetClock(moment)
    scene.daily_close._clock = clock
    return clock


def test_each_evening_is_closed_once(scene: Scene) -> None:
    clock = set_up(scene, "2026-09-01T18:00")
    for moment in ("2026-09-01T18:00", "2026-09-01T18:01", "2026-09-02T17:59", "2026-09-02T18:03", "2026-09-02T23:59"):
        at(scene, clock, moment)
    assert closed(scene) == [date(2026, 9, 1), date(2026, 9, 2)]


def test_a_missed_evening_is_made_up_for_under_its_own_date(scene: Scene) -> None:
    """Down at six on the evening before: what is due today still has today for its answer."""
    clock = set_up(scene, "2026-09-01T18:00")
    at(scene, clock, "2026-09-01T18:00")
    scene.submit(A, leaving(pupil("missing")), leaving(pupil("late"), since=SINCE))
    # Both are due on the 14th. The daemon was down on the evening of the 13th and is back at nine on the 14th.
    at(scene, clock, "2026-09-14T09:00")
    assert closed(scene)[-1] == date(2026, 9, 13)
    assert scene.news(A) == []
    scene.submit(B, arrival(pupil("late"), begins=DUE))
    at(scene, clock, "2026-09-14T17:59")
    assert scene.news(A) == []
    at(scene, clock, "2026-09-14T18:00")
    assert closed(scene)[-1] == DUE
    assert sorted(scene.kinds(A)) == ["ANSWERED", "OPENED"]


def test_a_close_by_hand_in_the_morning_does_not_replace_the_evenings(scene: Scene) -> None:
    clock = set_up(scene, "2026-09-14T10:00")
    scene.submit(A, leaving(pupil("p")))
    scene.daily_close.run(date(2026, 9, 14))
    assert scene.kinds(A) == ["OPENED"]
    scene.submit(B, arrival(pupil("p")))
    at(scene, clock, "2026-09-14T10:05")
    assert scene.news(A) == []
    at(scene, clock, "2026-09-14T18:00")
    assert scene.kinds(A) == ["ANSWERED"]
