"""The command line's side of data subjects' requests: calls with plain values, answers as plain values."""

from __future__ import annotations

import json

from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub
from node.client import Answer, as_answer


def export(stub: ControlServiceStub, person: str, by: str, *, protected: bool) -> Answer:
    """The document. Raises UppropError."""
    request = control_pb2.ExportSubjectRequest(person=person, by=by, protected=protected)
    document: Answer = json.loads(stub.ExportSubject(request).document)
    return document


def erase(stub: ControlServiceStub, number: str, *, by: str, reason: str, protected: bool, confirmed: bool) -> Answer:
    """What is erased; begun where it is confirmed. Raises UppropError."""
    request = control_pb2.EraseSubjectRequest(
        number=number, by=by, reason=reason, protected=protected, confirmed=confirmed
    )
    return as_answer(stub.EraseSubject(request))


def requests(stub: ControlServiceStub) -> list[Answer]:
    """Who exported and erased when, oldest first. Raises UppropError."""
    return [as_answer(line) for line in stub.ListSubjectRequests(control_pb2.ListSubjectRequestsRequest()).requests]


def request(stub: ControlServiceStub, request_id: int) -> Answer:
    """One of them. Raises UppropError."""
    return next(line for line in requests(stub) if line["request_id"] == request_id)
