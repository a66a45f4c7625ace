"""The hourly leaf: all that waits, folded into one leaf, whether anything waits or not.

So the size of the tree tells nobody of a match: it grows by one an hour and by one a batch.

Invariants
    - An hour has at most one leaf, however many replicas look: the hour is a primary key, and its sealing ends under
      the sequence row.
    - Hours only go forward. After a downtime the hours that were missed share one leaf, that of the last of them: how
      many leaves there are depends on when the registry ran, and on nothing that members said.
    - Under a manual clock nothing runs by itself: each close seals the next hour, that of its evening or a later one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from federation.database import Database, Isolation
from federation.rules.merkle import Frontier
from registry.schedule import CLOSE_AT
from registry.store import Transaction, ledger

HOUR = timedelta(hours=1)

LOOK_SECONDS = 60.0
"""How often the daemon looks whether an hour has gone by."""


def hour_due(now: datetime, newest: datetime | None) -> datetime | None:
    """The hour to seal at an instant: the last that has begun, unless it has its leaf."""
    begun = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return begun if newest is None or newest < begun else None


def hour_after_close(on: date, zone: ZoneInfo, newest: datetime | None) -> datetime:
    """The hour that a close of the day seals under a manual clock."""
    evening = datetime.combine(on, time(CLOSE_AT.hour), zone).astimezone(UTC)
    return evening if newest is None else max(evening, newest + HOUR)


class Hours:
    """Seals hours."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def seal_due(self, now: datetime) -> Frontier | None:
        """Seal the hour that is due at an instant; the tree with its leaf, None where none is due."""
        hour = hour_due(now, self._newest())
        return None if hour is None else self._seal(hour)

    def seal_after_close(self, on: date, zone: ZoneInfo) -> Frontier | None:
        """Seal the hour that a close of the day seals under a manual clock."""
        return self._seal(hour_after_close(on, zone, self._newest()))

    def _newest(self) -> datetime | None:
        return self._database.view("ledger_newest_hour", ledger.newest_hour)

    def _seal(self, hour: datetime) -> Frontier | None:
        def work(tx: Transaction) -> Frontier:
            return ledger.seal(tx, hour)

        try:
            return self._database.run("ledger_seal", work, isolation=Isolation.READ_COMMITTED)
        except ledger.HourSealedError:
            return None
