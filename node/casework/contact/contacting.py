"""What people do about contacts: ask, accept, let be, write. The next sync carries it out.

Invariants
    - Of a pupil with protected identity nothing is asked, accepted or written, whichever side we are.
    - What was done and its journal entry are one transaction; what is sent twice by a form is done once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from federation.clock import Clock
from federation.database import Database
from node.casework.actor import Actor, sees
from node.casework.contact.binding import Binding
from node.casework.contact.model import (
    MAX_NAME_BYTES,
    MAX_TEXT_BYTES,
    Contact,
    ContactState,
    Ground,
    Message,
    MessageState,
    OwnRequest,
    Refused,
    RefusedError,
    RequestState,
    WrittenMeanwhileError,
    called,
)
from node.casework.contact.sealing import Signer, make_acceptance, make_request, new_secret
from node.casework.files.filing import MayNotError, NoSuchFileError
from node.casework.files.model import CaseFile, FileId
from node.casework.journal.model import EntryKind
from node.store import Transaction
from node.store.contacts import Contacts
from node.store.files import Files
from node.store.journal import Journal

REQUEST_ID_BYTES = MESSAGE_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Line:
    """A contact as its page shows it: with the name of the other member, its messages and the next one's sequence."""

    contact: Contact
    peer_name: str
    answerable: bool
    messages: tuple[Message, ...]

    @property
    def next_sequence(self) -> int:
        return self.contact.sent + 1

    @property
    def writable(self) -> bool:
        return self.contact.state is ContactState.OPEN


@dataclass(frozen=True, slots=True)
class Standing:
    """All that stands of contact in one case file. `refused`: why none can be asked for now; None: it can."""

    requests: tuple[tuple[OwnRequest, str], ...]
    """Each with WAITING, STANDS, ANSWERED, NO_ANSWER or REFUSED."""
    contacts: tuple[Line, ...]
    refused: Refused | None
    protected: bool


class Contacting:
    """The contacts of one node. `name_of` gives the name of a member; `lists` whether the federation has it."""

    def __init__(
        self,
        database: Database,
        contacts: Contacts,
        files: Files,
        journal: Journal,
        binding: Binding,
        signer: Signer,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        name_of: Callable[[str], str],
    ) -> None:
        self._database, self._contacts, self._files, self._journal = database, contacts, files, journal
        self._binding, self._signer, self._clock = binding, signer, clock
        self._random_bytes, self._name_of = random_bytes, name_of

    # -- seeing -----------------------------------------------------------------------------------------------------

    def standing(self, tx: Transaction, file: CaseFile) -> Standing:
        """What stands of a case file that the asker may see."""
        today = self._clock.today()
        found = self._contacts.of_file(tx, file.file_id)
        requests = self._contacts.requests_of(tx, file.file_id)
        answered = {contact.request_id for contact in found if contact.state is ContactState.OPEN}
        protected = self._binding.protected(tx, file)
        refused = self._binding.why_not_ask(tx, file)
        if refused is None and any(each.stands(today) for each in requests):
            refused = Refused.STANDS
        lines = tuple(
            Line(
                contact,
                self._name_of(contact.peer),
                contact.answerable(today) and not protected,
                self._contacts.messages(tx, contact),
            )
            for contact in found
        )
        return Standing(tuple((each, _state(each, today, answered)) for each in requests), lines, refused, protected)

    def lines(self, tx: Transaction, actor: Actor) -> tuple[tuple[CaseFile, Line], ...]:
        """The contacts of all case files that a person may see: what waits for an answer first, by its last day."""
        today, found = self._clock.today(), []
        for contact in self._contacts.in_state(tx, ContactState.RECEIVED, ContactState.ACCEPTING, ContactState.OPEN):
            file = self._files.load(tx, contact.file_id)
            lapsed = contact.state is ContactState.RECEIVED and not contact.answerable(today)
            if file is None or not sees(actor, protected=file.protected) or lapsed:
                continue
            answerable = contact.answerable(today) and not self._binding.protected(tx, file)
            messages = self._contacts.messages(tx, contact)
            found.append((file, Line(contact, self._name_of(contact.peer), answerable, messages)))
        return tuple(sorted(found, key=lambda each: (not each[1].answerable, each[1].contact.lapses_on)))

    def waiting(self, tx: Transaction, file_id: FileId) -> int:
        """How many requests of others wait for an answer in a case file."""
        today = self._clock.today()
        return sum(contact.answerable(today) for contact in self._contacts.of_file(tx, file_id))

    # -- doing ------------------------------------------------------------------------------------------------------

    def ask(self, file_id: FileId, ground: Ground, actor: Actor) -> None:
        """Ask the other members of the case for contact. Raises RefusedError, NoSuchFileError, MayNotError."""
        today, request_id, secret = self._clock.today(), self._random_bytes(REQUEST_ID_BYTES), new_secret()
        statement = make_request(self._signer, request_id, secret, ground, today)

        def work(tx: Transaction) -> None:
            file = self._file(tx, file_id, actor)
            refused = self._binding.why_not_ask(tx, file)
            if refused is not None:
                raise RefusedError(refused)
            if any(each.stands(today) for each in self._contacts.requests_of(tx, file_id)):
                raise RefusedError(Refused.STANDS)
            request = OwnRequest(
                request_id, file_id, RequestState.WAITING, today, None, ground, actor.name, statement, secret
            )
            self._contacts.add_request(tx, request)
            self._note(tx, file_id, actor, {"event": "asked", "ground": ground.value})

        self._database.run("contact_ask", work)

    def accept(self, file_id: FileId, contact_id: bytes, actor: Actor) -> None:
        """Accept another member's request: both are named to each other. Raises as `ask`."""
        self._database.run("contact_accept", functools.partial(self._accept, file_id, contact_id, actor, new_secret()))

    def _accept(self, file_id: FileId, contact_id: bytes, actor: Actor, secret: bytes, tx: Transaction) -> None:
        today = self._clock.today()
        contact = self._contact(tx, file_id, contact_id, actor)
        if contact.state in (ContactState.ACCEPTING, ContactState.OPEN):
            return
        if not contact.answerable(today):
            raise RefusedError(Refused.LAPSED)
        acceptance = make_acceptance(self._signer, contact.peer, contact.request_digest, secret, today)
        name = actor.name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
        accepted = replace(
            contact, state=ContactState.ACCEPTING, secret=secret, acceptance=acceptance, accepted_by=name
        )
        self._contacts.change(tx, accepted)
        self._note(tx, file_id, actor, {"event": "accepted", "member": called(contact.peer, self._name_of)})

    def decline(self, file_id: FileId, contact_id: bytes, actor: Actor) -> None:
        """Leave a request unanswered: nothing is sent. Raises as `ask`."""

        def work(tx: Transaction) -> None:
            contact = self._contact(tx, file_id, contact_id, actor)
            if contact.state is ContactState.DECLINED:
                return
            if contact.state is not ContactState.RECEIVED:
                raise RefusedError(Refused.LAPSED)
            self._contacts.change(tx, replace(contact, state=ContactState.DECLINED))
            self._note(tx, file_id, actor, {"event": "declined", "member": called(contact.peer, self._name_of)})

        self._database.run("contact_decline", work)

    def write(self, file_id: FileId, contact_id: bytes, sequence: int, text: str, actor: Actor) -> None:
        """Write the next message, `sequence` being the one that the page showed.

        Raises RefusedError, WrittenMeanwhileError, NoSuchFileError, MayNotError.
        """
        text = text.strip()
        if not text:
            raise RefusedError(Refused.TEXT_MISSING)
        if len(text.encode()) > MAX_TEXT_BYTES:
            raise RefusedError(Refused.TEXT_LONG)
        name = actor.name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
        message_id = self._random_bytes(MESSAGE_ID_BYTES)

        def work(tx: Transaction) -> None:
            contact = self._contact(tx, file_id, contact_id, actor)
            if contact.state is not ContactState.OPEN:
                raise RefusedError(Refused.NOT_OPEN)
            written = self._contacts.message(tx, contact, sequence)
            if written is not None and (written.text, written.by) == (text, name):
                return
            if sequence != contact.sent + 1:
                raise WrittenMeanwhileError
            now = self._clock.now()
            message = Message(contact_id, True, sequence, MessageState.WAITING, now, text, name, message_id)
            self._contacts.add_message(tx, file_id, message)
            self._contacts.change(tx, replace(contact, sent=sequence))
            body = {
                "direction": "out",
                "member": called(contact.peer, self._name_of),
                "sequence": sequence,
                "text": text,
            }
            self._journal.append(tx, file_id, actor, EntryKind.MESSAGE, body, now)

        self._database.run("contact_write", work)

    # -- parts ------------------------------------------------------------------------------------------------------

    def _file(self, tx: Transaction, file_id: FileId, actor: Actor) -> CaseFile:
        file = self._files.load(tx, file_id, lock=True)
        if file is None or not sees(actor, protected=file.protected):
            raise NoSuchFileError
        if not actor.works_cases:
            raise MayNotError
        return file

    def _contact(self, tx: Transaction, file_id: FileId, contact_id: bytes, actor: Actor) -> Contact:
        file = self._file(tx, file_id, actor)
        contact = self._contacts.load(tx, contact_id, lock=True)
        if contact is None or contact.file_id != file_id:
            raise NoSuchFileError
        if self._binding.protected(tx, file):
            raise RefusedError(Refused.PROTECTED)
        return contact

    def _note(self, tx: Transaction, file_id: FileId, actor: Actor, body: dict[str, str]) -> None:
        self._journal.append(tx, file_id, actor, EntryKind.CONTACT, body, self._clock.now())


def _state(request: OwnRequest, today: date, answered: Sequence[bytes] | set[bytes]) -> str:
    if request.request_id in answered:
        return "ANSWERED"
    if request.state is not RequestState.FILED:
        return request.state.value
    return "STANDS" if request.stands(today) else "NO_ANSWER"
