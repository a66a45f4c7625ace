"""Asking a running registry what waits, over its control socket."""

from __future__ import annotations

from typing import TypedDict

from federation.v1 import control_pb2, control_pb2_grpc


class Waits(TypedDict):
    """What waits of one member's month, as it is printed."""

    member: str
    month: str
    openings: str


def waiting(stub: control_pb2_grpc.ControlServiceStub, member: str = "") -> list[Waits]:
    """What waits, of all members or of one. Raises UppropError."""
    return _lines(stub.Unblock(control_pb2.UnblockRequest(member=member)))


def release(stub: control_pb2_grpc.ControlServiceStub, member: str, by: str, reason: str) -> list[Waits]:
    """Let all that waits of a member be answered; returns what that was. Raises UppropError."""
    return _lines(stub.Unblock(control_pb2.UnblockRequest(member=member, released_by=by, reason=reason)))


def _lines(response: control_pb2.UnblockResponse) -> list[Waits]:
    return [Waits(member=each.member, month=each.month, openings=each.openings) for each in response.waiting]
