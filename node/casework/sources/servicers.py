"""The node's side of the control socket for attendance and residents: requests to calls, reports to messages."""

from __future__ import annotations

from pathlib import Path

from federation.control import Handlers
from federation.v1 import control_pb2
from node.casework.attendance.taking import SourceReport
from node.casework.sources.service import Sources
from node.casework.tasks.model import TaskKind
from node.records.person import DEFAULT_SYSTEM, RemarkKind
from node.records.servicers import day_of


def handlers(sources: Sources) -> Handlers:
    def attendance(request: control_pb2.ImportAttendanceRequest) -> control_pb2.ImportAttendanceResponse:
        system = request.system or DEFAULT_SYSTEM
        if request.path:
            report = sources.attendance_file(Path(request.path), system)
        else:
            report = sources.fetch_attendance(system)
        message = _message(report, sources.standing(TaskKind.ABSENCE))
        return control_pb2.ImportAttendanceResponse(report=message)

    def residents(request: control_pb2.ImportResidentsRequest) -> control_pb2.ImportResidentsResponse:
        report = sources.residents_file(Path(request.path), day_of(request.as_of), accept_shrink=request.accept_shrink)
        message = _message(report, sources.standing(TaskKind.NOT_PLACED))
        return control_pb2.ImportResidentsResponse(report=message)

    return {"ImportAttendance": attendance, "ImportResidents": residents}


def _message(report: SourceReport, tasks: int) -> control_pb2.SourceReport:
    rejected = [
        control_pb2.RejectedRow(row=remark.row, field=remark.field, why=remark.why)
        for remark in report.remarks
        if remark.kind is RemarkKind.REJECTED
    ]
    return control_pb2.SourceReport(
        as_of=report.as_of.isoformat(), rows=report.rows, unknown=report.unknown, rejected=rejected, tasks=tasks
    )
