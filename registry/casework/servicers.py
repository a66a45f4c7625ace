"""CaseworkService: messages in, what members say of their case files, an answer that goes by that alone.

Invariant: whatever others have said, the answer to a member is the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from datetime import date

import grpc

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.rpc.authorisation import Rule
from federation.rpc.caller import Party, caller
from federation.rpc.envelope import check_envelope
from federation.rpc.server import Binding
from federation.rules.vocabulary import HANDLE_BYTES, MAX_BATCH, CaseOutcome, CaseStatus, Handle
from federation.v1 import casework_pb2, casework_pb2_grpc
from registry.model import CaseStated, CaseStatement
from registry.store import case_statements

SERVICE = casework_pb2.DESCRIPTOR.services_by_name["CaseworkService"]
RULES = {f"{SERVICE.full_name}/SetCaseStatus": Rule(frozenset({Kind.NODE}))}

_STATUSES = {casework_pb2.CaseStatus.Value(f"CASE_STATUS_{status.value}"): status for status in CaseStatus}
_OUTCOMES = {casework_pb2.CaseOutcome.Value(f"CASE_OUTCOME_{outcome.value}"): outcome for outcome in CaseOutcome}


class CaseworkServicer(casework_pb2_grpc.CaseworkServiceServicer):
    """CaseworkService."""

    def __init__(self, database: Database, clock: Clock, descriptors: Callable[[], Descriptor]) -> None:
        self._database, self._clock, self._descriptors = database, clock, descriptors

    def SetCaseStatus(  # noqa: N802 - the contract's name
        self,
        request: casework_pb2.SetCaseStatusRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - the caller is asked for by name
    ) -> casework_pb2.SetCaseStatusResponse:
        check_envelope(request.envelope, self._clock, self._descriptors())
        if len(request.cases) > MAX_BATCH:
            raise UppropError(Code.BATCH_TOO_LARGE, f"State at most {MAX_BATCH} case files at once.")
        member, said = caller(Party).require_member(), list(_statements(request.cases))
        work = functools.partial(case_statements.take, member=member, said=said, on=self._clock.today())
        standing = self._database.run("set_case_status", work)
        return casework_pb2.SetCaseStatusResponse(
            standing=[
                casework_pb2.StandingStatement(handle=each.handle, opening_number=each.number, version=each.version)
                for each in standing
            ]
        )


def binding(servicer: CaseworkServicer) -> Binding:
    return Binding(SERVICE, servicer)


def _statements(messages: Iterable[casework_pb2.CaseStatement]) -> Iterable[CaseStatement]:
    for message in messages:
        status = _STATUSES.get(message.status)
        outcome = _OUTCOMES.get(message.outcome)
        until = _day(message.until) if message.HasField("until") else None
        if (
            len(message.handle) != HANDLE_BYTES
            or not message.opening_number
            or not message.version
            or status is None
            or (status is CaseStatus.SUSPENDED) != (until is not None)
            or (status is CaseStatus.CLOSED) != (outcome is not None)
            or (message.offers_lead and message.takes_lead)
        ):
            raise UppropError(
                Code.REQUEST_INVALID,
                "A case file is stated by handle, number, version and status; suspended ones with until, closed ones "
                "with their outcome. A lead is offered or taken, never both.",
            )
        stated = CaseStated(status, until, outcome, message.offers_lead, message.takes_lead)
        yield CaseStatement(Handle(message.handle), message.opening_number, message.version, stated)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UppropError(Code.REQUEST_INVALID, "A day is written as YYYY-MM-DD.") from None
