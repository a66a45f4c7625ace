"""What an operator of the registry may see beyond what every role shows.

Invariant: no count of gaps, groups, cases or notices, which would tell how many children are missing; signals are
counted over all members together.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from federation.observability import Event, Level
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


class RegistryMetrics:
    """The registry's own metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.signals = Counter(
            "upprop_registry_signals",
            "Signals answered, by disposition; a batch that is sent again is not counted again.",
            ("disposition",),
            registry=registry,
        )
        for kind in DispositionKind:
            self.signals.labels(kind.value)
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
