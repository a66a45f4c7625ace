"""A real Prometheus before a federation that runs: what dashboards ask and alerts look at is there, and an alert that
is due comes, and goes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.harness.alerts import alerts, recorded
from tests.harness.dashboards import queries
from tests.harness.prometheus import Prometheus, prometheus
from tests.harness.watched_federation import Watched, watched_federation

METRICS_PAGE = Path(__file__).resolve().parents[2] / "docs" / "manual" / "metrics.md"
FROM_PROMETHEUS = {"up", "ALERTS"}
"""Metrics that it makes itself."""
NAME = re.compile(r"\b(?:upprop|grpc)[a-z0-9_]*(?::[a-z0-9_]+)*\b|\bup\b|\bALERTS\b")
QUERIES = list(queries())
SETTLED_SECONDS = 120.0
QUIET_SECONDS = 5.0


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched_federation(tmp_path_factory.mktemp("watched") / "federation") as running:
        yield running


@pytest.fixture(scope="module")
def watching(federation: Watched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Scrapes all of it, with the project's rules, until every worker has had its first run."""
    directory = tmp_path_factory.mktemp("prometheus") / "prometheus"
    with prometheus(directory, federation.targets(), patience="1s") as running:
        yield running


def _metrics(expression: str) -> set[str]:
    """The metrics that an expression names; what stands in quotes or as a label is none."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    labels = re.compile(r"(?:by|without|on|ignoring|group_left|group_right) \([^)]*\)|\{[^}]*\}")
    return set(NAME.findall(labels.sub("", bare)))


def _known(watching: Prometheus) -> set[str]:
    page = METRICS_PAGE.read_text(encoding="utf-8")
    documented = set(re.findall(r"`((?:upprop|grpc)_[a-z0-9_]+)", page))
    histograms = {f"{name}_{part}" for name in documented for part in ("bucket", "sum", "count")}
    return watching.names() | documented | histograms | set(recorded()) | FROM_PROMETHEUS


def test_every_query_of_every_dashboard_is_answered_and_asks_for_what_there_is(watching: Prometheus) -> None:
    known = _known(watching)
    for query in QUERIES:
        watching.query(query.expression)
        assert _metrics(query.expression) - known == set(), query


def test_every_panel_that_should_have_data_has_data(watching: Prometheus) -> None:
    waiting = {query for query in QUERIES if query.may_be_empty is None}

    def answered() -> bool:
        waiting.difference_update([query for query in waiting if watching.query(query.expression)])
        return not waiting

    try:
        watching.wait_for("each panel has data", answered, SETTLED_SECONDS)
    except AssertionError:
        pytest.fail(
            "\n".join(f"{each.dashboard}: {each.panel}: {each.expression}" for each in sorted(waiting, key=str))
        )


def test_every_alert_can_be_judged_and_looks_at_what_there_is(watching: Prometheus) -> None:
    known = _known(watching)
    for alert in alerts():
        watching.query(alert.expression)
        assert _metrics(alert.expression) - known == set(), alert.name


def test_alerts_name_states_and_workers_as_the_metrics_do(watching: Prometheus) -> None:
    """A selector that finds nothing would be an alert that never fires."""
    found_later = re.compile(r',? ?(?:grpc_code|outcome)=~?"[^"]*"')
    there = watching.names()
    for alert in alerts():
        for metric, matchers in re.findall(r"\b([a-z_:]+)\{([^}]*)\}", alert.expression):
            selector = f"{metric}{{{found_later.sub('', matchers)}}}"
            assert metric not in there or watching.query(selector), (alert.name, selector)


def test_what_alerts_say_reads_well_with_values_in_it(tmp_path: Path) -> None:
    """Each fires here, with every label that any of them names."""
    labels = {"instance": "a:1", "member": "0180", "worker": "sync", "system": "main", "span": "day", "year": "2026"}
    always = "vector(0.05)"
    for label, value in {**labels, "job": "upprop-node", "epoch": "2", "evaluator": "3"}.items():
        always = f'label_replace({always}, "{label}", "{value}", "", "")'
    rules = tmp_path / "always.yaml"
    every = [
        {"alert": each.name, "expr": always, "labels": dict(each.labels), "annotations": dict(each.annotations)}
        for each in alerts()
    ]
    rules.write_text(yaml.safe_dump({"groups": [{"name": "always", "rules": every}]}), encoding="utf-8")
    with prometheus(tmp_path / "prometheus", {}, rules=[rules]) as running:
        running.wait_for("all fire", lambda: len(running.alerts()) == len(every))
        for alert in running.alerts():
            for sentence in alert.annotations.values():
                assert "<" not in sentence, (alert.name, sentence)
                assert "{" not in sentence, (alert.name, sentence)
                assert sentence == " ".join(sentence.split()), (alert.name, sentence)


def test_every_recorded_metric_is_recorded(watching: Prometheus) -> None:
    watching.wait_for("all are recorded", lambda: watching.names() >= set(recorded()))


def test_every_worker_has_a_patience(watching: Prometheus) -> None:
    workers = {each.labels["worker"] for each in watching.query("upprop_worker_runs_total")}
    patience = {each.labels["worker"] for each in watching.query("upprop:worker_patience:seconds")}
    assert workers - patience - {"daily_close"} == set()


def test_the_alert_of_a_stopped_node_fires_and_clears_when_it_is_back(
    federation: Watched, watching: Prometheus
) -> None:
    watching.wait_for_no_alert("UppropNodeDown")
    federation.stop("node-1480")
    alert = watching.wait_for_alert("UppropNodeDown", instance=federation.metrics["node-1480"])
    assert alert.labels["severity"] == "ticket"
    assert alert.annotations["summary"] == f"The node {federation.metrics['node-1480']} does not answer."
    assert [each.labels["instance"] for each in watching.alerts("UppropNodeDown")] == [federation.metrics["node-1480"]]
    federation.start("node-1480")
    watching.wait_for_no_alert("UppropNodeDown")


def test_a_sound_federation_raises_no_alert(federation: Watched, watching: Prometheus) -> None:
    """With every `for` shortened to a second. A machine with much to do may miss a scrape, so it is waited for."""
    quiet_since = [time.monotonic()]

    def calm() -> bool:
        if watching.alerts():
            quiet_since[0] = time.monotonic()
        return time.monotonic() - quiet_since[0] > QUIET_SECONDS

    watching.wait_for("it is calm", calm, SETTLED_SECONDS)
