"""What a node's operator may see beyond what every role shows: a municipality's own, on a port of its own.

Invariant: numbers of signals that wait and of rows that were refused, which are for those who run the node; no number
of pupils, gaps or case files, and no name but those that the municipality gave its own school systems.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class NodeMetrics:
    """The node's own metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.import_refused = Gauge(
            "upprop_import_refused",
            "1 while the newest export of a school system was refused: shrunk, foreign, older or unreadable.",
            ("system",),
            registry=registry,
        )
        self.proof_failures = Counter(
            "upprop_evaluator_proof_failures",
            "Answers of an evaluator whose proof did not hold, or that answered something else.",
            ("evaluator",),
            registry=registry,
        )
        self.last_answer = Gauge(
            "upprop_evaluator_last_answer_timestamp_seconds",
            "When an evaluator last answered this process.",
            ("evaluator",),
            registry=registry,
        )
        self.answering = Gauge(
            "upprop_evaluators_answering",
            "Evaluators of the descriptor that answered all that they were last asked.",
            registry=registry,
        )
        self.threshold = Gauge(
            "upprop_evaluators_threshold", "Evaluators that have to answer for a pseudonym.", registry=registry
        )
