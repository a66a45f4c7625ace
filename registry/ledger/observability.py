"""What an operator sees of the ledger.

Invariant: sizes and times, which are the same whatever members said of whom.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from federation.observability import Event, Level

WITNESS_UNREACHED = Event("witness_unreached", ("evaluator", "code"), Level.WARNING)
WITNESS_REFUSED = Event("witness_refused", ("evaluator", "code"), Level.ERROR)
WITNESS_AHEAD = Event("witness_ahead", ("evaluator", "seen_size", "size"), Level.ERROR)
QUOTA_REPORT_REFUSED = Event("quota_report_refused", ("evaluator",), Level.ERROR)
CHECKED = Event("ledger_checked", ("size", "seconds"))
BROKEN = Event("ledger_broken", ("size", "flaws", "leaf_index", "kind"), Level.ERROR)


class LedgerMetrics:
    """The ledger's own metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.checkpoint_at = Gauge(
            "upprop_registry_ledger_checkpoint_timestamp_seconds",
            "When the newest checkpoint that a witness has co-signed was first co-signed; 0 before the first.",
            registry=registry,
        )
        self.cosigned = Gauge(
            "upprop_registry_ledger_cosignatures",
            "Witnesses that have co-signed the newest checkpoint that was brought to them.",
            registry=registry,
        )
        self.checked_at = Gauge(
            "upprop_registry_ledger_checked_timestamp_seconds",
            "When the ledger was last compared with the database; 0 before the first time.",
            registry=registry,
        )
        self.broken = Gauge(
            "upprop_registry_ledger_broken",
            "1 while the last comparison found that database and ledger contradict each other.",
            registry=registry,
        )
