"""The call that states case files. Invariant: of a case file, nothing but status, day, outcome and lead leaves here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from federation.rules.vocabulary import Handle
from federation.v1 import casework_pb2, casework_pb2_grpc
from node.casework.files.model import GapName
from node.casework.statuses.model import Statement

if TYPE_CHECKING:
    from node.uplink import RegistryLink

DEADLINE = 20.0
"""Seconds: the registry looks up at most 1 000 gaps."""


class CaseworkLink:
    """The registry, at whichever of its addresses answers."""

    def __init__(self, registry: RegistryLink) -> None:
        self._registry = registry

    def set_case_status(self, said: Sequence[Statement]) -> Mapping[GapName, int]:
        """State at most 1 000 case files; returns those of which the registry holds something else, by its version."""
        request = casework_pb2.SetCaseStatusRequest(
            envelope=self._registry.envelope(), cases=[_message(each) for each in said]
        )
        answer = self._registry.at_any(
            lambda peer: peer.call(casework_pb2_grpc.CaseworkServiceStub(peer.channel).SetCaseStatus, request, DEADLINE)
        )
        return {GapName(Handle(each.handle), each.opening_number): each.version for each in answer.standing}


def _message(said: Statement) -> casework_pb2.CaseStatement:
    stated = said.stated
    return casework_pb2.CaseStatement(
        handle=said.gap.handle,
        opening_number=said.gap.number,
        version=said.version,
        status=casework_pb2.CaseStatus.Value(f"CASE_STATUS_{stated.status.value}"),
        until=None if stated.until is None else stated.until.isoformat(),
        outcome=casework_pb2.CaseOutcome.Value(
            "CASE_OUTCOME_UNSPECIFIED" if stated.outcome is None else f"CASE_OUTCOME_{stated.outcome.value}"
        ),
        offers_lead=stated.offers_lead,
        takes_lead=stated.takes_lead,
    )
