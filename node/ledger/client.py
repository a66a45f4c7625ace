"""The command line's side of the control socket for the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub
from node.client import Answer, Step, as_answer, as_step


def verify(stub: ControlServiceStub) -> Iterator[Step | Answer]:
    """Steps, and last the report. Raises UppropError."""
    for response in stub.VerifyReceipts(control_pb2.VerifyReceiptsRequest()):
        if response.HasField("progress"):
            yield as_step(response.progress)
            continue
        report = response.report
        # 64-bit numbers are texts in protobuf's JSON; they are numbers in ours.
        yield {
            "size": report.size if report.HasField("size") else None,
            "receipts": report.receipts,
            "compared": report.compared,
            "witnesses": [
                {
                    "witness": each.witness,
                    "size": each.size if each.HasField("size") else None,
                    "cosigned_at": each.cosigned_at if each.HasField("cosigned_at") else None,
                }
                for each in report.witnesses
            ],
            "problems": list(report.problems),
        }


def resend(stub: ControlServiceStub) -> Answer:
    """How many versions go out again, and how many do not. Raises UppropError."""
    found = stub.Resend(control_pb2.ResendRequest())
    return {"again": found.again, "withheld": found.withheld}


def alarms(stub: ControlServiceStub, *, every: bool = False) -> list[Answer]:
    """The alarms that stand, or all there ever were; oldest first."""
    return list(map(_alarm, stub.ListAlarms(control_pb2.ListAlarmsRequest(every=every)).alarms))


def acknowledge(stub: ControlServiceStub, by: str) -> list[Answer]:
    """Those that stood. Raises UppropError."""
    return list(map(_alarm, stub.AcknowledgeAlarms(control_pb2.AcknowledgeAlarmsRequest(by=by)).alarms))


def _alarm(message: control_pb2.LedgerAlarm) -> Answer:
    numbers = {name: getattr(message, name) for name in ("first_index", "last_index") if message.HasField(name)}
    return {**as_answer(message), **numbers}
