"""The command line's side of attendance and residents: calls with plain values, answers as plain values."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub
from node.client import Answer, as_answer


def import_attendance(stub: ControlServiceStub, path: Path | None, system: str) -> Answer:
    """The report. Raises UppropError."""
    request = control_pb2.ImportAttendanceRequest(path="" if path is None else str(path.absolute()), system=system)
    return as_answer(stub.ImportAttendance(request).report)


def import_residents(stub: ControlServiceStub, path: Path, as_of: date, *, accept_shrink: bool) -> Answer:
    """The report. Raises UppropError."""
    request = control_pb2.ImportResidentsRequest(
        path=str(path.absolute()), as_of=as_of.isoformat(), accept_shrink=accept_shrink
    )
    return as_answer(stub.ImportResidents(request).report)
