"""The evaluator's side of the control socket, for the command line."""

from __future__ import annotations

from datetime import date

from federation.v1 import control_pb2, control_pb2_grpc


def status(stub: control_pb2_grpc.ControlServiceStub) -> dict[str, str]:
    """What the evaluator says of itself, as lines in their order: identity, business date, epochs, use per member."""
    found = stub.Status(control_pb2.StatusRequest())
    lines = {line.name: line.value for line in found.lines}
    return {"identity": found.identity, "business date": found.business_date, **lines}


def allow(stub: control_pb2_grpc.ControlServiceStub, member: str, elements: int, until: date) -> None:
    """Let a member ask for `elements` more than its quota, up to and including the day `until`."""
    stub.Allow(control_pb2.AllowRequest(member=member, elements=elements, until=until.isoformat()))


def destroy_share(
    stub: control_pb2_grpc.ControlServiceStub, epoch: int, version: int | None, *, look_only: bool
) -> list[str]:
    """Destroy the shares of an epoch that are not in force, or only say which files hold them. Raises UppropError."""
    request = control_pb2.DestroyShareRequest(epoch=epoch, version=version or 0, look_only=look_only)
    return list(stub.DestroyShare(request).paths)
