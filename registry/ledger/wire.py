"""The contract's messages of the ledger and the registry's values, in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

from google.protobuf.message import Message

from federation.errors import Code, UppropError
from federation.rules.canonical import BATCH_KEY_BYTES, blinded_batch_digest
from federation.rules.vocabulary import (
    DutyEnded,
    Handle,
    MemberId,
    Opening,
    OpeningKind,
    Presence,
    Pseudonym,
    Signal,
    Urgency,
)
from federation.v1 import ledger_pb2, registry_pb2, signal_pb2
from registry.ledger.leaves import Receipt

MAX_SIGNATURE_BYTES = 256
"""More than any ECDSA signature over P-256 takes in DER."""

_KINDS = {
    signal_pb2.OPENING_KIND_LEFT: OpeningKind.LEFT,
    signal_pb2.OPENING_KIND_NOT_PLACED: OpeningKind.NOT_PLACED,
    signal_pb2.OPENING_KIND_HELD: OpeningKind.HELD,
}
_URGENCIES = {signal_pb2.URGENCY_NORMAL: Urgency.NORMAL, signal_pb2.URGENCY_IMMEDIATE: Urgency.IMMEDIATE}


def parse_claim(
    member: MemberId, batch_id: bytes, request: registry_pb2.SubmitSignalsRequest
) -> tuple[bytes, bytes] | None:
    """The blinded digest of the batch as it was sent, and the signature that is claimed to be over it; None where the
    sender signed nothing. The key that blinds the pseudonyms goes no further than this.
    """
    if not request.HasField("batch_signature"):
        return None
    if len(request.batch_key) != BATCH_KEY_BYTES or len(request.batch_signature) > MAX_SIGNATURE_BYTES:
        raise UppropError(
            Code.REQUEST_INVALID, f"A signed batch comes with a DER signature and a key of {BATCH_KEY_BYTES} bytes."
        )
    sent = [as_sent(message) for message in request.signals]
    return blinded_batch_digest(member, batch_id, sent, request.batch_key), request.batch_signature


def as_sent(message: signal_pb2.Signal) -> Signal:
    """Whatever a message states, right or wrong: for the digest that its sender signed, and for nothing else.

    The digest covers signals that are not taken, too. Dates are the texts that were sent, and words that are not known
    here their numbers.
    """
    text: Any = _sent_text
    opening, ended = message.opening, message.duty_ended
    return Signal(
        handle=Handle(message.handle),
        version=message.version,
        pseudonyms=tuple(Pseudonym(each.epoch, each.value) for each in message.pseudonyms),
        presences=tuple(
            Presence(text(each, "begins"), text(each, "until"), text(each, "affirmed_on"), text(each, "met_on"))
            for each in message.presences
        ),
        opening=(
            Opening(
                opening.number,
                _KINDS.get(opening.kind, cast("OpeningKind", str(opening.kind))),
                cast("date", opening.since),
                _URGENCIES.get(opening.urgency, cast("Urgency", str(opening.urgency))),
                text(opening, "planned_start"),
            )
            if message.HasField("opening")
            else None
        ),
        duty_ended=(
            DutyEnded(cast("date", ended.begins), text(ended, "review")) if message.HasField("duty_ended") else None
        ),
        retracted=message.retracted,
        drill=message.drill,
    )


def _sent_text(message: Message, field: str) -> str | None:
    return getattr(message, field) if message.HasField(field) else None


def receipt(value: Receipt) -> registry_pb2.Receipt:
    return registry_pb2.Receipt(
        leaf_index=value.leaf.index,
        signed_checkpoint=value.checkpoint,
        salt=value.leaf.salt,
        stored_digest=value.leaf.stored_digest,
    )


def inclusion_proofs(indexes: Sequence[int], paths: Sequence[Sequence[bytes]]) -> ledger_pb2.GetInclusionProofsResponse:
    """One path per index, in their order."""
    return ledger_pb2.GetInclusionProofsResponse(
        proofs=[
            ledger_pb2.InclusionProof(leaf_index=index, hashes=path) for index, path in zip(indexes, paths, strict=True)
        ]
    )
