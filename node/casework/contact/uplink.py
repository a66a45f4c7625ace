"""The calls of contacts at the registry.

Invariants: of the pupil nothing but the handle leaves here in the clear; an answer that does not fit raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from federation.errors import Code, UppropError
from federation.rpc.client import Peer
from federation.rules.contact import MAX_SEALED, MAX_STATEMENT_BYTES
from federation.rules.vocabulary import HANDLE_BYTES, Handle
from federation.v1 import contact_pb2, contact_pb2_grpc
from node.casework.contact.model import SealedPart, Side, Statement
from node.casework.contact.relayed import Listed, Relayed

if TYPE_CHECKING:
    from node.uplink import RegistryLink

DEADLINE = 20.0
"""Seconds: a page of messages is a MiB at most."""

MAX_PAGES = 1_000

_SIDES = {contact_pb2.CONTACT_SIDE_ASKING: Side.ASKING, contact_pb2.CONTACT_SIDE_ASKED: Side.ASKED}


class ContactLink:
    """The registry's relay, at whichever of its addresses answers."""

    def __init__(self, registry: RegistryLink) -> None:
        self._registry = registry

    def file(self, handle: Handle, number: int, request_id: bytes, statement: Statement) -> None:
        """File a request. The answer says nothing."""
        request = contact_pb2.FileContactRequestRequest(
            envelope=self._registry.envelope(),
            handle=handle,
            opening_number=number,
            request_id=request_id,
            request=_message(statement),
        )
        self._registry.at_any(lambda peer: peer.call(_stub(peer).FileContactRequest, request, DEADLINE))

    def list_all(self) -> tuple[Listed, ...]:
        """Every contact that this member may know of."""
        found: list[Listed] = []
        for _ in range(MAX_PAGES):
            page = self._page(found[-1].contact_id if found else b"")
            found += map(_listed, page.contacts)
            if not page.more or not page.contacts:
                return tuple(found)
        raise _unfit()

    def _page(self, after: bytes) -> contact_pb2.ListContactsResponse:
        request = contact_pb2.ListContactsRequest(envelope=self._registry.envelope(), after_contact_id=after)
        return self._registry.at_any(lambda peer: peer.call(_stub(peer).ListContacts, request, DEADLINE))

    def accept(self, contact_id: bytes, acceptance: Statement, greeting: Sequence[SealedPart]) -> None:
        request = contact_pb2.AcceptContactRequest(
            envelope=self._registry.envelope(),
            contact_id=contact_id,
            acceptance=_message(acceptance),
            greeting=_sealed_messages(greeting),
        )
        self._registry.at_any(lambda peer: peer.call(_stub(peer).AcceptContact, request, DEADLINE))

    def send(self, contact_id: bytes, sequence: int, message_id: bytes, sealed: Sequence[SealedPart]) -> None:
        request = contact_pb2.SendContactMessageRequest(
            envelope=self._registry.envelope(),
            contact_id=contact_id,
            sequence=sequence,
            message_id=message_id,
            sealed=_sealed_messages(sealed),
        )
        self._registry.at_any(lambda peer: peer.call(_stub(peer).SendContactMessage, request, DEADLINE))

    def messages(self, contact_id: bytes, after: int) -> tuple[tuple[Relayed, ...], bool]:
        """The other side's next messages as they were handed over, and whether there are more."""
        request = contact_pb2.ListContactMessagesRequest(
            envelope=self._registry.envelope(), contact_id=contact_id, after_sequence=after
        )
        page = self._registry.at_any(lambda peer: peer.call(_stub(peer).ListContactMessages, request, DEADLINE))
        return tuple(Relayed(each.sequence, _parts(each.sealed)) for each in page.messages), page.more

    def acknowledge(self, contact_id: bytes, through: int) -> None:
        request = contact_pb2.AckContactMessagesRequest(
            envelope=self._registry.envelope(), contact_id=contact_id, through_sequence=through
        )
        self._registry.at_any(lambda peer: peer.call(_stub(peer).AckContactMessages, request, DEADLINE))


def _stub(peer: Peer) -> contact_pb2_grpc.ContactServiceStub:
    return contact_pb2_grpc.ContactServiceStub(peer.channel)


def _message(statement: Statement) -> contact_pb2.SignedStatement:
    return contact_pb2.SignedStatement(
        content=statement.content, signature=statement.signature, public_key=statement.public_key
    )


def _statement(message: contact_pb2.SignedStatement) -> Statement:
    if len(message.content) > MAX_STATEMENT_BYTES:
        raise _unfit()
    return Statement(message.content, message.signature, message.public_key)


def _sealed_messages(parts: Iterable[SealedPart]) -> list[contact_pb2.SealedMessage]:
    return [contact_pb2.SealedMessage(epoch=part.epoch, sealed=part.sealed) for part in parts]


def _parts(messages: Sequence[contact_pb2.SealedMessage]) -> tuple[SealedPart, ...]:
    if len(messages) > MAX_SEALED:
        raise _unfit()
    return tuple(SealedPart(each.epoch, each.sealed) for each in messages)


def _listed(message: contact_pb2.Contact) -> Listed:
    side = _SIDES.get(message.side)
    if side is None or len(message.contact_id) != HANDLE_BYTES or len(message.handle) != HANDLE_BYTES:
        raise _unfit()
    try:
        lapses_on = date.fromisoformat(message.lapses_on)
    except ValueError as error:
        raise _unfit() from error
    return Listed(
        contact_id=message.contact_id,
        side=side,
        handle=Handle(message.handle),
        number=message.opening_number,
        request_id=message.request_id,
        request=_statement(message.request),
        lapses_on=lapses_on,
        acceptance=_statement(message.acceptance) if message.HasField("acceptance") else None,
        greeting=_parts(message.greeting),
        newest=message.newest,
        sent=message.sent,
        acknowledged=message.acknowledged,
    )


def _unfit() -> UppropError:
    return UppropError(
        Code.INTERNAL, "What the registry lists as contacts is no such list; nothing was taken. Tell its operator."
    )
