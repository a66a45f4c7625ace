"""What an evaluator's operator may see beyond what every role shows.

Invariant: of who asks how much, a monitoring system learns no more than what is left of each member's quota, coarsely
(`privacy.evaluator.sampling`); what all members ask for together is shown in steps, and once the day is over.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from prometheus_client import CollectorRegistry, Counter, Gauge

from federation.coarse import Steps
from federation.observability import CoarseCounter, Event, Level

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
    """The evaluator's own metrics. `steps`: of what is counted by the pupil; `today`: the business date."""

    def __init__(self, registry: CollectorRegistry, steps: Steps, today: Callable[[], date]) -> None:
        self.steps = steps
        self.elements = CoarseCounter(
            "upprop_evaluator_elements",
            "Blinded elements asked for until yesterday: charged to a quota, allowed beyond it, or repeated without "
            "charge; in steps of 1000.",
            "outcome",
            ("charged", "allowed", "repeated"),
            steps=steps,
            registry=registry,
            day=today,
        )
        self.refused = Counter(
            "upprop_evaluator_quota_refusals", "Requests beyond a member's quota.", ("span",), registry=registry
        )
        self.witnessed_size = Gauge(
            "upprop_witness_tree_size",
            "Leaves of the ledger in the newest checkpoint co-signed, in steps of 1000.",
            registry=registry,
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
        for span in ("year", "day"):
            self.refused.labels(span)
