"""`upprop simulate` on what is wrong or odd: it says so plainly, and before it starts anything."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from federation.cli import main
from federation.demo import show
from federation.demo.generator import Recipe, generate, write
from federation.demo.scenario import Case
from federation.rules.vocabulary import GapState, MemberId


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    write(generate(Recipe(seed=1, members=2, weeks=6, pupils=5, kinds={"lost": 1})), tmp_path / "scenario")
    return tmp_path / "scenario"


def _simulate(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["simulate", *arguments])
    return result.exit_code, re.sub(r"\s+", " ", result.output)


def test_missing_export_is_refused_by_its_name(scenario: Path, tmp_path: Path) -> None:
    (scenario / "exports" / "2026-09-14" / "1480.json").unlink()
    code, output = _simulate(str(scenario), "--out", str(tmp_path / "out.json"))
    assert code == 4
    assert "exports/2026-09-14/1480.json" in output
    assert not (tmp_path / "out.json").exists()


def test_export_that_a_node_refuses_changes_nothing_and_is_named(scenario: Path, tmp_path: Path) -> None:
    export = scenario / "exports" / "2026-08-31" / "1480.json"
    export.write_bytes(export.read_bytes()[:-20])
    code, output = _simulate(str(scenario), "--out", str(tmp_path / "out.json"), "--nodes-in-process")
    assert code == 0
    assert "1480 could not import its export of 2026-08-31" in output
    assert "They equal the scenario's truth.json." in output


def test_directory_without_a_scenario_is_refused(tmp_path: Path) -> None:
    code, output = _simulate(str(tmp_path), "--out", str(tmp_path / "out.json"))
    assert code == 4
    assert "scenario.json cannot be read" in output


def test_result_that_could_not_be_written_is_refused_before_the_play(scenario: Path, tmp_path: Path) -> None:
    code, output = _simulate(str(scenario), "--out", str(tmp_path / "no" / "such" / "out.json"))
    assert code == 4
    assert "there is no directory" in output


def test_directory_to_keep_things_in_has_to_be_new_or_empty(scenario: Path, tmp_path: Path) -> None:
    code, output = _simulate(str(scenario), "--out", str(tmp_path / "out.json"), "--keep", str(scenario))
    assert code == 4
    assert "is not empty" in output


def test_key_without_a_meaning_is_named_and_passed_over(scenario: Path, tmp_path: Path) -> None:
    path = scenario / "scenario.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "colour": "red"}), encoding="utf-8")
    (scenario / "exports" / "2026-08-24" / "0180.json").unlink()  # so that nothing is played
    code, output = _simulate(str(scenario), "--out", str(tmp_path / "out.json"))
    assert code == 4
    assert "colour means nothing here" in output


def _case(person_id: str, **changes: object) -> Case:
    day = date(2026, 9, 14)
    values = {"effective_date": day, "route": "registry", "opened_on": day, "state": GapState.OPEN, "state_since": day}
    return Case(member=MemberId("0180"), person_id=person_id, **{**values, **changes})  # type: ignore[arg-type]


def test_comparison_tells_missed_false_and_different_cases_apart() -> None:
    found = (_case("right"), _case("other", state=GapState.ANSWERED), _case("false"))
    truth = (_case("right"), _case("other"), _case("missed"))
    comparison = show.compare(found, truth)
    assert comparison.right == 1
    assert [case.person_id for case in comparison.missed] == ["missed"]
    assert [case.person_id for case in comparison.false] == ["false"]
    assert [case.person_id for case in comparison.otherwise] == ["other"]
    assert not comparison.equal
    assert show.compare(truth, truth).equal


def test_nodes_spread_over_processes_are_kept_each_by_itself(scenario: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    code, output = _simulate(
        str(scenario), "--out", str(tmp_path / "out.json"), "--keep", str(keep), "--node-processes", "2"
    )
    assert code == 0
    assert "They equal the scenario's truth.json." in output
    assert {"node-0180", "node-1480", "nodes-1", "nodes-2"} <= {path.name for path in keep.iterdir()}
    assert (keep / "node-1480" / "log.jsonl").stat().st_size
