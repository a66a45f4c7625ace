"""The command line's side of the yearly report."""

from __future__ import annotations

from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub


def report(
    stub: ControlServiceStub, year: int, form: str, language: str, *, protected: bool, publish: bool = False
) -> bytes:
    """The report; `year` 0 is the running one, `form` empty a text. Raises UppropError."""
    request = control_pb2.QualityReportRequest(
        year=year, form=form, language=language, protected=protected, publish=publish
    )
    return bytes(stub.QualityReport(request).content)
