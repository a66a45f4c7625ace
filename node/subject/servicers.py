"""The node's side of the control socket for data subjects' requests: requests to calls, results to messages."""

from __future__ import annotations

import msgspec

from federation.control import Handlers
from federation.v1 import control_pb2
from node.subject.erasing import Erasing
from node.subject.exporting import Exporting


def handlers(exporting: Exporting, erasing: Erasing) -> Handlers:
    def export(request: control_pb2.ExportSubjectRequest) -> control_pb2.ExportSubjectResponse:
        document = exporting.export(request.person, request.by, protected=request.protected)
        return control_pb2.ExportSubjectResponse(document=msgspec.json.encode(document))

    def erase(request: control_pb2.EraseSubjectRequest) -> control_pb2.EraseSubjectResponse:
        if request.confirmed:
            plan = erasing.begin(request.number, request.by, request.reason, protected=request.protected)
        else:
            plan = erasing.plan(request.number, protected=request.protected)
        return control_pb2.EraseSubjectResponse(
            rows=[control_pb2.KeptRows(table=table, rows=rows) for table, rows in sorted(plan.rows.items())],
            takes_back=plan.takes_back,
            relied_on=plan.relied_on,
            begun=plan.begun,
            request_id=plan.request_id,
        )

    def listing(_request: control_pb2.ListSubjectRequestsRequest) -> control_pb2.ListSubjectRequestsResponse:
        refused = {each.request_id: each.not_taken for each in erasing.waiting()}
        return control_pb2.ListSubjectRequestsResponse(
            requests=[
                control_pb2.SubjectRequestLine(
                    kind=each.kind.value,
                    state=each.state.value,
                    asked_on=each.asked_on.isoformat(),
                    ended_on=None if each.ended_on is None else each.ended_on.isoformat(),
                    by=each.by,
                    reason=each.reason,
                    request_id=each.request_id,
                    not_taken=refused.get(each.request_id),
                )
                for each in erasing.requests()
            ]
        )

    return {"ExportSubject": export, "EraseSubject": erase, "ListSubjectRequests": listing}
