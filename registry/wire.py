"""The contract's messages and the registry's values, in both directions.

Invariants
    - What leaves this module as a `Signal` obeys every rule of the contract that one signal can obey by itself.
    - A verdict depends on the message alone: not on the day, the store or other signals, so that a batch that is sent
      again is judged the same.
    - No value of a message is ever repeated in an error.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from datetime import date

from federation.errors import Code, UppropError
from federation.rules.vocabulary import (
    BATCH_ID_BYTES,
    HANDLE_BYTES,
    MAX_PRESENCES,
    MAX_PSEUDONYMS,
    NONCE_BYTES,
    PSEUDONYM_BYTES,
    ROSTER_STEP,
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
from federation.v1 import registry_pb2, signal_pb2
from registry.ledger import wire as ledger_wire
from registry.ledger.leaves import Receipt
from registry.model import CaseDescription, Contacts, Rejection, Stated
from registry.statistics.catalogue import AgeBand, Sex

FIRST_DATE = date(1990, 1, 1)
LAST_DATE = date(2199, 12, 31)
"""No school matter of a living pupil lies outside; inside, no arithmetic of the rules can overflow."""

MAX_ROSTER = 10_000_000
"""More pupils than the nation has; heads."""

_OPENING_KINDS = {
    signal_pb2.OPENING_KIND_LEFT: OpeningKind.LEFT,
    signal_pb2.OPENING_KIND_NOT_PLACED: OpeningKind.NOT_PLACED,
    signal_pb2.OPENING_KIND_HELD: OpeningKind.HELD,
}
_URGENCIES = {signal_pb2.URGENCY_NORMAL: Urgency.NORMAL, signal_pb2.URGENCY_IMMEDIATE: Urgency.IMMEDIATE}
_KIND_MESSAGES = {kind: message for message, kind in _OPENING_KINDS.items()}
_URGENCY_MESSAGES = {urgency: message for message, urgency in _URGENCIES.items()}
_DISPOSITIONS = {
    DispositionKind.ACCEPTED: registry_pb2.DISPOSITION_KIND_ACCEPTED,
    DispositionKind.DUPLICATE: registry_pb2.DISPOSITION_KIND_DUPLICATE,
    DispositionKind.STALE: registry_pb2.DISPOSITION_KIND_STALE,
    DispositionKind.CONFLICT: registry_pb2.DISPOSITION_KIND_CONFLICT,
    DispositionKind.REJECTED: registry_pb2.DISPOSITION_KIND_REJECTED,
}
_NOTICE_KINDS = {kind: registry_pb2.NoticeKind.Value(f"NOTICE_KIND_{kind.value}") for kind in NoticeKind}

_AGE_BANDS = {
    registry_pb2.AGE_BAND_YOUNGEST: AgeBand.YOUNGEST,
    registry_pb2.AGE_BAND_MIDDLE: AgeBand.MIDDLE,
    registry_pb2.AGE_BAND_OLDEST: AgeBand.OLDEST,
}
_SEXES = {registry_pb2.SEX_FEMALE: Sex.FEMALE, registry_pb2.SEX_MALE: Sex.MALE}


class _Refusal(Exception):  # noqa: N818 - control flow of this module, not an error of anybody
    def __init__(self, code: Code) -> None:
        super().__init__(code.value)
        self.code = code


def parse_signals(messages: Sequence[signal_pb2.Signal]) -> list[Signal | Rejection]:
    """One value per message, in their order."""
    return [parse_signal(message) for message in messages]


def parse_signal(message: signal_pb2.Signal) -> Signal | Rejection:
    """The signal, or why it is not taken: SIGNAL_MALFORMED or NOT_SUPPORTED."""
    try:
        return _signal(message)
    except _Refusal as refused:
        return reject(message, refused.code)


def reject(message: signal_pb2.Signal, code: Code) -> Rejection:
    """A rejection whose digest covers the message without the pseudonyms' values.

    A pseudonym that was not taken is forgotten all the same: a digest over it would let a holder of the evaluators'
    keys test every number there is.
    """
    bare = signal_pb2.Signal()
    bare.CopyFrom(message)
    for pseudonym in bare.pseudonyms:
        pseudonym.ClearField("value")
    bare.DiscardUnknownFields()
    return Rejection(code.value, hashlib.sha256(bare.SerializeToString(deterministic=True)).digest())


def parse_batch_id(value: bytes) -> bytes:
    if len(value) != BATCH_ID_BYTES:
        raise UppropError(Code.REQUEST_INVALID, f"A batch id is {BATCH_ID_BYTES} bytes; choose one per batch.")
    return value


def parse_roster(message: registry_pb2.ReportRosterRequest) -> tuple[date, int]:
    """The as-of date and the number of pupils."""
    try:
        as_of = _date(message.as_of)
    except _Refusal as refused:
        raise UppropError(Code.REQUEST_INVALID, "The roster's as-of is not a date; write 2026-10-19.") from refused
    if message.roster % ROSTER_STEP or message.roster > MAX_ROSTER:
        raise UppropError(Code.REQUEST_INVALID, f"A roster goes in steps of {ROSTER_STEP}; round it.")
    return as_of, message.roster


def parse_notice_number(value: int) -> int:
    """The number of a notice; a store's integers end before the contract's do."""
    if value >= 2**63:
        raise UppropError(Code.REQUEST_INVALID, "No notice has so high a number.")
    return value


def parse_after_handle(value: bytes) -> bytes:
    """The handle after which a page begins; empty for the first."""
    if value and len(value) != HANDLE_BYTES:
        raise UppropError(Code.REQUEST_INVALID, f"A handle is {HANDLE_BYTES} bytes.")
    return value


def parse_pseudonyms(messages: Sequence[signal_pb2.Pseudonym]) -> tuple[Pseudonym, ...]:
    """Pseudonyms that are asked for."""
    try:
        return _pseudonyms(messages)
    except _Refusal as refused:
        raise UppropError(
            Code.REQUEST_INVALID,
            f"A pseudonym has an epoch and {PSEUDONYM_BYTES} bytes, and is asked for once. Correct the request.",
        ) from refused


def parse_descriptions(messages: Sequence[registry_pb2.CaseDescription]) -> list[CaseDescription]:
    """What is said of cases. A word that this version does not know says as much as none."""
    if any(len(message.handle) != HANDLE_BYTES or message.opening_number < 1 for message in messages):
        raise UppropError(
            Code.REQUEST_INVALID,
            f"A case is named by a handle of {HANDLE_BYTES} bytes and the number of an opening. Correct the request.",
        )
    return [
        CaseDescription(
            Handle(message.handle),
            message.opening_number,
            _AGE_BANDS.get(message.age_band),
            _SEXES.get(message.sex),
        )
        for message in messages
    ]


def _need(condition: bool) -> None:
    if not condition:
        raise _Refusal(Code.SIGNAL_MALFORMED)


@functools.lru_cache(maxsize=4_096)
def _date(text: str) -> date:
    # fromisoformat also takes 20261019 and week dates; the contract has one form.
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        raise _Refusal(Code.SIGNAL_MALFORMED)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise _Refusal(Code.SIGNAL_MALFORMED) from error
    if not FIRST_DATE <= day <= LAST_DATE:
        raise _Refusal(Code.SIGNAL_MALFORMED)
    return day


def _signal(message: signal_pb2.Signal) -> Signal:
    _need(len(message.handle) == HANDLE_BYTES)
    _need(message.version >= 1)
    _need(len(message.nonce) == NONCE_BYTES)
    opening = _opening(message.opening) if message.HasField("opening") else None
    duty_ended = _duty_ended(message.duty_ended) if message.HasField("duty_ended") else None
    presences = _presences(message.presences)
    if message.retracted:
        # A retraction takes everything back; what it would still state has no meaning.
        _need(not presences and opening is None and duty_ended is None)
        _need(len(message.pseudonyms) <= MAX_PSEUDONYMS)
    else:
        _need(1 <= len(message.pseudonyms) <= MAX_PSEUDONYMS)
    return Signal(
        handle=Handle(message.handle),
        version=message.version,
        pseudonyms=_pseudonyms(message.pseudonyms),
        presences=presences,
        opening=opening,
        duty_ended=duty_ended,
        retracted=message.retracted,
        nonce=message.nonce,
        drill=message.drill,
    )


def _pseudonyms(messages: Sequence[signal_pb2.Pseudonym]) -> tuple[Pseudonym, ...]:
    pseudonyms = tuple(Pseudonym(message.epoch, message.value) for message in messages)
    for pseudonym in pseudonyms:
        _need(pseudonym.epoch >= 1 and len(pseudonym.value) == PSEUDONYM_BYTES)
    _need(len(pseudonyms) < 2 or len(set(pseudonyms)) == len(pseudonyms))
    return pseudonyms


def _presences(messages: Sequence[signal_pb2.Presence]) -> tuple[Presence, ...]:
    _need(len(messages) <= MAX_PRESENCES)
    presences: list[Presence] = []
    for message in messages:
        begins = _date(message.begins) if message.HasField("begins") else None
        until = _date(message.until) if message.HasField("until") else None
        affirmed_on = _date(message.affirmed_on) if message.HasField("affirmed_on") else None
        met_on = _date(message.met_on) if message.HasField("met_on") else None
        if begins is not None and until is not None:
            _need(begins < until)
        if presences:
            before = presences[-1].until
            _need(before is not None and begins is not None and before <= begins)
        presences.append(Presence(begins, until, affirmed_on, met_on))
    return tuple(presences)


def _opening(message: signal_pb2.Opening) -> Opening:
    _need(message.number >= 1)
    kind, urgency = _OPENING_KINDS.get(message.kind), _URGENCIES.get(message.urgency)
    if kind is None or urgency is None:
        raise _Refusal(Code.SIGNAL_MALFORMED)
    planned_start = _date(message.planned_start) if message.HasField("planned_start") else None
    _need(planned_start is None or urgency is Urgency.NORMAL)
    return Opening(message.number, kind, _date(message.since), urgency, planned_start)


def _duty_ended(message: signal_pb2.DutyEnded) -> DutyEnded:
    return DutyEnded(_date(message.begins), _date(message.review) if message.HasField("review") else None)


def dispositions(
    batch_id: bytes, answers: Sequence[Disposition], receipt: Receipt | None = None
) -> registry_pb2.SubmitSignalsResponse:
    """The answer to a batch."""
    return registry_pb2.SubmitSignalsResponse(
        batch_id=batch_id,
        dispositions=[
            registry_pb2.Disposition(kind=_DISPOSITIONS[answer.kind], code=answer.code) for answer in answers
        ],
        receipt=None if receipt is None else ledger_wire.receipt(receipt),
    )


def notice(value: Notice) -> registry_pb2.Notice:
    return registry_pb2.Notice(
        number=value.number,
        kind=_NOTICE_KINDS[value.kind],
        closed_on=value.closed_on.isoformat(),
        handle=value.handle,
        opening_number=value.opening_number,
        case_id=value.case_id,
        coverage_incomplete=value.coverage_incomplete,
    )


def notices(values: Sequence[Notice], *, more: bool, closed_on: date | None) -> registry_pb2.ListNoticesResponse:
    """One page of notices."""
    return registry_pb2.ListNoticesResponse(
        notices=[notice(value) for value in values],
        more=more,
        closed_on=closed_on.isoformat() if closed_on is not None else None,
    )


def stated(values: Sequence[Stated], *, more: bool, contacts: Contacts) -> registry_pb2.ListSignalsResponse:
    """One page of what a member has stated."""
    return registry_pb2.ListSignalsResponse(
        signals=[
            registry_pb2.StatedSignal(
                signal=_signal_message(value.signal), openings=[_opening_message(each) for each in value.openings]
            )
            for value in values
        ],
        more=more,
        first_contact=_text(contacts.first),
        last_contact=_text(contacts.last),
    )


def found(values: Sequence[tuple[int, Handle]]) -> registry_pb2.FindHandlesResponse:
    """The (place, handle) pairs of a search."""
    return registry_pb2.FindHandlesResponse(
        found=[registry_pb2.FoundHandle(asked=place, handle=handle) for place, handle in values]
    )


def _signal_message(signal: Signal) -> signal_pb2.Signal:
    ended = signal.duty_ended
    return signal_pb2.Signal(
        handle=signal.handle,
        version=signal.version,
        pseudonyms=[signal_pb2.Pseudonym(epoch=pseudonym.epoch) for pseudonym in signal.pseudonyms],
        presences=[
            signal_pb2.Presence(
                begins=_text(presence.begins),
                until=_text(presence.until),
                affirmed_on=_text(presence.affirmed_on),
                met_on=_text(presence.met_on),
            )
            for presence in signal.presences
        ],
        opening=None if signal.opening is None else _opening_message(signal.opening),
        duty_ended=(
            None if ended is None else signal_pb2.DutyEnded(begins=ended.begins.isoformat(), review=_text(ended.review))
        ),
        retracted=signal.retracted,
    )


def _opening_message(opening: Opening) -> signal_pb2.Opening:
    return signal_pb2.Opening(
        number=opening.number,
        kind=_KIND_MESSAGES[opening.kind],
        since=opening.since.isoformat(),
        urgency=_URGENCY_MESSAGES[opening.urgency],
        planned_start=_text(opening.planned_start),
    )


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
