"""The node's calls to other parties; those of ledger and roll call stand beside theirs, in modules of this name.

Invariants: what leaves here about a pupil is a `Signal` and nothing else; a request that changes anything carries an id
that its caller made durable before the first attempt; an answer that does not fit its request raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from federation.clock import Clock
from federation.descriptor import Descriptor
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.observability import Metrics
from federation.rpc.client import Peer
from federation.rpc.envelope import make_envelope
from federation.rpc.health import is_serving
from federation.rpc.peers import Peers, at_any
from federation.rules.vocabulary import (
    HANDLE_BYTES,
    MAX_BATCH,
    Disposition,
    DispositionKind,
    DutyEnded,
    Handle,
    Notice,
    NoticeKind,
    Opening,
    OpeningKind,
    Presence,
    Pseudonym,
    Signal,
    Urgency,
)
from federation.tls import ChannelCredentials
from federation.v1 import evaluator_pb2, evaluator_pb2_grpc, registry_pb2, registry_pb2_grpc, signal_pb2
from node.casework.contact.uplink import ContactLink
from node.casework.statuses.uplink import CaseworkLink
from node.describing.uplink import DescribingLink
from node.ledger.receipts import Receipt, Signed
from node.ledger.uplink import LedgerLink, WitnessLink, receipt
from node.recovery.stated import Stated, StatedPage
from node.roll_call.uplink import RollCallLink
from privacy.protocol import Answer

SUBMIT_DEADLINE = 60.0
"""Seconds for a batch of 1 000 signals, which a registry writes in one transaction."""
EVALUATE_DEADLINE = 60.0
"""Seconds for 1 000 evaluations with their proof: under a second of work, behind those of other members."""
CALL_DEADLINE = 20.0
"""Seconds for anything else."""

_OPENING_KINDS = {kind: signal_pb2.OpeningKind.Value(f"OPENING_KIND_{kind.value}") for kind in OpeningKind}
_URGENCIES = {urgency: signal_pb2.Urgency.Value(f"URGENCY_{urgency.value}") for urgency in Urgency}
_KINDS_STATED = {message: kind for kind, message in _OPENING_KINDS.items()}
_URGENCIES_STATED = {message: urgency for urgency, message in _URGENCIES.items()}
_DISPOSITIONS = {registry_pb2.DispositionKind.Value(f"DISPOSITION_KIND_{kind.value}"): kind for kind in DispositionKind}
_NOTICE_KINDS = {registry_pb2.NoticeKind.Value(f"NOTICE_KIND_{kind.value}"): kind for kind in NoticeKind}

T = TypeVar("T")

Heard = Callable[[int, str, bool], None]
"""Called with an evaluator's index, the kind of a call to it, and whether that was answered."""


@dataclass(frozen=True, slots=True)
class Page:
    """Notices after a number. `through` is the last number of the page, that of a notice we do not know included."""

    notices: tuple[Notice, ...]
    through: int
    more: bool
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a batch was answered. The receipt is as it came: nothing of it is believed yet."""

    dispositions: tuple[Disposition, ...]
    receipt: Receipt | None = None


class Uplink:
    """Connections to the parties that the descriptor names, made on first use and kept while it names them."""

    def __init__(
        self,
        descriptors: DescriptorStore,
        credentials: ChannelCredentials,
        clock: Clock,
        metrics: Metrics | None = None,
        heard: Heard = lambda _index, _of, _answered: None,
    ) -> None:
        self._descriptors = descriptors
        self._clock = clock
        self._heard = heard
        self._peers = Peers(credentials, metrics)

    def registry(self) -> RegistryLink:
        """The registry of the descriptor in force."""
        descriptor = self._descriptors.current()
        self._forget_others(descriptor)
        peers = self._peers.at((each.identity, each.address) for each in descriptor.registries)
        return RegistryLink(peers, self._clock, descriptor)

    def roll_call(self) -> RollCallLink:
        """The roll call of that registry."""
        return RollCallLink(self.registry())

    def describing(self) -> DescribingLink:
        """That registry, as it is told of children of cases."""
        return DescribingLink(self.registry())

    def casework(self) -> CaseworkLink:
        """That registry, as it is told of case files."""
        return CaseworkLink(self.registry())

    def contacts(self) -> ContactLink:
        """That registry, as it carries contacts."""
        return ContactLink(self.registry())

    def ledger(self) -> LedgerLink:
        """The ledger of that registry."""
        return LedgerLink(self.registry())

    def witnesses(self) -> tuple[WitnessLink, ...]:
        """The evaluators as its witnesses."""
        return tuple(map(WitnessLink, self.evaluators()))

    def evaluators(self) -> tuple[EvaluatorLink, ...]:
        """The evaluators of the descriptor in force, by their index."""
        descriptor = self._descriptors.current()
        self._forget_others(descriptor)
        peers = self._peers.at((each.identity, each.address) for each in descriptor.evaluators)
        return tuple(
            EvaluatorLink(each.index, peer, self._clock, descriptor, self._heard)
            for each, peer in zip(descriptor.evaluators, peers, strict=True)
        )

    def close(self) -> None:
        self._peers.close()

    def _forget_others(self, descriptor: Descriptor) -> None:
        self._peers.forget_others(
            (each.identity, each.address) for each in descriptor.registries + descriptor.evaluators
        )


class RegistryLink:
    """The registry, at whichever of its addresses answers."""

    def __init__(self, peers: Sequence[Peer], clock: Clock, descriptor: Descriptor) -> None:
        self._peers = peers
        self._clock = clock
        self._descriptor = descriptor

    def submit(self, batch_id: bytes, signals: Sequence[Signal], signed: Signed | None = None) -> Submitted:
        """The registry's word on each signal, in their order, and its receipt for them all.

        `signed` binds the member to the batch; without it there is no ledger.
        """
        request = registry_pb2.SubmitSignalsRequest(
            envelope=make_envelope(self._clock, self._descriptor),
            batch_id=batch_id,
            signals=[signal_message(signal) for signal in signals],
            batch_key=None if signed is None else signed.batch_key,
            batch_signature=None if signed is None else signed.signature,
        )
        response = self._call(lambda peer, stub: peer.call(stub.SubmitSignals, request, SUBMIT_DEADLINE))
        if response.batch_id != batch_id or len(response.dispositions) != len(signals):
            raise _unfit("the registry")
        return Submitted(
            tuple(_disposition(message) for message in response.dispositions),
            receipt(response.receipt) if response.HasField("receipt") else None,
        )

    def list_notices(self, after: int) -> Page:
        """The next notices after number `after`."""
        request = registry_pb2.ListNoticesRequest(
            envelope=make_envelope(self._clock, self._descriptor), after_number=after, limit=MAX_BATCH
        )
        response = self._call(lambda peer, stub: peer.call(stub.ListNotices, request, CALL_DEADLINE))
        numbers = [message.number for message in response.notices]
        if numbers != sorted(set(numbers)) or (numbers and numbers[0] <= after) or (response.more and not numbers):
            raise _unfit("the registry")
        return Page(
            notices=tuple(
                _notice(message, _NOTICE_KINDS[message.kind])
                for message in response.notices
                if message.kind in _NOTICE_KINDS
            ),
            through=numbers[-1] if numbers else after,
            more=response.more,
            closed_on=_day(response.closed_on) if response.HasField("closed_on") else None,
        )

    def acknowledge(self, through: int) -> None:
        """Say that all notices up to number `through` are durable here."""
        request = registry_pb2.AckNoticesRequest(
            envelope=make_envelope(self._clock, self._descriptor), through_number=through
        )
        self._call(lambda peer, stub: peer.call(stub.AckNotices, request, CALL_DEADLINE))

    def report_roster(self, as_of: date, roster: int) -> None:
        """State the newest import and how many pupils have a presence in force, in steps of 50."""
        request = registry_pb2.ReportRosterRequest(
            envelope=make_envelope(self._clock, self._descriptor), as_of=as_of.isoformat(), roster=roster
        )
        self._call(lambda peer, stub: peer.call(stub.ReportRoster, request, CALL_DEADLINE))

    def list_signals(self, after: bytes) -> StatedPage:
        """What we have stated of the next handles after one; empty for the first page."""
        request = registry_pb2.ListSignalsRequest(
            envelope=make_envelope(self._clock, self._descriptor), after_handle=after, limit=MAX_BATCH
        )
        response = self._call(lambda peer, stub: peer.call(stub.ListSignals, request, SUBMIT_DEADLINE))
        stated = tuple(_stated(message) for message in response.signals)
        handles = [each.signal.handle for each in stated]
        if handles != sorted(set(handles)) or (handles and handles[0] <= after) or (response.more and not handles):
            raise _unfit("the registry")
        return StatedPage(
            stated,
            response.more,
            _day(response.first_contact) if response.HasField("first_contact") else None,
            _day(response.last_contact) if response.HasField("last_contact") else None,
        )

    def find_handles(self, pseudonyms: Sequence[Pseudonym]) -> tuple[tuple[Pseudonym, Handle], ...]:
        """(pseudonym, handle) of our own live handles that bear one of at most 1 000 pseudonyms."""
        request = registry_pb2.FindHandlesRequest(
            envelope=make_envelope(self._clock, self._descriptor),
            pseudonyms=[signal_pb2.Pseudonym(epoch=each.epoch, value=each.value) for each in pseudonyms],
        )
        response = self._call(lambda peer, stub: peer.call(stub.FindHandles, request, SUBMIT_DEADLINE))
        if any(each.asked >= len(pseudonyms) or len(each.handle) != HANDLE_BYTES for each in response.found):
            raise _unfit("the registry")
        return tuple((pseudonyms[each.asked], Handle(each.handle)) for each in response.found)

    def envelope(self) -> registry_pb2.Envelope:
        return make_envelope(self._clock, self._descriptor)

    def _call(self, call: Callable[[Peer, registry_pb2_grpc.RegistryServiceStub], T]) -> T:
        return self.at_any(lambda peer: call(peer, registry_pb2_grpc.RegistryServiceStub(peer.channel)))

    def at_any(self, call: Callable[[Peer], T]) -> T:
        """Make a call to the registry, whatever its service, at the first of its addresses that answers."""
        return at_any(self._peers, call)


_REACHED = "reached"
_UNREACHED = frozenset({Code.PEER_UNREACHABLE, Code.DEADLINE})


class EvaluatorLink:
    """One evaluator."""

    def __init__(self, index: int, peer: Peer, clock: Clock, descriptor: Descriptor, heard: Heard) -> None:
        self.index = index
        self._heard = heard
        self._peer = peer
        self._clock = clock
        self._descriptor = descriptor

    def envelope(self) -> registry_pb2.Envelope:
        """What every request carries."""
        return make_envelope(self._clock, self._descriptor)

    def call(self, of: str, call: Callable[[Peer], T]) -> T:
        """Make a call of a kind, and say whether it was answered."""
        try:
            answer = call(self._peer)
        except UppropError as error:
            # Not being reached is no matter of the kind: whatever reaches it next, a health check for one, ends it.
            # What is refused for our own quota's sake is answered.
            kind = _REACHED if error.code in _UNREACHED else of
            self._heard(self.index, kind, error.code is Code.QUOTA_EXCEEDED)
            raise
        self._heard(self.index, _REACHED, True)
        self._heard(self.index, of, True)
        return answer

    def check(self) -> None:
        """Ask whether it serves. Raises UppropError where no answer comes."""
        if not self.call("health", lambda peer: is_serving(peer, CALL_DEADLINE)):
            self._heard(self.index, "health", False)

    def blind_evaluate(self, request_id: bytes, epoch: int, elements: Sequence[bytes]) -> Answer:
        """This evaluator's answer to a batch, not verified yet.

        Raises UppropError; EVALUATOR_LIED where the answer is to another request or from another share.
        """
        request = evaluator_pb2.BlindEvaluateRequest(
            envelope=self.envelope(),
            request_id=request_id,
            epoch=epoch,
            blinded_elements=elements,
        )

        def ask(peer: Peer) -> evaluator_pb2.BlindEvaluateResponse:
            stub = evaluator_pb2_grpc.EvaluatorServiceStub(peer.channel)
            return peer.call(stub.BlindEvaluate, request, EVALUATE_DEADLINE)

        response = self.call("evaluate", ask)
        if response.request_id != request_id or response.share_index != self.index:
            raise UppropError(Code.EVALUATOR_LIED, f"Evaluator {self.index} answered another request than ours.")
        return Answer(
            evaluator=self.index,
            epoch=response.epoch,
            share_version=response.share_version,
            evaluated=tuple(response.evaluated_elements),
            proof=response.proof,
            composite=response.composite if response.HasField("composite") else None,
        )


def signal_message(signal: Signal) -> signal_pb2.Signal:
    """A signal on the wire."""
    return signal_pb2.Signal(
        handle=signal.handle,
        version=signal.version,
        pseudonyms=[
            signal_pb2.Pseudonym(epoch=pseudonym.epoch, value=pseudonym.value) for pseudonym in signal.pseudonyms
        ],
        presences=[_presence(presence) for presence in signal.presences],
        opening=None if signal.opening is None else _opening(signal.opening),
        duty_ended=None if signal.duty_ended is None else _duty_ended(signal.duty_ended),
        retracted=signal.retracted,
        nonce=signal.nonce,
        drill=signal.drill,
    )


def _presence(presence: Presence) -> signal_pb2.Presence:
    return signal_pb2.Presence(
        begins=_text(presence.begins),
        until=_text(presence.until),
        affirmed_on=_text(presence.affirmed_on),
        met_on=_text(presence.met_on),
    )


def _opening(opening: Opening) -> signal_pb2.Opening:
    return signal_pb2.Opening(
        number=opening.number,
        kind=_OPENING_KINDS[opening.kind],
        since=opening.since.isoformat(),
        urgency=_URGENCIES[opening.urgency],
        planned_start=_text(opening.planned_start),
    )


def _duty_ended(ended: DutyEnded) -> signal_pb2.DutyEnded:
    return signal_pb2.DutyEnded(begins=ended.begins.isoformat(), review=_text(ended.review))


def _stated(message: registry_pb2.StatedSignal) -> Stated:
    """What the registry gives back of our own words; only what we could have said is taken."""
    said = message.signal
    if len(said.handle) != HANDLE_BYTES or said.version < 1:
        raise _unfit("the registry")
    signal = Signal(
        handle=Handle(said.handle),
        version=said.version,
        pseudonyms=tuple(Pseudonym(each.epoch, b"") for each in said.pseudonyms),
        presences=tuple(
            Presence(
                _day(each.begins) if each.HasField("begins") else None,
                _day(each.until) if each.HasField("until") else None,
                _day(each.affirmed_on) if each.HasField("affirmed_on") else None,
                _day(each.met_on) if each.HasField("met_on") else None,
            )
            for each in said.presences
        ),
        opening=_opening_stated(said.opening) if said.HasField("opening") else None,
        duty_ended=(
            DutyEnded(
                _day(said.duty_ended.begins),
                _day(said.duty_ended.review) if said.duty_ended.HasField("review") else None,
            )
            if said.HasField("duty_ended")
            else None
        ),
        retracted=said.retracted,
    )
    return Stated(signal, tuple(_opening_stated(each) for each in message.openings))


def _opening_stated(message: signal_pb2.Opening) -> Opening:
    kind, urgency = _KINDS_STATED.get(message.kind), _URGENCIES_STATED.get(message.urgency)
    if kind is None or urgency is None or message.number < 1:
        raise _unfit("the registry")
    planned_start = _day(message.planned_start) if message.HasField("planned_start") else None
    return Opening(message.number, kind, _day(message.since), urgency, planned_start)


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _unfit("the registry") from error


def _disposition(message: registry_pb2.Disposition) -> Disposition:
    kind = _DISPOSITIONS.get(message.kind)
    if kind is None:
        raise _unfit("the registry")
    return Disposition(kind, message.code if message.HasField("code") else None)


def _notice(message: registry_pb2.Notice, kind: NoticeKind) -> Notice:
    if message.HasField("handle") and len(message.handle) != HANDLE_BYTES:
        raise _unfit("the registry")
    return Notice(
        number=message.number,
        kind=kind,
        closed_on=_day(message.closed_on),
        handle=Handle(message.handle) if message.HasField("handle") else None,
        opening_number=message.opening_number if message.HasField("opening_number") else None,
        case_id=message.case_id if message.HasField("case_id") else None,
        coverage_incomplete=message.coverage_incomplete,
    )


def _unfit(peer: str) -> UppropError:
    return UppropError(
        Code.INTERNAL, f"What {peer} answered does not fit the question; nothing of it was taken. Tell its operator."
    )
