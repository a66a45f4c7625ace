"""The Grafana dashboards are those that their descriptions say, can be read, and lead to the runbooks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.alerts import alerts
from tests.harness.dashboards import DASHBOARDS, dashboards, drawing, panels

DRAWN = dashboards()
OWN_PANELS = {"stat", "timeseries", "table", "bargauge"}
"""Grafana's own: no plugin has to be installed."""
UNITS = {"none", "short", "s", "d", "ops", "reqps", "percentunit"}
NAMES = {alert.name for alert in alerts()}


def test_the_dashboards_are_drawn_from_their_descriptions() -> None:
    module = drawing()
    assert set(DRAWN) == set(module.NAMES) == {"operator", "registry", "evaluator", "node"}
    for name in DRAWN:
        text = (DASHBOARDS / f"{name}.json").read_text(encoding="utf-8")
        assert text == module.draw(name), f"{name}.json is not what its description says. Run: make dashboards"


@pytest.mark.parametrize("name", DRAWN)
def test_every_panel_says_what_it_shows_in_which_unit_and_what_to_read(name: str) -> None:
    dashboard = DRAWN[name]
    assert dashboard["uid"] == f"upprop-{name}"
    for panel in panels(dashboard):
        assert panel["type"] in OWN_PANELS
        assert len(panel["description"]) > 10, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["targets"], panel["title"]
        for link in panel["links"]:
            assert link["url"].startswith("${runbooks}#"), panel["title"]
            assert link["title"].removeprefix("Runbook: ") in NAMES, panel["title"]


@pytest.mark.parametrize("name", DRAWN)
def test_every_panel_asks_the_datasource_that_the_reader_chose(name: str) -> None:
    variables = [variable["name"] for variable in DRAWN[name]["templating"]["list"]]
    assert variables[0] == "datasource"
    for panel in panels(DRAWN[name]):
        for part in (panel, *panel["targets"]):
            assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    used = {"instance"} if any("$instance" in each["targets"][0]["expr"] for each in panels(DRAWN[name])) else set()
    assert {*variables} == {"datasource", "runbooks", *used}


@pytest.mark.parametrize("name", DRAWN)
def test_panels_have_titles_and_numbers_of_their_own_and_lie_beside_each_other(name: str) -> None:
    every = DRAWN[name]["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    titles = [panel["title"] for panel in panels(DRAWN[name])]
    assert len(set(titles)) == len(titles)
    taken: set[tuple[int, int]] = set()
    for panel in every:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + right, place["y"] + down) for right in range(place["w"]) for down in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_alert_is_linked_from_the_panel_that_shows_why_it_fires() -> None:
    def linked(panel: Any) -> set[str]:
        return {link["title"].removeprefix("Runbook: ") for link in panel["links"]}

    shown = {alert for dashboard in DRAWN.values() for panel in panels(dashboard) for alert in linked(panel)}
    assert NAMES - shown == set()
