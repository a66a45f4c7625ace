"""The project's Grafana dashboards: what they ask Prometheus, and the descriptions they are drawn from."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
DASHBOARDS = PROJECT / "helm" / "upprop" / "files" / "dashboards"
VARIABLES = {"$__rate_interval": "1m", "$instance": ".*"}
"""What Grafana puts in place of them, where every instance is chosen."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel. `may_be_empty` says when a sound federation has no answer to it."""

    dashboard: str
    panel: str
    expression: str
    may_be_empty: str | None


def drawing() -> ModuleType:
    """The program that draws them, which belongs to no package."""
    path = PROJECT / "helm" / "dashboards" / "draw.py"
    spec = importlib.util.spec_from_file_location("dashboards_draw", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dashboards() -> dict[str, Any]:
    """Name → the dashboard as Grafana imports it."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DASHBOARDS.glob("*.json"))}


def panels(dashboard: Any) -> list[Any]:
    """Its panels; rows are none."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries() -> Iterator[Query]:
    """Every query of every dashboard, as Grafana would send it."""
    module = drawing()
    for name, dashboard in dashboards().items():
        described = {panel["title"]: panel for row in module.described(name) for panel in row["panel"]}
        for panel in panels(dashboard):
            for target in panel["targets"]:
                expression = target["expr"]
                for variable, value in VARIABLES.items():
                    expression = expression.replace(variable, value)
                yield Query(name, panel["title"], expression, described[panel["title"]].get("empty"))
