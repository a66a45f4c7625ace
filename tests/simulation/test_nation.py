"""A nation, in small: what is generated is sound, its truth is what the rules come to, and the benchmark plays it."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from federation.demo import scenario as scenarios
from federation.demo.generator import Generated
from federation.demo.generator import write as write_whole
from federation.demo.nation import DATES, Nation, stories, write, writing
from federation.demo.nation.kinds import CROWDS, MOVED, kinds
from federation.demo.nation.members import members
from federation.demo.nation.stage import FIRST_BIRTH, LAST_BIRTH, NationPopulation
from federation.errors import UppropError
from tests.benchmarks import bench_nation
from tests.harness.rules_alone import Players

SMALL = Nation(members=6, pupils=600, moves=27)
REMEMBERED = ("marked_after", "renumbered")
"""Kinds that are about what a node remembers of a person beside the history that rules see."""


@pytest.mark.parametrize(("seed", "moves"), [(1, 100), (2, 400)])
def test_rules_come_to_the_truth_of_a_nation(seed: int, moves: int) -> None:
    nation = Nation(members=6, pupils=500, moves=moves, seed=seed)
    told = tuple(each for each in stories(nation) if each[0] not in REMEMBERED)
    generated = Generated(nation.scenario, told)
    assert len(generated.truth.cases) > 10
    assert Players(generated).play() == generated.truth.cases


def test_benchmark_plays_a_small_nation_in_deltas_over_two_processes_to_its_truth(tmp_path: Path) -> None:
    told: list[str] = []
    report = bench_nation.run(SMALL, tmp_path / "scenario", lambda step, _done, _total: told.append(step), processes=2)
    assert report.equals_truth
    assert (report.cases, report.remarks) == (len(scenarios.read_truth(tmp_path / "scenario").cases), 0)
    assert report.imports == 6 * 12
    assert report.signals_sent > 2 * SMALL.moves
    assert report.costs.processes == {"simulate": 1, "evaluator": 3, "registry": 1, "nodes": 2}
    assert set(report.costs.peak) == set(report.costs.processor) == set(report.costs.processes)
    assert set(report.costs.dates) == {day.isoformat() for day in SMALL.as_of}
    assert {"generate", "start", "import", "send", "close", "hear"} <= set(report.costs.wall)
    assert {"writing pupils", "importing", "sending", "hearing"} <= set(told)
    assert "EQUAL to the truth" in str(report)


def test_benchmark_explains_itself() -> None:
    shown = CliRunner().invoke(bench_nation.main, ["--help"]).output
    assert "Exit code 1 where the cases found differ from the truth" in re.sub(r"\s+", " ", shown)


def test_nation_s_size_is_the_one_asked_for() -> None:
    nation = Nation()
    assert len(nation.as_of) == 12
    assert sum(weight for _, weight in DATES) == 100
    assert sum(weight for day, weight in DATES if day.month in (7, 8)) > 50
    shares = members(nation.members, nation.pupils)
    assert len({share.id for share in shares}) == 290
    assert abs(sum(share.pupils for share in shares) - 1_100_000) < 290
    assert shares[0].pupils > 80_000
    assert shares[-1].pupils < 300
    wanted = kinds(nation.moves)
    assert sum(wanted[kind] for kind in MOVED) == pytest.approx(50_000, rel=0.01)


def test_small_nation_has_every_kind_but_crowds() -> None:
    drawn = Counter(kind for kind, _ in stories(SMALL))
    assert {kind for kind in kinds(50_000) if kind not in drawn} == CROWDS
    assert drawn.keys() >= kinds(SMALL.moves).keys()


def test_members_have_their_pupils_at_the_baseline() -> None:
    enrolled = Counter(file.member for _, story in stories(SMALL) for file in story.files if file.shown[0] is not None)
    assert enrolled == {share.id: share.pupils for share in SMALL.shares}


def test_numbers_of_a_nation_are_test_numbers_each_given_once(tmp_path: Path) -> None:
    write(SMALL, tmp_path)
    owners: dict[str, set[str]] = {}
    for export in tmp_path.glob("exports/*/*.json"):
        for person in json.loads(export.read_bytes())["data"]:
            assert 2009 <= int(person["birthDate"][:4]) <= 2019
            number = person.get("civicNo", {}).get("value", "")
            if "TF" not in number and number:
                assert 980 <= int(number[8:11]) <= 999
                owners.setdefault(number, set()).add(person["birthDate"])
    assert all(len(births) == 1 for births in owners.values())
    assert len(owners) > 600


def test_numbers_run_out_in_a_sentence() -> None:
    population = NationPopulation(random.Random(1), 2025)
    population.given = ((LAST_BIRTH - FIRST_BIRTH).days + 1) * 20 - 1
    population.pupil("GR", 3)
    with pytest.raises(UppropError, match="not enough test numbers"):
        population.pupil("GR", 3)


def _content(directory: Path) -> dict[str, Any]:
    """The exports by their paths; persons and deleted ids in no order."""
    found = {}
    for path in directory.glob("exports/*/*.json"):
        export = json.loads(path.read_bytes())
        persons = {person["id"]: person for person in export.pop("data")}
        found[str(path.relative_to(directory))] = (
            persons,
            sorted(export.pop("deletedEntities", ["all are here"])),
            export,
        )
    return found


def test_story_by_story_the_same_is_written_as_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "KEPT_BYTES", 10_000)
    truth = write(SMALL, tmp_path / "streamed")
    write_whole(Generated(SMALL.scenario, tuple(stories(SMALL))), tmp_path / "at once")
    assert _content(tmp_path / "streamed") == _content(tmp_path / "at once")
    assert scenarios.read(tmp_path / "streamed") == SMALL.scenario
    assert scenarios.read_truth(tmp_path / "streamed") == truth == scenarios.read_truth(tmp_path / "at once")
    assert SMALL.as_of[0] == date(2026, 7, 6)
