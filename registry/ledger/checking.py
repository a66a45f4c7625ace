"""The daily comparison of ledger and database by the registry itself, so that nobody has to think of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from federation.checkpoint import Checkpoint
from federation.clock import Clock
from federation.database import Database
from federation.observability import Log
from registry.ledger.checkpoints import Checkpoints
from registry.ledger.flaws import Flaw
from registry.ledger.observability import BROKEN, CHECKED, LedgerMetrics
from registry.ledger.verifying import Progress, Verification

CHECK_SECONDS = 24 * 3_600.0


class Compared:
    """What a comparison found, and of which tree."""

    def __init__(self, size: int, root: bytes, flaws: Sequence[Flaw]) -> None:
        self.size, self.root, self.flaws = size, root, tuple(flaws)


def compare(database: Database, checkpoints: Sequence[Checkpoint], progress: Progress) -> Compared:
    """Compare ledger and database in one snapshot, with checkpoints that were signed before it began."""
    with database.read("ledger_verify") as tx:
        verification = Verification(tx, checkpoints, progress)
        flaws = list(verification.flaws())
        return Compared(verification.size, verification.root, flaws)


class _Stopped(Exception):  # noqa: N818 - control flow of this module
    pass


class DailyCheck:
    """Compares once a day; logs and shows in a metric what it found."""

    def __init__(
        self, database: Database, checkpoints: Checkpoints, clock: Clock, metrics: LedgerMetrics, log: Log
    ) -> None:
        self._database, self._checkpoints, self._clock = database, checkpoints, clock
        self._metrics, self._log = metrics, log
        self._stop = threading.Event()

    def run(self) -> None:
        """Compare now. Ends early where the registry stops."""
        begun = self._clock.monotonic()
        kept = self._checkpoints.kept()
        try:
            found = compare(self._database, [] if kept is None else [kept], self._go_on)
        except _Stopped:
            return
        self._metrics.broken.set(1 if found.flaws else 0)
        self._metrics.checked_at.set(self._clock.now().timestamp())
        if found.flaws:
            worst = found.flaws[0]
            self._log(
                BROKEN, size=found.size, flaws=len(found.flaws), leaf_index=worst.leaf_index, kind=worst.kind.value
            )
        else:
            self._log(CHECKED, size=found.size, seconds=round(self._clock.monotonic() - begun, 3))

    def stop(self) -> None:
        """End a comparison that is under way."""
        self._stop.set()

    def _go_on(self, _step: str, _done: int, _total: int) -> None:
        if self._stop.is_set():
            raise _Stopped
