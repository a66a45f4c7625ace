"""The registry's RPCs and its control commands: messages in, pipeline, messages out.

Invariant: the sender is the certificate. No field of a message says who speaks.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from datetime import date

import grpc

from federation.clock import Clock
from federation.control import Handlers
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.rpc.authorisation import Rule, certificate_pem_of
from federation.rpc.caller import Party, caller
from federation.rpc.envelope import check_envelope
from federation.rpc.server import Binding
from federation.rules.vocabulary import MAX_BATCH
from federation.v1 import control_pb2, registry_pb2, registry_pb2_grpc
from registry import wire
from registry.intake import Intake
from registry.ledger import wire as ledger_wire
from registry.ledger.assembly import Ledger
from registry.ledger.claims import signed_batch
from registry.mailbox import Mailbox
from registry.model import CloseReport
from registry.pipeline import Close, Progress
from registry.recovery import Recovery
from registry.statistics.describing import Describing

SERVICE = registry_pb2.DESCRIPTOR.services_by_name["RegistryService"]

_NODES = Rule(frozenset({Kind.NODE}))
RULES = {
    f"{SERVICE.full_name}/SubmitSignals": _NODES,
    f"{SERVICE.full_name}/ListNotices": _NODES,
    f"{SERVICE.full_name}/AckNotices": _NODES,
    f"{SERVICE.full_name}/ReportRoster": _NODES,
    f"{SERVICE.full_name}/ListSignals": _NODES,
    f"{SERVICE.full_name}/FindHandles": _NODES,
    f"{SERVICE.full_name}/DescribeCases": _NODES,
}

MAX_PAGE = 1_000
"""Notices or signals in one answer, whatever was asked for."""


class RegistryServicer(registry_pb2_grpc.RegistryServiceServicer):
    """RegistryService."""

    def __init__(
        self,
        intake: Intake,
        mailbox: Mailbox,
        recovery: Recovery,
        describing: Describing,
        ledger: Ledger,
        clock: Clock,
        descriptors: Callable[[], Descriptor],
    ) -> None:
        self._intake, self._mailbox, self._recovery, self._ledger = intake, mailbox, recovery, ledger
        self._describing, self._clock, self._descriptors = describing, clock, descriptors

    def SubmitSignals(  # noqa: N802 - the contract's name
        self,
        request: registry_pb2.SubmitSignalsRequest,
        context: grpc.ServicerContext,
    ) -> registry_pb2.SubmitSignalsResponse:
        self._check(request.envelope)
        if len(request.signals) > MAX_BATCH:
            raise UppropError(Code.BATCH_TOO_LARGE, f"A batch holds at most {MAX_BATCH} signals. Send it in parts.")
        member, batch_id = caller(Party).require_member(), wire.parse_batch_id(request.batch_id)
        claim = ledger_wire.parse_claim(member, batch_id, request)
        taken = self._intake.submit(
            member,
            batch_id,
            wire.parse_signals(request.signals),
            self._clock.today(),
            request.envelope.descriptor_serial,
            None if claim is None else signed_batch(*claim, certificate_pem_of(context)),
        )
        return wire.dispositions(batch_id, taken.answer, self._ledger.receipt(taken.leaf))

    def ListNotices(  # noqa: N802 - the contract's name
        self,
        request: registry_pb2.ListNoticesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - the caller is asked for by name
    ) -> registry_pb2.ListNoticesResponse:
        self._check(request.envelope)
        limit = min(request.limit or MAX_PAGE, MAX_PAGE)
        found, more, closed_on = self._mailbox.page(
            caller(Party).require_member(), wire.parse_notice_number(request.after_number), limit
        )
        return wire.notices(found, more=more, closed_on=closed_on)

    def AckNotices(  # noqa: N802 - the contract's name
        self,
        request: registry_pb2.AckNoticesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> registry_pb2.AckNoticesResponse:
        self._check(request.envelope)
        self._mailbox.acknowledge(caller(Party).require_member(), wire.parse_notice_number(request.through_number))
        return registry_pb2.AckNoticesResponse()

    def ReportRoster(  # noqa: N802 - the contract's name
        self,
        request: registry_pb2.ReportRosterRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> registry_pb2.ReportRosterResponse:
        self._check(request.envelope)
        as_of, roster = wire.parse_roster(request)
        self._intake.report_roster(caller(Party).require_member(), as_of, roster, self._clock.today())
        return registry_pb2.ReportRosterResponse()

    def ListSignals(  # noqa: N802 - the contract's name
        self,
        request: registry_pb2.ListSignalsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> registry_pb2.ListSignalsResponse:
        self._check(request.envelope)
        limit = min(request.limit or MAX_PAGE, MAX_PAGE)
        found, more, contacts = self._recovery.page(
            caller(Party).require_member(), wire.parse_after_handle(request.after_handle), limit
        )
        return wire.stated(found, more=more, contacts=contacts)

    def FindHandles(  # noqa: N802 - the contract's name
        self,
        request: registry_pb2.FindHandlesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> registry_pb2.FindHandlesResponse:
        self._check(request.envelope)
        if len(request.pseudonyms) > MAX_BATCH:
            raise UppropError(Code.BATCH_TOO_LARGE, f"Ask for at most {MAX_BATCH} pseudonyms at once.")
        asked = wire.parse_pseudonyms(request.pseudonyms)
        return wire.found(self._recovery.find(caller(Party).require_member(), asked))

    def DescribeCases(  # noqa: N802 - the contract's name
        self,
        request: registry_pb2.DescribeCasesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> registry_pb2.DescribeCasesResponse:
        self._check(request.envelope)
        if len(request.cases) > MAX_BATCH:
            raise UppropError(Code.BATCH_TOO_LARGE, f"Describe at most {MAX_BATCH} cases at once.")
        self._describing.take(caller(Party).require_member(), wire.parse_descriptions(request.cases))
        return registry_pb2.DescribeCasesResponse()

    def _check(self, envelope: registry_pb2.Envelope) -> None:
        check_envelope(envelope, self._clock, self._descriptors())


def binding(servicer: RegistryServicer) -> Binding:
    return Binding(SERVICE, servicer)


def control_handlers(close: Close, ledger: Ledger, clock: Clock) -> Handlers:
    """What the registry answers on its control socket."""

    def run(on: date, progress: Progress) -> CloseReport:
        report = close.run(on, progress)
        ledger.after_close(on)
        return report

    def evaluate(_request: control_pb2.EvaluateRequest) -> Iterator[control_pb2.EvaluateResponse]:
        return _evaluate(run, clock.today())

    return {"Evaluate": evaluate}


def _evaluate(run: Callable[[date, Progress], CloseReport], on: date) -> Iterator[control_pb2.EvaluateResponse]:
    """Close the day in a thread of its own, so that it ends even if whoever asked for it goes away."""
    steps: queue.SimpleQueue[tuple[int, int] | CloseReport | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            steps.put(run(on, lambda done, total: steps.put((done, total))))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for it
            steps.put(error)

    threading.Thread(target=work, name="close").start()
    while True:
        step = steps.get()
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, CloseReport):
            report = control_pb2.EvaluateReport(closed_on=step.closed_on.isoformat())
            yield control_pb2.EvaluateResponse(report=report)
            return
        done, total = step
        yield control_pb2.EvaluateResponse(progress=control_pb2.Progress(step="close", done=done, total=total))
