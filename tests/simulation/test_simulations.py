"""Whole federations, real processes and all, come to the truth, whatever is lost or killed on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

import pytest

from federation.demo import scenario as scenarios
from federation.demo.generator import BREAKS, Recipe, generate, write
from federation.demo.scenario import Case
from federation.demo.simulate import Refused, Simulation, prepared
from federation.errors import UppropError
from federation.rules.vocabulary import MemberId
from federation.settings import parse_address
from tests.harness.lossy_proxy import LossyProxy

Result = TypeVar("Result")

CROWDED = {"school_closes": 4, "school_glitch": 3, "lost": 2, "over_the_summer": 5}
MARKED = {"protected": 4, "protected_later": 3, "marked_after": 3, "moved_hidden": 3, "marked_after_move": 3}

LIVELY = {
    "back": 1,
    "bad_number": 1,
    "cancelled_there": 1,
    "chain": 1,
    "chain_late": 1,
    "emigrated_late": 1,
    "lost": 2,
    "marked_after": 1,
    "move_late": 2,
    "move_ok": 4,
    "protected": 1,
    "rekey": 2,
    "tf": 1,
    "vanish_explained": 1,
    "vanish_lost": 1,
}
"""A few histories that together make every kind of signal and notice."""


def _written(directory: Path, recipe: Recipe) -> tuple[Case, ...]:
    generated = generate(recipe)
    write(generated, directory)
    assert generated.truth.cases
    return generated.truth.cases


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(Recipe(seed=21, members=3, pupils=80, weeks=12, start=date(2027, 1, 11)), marks=pytest.mark.long),
        Recipe(seed=22, members=6, pupils=50, weeks=24, start=date(2027, 4, 12)),
        pytest.param(
            Recipe(seed=23, members=2, pupils=300, weeks=9, watch=5, start=date(2026, 8, 31)), marks=pytest.mark.long
        ),
        pytest.param(
            Recipe(seed=24, members=4, pupils=64, weeks=14, watch=15, breaks=BREAKS[2:5]), marks=pytest.mark.long
        ),
        Recipe(seed=29, members=3, pupils=120, weeks=26, start=date(2027, 4, 12), kinds=CROWDED),
        Recipe(seed=30, members=2, pupils=30, weeks=12, kinds=MARKED, protected="same"),
    ],
    ids=["spring", "over the summer", "two members, short watch", "long watch", "schools close", "protected as others"],
)
def test_generated_scenario_equals_its_truth(tmp_path: Path, recipe: Recipe) -> None:
    truth = _written(tmp_path / "scenario", recipe)
    with prepared(tmp_path / "scenario") as simulation:
        outcome = simulation.play()
    assert outcome.cases == truth
    assert outcome.rejected_rows == scenarios.read_truth(tmp_path / "scenario").rejected_numbers


@pytest.mark.parametrize("members", [10, pytest.param(24, marks=pytest.mark.long)])
def test_many_nodes_in_one_process_equal_the_truth(tmp_path: Path, members: int) -> None:
    truth = _written(tmp_path / "scenario", Recipe(seed=25, members=members, pupils=12, weeks=7))
    with prepared(tmp_path / "scenario", nodes_in_process=True) as simulation:
        assert simulation.play().cases == truth


def test_lost_requests_and_lost_answers_change_nothing(tmp_path: Path) -> None:
    truth = _written(tmp_path / "scenario", Recipe(seed=26, members=3, pupils=12, weeks=8, kinds=LIVELY))
    proxies: list[LossyProxy] = []

    def route(_name: str, address: str) -> str:
        proxies.append(LossyProxy(parse_address(address), seed=len(proxies)))
        return proxies[-1].address

    try:
        with prepared(tmp_path / "scenario", route=route) as simulation:
            assert simulation.play().cases == truth
    finally:
        for proxy in proxies:
            proxy.close()
    lost = sum((proxy.lost for proxy in proxies), start=type(proxies[0].lost)())
    assert lost["request"] > 3
    assert lost["answer"] > 3


def test_parties_restarted_between_any_two_steps_change_nothing(tmp_path: Path) -> None:
    truth = _written(tmp_path / "scenario", Recipe(seed=27, members=2, pupils=15, weeks=8, kinds=LIVELY))
    parties = ["node-0180", "registry", "node-1480", "evaluator-1", "node-0180", "node-1480", "evaluator-2", "registry"]
    restarted: set[tuple[str, str]] = set()

    def restart(simulation: Simulation, step: str) -> None:
        # Eight parties and seven steps a date: over the weeks, each meets each.
        party = parties[len(restarted) % len(parties)]
        restarted.add((f"{simulation.today} {step}", party))
        simulation.restart(party)

    with prepared(tmp_path / "scenario", between=restart) as simulation:
        assert simulation.play().cases == truth
    assert len(restarted) == 8 * 7


class Killed(Simulation):
    """A simulation whose nodes are killed in the midst of what they do, and started again to do it once more."""

    delays = (0.002, 0.03, 0.08, 0.01, 0.05, 0.12, 0.005)
    turns = 0
    died_at_work = 0

    def _import(self, member: MemberId) -> Refused:
        return self._killed(member, super()._import)

    def _send(self, member: MemberId) -> int:
        return self._killed(member, super()._send)

    def _hear(self, member: MemberId) -> None:
        self._killed(member, super()._hear)

    def _killed(self, member: MemberId, work: Callable[[MemberId], Result]) -> Result:
        name = self.trial.nodes[member]
        self.turns += 1
        killer = threading.Timer(self.delays[self.turns % len(self.delays)], self.trial.kill, [name])
        killer.start()
        try:
            work(member)
        except UppropError:
            self.died_at_work += 1
        killer.join()
        self.restart(name)
        return work(member)


def test_nodes_killed_at_work_change_nothing(tmp_path: Path) -> None:
    truth = _written(tmp_path / "scenario", Recipe(seed=28, members=2, pupils=15, weeks=6, kinds=LIVELY))
    with prepared(tmp_path / "scenario", kind=Killed) as simulation:
        assert simulation.play().cases == truth
    assert isinstance(simulation, Killed)
    assert simulation.died_at_work > 5
