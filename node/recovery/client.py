"""The command line's side of the control socket for recovery and copies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub
from node.client import Answer, Step, as_answer, as_step


def recover(stub: ControlServiceStub) -> Iterator[Step | Answer]:
    """Steps, and last the report. Raises UppropError."""
    for response in stub.Recover(control_pb2.RecoverRequest()):
        yield as_step(response.progress) if response.HasField("progress") else as_answer(response.report)


def attach(stub: ControlServiceStub, number: str) -> str:
    """The id under which the pupil of this number is listed. Raises UppropError."""
    return stub.Attach(control_pb2.AttachRequest(number=number)).person_id


def backup(stub: ControlServiceStub, path: Path, case_keys: Path | None) -> Iterator[Step | Answer]:
    """Steps, and last the report. Raises UppropError."""
    for response in stub.Backup(control_pb2.BackupRequest(path=str(path), case_keys_path=str(case_keys or ""))):
        if response.HasField("progress"):
            yield as_step(response.progress)
        else:
            # 64-bit numbers are texts in protobuf's JSON; sizes are numbers in ours.
            yield {**as_answer(response.report), "bytes": response.report.bytes}
