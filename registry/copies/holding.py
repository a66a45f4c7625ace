"""For some hours after a restore the registry waits for what members send again, before it judges anything by it.

Invariant: what waits is only what the registry does by itself. A gap past due meanwhile opens at its own node, as with
any registry that closes no day; a person can close the day at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from federation.clock import Clock
from federation.database import Database
from federation.observability import Event, Level, Log
from registry.store import restores

HELD = Event("registry_waits_after_restore", ("held_until",), Level.WARNING)


class Hold:
    """Whether the registry still waits."""

    def __init__(self, database: Database, clock: Clock, log: Log) -> None:
        self._database, self._clock, self._log = database, clock, log
        self._told: datetime | None = None

    def unless_held(self, work: Callable[[], object]) -> Callable[[], object]:
        """The work of a worker, which does nothing while the registry waits."""

        def run() -> object:
            return None if self.stands() else work()

        return run

    def stands(self) -> bool:
        # Asked anew each time: another replica, or another restore, may have written it.
        newest = self._database.view("registry_restored", restores.newest)
        if newest is None or self._clock.now() >= newest.held_until:
            return False
        if self._told != newest.held_until:
            self._told = newest.held_until
            self._log(HELD, held_until=newest.held_until.isoformat(timespec="seconds"))
        return True
