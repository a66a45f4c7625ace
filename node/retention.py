"""What the node keeps no longer: its talk with the registry, once it explains nothing any more.

Pupils, what was observed and stated of them, and their case files are the municipality's records: none is deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor
from federation.rules.matching import months_before
from node.store import Transaction
from node.store import retention as store

LOOK_SECONDS = 6 * 3_600.0

_Step = Callable[[Transaction], int]


class Retention:
    """Takes away what is old, by the values of the federation's policy."""

    def __init__(self, database: Database, descriptors: Callable[[], Descriptor], clock: Clock) -> None:
        self._database, self._descriptors, self._clock = database, descriptors, clock

    def run(self) -> None:
        """Take away all that is due, a few rows at a time: a sync that waits meanwhile goes first."""
        descriptor, today = self._descriptors(), self._clock.today()
        for step in _steps(descriptor, today):
            while self._database.run("node_retention", step) >= store.ROWS:
                pass


def _steps(descriptor: Descriptor, today: date) -> list[_Step]:
    kept = descriptor.policy.retention
    old = today - timedelta(days=kept.notice_days)
    grown = months_before(today, 12 * kept.unanswered_years)
    steps: list[_Step] = [
        partial(store.forget_notices, before=old),
        partial(store.forget_fetches, before=old),
        partial(store.forget_versions, before=old),
        partial(store.forget_receipts, before=grown),
        partial(store.forget_batches, before=old),
        store.forget_contacts,
    ]
    epochs = [epoch.epoch for epoch in descriptor.epochs]
    return [*steps, partial(store.forget_pseudonyms, standing=epochs)] if epochs else steps
