"""The aggregate "contact": requests of our own, contacts with other members, and their messages.

States: `node.casework.contact.model`, moved by `node.casework.contact`; this module keeps them. Everything but names,
days and sequences is sealed under the case file's own key.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from node.casework.contact.model import (
    Contact,
    ContactState,
    Ground,
    Message,
    MessageState,
    OwnRequest,
    Pair,
    RequestState,
    Side,
    Statement,
)
from node.casework.files.model import FileId
from node.store.case_keys import CaseKeys, CaseShreddedError
from node.store.schema_contact import contact_messages, contact_requests, contacts


class Contacts:
    """The contacts of the node. Every method works on the connection of the caller's transaction.

    Rows of a case file that was shredded are passed over: nothing of them can be read any more.
    """

    def __init__(self, keys: CaseKeys) -> None:
        self._keys = keys

    # -- requests ---------------------------------------------------------------------------------------------------

    def add_request(self, tx: Connection, request: OwnRequest) -> None:
        told = {
            "ground": request.ground.value,
            "asked_by": request.asked_by,
            "statement": _stated(request.statement),
            "secret": _text(request.secret),
        }
        tx.execute(
            insert(contact_requests).values(
                request_id=request.request_id,
                file_id=request.file_id,
                state=request.state.value,
                asked_on=request.asked_on,
                filed_on=request.filed_on,
                sealed_content=self._seal(request.file_id, "contact_requests", request.request_id, told),
            )
        )

    def move_request(self, tx: Connection, request: OwnRequest) -> None:
        """Write state and day of a request anew."""
        tx.execute(
            update(contact_requests)
            .where(contact_requests.c.request_id == request.request_id)
            .values(state=request.state.value, filed_on=request.filed_on)
        )

    def request(self, tx: Connection, request_id: bytes) -> OwnRequest | None:
        query = select(contact_requests).where(contact_requests.c.request_id == request_id)
        return next(self._requests(tx.execute(query)), None)

    def requests_of(self, tx: Connection, file_id: FileId) -> tuple[OwnRequest, ...]:
        """Of a case file, oldest first."""
        query = select(contact_requests).where(contact_requests.c.file_id == file_id)
        return tuple(self._requests(tx.execute(query.order_by(contact_requests.c.asked_on))))

    def requests_waiting(self, tx: Connection) -> tuple[OwnRequest, ...]:
        """Those that the registry has not been handed."""
        query = select(contact_requests).where(contact_requests.c.state == RequestState.WAITING.value)
        return tuple(self._requests(tx.execute(query.order_by(contact_requests.c.request_id))))

    def _requests(self, rows: Iterable[Any]) -> Any:
        for row in rows:
            told = self._told(row.file_id, "contact_requests", row.request_id, row.sealed_content)
            if told is not None:
                yield OwnRequest(
                    row.request_id,
                    FileId(row.file_id),
                    RequestState(row.state),
                    row.asked_on,
                    row.filed_on,
                    Ground(told["ground"]),
                    told["asked_by"],
                    _statement(told["statement"]),
                    _bytes(told["secret"]),
                )

    # -- contacts ---------------------------------------------------------------------------------------------------

    def add(self, tx: Connection, contact: Contact) -> None:
        tx.execute(insert(contacts).values(contact_id=contact.contact_id, **self._values(contact)))

    def change(self, tx: Connection, contact: Contact) -> None:
        tx.execute(update(contacts).where(contacts.c.contact_id == contact.contact_id).values(**self._values(contact)))

    def load(self, tx: Connection, contact_id: bytes, *, lock: bool = False) -> Contact | None:
        query = select(contacts).where(contacts.c.contact_id == contact_id)
        return next(self._contacts(tx.execute(query.with_for_update() if lock else query)), None)

    def of_file(self, tx: Connection, file_id: FileId) -> tuple[Contact, ...]:
        """Of a case file, oldest first."""
        query = select(contacts).where(contacts.c.file_id == file_id)
        return tuple(self._contacts(tx.execute(query.order_by(contacts.c.arrived_on, contacts.c.contact_id))))

    def in_state(self, tx: Connection, *states: ContactState) -> tuple[Contact, ...]:
        query = select(contacts).where(contacts.c.state.in_([state.value for state in states]))
        return tuple(self._contacts(tx.execute(query.order_by(contacts.c.contact_id))))

    def known(self, tx: Connection, contact_id: bytes) -> bool:
        """Whether it is there, shredded or not."""
        return tx.execute(select(contacts.c.state).where(contacts.c.contact_id == contact_id)).first() is not None

    def _values(self, contact: Contact) -> dict[str, Any]:
        told = {
            "peer": contact.peer,
            "ground": contact.ground.value,
            "request_digest": _text(contact.request_digest),
            "peer_key": None if contact.peer_key is None else _text(contact.peer_key),
            "secret": None if contact.secret is None else _text(contact.secret),
            "acceptance": None if contact.acceptance is None else _stated(contact.acceptance),
            "pairs": [[pair.epoch, _text(pair.digest)] for pair in contact.pairs],
            "agreed": None if contact.agreed is None else [contact.agreed.epoch, _text(contact.agreed.digest)],
            "accepted_by": contact.accepted_by,
        }
        return {
            "file_id": contact.file_id,
            "request_id": contact.request_id,
            "side": contact.side.value,
            "state": contact.state.value,
            "arrived_on": contact.arrived_on,
            "lapses_on": contact.lapses_on,
            "sent": contact.sent,
            "received": contact.received,
            "flawed": contact.flawed,
            "sealed_content": self._seal(contact.file_id, "contacts", contact.contact_id, told),
        }

    def _contacts(self, rows: Iterable[Any]) -> Any:
        for row in rows:
            told = self._told(row.file_id, "contacts", row.contact_id, row.sealed_content)
            if told is not None:
                yield Contact(
                    contact_id=row.contact_id,
                    file_id=FileId(row.file_id),
                    side=Side(row.side),
                    state=ContactState(row.state),
                    request_id=row.request_id,
                    arrived_on=row.arrived_on,
                    lapses_on=row.lapses_on,
                    peer=told["peer"],
                    ground=Ground(told["ground"]),
                    request_digest=_bytes(told["request_digest"]),
                    peer_key=None if told["peer_key"] is None else _bytes(told["peer_key"]),
                    secret=None if told["secret"] is None else _bytes(told["secret"]),
                    acceptance=None if told["acceptance"] is None else _statement(told["acceptance"]),
                    pairs=tuple(Pair(epoch, _bytes(digest)) for epoch, digest in told["pairs"]),
                    agreed=None if told["agreed"] is None else Pair(told["agreed"][0], _bytes(told["agreed"][1])),
                    accepted_by=told["accepted_by"],
                    sent=row.sent,
                    received=row.received,
                    flawed=row.flawed,
                )

    # -- messages ---------------------------------------------------------------------------------------------------

    def add_message(self, tx: Connection, file_id: FileId, message: Message) -> None:
        told = {"text": message.text, "by": message.by, "id": _text(message.message_id)}
        tx.execute(
            insert(contact_messages).values(
                contact_id=message.contact_id,
                outgoing=message.outgoing,
                sequence=message.sequence,
                state=message.state.value,
                written_at=message.written_at,
                sealed_content=self._seal(file_id, "contact_messages", _name(message), told),
            )
        )

    def messages(self, tx: Connection, contact: Contact) -> tuple[Message, ...]:
        """Both directions, in the order in which they were written or came."""
        query = select(contact_messages).where(contact_messages.c.contact_id == contact.contact_id)
        rows = tx.execute(query.order_by(contact_messages.c.written_at, contact_messages.c.sequence))
        found = (self._message(contact.file_id, row) for row in rows)
        return tuple(message for message in found if message is not None)

    def message(self, tx: Connection, contact: Contact, sequence: int) -> Message | None:
        """One that we wrote."""
        query = select(contact_messages).where(
            contact_messages.c.contact_id == contact.contact_id,
            contact_messages.c.outgoing,
            contact_messages.c.sequence == sequence,
        )
        row = tx.execute(query).one_or_none()
        return None if row is None else self._message(contact.file_id, row)

    def waiting(self, tx: Connection, contact: Contact) -> tuple[Message, ...]:
        """What is to be sent, in order."""
        return tuple(
            sorted(
                (each for each in self.messages(tx, contact) if each.state is MessageState.WAITING),
                key=lambda each: each.sequence,
            )
        )

    def sent(self, tx: Connection, message: Message) -> None:
        """The registry has taken it."""
        tx.execute(update(contact_messages).where(*_row(message)).values(state=MessageState.SENT.value))

    def send_again(self, tx: Connection, contact: Contact, after: int) -> None:
        """What was sent after a sequence waits once more."""
        written = (contact_messages.c.contact_id == contact.contact_id) & contact_messages.c.outgoing
        tx.execute(
            update(contact_messages)
            .where(written, contact_messages.c.sequence > after)
            .values(state=MessageState.WAITING.value)
        )

    def renumber(self, tx: Connection, contact: Contact, after: int) -> None:
        """What waits is numbered anew, in its order, from the sequence after another one."""
        waiting = self.waiting(tx, contact)
        for message in waiting:
            tx.execute(delete(contact_messages).where(*_row(message)))
        for sequence, message in enumerate(waiting, after + 1):
            self.add_message(tx, contact.file_id, replace(message, sequence=sequence))
        self.change(tx, replace(contact, sent=max(contact.sent, after + len(waiting))))

    def _message(self, file_id: FileId, row: Any) -> Message | None:
        bare = Message(row.contact_id, row.outgoing, row.sequence, MessageState(row.state), row.written_at, "", "")
        told = self._told(file_id, "contact_messages", _name(bare), row.sealed_content)
        if told is None:
            return None
        return replace(bare, text=told["text"], by=told["by"], message_id=_bytes(told["id"]))

    # -- sealing ----------------------------------------------------------------------------------------------------

    def _seal(self, file_id: FileId, table: str, row: bytes, told: dict[str, Any]) -> bytes:
        return self._keys.seal(file_id, table, row, "sealed_content", msgspec.json.encode(told))

    def _told(self, file_id: bytes, table: str, row: bytes, sealed: bytes) -> dict[str, Any] | None:
        try:
            plain = self._keys.open(FileId(file_id), table, row, "sealed_content", sealed)
        except CaseShreddedError:
            return None
        told: dict[str, Any] = msgspec.json.decode(plain)
        return told


def _name(message: Message) -> bytes:
    return message.contact_id + bytes([message.outgoing]) + message.sequence.to_bytes(8, "big")


def _row(message: Message) -> tuple[ColumnElement[bool], ...]:
    return (
        contact_messages.c.contact_id == message.contact_id,
        contact_messages.c.outgoing == message.outgoing,
        contact_messages.c.sequence == message.sequence,
    )


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def _stated(statement: Statement) -> list[str]:
    return [_text(statement.content), _text(statement.signature), _text(statement.public_key)]


def _statement(parts: list[str]) -> Statement:
    return Statement(*map(_bytes, parts))
