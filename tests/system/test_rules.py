"""The alerts, under Prometheus' own tool: they are well formed, fire when they shall, and not when they shall not."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.alerts import RULE_FILES, alerts, copy_without_sentences
from tests.harness.prometheus import RULES
from tests.harness.system_tools import program

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks.md"
CASES = sorted((Path(__file__).parent / "rules").glob("*.yaml"))


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(program("promtool")), *arguments], capture_output=True, text=True, timeout=300)


def test_promtool_finds_every_rule_file_in_order() -> None:
    assert {file.stem for file in RULE_FILES} == {"common", "registry", "evaluator", "node"}
    done = _promtool("check", "rules", *map(str, RULE_FILES))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("SUCCESS") == len(RULE_FILES), done.stdout


def test_the_configuration_that_the_runbooks_show_is_taken_as_it_stands(tmp_path: Path) -> None:
    [block] = re.findall(r"^```yaml\n(.*?)^```$", RUNBOOKS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(block.replace("/etc/prometheus/upprop", str(RULES)), encoding="utf-8")
    done = _promtool("check", "config", str(configuration))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("rules found") == 2, done.stdout


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_alerts_fire_when_they_shall_and_only_then(case: Path, tmp_path: Path) -> None:
    copy_without_sentences(tmp_path)
    shutil.copy(case, tmp_path / "cases.yaml")
    done = _promtool("test", "rules", str(tmp_path / "cases.yaml"))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    fires: set[str] = set()
    calm: set[str] = set()
    for file in CASES:
        content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        for test in content["tests"]:
            assert test["input_series"], test["name"]
            for each in test["alert_rule_test"]:
                (fires if each["exp_alerts"] else calm).add(each["alertname"])
    names = {alert.name for alert in alerts()}
    assert names - fires == set(), "no case in which it fires"
    assert names - calm == set(), "no case in which it stays calm"
    assert (fires | calm) - names == set(), "a case of an alert that there is not"
