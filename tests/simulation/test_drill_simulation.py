"""The scenario autumn-4 while every member drills at every date: the truth stays what it is."""

from __future__ import annotations

from pathlib import Path

from federation.demo.simulate import Simulation, prepared
from federation.v1 import control_pb2
from tests.harness import autumn4


def test_drills_at_every_date_at_every_member_change_no_case(tmp_path: Path) -> None:
    truth = autumn4.write_out(tmp_path / "scenario")
    passed: list[str] = []

    def drill(simulation: Simulation, member: str, *, begin: bool = False) -> control_pb2.DrillReport:
        request = control_pb2.DrillRequest(begin=begin, sync=not begin)
        *_, last = simulation.trial.ask(simulation.trial.nodes[member], "Drill", request)
        report: control_pb2.DrillReport = last.report
        return report

    def between(simulation: Simulation, step: str) -> None:
        trial = simulation.trial
        if step == "imported":
            for member in trial.nodes:
                drill(simulation, member, begin=True)
        if step == "heard":
            # Opened by the day's close, and taken back; a second one confirms that.
            for member in trial.nodes:
                assert [each.state for each in drill(simulation, member).steps][-1] == "AWAITED"
            for _ in trial.ask(trial.registry, "Evaluate", control_pb2.EvaluateRequest()):
                pass
            passed.extend(drill(simulation, member).state for member in trial.nodes)

    with prepared(tmp_path / "scenario", between=between) as simulation:
        outcome = simulation.play()
    assert passed == ["PASSED"] * (14 * 4)
    found = [{name: str(value) for name, value in case.items()} for case in outcome.plain()["cases"]]

    def order(case: dict[str, str]) -> tuple[str, ...]:
        return tuple(case[name] for name in autumn4.CASE_FIELDS)

    assert sorted(found, key=order) == sorted(truth["cases"], key=order)
    assert outcome.rejected_rows == truth["rejected_numbers"]
