"""Which evaluators answer, as this node finds them: by what it asks them, and by asking whether they serve.

Invariant: one that was never asked does not answer; one that failed at anything answers again only once it does that,
and one that was not reached once it is reached again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from federation.descriptor import Descriptor
from federation.errors import UppropError
from node.observability import NodeMetrics

ASK_SECONDS = 300.0
"""How often all evaluators are asked whether they serve: a sync asks as many as it needs, and none on a quiet day."""


class Asked(Protocol):
    """An evaluator; `node.uplink.EvaluatorLink`."""

    @property
    def index(self) -> int: ...
    def check(self) -> None: ...


class Evaluators:
    """Hears of every call to an evaluator. Safe to use from several threads."""

    def __init__(self, metrics: NodeMetrics, descriptor: Callable[[], Descriptor], now: Callable[[], datetime]) -> None:
        self._metrics, self._descriptor, self._now = metrics, descriptor, now
        self._answered: dict[tuple[int, str], bool] = {}
        metrics.answering.set_function(self._answering)
        metrics.threshold.set_function(self._threshold)

    def heard(self, index: int, of: str, answered: bool) -> None:
        """An evaluator has answered a call of a kind, or has not."""
        self._answered[index, of] = answered
        if answered:
            self._metrics.last_answer.labels(str(index)).set(self._now().timestamp())
        # Shown as 0 before the first, so that an increase is one.
        self._metrics.proof_failures.labels(str(index))

    def lied(self, index: int) -> None:
        """Its answer did not verify."""
        self._answered[index, "proof"] = False
        self._metrics.proof_failures.labels(str(index)).inc()

    def proved(self, index: int) -> None:
        """Its answer did."""
        self._answered[index, "proof"] = True

    def ask(self, links: Sequence[Asked]) -> None:
        """Ask these whether they serve; `heard` is told."""
        for link in links:
            try:
                link.check()
            except UppropError:
                # Heard of already; the next one is asked all the same.
                continue

    def ask_unheard(self, links: Callable[[], Sequence[Asked]]) -> None:
        """Ask those that this process has never asked anything."""
        known = {index for index, _ in self._answered}
        if known.issuperset(each.index for each in self._descriptor().evaluators):
            return
        self.ask([link for link in links() if link.index not in known])

    def _answering(self) -> int:
        known = dict(self._answered)
        answers = {index for index, _ in known} - {index for (index, _), answered in known.items() if not answered}
        return len(answers & {each.index for each in self._descriptor().evaluators})

    def _threshold(self) -> int:
        return max((epoch.threshold for epoch in self._descriptor().epochs), default=0)
