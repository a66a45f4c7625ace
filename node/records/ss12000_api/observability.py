"""What an operator sees of fetches: no address, no token, no number of persons."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from federation.observability import Event, Level

FETCHED = Event("school_system_fetched", ("system", "as_of", "whole", "baseline", "waits"))
FETCH_FAILED = Event("school_system_fetch_failed", ("system", "code"), Level.WARNING)
BEGUN_ANEW = Event("school_system_fetch_begun_anew", ("system", "why"), Level.WARNING)


class FetchMetrics:
    """The node's metrics of fetches."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._last_success = Gauge(
            "upprop_school_system_last_success_timestamp_seconds",
            "When a school system was last fetched and imported.",
            ("system",),
            registry=registry,
        )
        self._failed = Gauge(
            "upprop_school_system_failed",
            "1 while the newest attempt to fetch a school system has failed.",
            ("system",),
            registry=registry,
        )

    def succeeded(self, system: str, at: datetime) -> None:
        self._last_success.labels(system).set(at.timestamp())
        self._failed.labels(system).set(0)

    def failed(self, system: str) -> None:
        self._failed.labels(system).set(1)
