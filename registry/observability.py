"""What an operator of the registry may see beyond what every role shows.

Invariants
    - No count of gaps, groups, cases or notices, which would tell how many children are missing; signals are counted
      over all members together and shown in steps (`federation.coarse`), so that one pupil more shows in nothing.
    - Transactions whose number hangs on what the store holds are not counted (`UNCOUNTED`).
    - A member's name stands on when it was last heard of, how far its news lies behind and until when its certificate
      lasts, and on nothing else.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, Histogram

from federation.coarse import Steps
from federation.observability import CoarseCounter, Event, Level
from federation.rules.vocabulary import DispositionKind

CLOSE_FINISHED = Event("close_finished", ("closed_on", "seconds"))
OPENINGS_WAIT = Event("openings_wait", ("member", "closed_on"), Level.WARNING)
CLOSE_GROUP_FAILED = Event("close_group_failed", ("closed_on", "exception", "where"), Level.ERROR)
CLOSE_LEASE_LOST = Event("close_lease_lost", ("closed_on",), Level.WARNING)
EPOCH_KEY_MADE = Event("epoch_key_made", ("epoch",), Level.WARNING)
EPOCH_DESTROYED = Event("epoch_destroyed", ("epoch", "left_behind"), Level.WARNING)
EPOCH_WITHOUT_KEY = Event("epoch_without_key", ("epoch",), Level.ERROR)

_CLOSE_BUCKETS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0)
"""Seconds: from an empty day to the first load of a nation."""


UNCOUNTED = frozenset({"close_take", "close_read", "close_portion", "epoch_pairs", "metrics_read", "retention"})
"""Transactions of which there is one for so many groups or rows: on a quiet day, one where a child is missed."""


class RegistryMetrics:
    """The registry's own metrics. `steps`: in which what is counted by the pupil is shown."""

    def __init__(self, registry: CollectorRegistry, steps: Steps | None = None) -> None:
        self.signals = CoarseCounter(
            "upprop_registry_signals",
            "Signals answered, by disposition, in steps of 1000; a batch that is sent again is not counted again.",
            "disposition",
            [kind.value for kind in DispositionKind],
            steps=steps or Steps(),
            registry=registry,
        )
        self.last_close = Gauge(
            "upprop_registry_last_close_timestamp_seconds",
            "When a close last finished; 0 before the first.",
            registry=registry,
        )
        self.last_retention = Gauge(
            "upprop_registry_last_retention_timestamp_seconds",
            "When a round of retention last finished here; 0 before the first.",
            registry=registry,
        )
        self.close_seconds = Histogram(
            "upprop_registry_close_seconds",
            "Seconds from the start of a close to its end.",
            buckets=_CLOSE_BUCKETS,
            registry=registry,
        )
        self.close_incomplete = Gauge(
            "upprop_registry_close_incomplete",
            "1 while the last close left something that could not be evaluated.",
            registry=registry,
        )
