"""The command line's side of the control socket: calls with plain values, answers as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub

Answer = dict[str, Any]
"""The fields of the contract's message, as JSON shows them."""


@dataclass(frozen=True, slots=True)
class Step:
    """Work done so far."""

    step: str
    done: int
    total: int


class Client:
    """Asks the node. Every method raises UppropError."""

    def __init__(self, stub: ControlServiceStub) -> None:
        self._stub = stub

    def status(self) -> dict[str, str]:
        """What the node says of itself, as lines in their order."""
        found = self._stub.Status(control_pb2.StatusRequest())
        lines = {line.name: line.value for line in found.lines}
        return {"identity": found.identity, "business date": found.business_date, **lines}

    def sync(self, *, notices_only: bool) -> Iterator[Step | Answer]:
        """Steps, and last the report."""
        for response in self._stub.Sync(control_pb2.SyncRequest(notices_only=notices_only)):
            yield as_step(response.progress) if response.HasField("progress") else as_answer(response.report)

    def cases(self, *, all_gaps: bool, protected: bool) -> dict[str, list[Answer]]:
        """`cases`: the gaps; `questions`: what other members ask; `parked`: signals that the registry did not take;
        `waiting`: hand-made openings that a second person has not reviewed yet."""
        response = self._stub.ListCases(control_pb2.ListCasesRequest(all_gaps=all_gaps, protected=protected))
        return {
            "cases": [{**as_answer(line), "first_steps": as_findings(line.first_steps)} for line in response.cases],
            "questions": [as_answer(line) for line in response.questions],
            "parked": [as_answer(line) for line in response.parked],
            "waiting": [_as_saying(line) for line in response.waiting],
        }

    def say(
        self, person: str, what: str, *, on: date | None, reason: str, review: date | None, said_by: str
    ) -> tuple[int, bool]:
        """The saying's id, and whether it waits for a second person."""
        request = control_pb2.SayRequest(
            person=person,
            what=what,
            on="" if on is None else on.isoformat(),
            reason=reason,
            said_by=said_by,
            review=None if review is None else review.isoformat(),
        )
        response = self._stub.Say(request)
        return response.saying_id, response.waits_for_review

    def review(self, saying_id: int = 0, *, reviewed_by: str = "", refuse: bool = False) -> list[Answer]:
        """Reviews a saying (0: none) and returns what waits after it."""
        request = control_pb2.ReviewRequest(saying_id=saying_id, reviewed_by=reviewed_by, refuse=refuse)
        return [_as_saying(one) for one in self._stub.Review(request).waiting]


def as_step(progress: control_pb2.Progress) -> Step:
    return Step(progress.step, progress.done, progress.total)


def as_answer(message: Message) -> Answer:
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def _as_saying(message: control_pb2.Saying) -> Answer:
    # 64-bit numbers are texts in protobuf's JSON; ids are small and are numbers in ours.
    return {**as_answer(message), "saying_id": message.saying_id}


def as_findings(messages: Iterable[control_pb2.Finding]) -> list[Answer]:
    """Findings with their parameters under one name: days and codes as texts, numbers as numbers."""
    return [
        {
            "section": message.section,
            "kind": message.kind,
            "parameters": {**dict(message.texts), **dict(message.numbers)},
        }
        for message in messages
    ]
