"""The command line's side of the journal: calls with plain values, answers as plain values."""

from __future__ import annotations

from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub
from node.client import Answer


def verify(stub: ControlServiceStub) -> Answer:
    """How many rows were looked at, and what is wrong. Raises UppropError."""
    response = stub.VerifyJournal(control_pb2.VerifyJournalRequest())
    return {
        "rows": response.rows,
        "flaws": [
            {
                "position": flaw.position,
                "what": flaw.what,
                "reference": flaw.reference or None,
                "known_by": flaw.known_by or None,
                "known_on": flaw.known_on or None,
            }
            for flaw in response.flaws
        ],
    }


def acknowledge(stub: ControlServiceStub, by: str) -> int:
    """How many flaws were new. Raises UppropError."""
    return stub.AcknowledgeJournal(control_pb2.AcknowledgeJournalRequest(by=by)).flaws


def export(
    stub: ControlServiceStub, reference: str, *, form: str, to: str, by: str, protected: bool, language: str
) -> bytes:
    """The document. Raises UppropError."""
    request = control_pb2.ExportCaseFileRequest(
        reference=reference, form=form, to=to, by=by, protected=protected, language=language
    )
    return b"".join(response.piece for response in stub.ExportCaseFile(request))
