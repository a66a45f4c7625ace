"""When a running node fetches by itself: once a day, from a time of day on, until it has succeeded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from federation.clock import Clock
from federation.database import Database
from federation.errors import UppropError
from node.records.ss12000_api.fetching import Fetching
from node.records.ss12000_api.settings import SchoolSystem
from node.store import Transaction
from node.store.fetches import Fetch, Fetches, FetchState

LOOK_SECONDS = 300.0
"""How often a running node looks whether a fetch is due."""
AGAIN_AFTER = timedelta(minutes=30)
"""After a failure."""


def is_due(at: time, today: date, now: datetime, *, last: Fetch | None, current: Fetch | None) -> bool:
    """Whether to fetch now (an aware instant in the federation's zone).

    `last` is the newest run that was taken, `current` the one that was not. What an import refused today is not
    fetched again before somebody has looked into it.
    """
    if now.time() < at or (last is not None and last.as_of >= today):
        return False
    if current is None or current.as_of != today:
        return True
    if current.state is FetchState.REFUSED:
        return False
    return current.failed_at is None or now - current.failed_at >= AGAIN_AFTER


class Schedule:
    """Fetches from the school systems whose settings state a time of day."""

    def __init__(
        self,
        database: Database,
        fetches: Fetches,
        fetching: Fetching,
        systems: Mapping[str, SchoolSystem],
        clock: Clock,
        zone: Callable[[], ZoneInfo],
    ) -> None:
        self._database = database
        self._fetches = fetches
        self._fetching = fetching
        self._times = {name: at for name, system in systems.items() if (at := system.fetched_from) is not None}
        self._systems = systems
        self._clock = clock
        self._zone = zone

    def fetch_what_is_due(self) -> None:
        """One after another. What fails is logged and does not keep the others; raises the last failure."""
        failure: UppropError | None = None
        for system, at in self._times.items():
            if not self._is_due(system, at):
                continue
            try:
                self._fetching.run(system, self._systems[system])
            except UppropError as error:
                failure = error
        if failure is not None:
            raise failure

    def _is_due(self, system: str, at: time) -> bool:
        def work(tx: Transaction) -> tuple[Fetch | None, Fetch | None]:
            return self._fetches.last_taken(tx, system), self._fetches.current(tx, system)

        last, current = self._database.view("fetch_due", work)
        now = self._clock.now().astimezone(self._zone())
        return is_due(at, self._clock.today(), now, last=last, current=current)
