"""`make dashboards`: writes the chart's Grafana dashboards anew from the descriptions beside this file.

A description (TOML) says what a panel shows and why; this adds what all have in common: where a panel stands, the
datasource and the instances as variables, links to the runbooks. Invariants: each panel has a description and a unit;
no plugin is needed beyond Grafana's own panels; the same descriptions give the same files.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "upprop" / "files" / "dashboards"
NAMES = ("operator", "registry", "evaluator", "node")
MACHINE = "machine"
"""The rows that every role has: included where a description says so, with its job in place of $job."""
SCHEMA_VERSION = 41
"""Of Grafana 12; newer ones migrate it by themselves."""
COLUMNS = 24
HEIGHTS = {"stat": 4, "timeseries": 8, "table": 8, "bargauge": 8}
WIDTHS = {"stat": 4, "timeseries": 12, "table": 12, "bargauge": 12}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, ORANGE, RED = "green", "orange", "red"
COLOURS = (GREEN, ORANGE, RED)


def described(name: str) -> list[dict[str, Any]]:
    """The rows of a dashboard, those that it includes among them."""
    description = _read(name)
    rows: list[dict[str, Any]] = description["row"]
    if description.get("machine"):
        text = (HERE / f"{MACHINE}.toml").read_text(encoding="utf-8").replace("$job", f"upprop-{name}")
        rows = [*rows, *tomllib.loads(text)["row"]]
    return rows


def draw(name: str) -> str:
    """The dashboard, as Grafana imports it."""
    description = _read(name)
    panels: list[dict[str, Any]] = []
    y = 0
    for row in described(name):
        panels.append(_row(row["title"], len(panels) + 1, y))
        y += 1
        x = height = 0
        for each in row["panel"]:
            width = each.get("width", WIDTHS[each["type"]])
            if x + width > COLUMNS:
                x, y, height = 0, y + height, 0
            place = {"h": HEIGHTS[each["type"]], "w": width, "x": x, "y": y}
            panels.append(_panel(each, len(panels) + 1, place))
            x, height = x + width, max(height, place["h"])
        y += height
    dashboard = {
        "annotations": {"list": []},
        "description": description["description"],
        "editable": True,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "id": None,
        "links": [
            {
                "asDropdown": False,
                "icon": "doc",
                "includeVars": False,
                "keepTime": False,
                "tags": [],
                "targetBlank": True,
                "title": "Runbooks",
                "tooltip": "What each alert means and what to do",
                "type": "link",
                "url": "${runbooks}",
            },
            {
                "asDropdown": True,
                "icon": "external link",
                "includeVars": False,
                "keepTime": True,
                "tags": ["upprop"],
                "targetBlank": False,
                "title": "Upprop",
                "tooltip": "",
                "type": "dashboards",
                "url": "",
            },
        ],
        "panels": panels,
        "refresh": "1m",
        "schemaVersion": SCHEMA_VERSION,
        "tags": ["upprop"],
        "templating": {"list": _variables(description.get("instances"))},
        "time": {"from": description["from"], "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "title": description["title"],
        "uid": f"upprop-{name}",
        "version": 1,
        "weekStart": "monday",
    }
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


def _row(title: str, number: int, y: int) -> dict[str, Any]:
    place = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
    return {"collapsed": False, "gridPos": place, "id": number, "panels": [], "title": title, "type": "row"}


def _panel(described: Mapping[str, Any], number: int, place: Mapping[str, int]) -> dict[str, Any]:
    kind = described["type"]
    table = kind == "table"
    defaults: dict[str, Any] = {
        "color": {"mode": "thresholds" if "thresholds" in described or kind != "timeseries" else "palette-classic"},
        "mappings": _mappings(described.get("values", {})),
        "thresholds": {"mode": "absolute", "steps": _steps(described)},
        "unit": described["unit"],
    }
    defaults |= {name: described[name] for name in ("min", "max", "decimals") if name in described}
    if kind == "timeseries":
        # Colours tell series apart; the thresholds are drawn as lines.
        defaults["color"] = {"mode": "palette-classic"}
        defaults["custom"] = {
            "drawStyle": "line",
            "fillOpacity": 10,
            "lineWidth": 1,
            "showPoints": "never",
            "spanNulls": False,
            "thresholdsStyle": {"mode": "line" if "thresholds" in described else "off"},
        }
    if table and "thresholds" in described:
        defaults["custom"] = {"cellOptions": {"type": "color-text"}}
    panel: dict[str, Any] = {
        "datasource": DATASOURCE,
        "description": " ".join(described["description"].split()),
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "gridPos": dict(place),
        "id": number,
        "links": [
            {"targetBlank": True, "title": f"Runbook: {alert}", "url": f"${{runbooks}}#{alert.lower()}"}
            for alert in described.get("runbooks", ())
        ],
        "options": _options(kind),
        "targets": [
            {
                "datasource": DATASOURCE,
                "editorMode": "code",
                "expr": " ".join(each["expr"].split()),
                "format": "table" if table else "time_series",
                "instant": kind != "timeseries",
                "legendFormat": each.get("legend", "__auto"),
                "range": kind == "timeseries",
                "refId": chr(ord("A") + place_),
            }
            for place_, each in enumerate(described["query"])
        ],
        "title": described["title"],
        "type": kind,
    }
    if table:
        hidden = dict.fromkeys(("Time", "__name__", "job", *described.get("hide", ())), True)
        rename = {"Value": described["value"], **described.get("rename", {})}
        panel["transformations"] = [{"id": "organize", "options": {"excludeByName": hidden, "renameByName": rename}}]
    return panel


def _steps(described: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`thresholds = [0.15, 0.05]` falls from green to red, `[60, 300]` rises; one number goes from green to red."""
    limits = list(described.get("thresholds", ()))
    if not limits:
        return [{"color": GREEN, "value": None}]
    falling = described.get("falling", False)
    colours: tuple[str, ...] = (GREEN, RED) if len(limits) == 1 else COLOURS
    if falling:
        colours, limits = tuple(reversed(colours)), sorted(limits)
    return [{"color": colour, "value": value} for colour, value in zip(colours, (None, *limits), strict=True)]


def _mappings(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`values = {0 = ["closed", "green"]}`."""
    if not values:
        return []
    shown = {
        value: {"color": colour, "index": place, "text": text}
        for place, (value, (text, colour)) in enumerate(values.items())
    }
    return [{"options": shown, "type": "value"}]


def _options(kind: str) -> dict[str, Any]:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    match kind:
        case "stat":
            return {
                "colorMode": "value",
                "graphMode": "none",
                "justifyMode": "auto",
                "reduceOptions": last,
                "textMode": "auto",
            }
        case "bargauge":
            return {"displayMode": "basic", "orientation": "horizontal", "reduceOptions": last, "showUnfilled": True}
        case "table":
            return {"cellHeight": "sm", "showHeader": True}
        case _:
            legend = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
            return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}


def _variables(instances: str | None) -> list[dict[str, Any]]:
    variables: list[dict[str, Any]] = [
        {"label": "Prometheus", "name": "datasource", "query": "prometheus", "refresh": 1, "type": "datasource"},
    ]
    if instances is not None:
        query = f"label_values({instances}, instance)"
        variables.append(
            {
                "allValue": ".*",
                "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
                "datasource": DATASOURCE,
                "definition": query,
                "includeAll": True,
                "label": "Instance",
                "multi": True,
                "name": "instance",
                "query": {"query": query, "refId": "instance"},
                "refresh": 2,
                "sort": 1,
                "type": "query",
            }
        )
    address = "docs/runbooks.md"
    variables.append(
        {
            "current": {"selected": True, "text": address, "value": address},
            "description": "Where docs/runbooks.md of the project can be read",
            "label": "Runbooks",
            "name": "runbooks",
            "query": address,
            "type": "textbox",
        }
    )
    return variables


def main() -> None:
    """Write them."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (TARGET / f"{name}.json").write_text(draw(name), encoding="utf-8")
        sys.stdout.write(f"{TARGET / name}.json\n")


if __name__ == "__main__":
    main()
