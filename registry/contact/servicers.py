"""ContactService: messages in, the registry's contacts, messages out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import grpc

from federation.clock import Clock
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.rpc.authorisation import Rule
from federation.rpc.caller import Party, caller
from federation.rpc.envelope import check_envelope
from federation.rpc.server import Binding
from federation.rules.contact import (
    MAX_KEY_BYTES,
    MAX_SEALED,
    MAX_SIGNATURE_BYTES,
    MAX_STATEMENT_BYTES,
    SEALED_BYTES,
)
from federation.rules.vocabulary import HANDLE_BYTES, Handle, MemberId
from federation.v1 import contact_pb2, contact_pb2_grpc, registry_pb2
from registry.contact.relaying import CONTACT_ID_BYTES, Contacts
from registry.store.contacts import Contact, Sealed, Stated

SERVICE = contact_pb2.DESCRIPTOR.services_by_name["ContactService"]

_NODES = Rule(frozenset({Kind.NODE}))
RULES = {f"{SERVICE.full_name}/{method.name}": _NODES for method in SERVICE.methods}

MAX_NUMBER = 2**62
"""Of openings and sequences: what a store's column holds."""


class ContactServicer(contact_pb2_grpc.ContactServiceServicer):
    """ContactService."""

    def __init__(self, contacts: Contacts, clock: Clock, descriptors: Callable[[], Descriptor]) -> None:
        self._contacts, self._clock, self._descriptors = contacts, clock, descriptors

    def FileContactRequest(  # noqa: N802 - the contract's name
        self,
        request: contact_pb2.FileContactRequestRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - the caller is asked for by name
    ) -> contact_pb2.FileContactRequestResponse:
        member = self._member(request.envelope)
        if len(request.handle) != HANDLE_BYTES or not 1 <= request.opening_number < MAX_NUMBER:
            raise UppropError(Code.REQUEST_INVALID, f"A request names a gap by a handle of {HANDLE_BYTES} bytes.")
        self._contacts.file(
            member,
            Handle(request.handle),
            request.opening_number,
            _id(request.request_id),
            _stated(request.request),
            self._clock.today(),
        )
        return contact_pb2.FileContactRequestResponse()

    def ListContacts(  # noqa: N802 - the contract's name
        self,
        request: contact_pb2.ListContactsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> contact_pb2.ListContactsResponse:
        member = self._member(request.envelope)
        after = _id(request.after_contact_id) if request.after_contact_id else b""
        found, more = self._contacts.page(member, after, self._clock.today())
        return contact_pb2.ListContactsResponse(contacts=map(_contact, found), more=more)

    def AcceptContact(  # noqa: N802 - the contract's name
        self,
        request: contact_pb2.AcceptContactRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> contact_pb2.AcceptContactResponse:
        member = self._member(request.envelope)
        self._contacts.accept(
            member,
            _id(request.contact_id),
            _stated(request.acceptance),
            _sealed(request.greeting),
            self._clock.today(),
        )
        return contact_pb2.AcceptContactResponse()

    def SendContactMessage(  # noqa: N802 - the contract's name
        self,
        request: contact_pb2.SendContactMessageRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> contact_pb2.SendContactMessageResponse:
        member = self._member(request.envelope)
        if not 1 <= request.sequence < MAX_NUMBER:
            raise UppropError(Code.REQUEST_INVALID, "Messages are numbered from 1.")
        self._contacts.send(
            member,
            _id(request.contact_id),
            request.sequence,
            _id(request.message_id),
            _sealed(request.sealed),
            self._clock.today(),
        )
        return contact_pb2.SendContactMessageResponse()

    def ListContactMessages(  # noqa: N802 - the contract's name
        self,
        request: contact_pb2.ListContactMessagesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> contact_pb2.ListContactMessagesResponse:
        member = self._member(request.envelope)
        after = min(request.after_sequence, MAX_NUMBER)
        found, more = self._contacts.messages(member, _id(request.contact_id), after)
        return contact_pb2.ListContactMessagesResponse(
            messages=(
                contact_pb2.ContactMessage(sequence=sequence, sealed=map(_sealed_message, sealed))
                for sequence, sealed in found
            ),
            more=more,
        )

    def AckContactMessages(  # noqa: N802 - the contract's name
        self,
        request: contact_pb2.AckContactMessagesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - as above
    ) -> contact_pb2.AckContactMessagesResponse:
        member = self._member(request.envelope)
        self._contacts.acknowledge(member, _id(request.contact_id), min(request.through_sequence, MAX_NUMBER))
        return contact_pb2.AckContactMessagesResponse()

    def _member(self, envelope: registry_pb2.Envelope) -> MemberId:
        check_envelope(envelope, self._clock, self._descriptors())
        return caller(Party).require_member()


def binding(servicer: ContactServicer) -> Binding:
    return Binding(SERVICE, servicer)


def _id(value: bytes) -> bytes:
    if len(value) != CONTACT_ID_BYTES:
        raise UppropError(
            Code.REQUEST_INVALID, f"An id of a request, a contact or a message has {CONTACT_ID_BYTES} bytes."
        )
    return value


def _stated(message: contact_pb2.SignedStatement) -> Stated:
    if not (
        1 <= len(message.content) <= MAX_STATEMENT_BYTES
        and 1 <= len(message.signature) <= MAX_SIGNATURE_BYTES
        and 1 <= len(message.public_key) <= MAX_KEY_BYTES
    ):
        raise UppropError(Code.REQUEST_INVALID, "A signed statement has a content, a signature and a key, all small.")
    return Stated(message.content, message.signature, message.public_key)


def _sealed(messages: Sequence[contact_pb2.SealedMessage]) -> list[Sealed]:
    whole = all(1 <= each.epoch < MAX_NUMBER and len(each.sealed) == SEALED_BYTES for each in messages)
    if not (whole and 1 <= len(messages) <= MAX_SEALED):
        raise UppropError(
            Code.REQUEST_INVALID, f"A message is sealed 1 to {MAX_SEALED} times, each time in {SEALED_BYTES} bytes."
        )
    return [Sealed(each.epoch, each.sealed) for each in messages]


def _contact(contact: Contact) -> contact_pb2.Contact:
    side = contact_pb2.CONTACT_SIDE_ASKING if contact.asking else contact_pb2.CONTACT_SIDE_ASKED
    return contact_pb2.Contact(
        contact_id=contact.contact_id,
        side=side,
        handle=contact.handle,
        opening_number=contact.number,
        request_id=contact.request.request_id,
        request=_statement(contact.request.stated),
        lapses_on=contact.request.lapses_on.isoformat(),
        acceptance=None if contact.acceptance is None else _statement(contact.acceptance),
        greeting=map(_sealed_message, contact.greeting) if contact.asking else (),
        newest=contact.newest,
        sent=contact.sent,
        acknowledged=contact.has,
    )


def _statement(stated: Stated) -> contact_pb2.SignedStatement:
    return contact_pb2.SignedStatement(content=stated.content, signature=stated.signature, public_key=stated.public_key)


def _sealed_message(sealed: Sealed) -> contact_pb2.SealedMessage:
    return contact_pb2.SealedMessage(epoch=sealed.epoch, sealed=sealed.sealed)
