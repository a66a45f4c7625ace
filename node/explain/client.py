"""The command line's side of explanations and previews: calls with plain values, answers as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub
from node.client import Answer, Step, as_answer, as_findings, as_step
from node.records.client import import_request
from node.records.options import Given


def explain(stub: ControlServiceStub, person: str, *, protected: bool) -> Answer:
    """The pupil and the findings, in the order in which they are to be shown."""
    response = stub.Explain(control_pb2.ExplainRequest(person=person, protected=protected))
    return {**as_answer(response), "findings": as_findings(response.findings)}


def check(
    stub: ControlServiceStub,
    given: Given,
    as_of: date,
    *,
    accept_shrink: bool,
    confirm_leavings: bool,
    protected: bool,
) -> Iterator[Step | Answer]:
    """Steps, and last what the import would do and say."""
    request = import_request(given, as_of, accept_shrink=accept_shrink, confirm_leavings=confirm_leavings)
    for response in stub.Check(control_pb2.CheckRequest(request=request, protected=protected)):
        yield as_step(response.progress) if response.HasField("progress") else as_answer(response.report)
