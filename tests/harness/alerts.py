"""The project's Prometheus rules, read from their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.harness.prometheus import RULES

RULE_FILES = sorted(RULES.glob("*.yaml"))


@dataclass(frozen=True, slots=True)
class AlertRule:
    """An alert as its file states it."""

    name: str
    file: str
    expression: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def alerts() -> list[AlertRule]:
    """All alerts of all files, in their order."""
    return [
        AlertRule(rule["alert"], file.stem, rule["expr"], rule.get("labels", {}), rule.get("annotations", {}))
        for file in RULE_FILES
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def recorded() -> dict[str, str]:
    """Recorded metric → an expression that makes it."""
    return {
        rule["record"]: rule["expr"]
        for file in RULE_FILES
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "record" in rule
    }


def recorded_labels(metric: str) -> list[Mapping[str, str]]:
    """The labels of each rule that records `metric`."""
    return [
        rule.get("labels", {})
        for file in RULE_FILES
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if rule.get("record") == metric
    ]


def copy_without_sentences(directory: Path) -> None:
    """The rule files without annotations, which promtool would want repeated word by word in each case."""
    for file in RULE_FILES:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        for group in content["groups"]:
            for rule in group["rules"]:
                rule.pop("annotations", None)
        (directory / file.name).write_text(yaml.safe_dump(content), encoding="utf-8")
