"""What an operator sees of drills. A drill is about no child: its steps may be told."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from federation.observability import Event, Level

DRILL_BEGUN = Event("drill_begun", ("drill",))
DRILL_STEP = Event("drill_step_done", ("drill", "step", "detail"))
DRILL_PASSED = Event("drill_passed", ("drill",))
DRILL_FAILED = Event("drill_failed", ("drill", "step", "fault", "code"), Level.ERROR)


class DrillMetrics:
    """The node's metrics of drills."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.last_success = Gauge(
            "upprop_drill_last_success_timestamp_seconds",
            "When a drill last passed; 0 before the first.",
            registry=registry,
        )
        self.running = Gauge("upprop_drill_running", "1 while a drill is under way.", registry=registry)
        self.failed = Gauge("upprop_drill_failed", "1 while the drill that ended last has failed.", registry=registry)
