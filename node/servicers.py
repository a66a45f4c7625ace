"""The node's side of the control socket: requests to calls, results to messages. No rule lives here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from federation.control import Handlers
from federation.database import Database
from federation.errors import Code, UppropError
from federation.v1 import control_pb2
from node.casework.parked import ParkedSignals
from node.casework.questions import Questions
from node.casework.sayings import CaseworkSayings, Waiting
from node.epochs import EpochLines
from node.explain.findings import Finding
from node.explain.servicers import finding_messages
from node.ledger.watching import LedgerWatch
from node.pipeline import Pipeline
from node.push.administration import PushClients
from node.records.ss12000_api.fetching import Fetching
from node.roll_call.calling import RollCall
from node.store import Transaction
from node.store.gaps import CaseLine, Gaps
from node.store.imports import Imports
from node.store.outbox import Outbox
from node.store.subjects import Subjects
from node.store.subjects import Waiting as WaitingErasure
from node.sync import Progress


class Servicers:
    """Answers what the command line asks."""

    def __init__(
        self,
        *,
        database: Database,
        sayings: CaseworkSayings,
        pipeline: Pipeline,
        gaps: Gaps,
        questions: Questions,
        parked: ParkedSignals,
        imports: Imports,
        clients: PushClients,
        fetching: Fetching,
        outbox: Outbox,
        subjects: Subjects,
        epochs: EpochLines,
        roll_call: RollCall,
        watch: LedgerWatch,
        identity: str,
        first_steps: Callable[[], Sequence[Finding]],
        today: Callable[[], date],
    ) -> None:
        self._database = database
        self._sayings = sayings
        self._pipeline = pipeline
        self._gaps = gaps
        self._questions = questions
        self._parked = parked
        self._imports = imports
        self._clients = clients
        self._fetching = fetching
        self._outbox = outbox
        self._subjects = subjects
        self._epochs = epochs
        self._roll_call = roll_call
        self._watch = watch
        self._identity = identity
        self._first_steps = first_steps
        self._today = today

    def handlers(self) -> Handlers:
        return {
            "Status": self.status,
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
                "erasures pending": _erasures(self._subjects.waiting(tx)),
                "school units whose leavings wait": str(len(held)),
                **self._epochs.lines_in(tx),
                **self._watch.lines_in(tx),
                **self._roll_call.lines_in(tx),
                **{f"push client {line.name}": line.sentence for line in self._clients.lines_in(tx)},
                **{f"school system {name}": line for name, line in self._fetching.lines_in(tx).items()},
            }

        lines = self._database.view("node_status", work)
        return control_pb2.StatusResponse(
            identity=self._identity,
            business_date=self._today().isoformat(),
            lines=[control_pb2.StatusLine(name=name, value=value) for name, value in lines.items()],
        )

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
        lines, questions, parked, waiting = self._database.view(
            "node_cases",
            lambda tx: (
                listing(tx, protected=request.protected),
                self._questions.standing(tx, today, protected=request.protected),
                self._parked.standing(tx, protected=request.protected),
                self._sayings.waiting_in(tx),
            ),
        )
        steps = finding_messages(self._first_steps())
        return control_pb2.ListCasesResponse(
            cases=[_case_line(line, steps) for line in lines],
            questions=[
                control_pb2.Question(
                    person_id=question.person_id,
                    number=question.number,
                    name=question.name,
                    asked_on=question.asked_on.isoformat(),
                    asks=question.asks.value,
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
            waiting=map(_saying, waiting),
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
        return control_pb2.ReviewResponse(waiting=map(_saying, self._sayings.waiting()))


def _saying(waiting: Waiting) -> control_pb2.Saying:
    return control_pb2.Saying(
        saying_id=waiting.saying_id,
        person_id=waiting.person_id,
        what=waiting.word,
        on=waiting.on.isoformat(),
        reason=waiting.reason,
        said_by=waiting.said_by,
        said_on=waiting.said_on.isoformat(),
    )


def _case_line(line: CaseLine, first_steps: Sequence[control_pb2.Finding]) -> control_pb2.CaseLine:
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
        first_steps=first_steps,
    )


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UppropError(Code.REQUEST_INVALID, f"The {name} is no date; write it as 2026-10-19.") from error


def _erasures(waiting: Sequence[WaitingErasure]) -> str:
    """How many wait for the registry, since when, and whether somebody has to look into one."""
    if not waiting:
        return "0"
    refused = sum(each.not_taken is not None for each in waiting)
    told = f"{len(waiting)}, the oldest asked on {waiting[0].asked_on}"
    return f"{told}; {refused} not taken by the registry: upprop node subject log" if refused else told
