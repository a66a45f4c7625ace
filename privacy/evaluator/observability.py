"""What an evaluator's operator may see beyond what every role shows.

Invariant: no metric bears a member's name, so that a monitoring system does not learn who asks how much; the
evaluator's own database knows that, because the quota needs it.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from federation.observability import Event, Level

SHARE_UNLISTED = Event("evaluator_share_unlisted", ("epoch", "version"), Level.WARNING)
# Who may ask for more, and how much more, is what the evaluator's auditors look for: it names no pupil.
ALLOWANCE_GRANTED = Event("evaluator_allowance_granted", ("member", "elements", "until"), Level.WARNING)
SHARE_REFUSED = Event("evaluator_share_refused", ("code",), Level.ERROR)
SHARE_RETURNED = Event("evaluator_destroyed_share_returned", ("epoch", "version"), Level.ERROR)
SHARE_DESTROYED = Event("evaluator_share_destroyed", ("epoch", "version"), Level.WARNING)
EPOCH_WITHOUT_SHARE = Event("evaluator_epoch_without_share", ("epoch",), Level.ERROR)
CHECKPOINT_REFUSED = Event("witness_checkpoint_refused", ("size", "seen_size", "flaw"), Level.ERROR)
WITNESS_SET_BACK = Event("witness_set_back", ("size", "seen_size"), Level.ERROR)
WITNESS_RESET = Event("witness_reset", ("size", "seen_size"), Level.WARNING)
WITNESS_WITHOUT_KEY = Event("witness_without_key", (), Level.WARNING)


class EvaluatorMetrics:
    """The evaluator's own metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.elements = Counter(
            "upprop_evaluator_elements",
            "Blinded elements asked for: charged to a quota, allowed beyond it, or repeated without charge.",
            ("outcome",),
            registry=registry,
        )
        self.refused = Counter(
            "upprop_evaluator_quota_refusals", "Requests beyond a member's quota.", ("span",), registry=registry
        )
        self.witnessed_size = Gauge(
            "upprop_witness_tree_size", "Leaves of the ledger in the newest checkpoint co-signed.", registry=registry
        )
        self.witnessed_at = Gauge(
            "upprop_witness_cosigned_timestamp_seconds",
            "When a checkpoint was last co-signed; 0 before the first.",
            registry=registry,
        )
        self.checkpoints_refused = Gauge(
            "upprop_witness_checkpoints_refused",
            "Checkpoints that did not continue what was seen: each is the authority's concern.",
            registry=registry,
        )
        for outcome in ("charged", "allowed", "repeated"):
            self.elements.labels(outcome)
        for span in ("year", "day"):
            self.refused.labels(span)
