"""The tables in docs/manual/metrics.md and logs.md, made of the metrics that the roles build and the events declared.

`python -m tests.harness.operators_manual` writes them anew.
"""

from __future__ import annotations

import importlib
import pkgutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from federation import tls13

# Before gRPC is imported.
tls13.require()

import federation  # noqa: E402
import node  # noqa: E402
import privacy  # noqa: E402
import registry  # noqa: E402
from federation.observability import Event, Metrics  # noqa: E402
from registry.dashboard.observability import DashboardMetrics  # noqa: E402
from tests.integration.node_parties import running  # noqa: E402

MANUAL = Path(__file__).parents[2] / "docs" / "manual"
METRICS, LOGS = MANUAL / "metrics.md", MANUAL / "logs.md"

ROLES = ("every role", "node", "registry", "evaluator", "dashboard")


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """A metric as it is scraped, by the name that queries use; of a histogram without `_bucket`, `_sum`, `_count`."""

    name: str
    type: str
    labels: tuple[str, ...]
    documentation: str


def series_of(measured: CollectorRegistry) -> set[Series]:
    """Every metric of a registry, those without a value included."""
    found = set()
    collectors: list[Any] = list(measured._collector_to_names)
    for collector in collectors:
        for family in collector.describe():
            labels: tuple[str, ...] = getattr(collector, "_labelnames", getattr(family, "_labelnames", ()))
            suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
            if family.type == "info":
                labels = ("version", "python")
            found.add(Series(family.name + suffix, family.type, tuple(labels), family.documentation))
    return found


def by_role() -> Mapping[str, set[Series]]:
    """The metrics of each role as its daemon has built them; those that all have stand once."""
    with tempfile.TemporaryDirectory() as directory, running(Path(directory), ("0180",), date(2026, 8, 24)) as parties:
        built = {
            "node": parties.nodes["0180"].measured,
            "registry": parties.measured["registry"],
            "evaluator": parties.measured["evaluator-1"],
        }
        found = {role: series_of(measured) for role, measured in built.items()}
    every, dashboard = CollectorRegistry(), CollectorRegistry()
    Metrics(every)
    DashboardMetrics(dashboard)
    # The pool's gauges have their labels once there is a database; all else is there from the begin.
    common = series_of(every)
    return {
        "every role": common,
        **{role: own - common for role, own in found.items()},
        "dashboard": series_of(dashboard),
    }


def events() -> list[Event]:
    """Every event that any module declares."""
    for root in (federation, node, privacy, registry):
        for module in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            if ".migrations" not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return sorted((each for each in Event._declared.values() if not each.name.startswith("test_")), key=_name)


def metrics_tables(roles: Mapping[str, Iterable[Series]]) -> dict[str, str]:
    return {
        role: _table(
            ("metric", "type", "labels", "meaning"),
            [
                (f"`{each.name}`", each.type, ", ".join(f"`{label}`" for label in each.labels), each.documentation)
                for each in sorted(series)
            ],
        )
        for role, series in roles.items()
    }


def event_table() -> str:
    rows = [
        (f"`{each.name}`", each.level.name.lower(), ", ".join(f"`{name}`" for name in sorted(each.fields)))
        for each in events()
    ]
    return _table(("event", "level", "fields"), rows)


def with_tables(text: str, tables: Mapping[str, str]) -> str:
    """The page with these tables in place of those that it has."""
    for name, table in tables.items():
        begin, end = f"<!-- {name}: made of the code -->", f"<!-- {name}: end -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        assert found, name
        text = f"{before}{begin}\n\n{table}\n{end}{after}"
    return text


def _name(event: Event) -> str:
    return event.name


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    for page, tables in ((METRICS, metrics_tables(by_role())), (LOGS, {"events": event_table()})):
        page.write_text(with_tables(page.read_text(encoding="utf-8"), tables), encoding="utf-8")
