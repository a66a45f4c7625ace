"""The node's side of the control socket for drills: requests to calls, results to messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from federation.control import Handlers
from federation.v1 import control_pb2
from node.drill.drilling import Drilling, Shown
from node.drill.steps import Drill, State, Step
from node.pipeline import Pipeline
from node.sync import Progress

SYNCS = 2
"""The first may bring the notice after which the test pupil is taken back; the second says so."""


def handlers(drilling: Drilling, pipeline: Pipeline) -> Handlers:
    def drill(request: control_pb2.DrillRequest) -> Iterator[control_pb2.DrillResponse]:
        drill_id = drilling.begin() if request.begin else None
        problems: dict[str, None] = {}
        for _ in range(SYNCS if request.sync else 0):
            problems.clear()
            for step in pipeline.sync():
                if isinstance(step, Progress):
                    progress = control_pb2.Progress(step=step.step, done=step.done, total=step.total)
                    yield control_pb2.DrillResponse(progress=progress)
                else:
                    problems.update(dict.fromkeys(step.problems))
            if not _to_take_back(drilling.shown(drill_id).drill):
                break
        yield control_pb2.DrillResponse(report=_report(drilling.shown(drill_id), tuple(problems)))

    return {"Drill": drill}


def _to_take_back(drill: Drill) -> bool:
    """Whether the sync just made may have left a retraction to be sent."""
    over = Step.OPENED in drill.steps or drill.state is State.FAILED
    return over and Step.TAKEN_BACK not in drill.steps


def _report(shown: Shown, problems: tuple[str, ...]) -> control_pb2.DrillReport:
    drill = shown.drill
    failure = drill.failure
    return control_pb2.DrillReport(
        drill_id=drill.drill_id,
        state=drill.state.value,
        steps=[_step(shown, step) for step in Step],
        fault=None if failure is None else failure.fault.value,
        code=None if failure is None else failure.code,
        problems=problems,
    )


def _step(shown: Shown, step: Step) -> control_pb2.DrillStep:
    drill = shown.drill
    done = drill.steps.get(step)
    if done is not None:
        return control_pb2.DrillStep(
            step=step.value,
            state="DONE",
            done_on=done.on.isoformat(),
            done_at=done.at.astimezone(UTC).isoformat(timespec="seconds"),
            detail=done.detail,
        )
    if drill.failure is not None and drill.failure.step is step:
        return control_pb2.DrillStep(step=step.value, state=State.FAILED.value)
    if shown.awaited is step and shown.expected_on is not None:
        return control_pb2.DrillStep(step=step.value, state="AWAITED", expected_on=shown.expected_on.isoformat())
    return control_pb2.DrillStep(step=step.value, state="AHEAD")
