"""Asking a running registry, over its control socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from federation.errors import Code, UppropError
from federation.v1 import control_pb2, control_pb2_grpc


class Evaluated(TypedDict):
    """What a close did, as it is printed."""

    closed_on: str


def evaluate(stub: control_pb2_grpc.ControlServiceStub, progress: Callable[[int, int], None]) -> Evaluated:
    """Close the day. Raises UppropError."""
    for step in stub.Evaluate(control_pb2.EvaluateRequest()):
        if step.HasField("progress"):
            progress(step.progress.done, step.progress.total)
        elif step.HasField("report"):
            return Evaluated(closed_on=step.report.closed_on)
    raise UppropError(Code.INTERNAL, "The close ended without a report. Look into the registry's log.")
