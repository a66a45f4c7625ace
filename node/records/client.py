"""The command line's side of imports: calls with plain values, answers as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub
from node.client import Answer, Step, as_answer, as_step
from node.records.options import Given, GivenApi
from node.records.sources import Source

SOURCES = {
    Source.SS12000_FILE: control_pb2.SOURCE_UNSPECIFIED,
    Source.ONEROSTER: control_pb2.SOURCE_ONEROSTER,
    Source.CSV: control_pb2.SOURCE_CSV,
    Source.SS12000_CHANGES: control_pb2.SOURCE_SS12000_CHANGES,
}


def import_request(
    given: Given, as_of: date, *, accept_shrink: bool, confirm_leavings: bool
) -> control_pb2.ImportRequest:
    """What the node is asked to import, or to rehearse."""
    return control_pb2.ImportRequest(
        source=SOURCES[given.source],
        path=str(given.path),
        system=given.system,
        as_of=as_of.isoformat(),
        accept_shrink=accept_shrink,
        confirm_leavings=confirm_leavings,
    )


class ImportClient:
    """Asks the node. Every method raises UppropError."""

    def __init__(self, stub: ControlServiceStub) -> None:
        self._stub = stub

    def import_export(
        self, given: Given, as_of: date, *, accept_shrink: bool, confirm_leavings: bool
    ) -> Iterator[Step | Answer]:
        """Steps, and last the report."""
        request = import_request(given, as_of, accept_shrink=accept_shrink, confirm_leavings=confirm_leavings)
        yield from _followed(self._stub.Import(request))

    def fetch(self, api: GivenApi, *, accept_shrink: bool, confirm_leavings: bool) -> Iterator[Step | Answer]:
        """Steps, and last the report."""
        request = control_pb2.ImportRequest(
            source=control_pb2.SOURCE_SS12000_API,
            system=api.system,
            url=api.url or "",
            token_file=_path(api.token_file),
            ca_file=_path(api.ca_file),
            full=api.full,
            accept_shrink=accept_shrink,
            confirm_leavings=confirm_leavings,
        )
        yield from _followed(self._stub.Import(request))

    def systems(self) -> list[Answer]:
        """The school systems and how current each is."""
        return [as_answer(line) for line in self._stub.ListSystems(control_pb2.ListSystemsRequest()).systems]

    def retire(self, system: str) -> Iterator[Step | Answer]:
        """Steps, and last the report."""
        yield from _followed(self._stub.RetireSystem(control_pb2.RetireSystemRequest(system=system)))


def _followed(
    responses: Iterator[control_pb2.ImportResponse] | Iterator[control_pb2.RetireSystemResponse],
) -> Iterator[Step | Answer]:
    for response in responses:
        yield as_step(response.progress) if response.HasField("progress") else as_answer(response.report)


def _path(path: Path | None) -> str:
    return "" if path is None else str(path)
