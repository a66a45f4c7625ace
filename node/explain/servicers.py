"""What the command line asks for explanations and previews: messages in, findings and lists out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from federation.control import Handlers
from federation.v1 import control_pb2
from node.explain.checking import Checking, CheckReport, Foreseen
from node.explain.explainer import Explainer
from node.explain.findings import Finding
from node.records.person import DEFAULT_SYSTEM
from node.records.servicers import day_of, handed_over, report_message
from node.streaming import Report, streamed
from node.wire import shown


def handlers(explainer: Explainer, checking: Checking) -> Handlers:
    def explain(request: control_pb2.ExplainRequest) -> control_pb2.ExplainResponse:
        found = explainer.explain(request.person, protected=request.protected)
        number = found.identity.number
        return control_pb2.ExplainResponse(
            person_id=found.identity.person_id,
            number="" if number is None else number.number,
            name=found.identity.name,
            as_of=found.as_of.isoformat(),
            findings=finding_messages(found.explanation),
        )

    def check(request: control_pb2.CheckRequest) -> Iterator[control_pb2.CheckResponse]:
        asked = request.request
        as_of = day_of(asked.as_of)

        def rehearse(report: Report) -> CheckReport:
            return checking.check(
                handed_over(asked),
                as_of,
                system=asked.system or DEFAULT_SYSTEM,
                accept_shrink=asked.accept_shrink,
                confirm_leavings=asked.confirm_leavings,
                protected=request.protected,
                progress=report,
            )

        found = yield from shown(control_pb2.CheckResponse, streamed("check", rehearse))
        yield control_pb2.CheckResponse(report=_check_message(found))

    return {"Explain": explain, "Check": check}


def finding_messages(findings: Iterable[Finding]) -> list[control_pb2.Finding]:
    return [
        control_pb2.Finding(
            section=finding.kind.section,
            kind=finding.kind.name,
            texts={name: str(value) for name, value in finding.parameters.items() if not isinstance(value, int)},
            numbers={name: value for name, value in finding.parameters.items() if isinstance(value, int)},
        )
        for finding in findings
    ]


def _check_message(check: CheckReport) -> control_pb2.CheckReport:
    return control_pb2.CheckReport(
        report=report_message(check.report),
        new_pupils=check.new_pupils,
        gaps=_foreseen(check.gaps),
        held=_foreseen(check.held),
        taken_back=_foreseen(check.taken_back),
        duty_ended=_foreseen(check.duty_ended),
    )


def _foreseen(lines: Iterable[Foreseen]) -> list[control_pb2.Foreseen]:
    return [
        control_pb2.Foreseen(
            person_id=line.identity.person_id,
            number="" if line.identity.number is None else line.identity.number.number,
            name=line.identity.name,
            effective_date=line.since.isoformat(),
            kind=line.kind,
            urgency=line.urgency,
            due_on=None if line.due_on is None else line.due_on.isoformat(),
            route=line.route,
        )
        for line in lines
    ]
