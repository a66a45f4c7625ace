"""The node's side of the control socket for the ledger: requests to calls, results to messages."""

from __future__ import annotations

from collections.abc import Iterator

from federation.control import Handlers
from federation.v1 import control_pb2
from node.ledger.alarms import Alarms
from node.ledger.watching import LedgerReport, Witnessed
from node.pipeline import Pipeline
from node.store.ledger import Alarm
from node.sync import Progress


def handlers(pipeline: Pipeline, alarms: Alarms) -> Handlers:
    def verify(_request: control_pb2.VerifyReceiptsRequest) -> Iterator[control_pb2.VerifyReceiptsResponse]:
        for step in pipeline.verify_ledger():
            if isinstance(step, Progress):
                progress = control_pb2.Progress(step=step.step, done=step.done, total=step.total)
                yield control_pb2.VerifyReceiptsResponse(progress=progress)
            else:
                yield control_pb2.VerifyReceiptsResponse(report=_report(step))

    def resend(_request: control_pb2.ResendRequest) -> control_pb2.ResendResponse:
        found = pipeline.resend()
        return control_pb2.ResendResponse(again=found.again, withheld=found.withheld)

    def list_alarms(request: control_pb2.ListAlarmsRequest) -> control_pb2.ListAlarmsResponse:
        shown = alarms.all() if request.every else alarms.standing()
        return control_pb2.ListAlarmsResponse(alarms=map(_message, shown))

    def acknowledge(request: control_pb2.AcknowledgeAlarmsRequest) -> control_pb2.AcknowledgeAlarmsResponse:
        return control_pb2.AcknowledgeAlarmsResponse(alarms=map(_message, alarms.acknowledge(request.by)))

    return {
        "VerifyReceipts": verify,
        "Resend": resend,
        "ListAlarms": list_alarms,
        "AcknowledgeAlarms": acknowledge,
    }


def _report(report: LedgerReport) -> control_pb2.VerifyReceiptsReport:
    return control_pb2.VerifyReceiptsReport(
        size=report.size,
        receipts=report.receipts,
        compared=report.compared,
        witnesses=map(_witnessed, report.witnesses),
        problems=report.problems,
    )


def _witnessed(seen: Witnessed) -> control_pb2.WitnessedLine:
    return control_pb2.WitnessedLine(
        witness=seen.witness,
        size=None if seen.tree is None else seen.tree.size,
        cosigned_at=None if seen.cosigned_at is None else seen.cosigned_at.isoformat(timespec="seconds"),
    )


def _message(alarm: Alarm) -> control_pb2.LedgerAlarm:
    return control_pb2.LedgerAlarm(
        alarm_id=alarm.alarm_id,
        kind=alarm.kind.value,
        first_index=alarm.first,
        last_index=alarm.last,
        witness=alarm.witness,
        raised_on=alarm.raised_on.isoformat(),
        acknowledged_by=alarm.acknowledged_by,
        # What was refused may be anything.
        evidence=alarm.evidence.decode(errors="backslashreplace") if alarm.evidence else None,
    )
