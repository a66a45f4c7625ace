"""Two clocks: the system's for machines, the business date for school matters.

Invariant: `now()` and `monotonic()` are always the system's, because certificates, leases and retries live in real
time; only `today()` can be set, and only on a `ManualClock`.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    return datetime.now(UTC)


class Clock(Protocol):
    def now(self) -> datetime:
        """The system's time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def today(self) -> date:
        """The business date in the federation's zone."""
        ...


class SystemClock:
    """The business date is the system's date in `zone`."""

    def __init__(self, zone: ZoneInfo | str) -> None:
        self._zone = ZoneInfo(zone) if isinstance(zone, str) else zone

    def now(self) -> datetime:
        return utc_now()

    def monotonic(self) -> float:
        return time.monotonic()

    def today(self) -> date:
        return datetime.now(self._zone).date()


class ManualClock(SystemClock):
    """A business date that somebody sets; it starts at `today` or, without one, at the system's date."""

    def __init__(self, zone: ZoneInfo | str, today: date | None = None) -> None:
        super().__init__(zone)
        self._lock = threading.Lock()
        self._today = today or super().today()

    def today(self) -> date:
        with self._lock:
            return self._today

    def set_today(self, today: date) -> None:
        with self._lock:
            self._today = today
