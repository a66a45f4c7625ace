"""Asking a running registry about epochs, over its control socket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from federation.errors import Code, UppropError
from federation.v1 import control_pb2, control_pb2_grpc


def begin(stub: control_pb2_grpc.ControlServiceStub, epoch: int) -> str:
    """Make the registry's key of a new epoch; returns its file. Raises UppropError."""
    return stub.BeginEpoch(control_pb2.BeginEpochRequest(epoch=epoch)).path


def show(stub: control_pb2_grpc.ControlServiceStub) -> dict[str, list[dict[str, Any]]]:
    """The epochs and the members, as they are printed."""
    found = stub.ShowEpochs(control_pb2.ShowEpochsRequest())
    return {
        "epochs": [
            {
                "epoch": each.epoch,
                "listed": each.listed,
                "has_key": each.has_key,
                "has_pseudonyms": each.has_rows,
                "begun_on": each.begun_on if each.HasField("begun_on") else None,
                "ended_on": each.ended_on if each.HasField("ended_on") else None,
            }
            for each in found.epochs
        ],
        "members": [
            {
                "member": each.member,
                "listed": each.listed,
                "done": each.done,
                "quarters": each.quarters,
                "last_contact": each.last_contact if each.HasField("last_contact") else None,
            }
            for each in found.members
        ],
    }


def retire(
    stub: control_pb2_grpc.ControlServiceStub,
    epoch: int,
    left_behind: Sequence[str],
    progress: Callable[[int, int], None],
    *,
    look_only: bool,
) -> str | None:
    """Destroy what the registry has of an epoch; returns where its key stood. Raises UppropError."""
    request = control_pb2.RetireEpochRequest(epoch=epoch, left_behind=left_behind, look_only=look_only)
    for step in stub.RetireEpoch(request):
        if step.HasField("progress"):
            progress(step.progress.done, step.progress.total)
        else:
            return step.report.path if step.report.HasField("path") else None
    raise UppropError(
        Code.INTERNAL, "The retirement ended without a report. Look into the registry's log; run it again."
    )
