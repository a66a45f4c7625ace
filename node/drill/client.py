"""The command line's side of the control socket for drills."""

from __future__ import annotations

from collections.abc import Iterator

from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub
from node.client import Answer, Step, as_answer, as_step


def drill(stub: ControlServiceStub, *, begin: bool, sync: bool) -> Iterator[Step | Answer]:
    """Steps of the sync, and last the report of the drill. Raises UppropError."""
    for response in stub.Drill(control_pb2.DrillRequest(begin=begin, sync=sync)):
        if response.HasField("progress"):
            yield as_step(response.progress)
        else:
            # 64-bit numbers are texts in protobuf's JSON; ids are small and are numbers in ours.
            yield {**as_answer(response.report), "drill_id": response.report.drill_id}
