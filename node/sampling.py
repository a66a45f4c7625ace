"""What a node's operator is shown that stands in its store: read anew, at most every quarter of a minute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor
from federation.observability import Readings, Shown
from node.store import Transaction
from node.store.imports import Imports
from node.store.outbox import Outbox
from node.store.pseudonyms import Pseudonyms

EPOCH_SECONDS = 300.0
"""How often all pupils are looked through for what they lack of an epoch."""

STANDING = (
    Shown("upprop_outbox_signals", "Signals that wait to be sent, or that the registry did not take.", ("state",)),
    Shown(
        "upprop_outbox_oldest_timestamp_seconds",
        "The end of the day on which the oldest signal was made that waits, at most now; 0: none waits.",
    ),
    Shown(
        "upprop_import_last_success_timestamp_seconds", "When an export of a school system was last taken.", ("system",)
    ),
    Shown("upprop_import_as_of_timestamp_seconds", "The day that a school system's newest export shows.", ("system",)),
    Shown("upprop_import_rejected_rows", "Rows of a school system's newest export that were not taken.", ("system",)),
    Shown("upprop_leavings_held", "1 while leavings wait for a person to confirm them."),
)

EPOCHS = (
    Shown(
        "upprop_epoch_pupils_ratio", "Share of the pupils ever spoken of who have the epoch's pseudonym.", ("epoch",)
    ),
)


class Sampling:
    """Reads the gauges of the store."""

    def __init__(
        self,
        database: Database,
        imports: Imports,
        outbox: Outbox,
        pseudonyms: Pseudonyms,
        descriptor: Callable[[], Descriptor],
        clock: Clock,
    ) -> None:
        self._database, self._descriptor, self._clock = database, descriptor, clock
        self._imports, self._outbox, self._pseudonyms = imports, outbox, pseudonyms

    def standing(self) -> Readings:
        """The gauges of `STANDING`."""
        return self._database.view("metrics_read", self._standing)

    def epochs(self) -> Readings:
        """The gauges of `EPOCHS`."""
        return self._database.view("metrics_read", self._epochs)

    def _standing(self, tx: Transaction) -> Readings:
        zone = ZoneInfo(self._descriptor().zone)
        counts, oldest = self._outbox.counts(tx), self._outbox.oldest(tx)
        newest = {name: each for name, each in self._imports.newest_of_each(tx).items() if not each.retired}
        held = any(held.released_on is None for held in self._imports.held(tx))
        return {
            "upprop_outbox_signals": {("waiting",): counts.waiting, ("parked",): counts.parked},
            "upprop_outbox_oldest_timestamp_seconds": {(): 0 if oldest is None else self._end_of(oldest, zone)},
            "upprop_import_last_success_timestamp_seconds": {
                (name,): each.received_at.timestamp() for name, each in newest.items()
            },
            "upprop_import_as_of_timestamp_seconds": {
                (name,): _begin_of(each.as_of, zone).timestamp() for name, each in newest.items()
            },
            "upprop_import_rejected_rows": {(name,): each.rejected for name, each in newest.items()},
            "upprop_leavings_held": {(): held},
        }

    def _end_of(self, day: date, zone: ZoneInfo) -> float:
        # The store knows the day alone: of one that is not over nothing is late yet.
        return min(_begin_of(day + timedelta(days=1), zone), self._clock.now()).timestamp()

    def _epochs(self, tx: Transaction) -> Readings:
        spoken_of = self._pseudonyms.pupils_with_any(tx)
        lacking = {epoch.epoch: self._pseudonyms.lacking_epoch(tx, epoch.epoch) for epoch in self._descriptor().epochs}
        ratios: dict[tuple[str, ...], float] = {
            (str(epoch),): 1 - number / spoken_of if spoken_of else 1.0 for epoch, number in lacking.items()
        }
        return {"upprop_epoch_pupils_ratio": ratios}


def _begin_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
