"""What the command line asks of imports: messages in, an import, its progress and its report out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TypeVar

from federation.control import Handlers
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from federation.v1 import control_pb2
from node.records.importing import Importing
from node.records.person import DEFAULT_SYSTEM, Delivery, Remark, RemarkKind
from node.records.report import ImportReport
from node.records.sources import Source, delivery_of
from node.records.ss12000_api.fetching import Fetching
from node.streaming import Report, streamed
from node.wire import shown

Response = TypeVar("Response")

# Without numbers of pupils: an operator's log is read by people who may not know how many children a unit lost.
IMPORTED = Event("export_imported", ("system", "as_of", "baseline", "repeated", "waits"))
IMPORT_REFUSED = Event("export_refused", ("system", "as_of", "code"), Level.WARNING)

SOURCES = {
    control_pb2.SOURCE_UNSPECIFIED: Source.SS12000_FILE,
    control_pb2.SOURCE_ONEROSTER: Source.ONEROSTER,
    control_pb2.SOURCE_CSV: Source.CSV,
    control_pb2.SOURCE_SS12000_CHANGES: Source.SS12000_CHANGES,
}


def handlers(importing: Importing, fetching: Fetching, today: Callable[[], date], log: Log) -> Handlers:
    def import_export(request: control_pb2.ImportRequest) -> Iterator[control_pb2.ImportResponse]:
        system = request.system or DEFAULT_SYSTEM
        if request.source == control_pb2.SOURCE_SS12000_API:
            work = functools.partial(fetch, request, system)
            yield from _reported(control_pb2.ImportResponse, work, system, today(), log)
            return
        as_of = day_of(request.as_of)

        def take(report: Report) -> ImportReport:
            try:
                delivery = handed_over(request)
            except UppropError as error:
                importing.was_refused(system, error)
                raise
            return importing.take(
                delivery,
                as_of,
                system=system,
                accept_shrink=request.accept_shrink,
                confirm_leavings=request.confirm_leavings,
                progress=report,
            )

        yield from _reported(control_pb2.ImportResponse, take, system, as_of, log)

    def fetch(request: control_pb2.ImportRequest, system: str, report: Report) -> ImportReport:
        return fetching.run(
            system,
            fetching.source(system, request.url, request.token_file, request.ca_file),
            full=request.full,
            accept_shrink=request.accept_shrink,
            confirm_leavings=request.confirm_leavings,
            progress=report,
        )

    def list_systems(_request: control_pb2.ListSystemsRequest) -> control_pb2.ListSystemsResponse:
        lines = [
            control_pb2.SystemLine(system=system, as_of=newest.as_of.isoformat(), retired=newest.retired)
            for system, newest in importing.systems().items()
        ]
        return control_pb2.ListSystemsResponse(systems=lines)

    def retire_system(request: control_pb2.RetireSystemRequest) -> Iterator[control_pb2.RetireSystemResponse]:
        work = functools.partial(importing.retire, request.system)
        yield from _reported(control_pb2.RetireSystemResponse, work, request.system, today(), log)

    return {"Import": import_export, "ListSystems": list_systems, "RetireSystem": retire_system}


def handed_over(request: control_pb2.ImportRequest) -> Delivery:
    """The delivery that stands at the request's path; raises UppropError(REQUEST_INVALID) where it names none."""
    source = SOURCES.get(request.source)
    if source is None or not request.path:
        raise UppropError(Code.REQUEST_INVALID, "Give the path of an export. An API can be imported, not previewed.")
    return delivery_of(source, Path(request.path))


def _reported(
    response: Callable[..., Response], work: Callable[[Report], ImportReport], system: str, as_of: date, log: Log
) -> Iterator[Response]:
    """Progress while the import runs, and last its report."""
    try:
        report = yield from shown(response, streamed("import", work))
    except UppropError as error:
        log(IMPORT_REFUSED, system=system, as_of=as_of, code=error.code)
        raise
    log(
        IMPORTED,
        system=system,
        as_of=as_of,
        baseline=report.baseline,
        repeated=report.repeated,
        waits=bool(report.held),
    )
    yield response(report=report_message(report))


def report_message(report: ImportReport) -> control_pb2.ImportReport:
    return control_pb2.ImportReport(
        as_of=report.as_of.isoformat(),
        baseline=report.baseline,
        persons=report.persons,
        rows=report.rows,
        changed=report.changed,
        vanished=report.vanished,
        rejected=_remarks(report.of_kind(RemarkKind.REJECTED)),
        unlinkable=_remarks(report.of_kind(RemarkKind.UNLINKABLE)),
        notes=_remarks(report.of_kind(RemarkKind.NOTE)),
        held=[control_pb2.HeldLeavings(unit=held.unit, pupils=held.pupils) for held in report.held],
        already_imported=report.repeated,
    )


def _remarks(remarks: tuple[Remark, ...]) -> list[control_pb2.RejectedRow]:
    return [control_pb2.RejectedRow(row=remark.row, field=remark.field, why=remark.why) for remark in remarks]


def day_of(text: str) -> date:
    """The as-of of a request; raises UppropError(REQUEST_INVALID)."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UppropError(Code.REQUEST_INVALID, "The as-of is no date; write it as 2026-10-19.") from error
