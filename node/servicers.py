"""The node's side of the control socket: requests to calls, results to messages. No rule lives here."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from federation.control import Handlers
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from federation.v1 import control_pb2
from node.casework.parked import ParkedSignals
from node.casework.questions import Questions
from node.casework.sayings import CaseworkSayings
from node.pipeline import Pipeline, Progress
from node.records.importing import Importing
from node.records.person import Remark, RemarkKind
from node.records.report import ImportReport
from node.store import Transaction
from node.store.gaps import CaseLine, Gaps
from node.store.imports import Imports
from node.store.outbox import Outbox

# Without numbers of pupils: an operator's log is read by people who may not know how many children a unit lost.
IMPORTED = Event("export_imported", ("as_of", "baseline", "repeated", "waits"))
IMPORT_REFUSED = Event("export_refused", ("as_of", "code"), Level.WARNING)


class Servicers:
    """Answers what the command line asks."""

    def __init__(
        self,
        *,
        database: Database,
        importing: Importing,
        sayings: CaseworkSayings,
        pipeline: Pipeline,
        gaps: Gaps,
        questions: Questions,
        parked: ParkedSignals,
        imports: Imports,
        outbox: Outbox,
        identity: str,
        today: Callable[[], date],
        log: Log,
    ) -> None:
        self._database = database
        self._importing = importing
        self._sayings = sayings
        self._pipeline = pipeline
        self._gaps = gaps
        self._questions = questions
        self._parked = parked
        self._imports = imports
        self._outbox = outbox
        self._identity = identity
        self._today = today
        self._log = log

    def handlers(self) -> Handlers:
        return {
            "Status": self.status,
            "Import": self.import_export,
            "Sync": self.sync,
            "ListCases": self.list_cases,
            "Say": self.say,
            "Review": self.review,
        }

    def status(self, _request: control_pb2.StatusRequest) -> control_pb2.StatusResponse:
        def work(tx: Transaction) -> dict[str, str]:
            newest = self._imports.newest(tx)
            held = [held for held in self._imports.held(tx) if held.released_on is None]
            counts = self._outbox.counts(tx)
            return {
                "newest import": "none" if newest is None else newest.as_of.isoformat(),
                "signals waiting": str(counts.waiting),
                "signals parked": str(counts.parked),
                "school units whose leavings wait": str(len(held)),
            }

        lines = self._database.view("node_status", work)
        return control_pb2.StatusResponse(
            identity=self._identity,
            business_date=self._today().isoformat(),
            lines=[control_pb2.StatusLine(name=name, value=value) for name, value in lines.items()],
        )

    def import_export(self, request: control_pb2.ImportRequest) -> Iterator[control_pb2.ImportResponse]:
        """Progress while the import runs, and last its report."""
        as_of = _day(request.as_of, "as-of")
        steps: queue.SimpleQueue[control_pb2.Progress | None] = queue.SimpleQueue()
        outcome: list[ImportReport | BaseException] = []

        def run() -> None:
            try:
                outcome.append(
                    self._importing.import_file(
                        Path(request.path),
                        as_of,
                        accept_shrink=request.accept_shrink,
                        confirm_leavings=request.confirm_leavings,
                        progress=lambda step, done, total: steps.put(
                            control_pb2.Progress(step=step, done=done, total=total)
                        ),
                    )
                )
            except BaseException as error:  # noqa: BLE001 - carried over to the thread that answers
                outcome.append(error)
            finally:
                steps.put(None)

        thread = threading.Thread(target=run, name="import", daemon=True)
        thread.start()
        while (step := steps.get()) is not None:
            yield control_pb2.ImportResponse(progress=step)
        thread.join()
        report = outcome[0]
        if isinstance(report, BaseException):
            if isinstance(report, UppropError):
                self._log(IMPORT_REFUSED, as_of=as_of, code=report.code)
            raise report
        self._log(IMPORTED, as_of=as_of, baseline=report.baseline, repeated=report.repeated, waits=bool(report.held))
        yield control_pb2.ImportResponse(report=_import_report(report))

    def sync(self, request: control_pb2.SyncRequest) -> Iterator[control_pb2.SyncResponse]:
        for step in self._pipeline.sync(notices_only=request.notices_only):
            if isinstance(step, Progress):
                progress = control_pb2.Progress(step=step.step, done=step.done, total=step.total)
                yield control_pb2.SyncResponse(progress=progress)
            else:
                report = control_pb2.SyncReport(
                    submitted=step.submitted,
                    parked=step.parked,
                    waiting=step.waiting,
                    notices=step.notices,
                    problems=step.problems,
                )
                yield control_pb2.SyncResponse(report=report)

    def list_cases(self, request: control_pb2.ListCasesRequest) -> control_pb2.ListCasesResponse:
        listing = self._gaps.list_gaps if request.all_gaps else self._gaps.list_cases
        today = self._today()
        lines, questions, parked = self._database.view(
            "node_cases",
            lambda tx: (
                listing(tx, protected=request.protected),
                self._questions.standing(tx, today, protected=request.protected),
                self._parked.standing(tx, protected=request.protected),
            ),
        )
        return control_pb2.ListCasesResponse(
            cases=[_case_line(line) for line in lines],
            questions=[
                control_pb2.Question(
                    person_id=question.person_id,
                    number=question.number,
                    name=question.name,
                    asked_on=question.asked_on.isoformat(),
                )
                for question in questions
            ],
            parked=[
                control_pb2.ParkedSignal(
                    person_id=signal.person_id,
                    number=signal.number,
                    name=signal.name,
                    made_on=signal.made_on.isoformat(),
                    code=signal.code,
                )
                for signal in parked
            ],
        )

    def say(self, request: control_pb2.SayRequest) -> control_pb2.SayResponse:
        saying_id, waits = self._sayings.say(
            request.person,
            request.what,
            on=_day(request.on, "day") if request.on else None,
            reason=request.reason or None,
            review=_day(request.review, "day of review") if request.HasField("review") else None,
            said_by=request.said_by,
        )
        return control_pb2.SayResponse(saying_id=saying_id, waits_for_review=waits)

    def review(self, request: control_pb2.ReviewRequest) -> control_pb2.ReviewResponse:
        if request.saying_id:
            self._sayings.review(request.saying_id, request.reviewed_by, refuse=request.refuse)
        return control_pb2.ReviewResponse(
            waiting=[
                control_pb2.Saying(
                    saying_id=waiting.saying_id,
                    person_id=waiting.person_id,
                    what=waiting.word,
                    on=waiting.on.isoformat(),
                    reason=waiting.reason,
                    said_by=waiting.said_by,
                    said_on=waiting.said_on.isoformat(),
                )
                for waiting in self._sayings.waiting()
            ]
        )


def _import_report(report: ImportReport) -> control_pb2.ImportReport:
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


def _case_line(line: CaseLine) -> control_pb2.CaseLine:
    return control_pb2.CaseLine(
        person_id=line.person_id,
        number=line.number,
        name=line.name,
        effective_date=line.effective_date.isoformat(),
        route=line.route,
        kind=line.kind,
        urgency=line.urgency,
        state=line.state,
        state_since=line.state_since.isoformat(),
        opened_on=None if line.opened_on is None else line.opened_on.isoformat(),
        due_on=line.due_on.isoformat(),
        lead=line.lead,
        linked=line.linked,
        coverage_incomplete=line.coverage_incomplete,
        opened_by=line.opened_by,
    )


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UppropError(Code.REQUEST_INVALID, f"The {name} is no date; write it as 2026-10-19.") from error
