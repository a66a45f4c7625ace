"""What the node's operator sees of a registry that says too little. It counts nothing: no gap, no child."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge


class SilenceMetrics:
    """Alert on either: what the registry does not say, this node's people have to find out by themselves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._late = Gauge(
            "upprop_registry_late", "1 while the registry answers but has closed no day of late.", registry=registry
        )
        self._withholds = Gauge(
            "upprop_registry_withholds",
            "1 while the registry says nothing about gaps that it took and whose day it has closed.",
            registry=registry,
        )

    def show(self, *, late: bool, withholds: bool) -> None:
        self._late.set(late)
        self._withholds.set(withholds)
