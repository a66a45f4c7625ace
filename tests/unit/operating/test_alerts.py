"""Alerts and runbooks go together: each alert says what is the matter, and has a section that says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from federation.cli import main
from federation.errors import Code
from node.settings import NodeSettings
from privacy.evaluator.settings import EvaluatorSettings
from registry.settings import RegistrySettings
from tests.harness.alerts import AlertRule, alerts, recorded_labels

PROJECT = Path(__file__).resolve().parents[3]
RUNBOOKS = PROJECT / "docs" / "runbooks.md"
TEXT = RUNBOOKS.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^##? |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL))
PARTS = ("**What it means for children.** ", "**What to check.** ", "**What to do.** ")
ALERTS = alerts()
OF_MEMBERS = {
    "upprop_registry_member_last_seen_timestamp_seconds",
    "upprop_registry_member_lag_days",
    "upprop_registry_member_certificate_expires_timestamp_seconds",
    "upprop_evaluator_quota_left_ratio",
}
"""The only metrics that name a member."""


def _named(alert: AlertRule) -> str:
    return alert.name


@pytest.mark.parametrize("alert", ALERTS, ids=_named)
def test_an_alert_says_what_is_the_matter_and_where_to_read_on(alert: AlertRule) -> None:
    assert alert.labels.keys() == {"severity"}
    assert alert.labels["severity"] in ("page", "ticket")
    assert alert.annotations.keys() == {"summary", "description", "runbook_url"}
    assert alert.annotations["runbook_url"] == f"docs/runbooks.md#{alert.name.lower()}"
    for sentence in (alert.annotations["summary"], alert.annotations["description"]):
        assert sentence == " ".join(sentence.split())
        assert sentence[0].isupper() or sentence[0] == "{"
        assert sentence.endswith(".")


@pytest.mark.parametrize("alert", ALERTS, ids=_named)
def test_an_alert_names_a_member_only_where_its_metric_does(alert: AlertRule) -> None:
    named = any("$labels.member" in text for text in alert.annotations.values())
    assert not named or any(metric in alert.expression for metric in OF_MEMBERS)


def test_no_two_alerts_have_one_name() -> None:
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    assert list(SECTIONS) == re.findall(r"^## (.*)$", TEXT, flags=re.MULTILINE)
    assert SECTIONS.keys() == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("title", SECTIONS)
def test_a_section_says_what_it_means_for_children_what_to_check_and_what_to_do(title: str) -> None:
    body = SECTIONS[title]
    places = [body.find(part) for part in PARTS]
    assert -1 not in places
    assert places == sorted(places)
    for paragraph in body.split("**")[2::2]:
        assert len(paragraph.split()) >= 2, title


def test_what_the_runbooks_point_at_is_there() -> None:
    for path, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]+))?\)", TEXT):
        page = RUNBOOKS.parent / path if path else RUNBOOKS
        assert page.exists(), path
        headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, (path, anchor)


def test_codes_events_workers_and_settings_that_the_runbooks_name_exist() -> None:
    named = set(re.findall(r"`([A-Za-z]+_[A-Za-z_]+)`", TEXT))
    log = set(re.findall(r"^\| `(\w+)`", (PROJECT / "docs" / "manual" / "logs.md").read_text("utf-8"), re.MULTILINE))
    workers = {labels["worker"] for labels in recorded_labels("upprop:worker_patience:seconds")} | {"daily_close"}
    settings = {
        field for kind in (RegistrySettings, EvaluatorSettings, NodeSettings) for field in kind.__struct_fields__
    }
    variables = {f"UPPROP_{role}_CONFIG" for role in ("NODE", "EVALUATOR", "REGISTRY")}
    of_postgresql = {"pg_stat_activity"}
    assert named - log - workers - settings - variables - of_postgresql - set(Code) == set()


def _commands() -> list[str]:
    return sorted({" ".join(each.split()) for each in re.findall(r"`(upprop [^`]+)`", TEXT)})


@pytest.mark.parametrize("command", _commands())
def test_commands_and_options_that_the_runbooks_name_exist(command: str) -> None:
    found: click.Command = main
    words = [word for word in command.split()[1:] if word != "--help"]
    while isinstance(found, click.Group) and words and not words[0].startswith("--"):
        word = words.pop(0)
        named = found.get_command(click.Context(found), word)
        assert named is not None, f"{command}: there is no {word}"
        found = named
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known, command
