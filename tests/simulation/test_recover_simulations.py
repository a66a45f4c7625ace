"""Nodes of a whole federation lose their databases again and again, recover, and come to the truth."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from federation.demo import scenario as scenarios
from federation.demo.generator import Recipe, generate, write
from federation.demo.scenario import Case
from federation.demo.simulate import Refused, Simulation, prepared, unseen
from federation.errors import Code, UppropError
from federation.rules.vocabulary import GapState, MemberId
from federation.settings import load
from federation.v1 import control_pb2
from node.recovery.copies import restore
from node.settings import NodeSettings
from tests.harness import autumn4
from tests.simulation.test_simulations import LIVELY


class Losing(Simulation):
    """After every date one node, each in its turn, has its database deleted.

    It imports the export of that date once more, recovers, and is given the numbers of those who are in no export any
    more. Then it goes on.
    """

    lost = 0
    named = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sent_after: list[int] = []

    def play(self) -> Any:
        self._between = self._lose
        return super().play()

    def _lose(self, _simulation: Simulation, step: str) -> None:
        if step == "heard":
            members = list(self.trial.nodes)
            member = MemberId(members[self.lost % len(members)])
            self.lost += 1
            self._delete(member)
            self._import(member)
            self._recover(member)

    def _delete(self, member: MemberId) -> None:
        name = self.trial.nodes[member]
        self.trial.kill(name)
        for path in (self.trial.home / name / "data").glob("node.sqlite*"):
            path.unlink()
        self.restart(name)

    def _recover(self, member: MemberId) -> None:
        report = self._recovered(member)
        assert report.complete, report.problems
        if report.nameless:
            for number in self._no_longer_exported(member):
                self._attach(member, number)
        self.sent_after.append(self._send(member))

    def _recovered(self, member: MemberId) -> control_pb2.RecoverReport:
        *_, last = self.trial.ask(self.trial.nodes[member], "Recover", control_pb2.RecoverRequest())
        report: control_pb2.RecoverReport = last.report
        return report

    def _attach(self, member: MemberId, number: str) -> None:
        try:
            self.trial.ask(self.trial.nodes[member], "Attach", control_pb2.AttachRequest(number=number))
        except UppropError as error:
            # Not every number that went from the exports is one of whom anything was said.
            if error.code is not Code.INPUT_REFUSED:
                raise
        else:
            self.named += 1

    def _no_longer_exported(self, member: MemberId) -> list[str]:
        numbers: dict[str, None] = {}
        for as_of in self._scenario.as_of:
            if as_of <= self.today:
                numbers.update(dict.fromkeys(self._ids(member, as_of)))
        shown = self._ids(member, self.today)
        return [number for number in numbers if number not in shown]

    def _ids(self, member: MemberId, as_of: date) -> dict[str, str]:
        """number → person id, as an export shows them."""
        content = json.loads(scenarios.export_path(self._directory, as_of, member).read_bytes())
        return {each["civicNo"]["value"]: each["id"] for each in content["data"] if each.get("civicNo")}

    def _cases(self, member: MemberId) -> Iterator[Case]:
        """With the school system's ids, which a number typed by a person does not bring back."""
        ids = {number: id_ for as_of in self._scenario.as_of for number, id_ in self._ids(member, as_of).items()}
        request = control_pb2.ListCasesRequest(all_gaps=True, protected=True)
        lines = self.trial.ask(self.trial.nodes[member], "ListCases", request).cases
        numbers = {line.person_id: line.number for line in lines}
        for case in super()._cases(member):
            yield replace(case, person_id=ids.get(numbers[case.person_id], case.person_id))


class Restoring(Losing):
    """In place of what was deleted comes a copy of two dates before; the export between was never kept."""

    def _lose(self, _simulation: Simulation, step: str) -> None:
        if step != "heard":
            return
        for member, name in self.trial.nodes.items():
            request = control_pb2.BackupRequest(path=str(self._copy(member, self.today)))
            *_, last = self.trial.ask(name, "Backup", request)
            assert last.report.newest_import == self.today.isoformat()
        super()._lose(_simulation, step)

    def _copy(self, member: str, as_of: date) -> Path:
        return self.trial.home / f"{member}-{as_of}.copy"

    def _delete(self, member: MemberId) -> None:
        name = self.trial.nodes[member]
        self.trial.kill(name)
        place = self._scenario.as_of.index(self.today)
        copy = self._copy(member, self._scenario.as_of[max(0, place - 2)])
        restore(load(self.trial.home / name / "config.toml", NodeSettings), copy, replace=True, report=unseen)
        self.restart(name)


class LosingKilled(Losing):
    """Each recovery is killed in the midst of what it does, again and again, before one is let come to its end."""

    delays = (0.004, 0.02, 0.05, 0.01, 0.09, 0.14, 0.03)
    turns = 0
    died_at_work = 0

    def _recovered(self, member: MemberId) -> control_pb2.RecoverReport:
        name = self.trial.nodes[member]
        for _ in range(3):
            self.turns += 1
            killer = threading.Timer(self.delays[self.turns % len(self.delays)], self.trial.kill, [name])
            killer.start()
            try:
                super()._recovered(member)
            except UppropError:
                self.died_at_work += 1
            killer.join()
            self.restart(name)
        return super()._recovered(member)


class LosingOvernight(Losing):
    """The export that the lost node knew is lost too: the first one it imports is the next."""

    empty: MemberId | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.unseen: set[tuple[str, str]] = set()
        """(member, number) of those who left the exports between a loss and the import after it."""

    def _lose(self, _simulation: Simulation, step: str) -> None:
        members = list(self.trial.nodes)
        if step == "heard" and self.today != self._scenario.as_of[-1]:
            self.empty = MemberId(members[self.lost % len(members)])
            self.lost += 1
            self._delete(self.empty)

    def _import(self, member: MemberId) -> Refused:
        rows = super()._import(member)
        if member == self.empty:
            self._recover(member)
            before = self._scenario.as_of[self._scenario.as_of.index(self.today) - 1]
            gone = self._ids(member, before).keys() - self._ids(member, self.today).keys()
            self.unseen |= {(member, number) for number in gone}
        return rows


def at_registry(cases: Any) -> list[Case]:
    """What was kept at a node alone is lost with it."""
    return sorted(case for case in cases if case.route == "registry")


def test_autumn_4_with_a_node_lost_on_every_date_equals_the_truth(tmp_path: Path) -> None:
    autumn4.write_out(tmp_path / "scenario")
    truth = scenarios.read_truth(tmp_path / "scenario").cases
    with prepared(tmp_path / "scenario", kind=Losing) as simulation:
        outcome = simulation.play()
    assert at_registry(outcome.cases) == at_registry(truth)
    assert isinstance(simulation, Losing)
    assert simulation.named > 5
    # Nothing had to be said anew, let alone raised twice.
    assert simulation.sent_after == [0] * 14


def test_autumn_4_with_a_node_set_back_on_every_date_equals_the_truth(tmp_path: Path) -> None:
    autumn4.write_out(tmp_path / "scenario")
    truth = scenarios.read_truth(tmp_path / "scenario").cases
    with prepared(tmp_path / "scenario", kind=Restoring) as simulation:
        outcome = simulation.play()
    assert at_registry(outcome.cases) == at_registry(truth)
    assert isinstance(simulation, Restoring)
    assert simulation.sent_after == [0] * 14


@pytest.mark.long
@pytest.mark.parametrize("seed", [41, 42])
def test_generated_scenarios_with_a_node_lost_on_every_date_equal_their_truth(tmp_path: Path, seed: int) -> None:
    # Whose number is typed while no export shows the pupil keeps the dates that the registry knew; "vanish_explained"
    # brings other ones with the pupil's return.
    kinds = {kind: count for kind, count in LIVELY.items() if kind != "vanish_explained"}
    generated = generate(Recipe(seed=seed, members=3, pupils=25, weeks=10, kinds=kinds))
    write(generated, tmp_path / "scenario")
    with prepared(tmp_path / "scenario", kind=Losing) as simulation:
        assert at_registry(simulation.play().cases) == at_registry(generated.truth.cases)


def test_recoveries_killed_at_work_change_nothing(tmp_path: Path) -> None:
    kinds = {kind: count for kind, count in LIVELY.items() if kind != "vanish_explained"}
    generated = generate(Recipe(seed=44, members=2, pupils=25, weeks=7, kinds=kinds))
    write(generated, tmp_path / "scenario")
    with prepared(tmp_path / "scenario", kind=LosingKilled) as simulation:
        assert at_registry(simulation.play().cases) == at_registry(generated.truth.cases)
    assert isinstance(simulation, LosingKilled)
    assert simulation.died_at_work > 5
    assert set(simulation.sent_after) == {0}


def test_where_the_last_export_was_lost_too_a_recovery_errs_towards_open_cases(tmp_path: Path) -> None:
    autumn4.write_out(tmp_path / "scenario")
    truth = scenarios.read_truth(tmp_path / "scenario").cases
    with prepared(tmp_path / "scenario", kind=LosingOvernight) as simulation:
        found = simulation.play().cases
    assert isinstance(simulation, LosingOvernight)
    numbers = {
        (member, id_): number
        for member in simulation.trial.nodes
        for as_of in simulation._scenario.as_of
        for number, id_ in simulation._ids(MemberId(member), as_of).items()
    }

    def opened(cases: Any) -> set[tuple[str, str]]:
        every = {(case.member, case.person_id) for case in at_registry(cases) if case.state is GapState.OPEN}
        return {(member, numbers[member, person_id]) for member, person_id in every}

    # Who left together with the database, and of whom nothing was ever said, is known to nobody; nobody else is missed.
    assert opened(truth) - opened(found) <= simulation.unseen
    # What a school took back in those days stays open until a person says found.
    enrolled = {
        (member, number)
        for member in simulation.trial.nodes
        for number in simulation._ids(MemberId(member), simulation.today)
    }
    assert opened(found) - opened(truth) <= enrolled
