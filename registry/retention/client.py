"""Asking a running registry for its retention, over its control socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from federation.errors import Code, UppropError
from federation.v1 import control_pb2, control_pb2_grpc


class Retained(TypedDict):
    """`closed_on` is None before the first close; `due`: step → whether anything was."""

    closed_on: str | None
    due: dict[str, bool]


def retain(
    stub: control_pb2_grpc.ControlServiceStub, progress: Callable[[str, int], None], *, dry_run: bool
) -> Retained:
    """Carry out a round, or look what it would do. Raises UppropError."""
    for step in stub.Retain(control_pb2.RetainRequest(dry_run=dry_run)):
        if step.HasField("progress"):
            progress(step.progress.step, step.progress.done)
        elif step.HasField("report"):
            due = {each.step: each.due for each in step.report.steps}
            return Retained(closed_on=step.report.closed_on or None, due=due)
    raise UppropError(Code.INTERNAL, "Retention ended without a report. Look into the registry's log.")
