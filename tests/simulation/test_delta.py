"""Scenarios whose later exports hold changes alone come to the same result as those whose exports hold everyone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from federation.demo import scenario as scenarios
from federation.demo.generator import Recipe, generate, write
from federation.demo.scenario import Exports
from federation.demo.simulate import Outcome, prepared
from federation.errors import UppropError
from tests.harness import autumn4, deltas

RECIPE = Recipe(seed=41, members=3, pupils=60, weeks=10)


def _play(directory: Path) -> Outcome:
    with prepared(directory, nodes_in_process=True) as simulation:
        outcome = simulation.play()
    assert simulation.remarks == []
    return outcome


def test_autumn_4_in_deltas_comes_to_the_same_truth(tmp_path: Path) -> None:
    truth = autumn4.write_out(tmp_path / "scenario")
    assert deltas.turn(tmp_path / "scenario")
    outcome = _play(tmp_path / "scenario")
    assert outcome.cases == scenarios.read_truth(tmp_path / "scenario").cases
    assert outcome.rejected_rows == truth["rejected_numbers"]


@pytest.mark.long
def test_generated_scenario_in_deltas_comes_to_the_same_result(tmp_path: Path) -> None:
    generated = generate(RECIPE)
    write(generated, tmp_path / "full")
    write(generate(replace(RECIPE, exports=Exports.DELTA)), tmp_path / "delta")
    outcome = _play(tmp_path / "delta")
    assert outcome == _play(tmp_path / "full")
    assert outcome.cases == generated.truth.cases
    assert outcome.rejected_rows == generated.truth.rejected_numbers


def test_generated_deltas_are_what_exports_of_everyone_turn_into(tmp_path: Path) -> None:
    write(generate(RECIPE), tmp_path / "full")
    write(generate(replace(RECIPE, exports=Exports.DELTA)), tmp_path / "delta")
    deltas.turn(tmp_path / "full")
    names = [sorted(path.relative_to(root) for path in root.rglob("*.json")) for root in tmp_path.iterdir()]
    assert names[0] == names[1]
    sizes = [
        sum(path.stat().st_size for path in (tmp_path / name / "exports").rglob("*.json")) for name in ("full", "delta")
    ]
    assert sizes[0] == sizes[1]


def test_first_export_of_every_member_has_to_be_there(tmp_path: Path) -> None:
    write(generate(replace(RECIPE, exports=Exports.DELTA)), tmp_path / "scenario")
    shutil.rmtree(tmp_path / "scenario" / "exports" / "2026-09-14")
    scenarios.read(tmp_path / "scenario")
    (tmp_path / "scenario" / "exports" / "2026-08-24" / "1480.json").unlink()
    with pytest.raises(UppropError, match=r"exports/2026-08-24/1480\.json"):
        scenarios.read(tmp_path / "scenario")
