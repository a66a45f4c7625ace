"""The node's side of the control socket for recovery and copies: requests to calls, results to messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from federation.control import Handlers
from federation.v1 import control_pb2
from node.pipeline import Pipeline
from node.recovery.copies import Copies
from node.streaming import streamed
from node.sync import Progress
from node.wire import shown


def handlers(pipeline: Pipeline, copies: Copies) -> Handlers:
    def recover(_request: control_pb2.RecoverRequest) -> Iterator[control_pb2.RecoverResponse]:
        for step in pipeline.recover():
            if isinstance(step, Progress):
                progress = control_pb2.Progress(step=step.step, done=step.done, total=step.total)
                yield control_pb2.RecoverResponse(progress=progress)
            else:
                report = control_pb2.RecoverReport(
                    complete=step.complete,
                    known=step.known,
                    attached=step.known - step.nameless,
                    nameless=step.nameless,
                    nameless_open=step.nameless_open,
                    problems=step.problems,
                    numbers_missing=step.numbers_missing,
                )
                yield control_pb2.RecoverResponse(report=report)

    def attach(request: control_pb2.AttachRequest) -> control_pb2.AttachResponse:
        return control_pb2.AttachResponse(person_id=pipeline.attach_number(request.number))

    def backup(request: control_pb2.BackupRequest) -> Iterator[control_pb2.BackupResponse]:
        keys = Path(request.case_keys_path) if request.case_keys_path else None
        work = streamed("backup", lambda report: copies.make(Path(request.path), report, keys))
        made = yield from shown(control_pb2.BackupResponse, work)
        yield control_pb2.BackupResponse(
            report=control_pb2.BackupReport(
                path=str(made.path),
                bytes=made.size,
                newest_import=None if made.newest_import is None else made.newest_import.isoformat(),
            )
        )

    return {"Recover": recover, "Attach": attach, "Backup": backup}
