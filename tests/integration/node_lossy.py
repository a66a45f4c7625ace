"""Between the node and its servers: loses requests, or does the work and loses the answer, or kills the node there."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

from federation.errors import Code, UppropError
from federation.rules.vocabulary import Handle, Pseudonym, Signal
from node.casework.contact.model import SealedPart, Statement
from node.casework.contact.relayed import Listed, Relayed
from node.casework.contact.uplink import ContactLink
from node.casework.statuses.uplink import CaseworkLink
from node.describing.child import Description
from node.describing.uplink import DescribingLink
from node.ledger.receipts import Signed
from node.ledger.uplink import LedgerLink, WitnessLink
from node.recovery.stated import StatedPage
from node.roll_call.lists import ListedPart, OwnGap, RollCallLink
from node.uplink import EvaluatorLink, Page, RegistryLink, Submitted, Uplink
from privacy.protocol import Answer

T = TypeVar("T")


class Fault(enum.StrEnum):
    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"


class Killed(BaseException):
    """The process ends here."""


class Lossy:
    """The real connections, with a fault at chosen calls, counted from 0 over all that a node ever makes."""

    def __init__(self, uplink: Uplink, faults: Callable[[int], Fault | None]) -> None:
        self.uplink = uplink
        self.faults = faults
        self.calls: list[str] = []

    def call(self, name: str, work: Callable[[], T]) -> T:
        fault = self.faults(len(self.calls))
        self.calls.append(name)
        if fault is Fault.KILLED_BEFORE:
            raise Killed
        if fault is Fault.REQUEST_LOST:
            raise UppropError(Code.PEER_UNREACHABLE, "The request was lost.")
        result = work()
        if fault is Fault.KILLED_AFTER:
            raise Killed
        if fault is Fault.ANSWER_LOST:
            raise UppropError(Code.DEADLINE, "The answer was lost.")
        return result

    def registry(self) -> _Registry:
        return _Registry(self, self.uplink.registry())

    def roll_call(self) -> _RollCall:
        return _RollCall(self, self.uplink.roll_call())

    def describing(self) -> _Describing:
        return _Describing(self, self.uplink.describing())

    def casework(self) -> CaseworkLink:
        return self.uplink.casework()

    def contacts(self) -> _Contacts:
        return _Contacts(self, self.uplink.contacts())

    def evaluators(self) -> Sequence[_Evaluator]:
        return [_Evaluator(self, link) for link in self.uplink.evaluators()]

    def ledger(self) -> LedgerLink:
        # It changes nothing, and is asked again at the next sync.
        return self.uplink.ledger()

    def witnesses(self) -> Sequence[WitnessLink]:
        return self.uplink.witnesses()

    def close(self) -> None:
        self.uplink.close()


class _Registry:
    def __init__(self, lossy: Lossy, link: RegistryLink) -> None:
        self._lossy = lossy
        self._link = link

    def submit(self, batch_id: bytes, signals: Sequence[Signal], signed: Signed | None = None) -> Submitted:
        return self._lossy.call("submit", lambda: self._link.submit(batch_id, signals, signed))

    def list_notices(self, after: int) -> Page:
        return self._lossy.call("list_notices", lambda: self._link.list_notices(after))

    def acknowledge(self, through: int) -> None:
        self._lossy.call("acknowledge", lambda: self._link.acknowledge(through))

    def list_signals(self, after: bytes) -> StatedPage:
        return self._lossy.call("list_signals", lambda: self._link.list_signals(after))

    def find_handles(self, pseudonyms: Sequence[Pseudonym]) -> tuple[tuple[Pseudonym, Handle], ...]:
        return self._lossy.call("find_handles", lambda: self._link.find_handles(pseudonyms))

    def report_roster(self, as_of: date, roster: int) -> None:
        self._lossy.call("report_roster", lambda: self._link.report_roster(as_of, roster))


class _RollCall:
    def __init__(self, lossy: Lossy, link: RollCallLink) -> None:
        self._lossy = lossy
        self._link = link

    def offer(self, gaps: Sequence[OwnGap]) -> None:
        self._lossy.call("offer", lambda: self._link.offer(gaps))

    def part(self, number: int) -> ListedPart:
        return self._lossy.call("part", lambda: self._link.part(number))


class _Describing:
    def __init__(self, lossy: Lossy, link: DescribingLink) -> None:
        self._lossy = lossy
        self._link = link

    def describe(self, cases: Sequence[Description]) -> None:
        self._lossy.call("describe", lambda: self._link.describe(cases))


class _Contacts:
    def __init__(self, lossy: Lossy, link: ContactLink) -> None:
        self._lossy = lossy
        self._link = link

    def file(self, handle: Handle, number: int, request_id: bytes, statement: Statement) -> None:
        self._lossy.call("file_contact", lambda: self._link.file(handle, number, request_id, statement))

    def list_all(self) -> tuple[Listed, ...]:
        return self._lossy.call("list_contacts", self._link.list_all)

    def accept(self, contact_id: bytes, acceptance: Statement, greeting: Sequence[SealedPart]) -> None:
        self._lossy.call("accept_contact", lambda: self._link.accept(contact_id, acceptance, greeting))

    def send(self, contact_id: bytes, sequence: int, message_id: bytes, sealed: Sequence[SealedPart]) -> None:
        self._lossy.call("send_message", lambda: self._link.send(contact_id, sequence, message_id, sealed))

    def messages(self, contact_id: bytes, after: int) -> tuple[tuple[Relayed, ...], bool]:
        return self._lossy.call("list_messages", lambda: self._link.messages(contact_id, after))

    def acknowledge(self, contact_id: bytes, through: int) -> None:
        self._lossy.call("ack_messages", lambda: self._link.acknowledge(contact_id, through))


class _Evaluator:
    def __init__(self, lossy: Lossy, link: EvaluatorLink) -> None:
        self._lossy = lossy
        self._link = link
        self.index = link.index

    def blind_evaluate(self, request_id: bytes, epoch: int, elements: Sequence[bytes]) -> Answer:
        return self._lossy.call("blind_evaluate", lambda: self._link.blind_evaluate(request_id, epoch, elements))

    def check(self) -> None:
        # Lost or not, it changes nothing.
        self._link.check()


def put_between(node: Any, faults: Callable[[int], Fault | None]) -> Lossy:
    """Give the node's pipeline these connections; returns them."""
    lossy = Lossy(node.app.uplink, faults)
    node.app.pipeline._links = lossy
    return lossy
