"""Asking a running registry about its members and its state, over its control socket."""

from __future__ import annotations

from typing import Any

from federation.v1 import control_pb2, control_pb2_grpc


def members(stub: control_pb2_grpc.ControlServiceStub) -> dict[str, Any]:
    """When each member was last heard of, and the coverage, as it is printed. Raises UppropError."""
    listed = stub.ListMembers(control_pb2.ListMembersRequest())
    return {
        "covered_percent": listed.covered_percent,
        "silence_school_days": listed.silence_school_days,
        "members": [
            {
                "member": line.member,
                "name": line.name,
                "state": line.state,
                "last_contact": line.last_contact if line.HasField("last_contact") else None,
                "days_silent": line.days_silent if line.HasField("days_silent") else None,
                "roster": line.roster if line.HasField("roster") else None,
            }
            for line in listed.members
        ],
    }


def status(stub: control_pb2_grpc.ControlServiceStub) -> dict[str, str]:
    """The registry's state in named lines. Raises UppropError."""
    answer = stub.Status(control_pb2.StatusRequest())
    return {
        "identity": answer.identity,
        "business date": answer.business_date,
        **{line.name: line.value for line in answer.lines},
    }
