"""What an operator sees of the watch over the ledger: trees and leaves, never what stands in them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from federation.observability import Event, Level

LEDGER_ALARM = Event("ledger_alarm", ("alarm", "kind", "first", "last", "witness"), Level.ERROR)
ALARMS_ACKNOWLEDGED = Event("ledger_alarms_acknowledged", ("alarms",), Level.WARNING)
LEDGER_VERIFIED = Event("ledger_verified", ("size", "receipts", "complete"))


class LedgerMetrics:
    """The node's metrics of the ledger."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.alarms = Gauge(
            "upprop_ledger_alarms",
            "Alarms about the registry's ledger that nobody has acknowledged.",
            registry=registry,
        )
        self.size = Gauge(
            "upprop_ledger_tree_size", "Leaves in the newest checkpoint that was proved.", registry=registry
        )
        self.verified = Gauge(
            "upprop_ledger_verified_timestamp_seconds",
            "When all that was ever sent was last verified to the end; 0 before the first time.",
            registry=registry,
        )
