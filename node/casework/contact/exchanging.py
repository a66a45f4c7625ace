"""One step of the node's sync: what was asked, accepted and written goes out; what others sent comes in.

    file requests → send acceptances → list contacts → take them → fetch messages → send messages

Invariants
    - Whatever does not verify is not taken and names nobody: it is noted once in the journal, and the sync says so.
    - A message is kept with its journal entry before the registry is told that it may go; it is taken in its sequence
      alone, so that one that is sent twice, left out or moved is seen.
    - Where the registry was set back to a copy it is sent again what it lost; where this store was, what it lacks is
      noted, and what waits goes out under numbers that were not used.
    - Of a pupil with protected identity nothing goes out and no acceptance is taken: it reads as no answer.
    - There is one list of contacts in every sync that sends, whether or not there are any.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.rules.contact import lapses_on
from node.casework.actor import SYSTEM
from node.casework.contact.binding import Binding
from node.casework.contact.model import (
    Contact,
    ContactState,
    Message,
    MessageState,
    OwnRequest,
    Pair,
    RequestState,
    Side,
    called,
)
from node.casework.contact.relayed import ContactLink, Listed, Relayed
from node.casework.contact.sealing import (
    ForgedError,
    Payload,
    Place,
    Signer,
    open_sealed,
    read_acceptance,
    read_request,
    seal,
)
from node.casework.files.model import CaseFile, GapName
from node.casework.journal.model import EntryKind
from node.store import Transaction
from node.store.contacts import Contacts
from node.store.files import Files
from node.store.journal import Journal

FORGED = (
    "Something that the registry handed over as another member's contact is not what that member signed, or is not for "
    "this case: nothing of it was taken. Tell the registry's operator."
)
BEHIND = (
    "The registry has carried more messages of a contact than this store knows: the store is an older copy. What is "
    "missing is noted in the journal of the case file; the other side can say it again."
)
_FINAL = frozenset({Code.REQUEST_INVALID})
"""Said again, it would be refused again."""


OnNews = Callable[[Transaction, CaseFile, str], None]
"""Called in the transaction in which something of another member came: case file, and what makes it the same news."""


class Exchange:
    """The node's part in carrying contacts."""

    def __init__(
        self,
        database: Database,
        contacts: Contacts,
        files: Files,
        journal: Journal,
        binding: Binding,
        signer: Signer,
        clock: Clock,
        on_news: OnNews = lambda _tx, _file, _key: None,
        name_of: Callable[[str], str] = str,
    ) -> None:
        self._on_news, self._name_of = on_news, name_of
        self._database, self._contacts, self._files, self._journal = database, contacts, files, journal
        self._binding, self._signer, self._clock = binding, signer, clock

    def run(self, descriptor: Descriptor, link: ContactLink) -> tuple[str, ...]:
        """Carry all there is; returns what went wrong, in plain sentences. Raises UppropError where no call works."""
        listed = _listed_keys(descriptor)
        problems: list[str] = []
        try:
            self._file_requests(link, problems)
            self._send_acceptances(link, problems)
            known = {each.contact_id: each for each in link.list_all()}
            for each in known.values():
                if self._take(each, listed):
                    problems.append(FORGED)
                if self._database.run("contact_agree", functools.partial(self._agree, each)):
                    problems.append(BEHIND)
            self._fetch(link, known, listed, problems)
            self._send(link, known, problems)
        except UppropError as error:
            if error.code is not Code.NOT_SUPPORTED:
                raise
            # A registry of an earlier version: what waits goes out once it is brought up.
        return tuple(dict.fromkeys(problems))

    # -- going out --------------------------------------------------------------------------------------------------

    def _file_requests(self, link: ContactLink, problems: list[str]) -> None:
        for request, gap in self._database.view("contact_requests_waiting", self._requests_waiting):
            try:
                link.file(gap.handle, gap.number, request.request_id, request.statement)
                moved = replace(request, state=RequestState.FILED, filed_on=self._clock.today())
            except UppropError as error:
                if error.code is Code.QUOTA_EXCEEDED:
                    problems.append(error.sentence)
                    continue
                if error.code not in _FINAL:
                    raise
                problems.append(error.sentence)
                moved = replace(request, state=RequestState.REFUSED)
            self._database.run("contact_request_filed", functools.partial(self._contacts.move_request, request=moved))

    def _requests_waiting(self, tx: Transaction) -> list[tuple[OwnRequest, GapName]]:
        found = []
        for request in self._contacts.requests_waiting(tx):
            file = self._files.load(tx, request.file_id)
            if file is not None and file.gap is not None and not self._binding.protected(tx, file):
                found.append((request, file.gap))
        return found

    def _send_acceptances(self, link: ContactLink, problems: list[str]) -> None:
        for contact, pairs in self._database.view("contact_acceptances", self._accepting):
            assert contact.acceptance is not None
            assert contact.peer_key is not None
            greeting = seal(
                self._signer, self._place(contact, Side.ASKED, 0), pairs, contact.peer_key, "", contact.accepted_by
            )
            try:
                link.accept(contact.contact_id, contact.acceptance, greeting)
                moved = replace(contact, state=ContactState.OPEN, pairs=_joined(contact.pairs, pairs))
            except UppropError as error:
                if error.code not in _FINAL:
                    raise
                problems.append(error.sentence)
                moved = replace(contact, state=ContactState.LAPSED)
            self._database.run("contact_accepted", functools.partial(self._contacts.change, contact=moved))

    def _accepting(self, tx: Transaction) -> list[tuple[Contact, tuple[Pair, ...]]]:
        return [
            (contact, pairs)
            for contact in self._contacts.in_state(tx, ContactState.ACCEPTING)
            if (pairs := self._sendable(tx, contact))
        ]

    def _sendable(self, tx: Transaction, contact: Contact) -> tuple[Pair, ...]:
        """What a message to the other side is sealed under; empty where none may go out."""
        file = self._files.load(tx, contact.file_id)
        if file is None or file.gap is None or self._binding.protected(tx, file):
            return ()
        if contact.agreed is not None:
            return (contact.agreed,)
        return self._binding.pairs(tx, file.gap) or contact.pairs

    def _send(self, link: ContactLink, known: Mapping[bytes, Listed], problems: list[str]) -> None:
        for contact, pairs, messages in self._database.view("contact_to_send", self._to_send):
            assert contact.peer_key is not None
            taken = known[contact.contact_id].sent if contact.contact_id in known else 0
            for message in messages:
                place = self._place(contact, contact.side, message.sequence)
                sealed = seal(self._signer, place, pairs, contact.peer_key, message.text, message.by)
                try:
                    link.send(contact.contact_id, message.sequence, message.message_id, sealed)
                except UppropError as error:
                    if error.code not in (*_FINAL, Code.QUOTA_EXCEEDED):
                        raise
                    if error.code in _FINAL and message.sequence <= taken:
                        # Sent by this node before its store was set back, and another one since.
                        problems.append(BEHIND)
                        self._database.run("contact_renumber", functools.partial(self._renumber, contact, taken))
                    else:
                        problems.append(error.sentence)
                    break
                self._database.run("contact_sent", functools.partial(self._contacts.sent, message=message))

    def _to_send(self, tx: Transaction) -> list[tuple[Contact, tuple[Pair, ...], tuple[Message, ...]]]:
        return [
            (contact, pairs, waiting)
            for contact in self._contacts.in_state(tx, ContactState.OPEN)
            if (waiting := self._contacts.waiting(tx, contact)) and (pairs := self._sendable(tx, contact))
        ]

    # -- coming in --------------------------------------------------------------------------------------------------

    def _take(self, each: Listed, listed: Callable[[str], str | None]) -> bool:
        """Whether it was not what its sender signed."""
        return self._database.run(
            "contact_take",
            functools.partial(self._take_asked if each.side is Side.ASKED else self._take_answer, each, listed),
        )

    def _take_asked(self, each: Listed, listed: Callable[[str], str | None], tx: Transaction) -> bool:
        """Another member asks."""
        file = self._files.of_gap(tx, GapName(each.handle, each.number))
        if file is None or file.shredded_on is not None or self._contacts.known(tx, each.contact_id):
            # Of a gap without a case file yet: it is listed again.
            return False
        today = self._clock.today()
        try:
            content, key = read_request(each.request, each.request_id, today, listed)
        except ForgedError:
            return True
        if content.member == self._signer.member:
            return True
        if any(known.request_id == each.request_id for known in self._contacts.of_file(tx, file.file_id)):
            # Handed over a second time under another name.
            return True
        contact = Contact(
            contact_id=each.contact_id,
            file_id=file.file_id,
            side=Side.ASKED,
            state=ContactState.RECEIVED,
            request_id=each.request_id,
            arrived_on=today,
            lapses_on=min(each.lapses_on, lapses_on(today)),
            peer=content.member,
            ground=content.ground,
            request_digest=hashlib.sha256(each.request.content).digest(),
            peer_key=key,
        )
        self._contacts.add(tx, contact)
        self._note(tx, contact, {"event": "received", "ground": content.ground.value})
        self._on_news(tx, file, contact.contact_id.hex())
        return False

    def _take_answer(self, each: Listed, listed: Callable[[str], str | None], tx: Transaction) -> bool:
        """A member that we asked has accepted."""
        request = self._contacts.request(tx, each.request_id)
        if request is None or each.acceptance is None or self._contacts.known(tx, each.contact_id):
            return False
        file = self._files.load(tx, request.file_id)
        if file is None or file.gap is None or self._binding.protected(tx, file):
            return False
        own = self._signer.member
        try:
            content, key = read_acceptance(each.acceptance, request.statement.content, own, listed)
            contact = Contact(
                contact_id=each.contact_id,
                file_id=file.file_id,
                side=Side.ASKING,
                state=ContactState.OPEN,
                request_id=each.request_id,
                arrived_on=self._clock.today(),
                lapses_on=each.lapses_on,
                peer=content.member,
                ground=request.ground,
                request_digest=hashlib.sha256(request.statement.content).digest(),
                peer_key=key,
                secret=request.secret,
            )
            pairs = self._binding.pairs(tx, file.gap)
            place = self._place(contact, Side.ASKED, 0)
            payload, agreed = open_sealed(request.secret, place, each.greeting, pairs, content.member, listed)
        except ForgedError:
            return True
        if any(known.peer == content.member for known in self._of_request(tx, request)):
            return True
        contact = replace(contact, pairs=pairs, agreed=agreed, accepted_by=payload.by)
        self._contacts.add(tx, contact)
        self._note(tx, contact, {"event": "answered", "by": payload.by})
        self._on_news(tx, file, contact.contact_id.hex())
        return False

    def _agree(self, each: Listed, tx: Transaction) -> bool:
        """Come to terms with what the registry has carried; returns whether this store lacks some of it."""
        contact = self._contacts.load(tx, each.contact_id, lock=True)
        if contact is None or contact.state is not ContactState.OPEN:
            return False
        self._contacts.send_again(tx, contact, each.sent)
        if each.acknowledged > contact.received:
            self._note(tx, contact, {"event": "behind", "sequence": str(each.acknowledged)})
            contact = replace(contact, received=each.acknowledged, flawed=None)
            self._contacts.change(tx, contact)
        elif each.sent <= contact.sent:
            return False
        if each.sent > contact.sent:
            self._renumber(contact, each.sent, tx)
        return True

    def _renumber(self, contact: Contact, after: int, tx: Transaction) -> None:
        self._contacts.renumber(tx, contact, after)
        self._note(tx, contact, {"event": "renumbered", "sequence": str(after)})

    def _of_request(self, tx: Transaction, request: OwnRequest) -> list[Contact]:
        return [each for each in self._contacts.of_file(tx, request.file_id) if each.request_id == request.request_id]

    def _fetch(
        self,
        link: ContactLink,
        known: Mapping[bytes, Listed],
        listed: Callable[[str], str | None],
        problems: list[str],
    ) -> None:
        for contact in self._database.view("contacts_open", lambda tx: self._contacts.in_state(tx, ContactState.OPEN)):
            received, each = contact.received, known.get(contact.contact_id)
            more = each is not None and each.newest > received
            while more:
                page, more = link.messages(contact.contact_id, received)
                before = received
                for message in page:
                    took = functools.partial(self._take_message, contact.contact_id, message, listed)
                    if not self._database.run("contact_message_take", took):
                        problems.append(FORGED)
                        more = False
                        break
                    received = message.sequence
                if received > before:
                    link.acknowledge(contact.contact_id, received)
                more = more and received > before

    def _take_message(
        self, contact_id: bytes, message: Relayed, listed: Callable[[str], str | None], tx: Transaction
    ) -> bool:
        contact = self._contacts.load(tx, contact_id, lock=True)
        if contact is None:
            return False
        if message.sequence <= contact.received:
            return True
        expected = contact.received + 1
        try:
            payload, pair = self._opened(tx, contact, expected, message, listed)
        except ForgedError:
            if contact.flawed != expected:
                self._contacts.change(tx, replace(contact, flawed=expected))
                self._note(tx, contact, {"event": "forged", "sequence": str(expected)})
            return False
        now = self._clock.now()
        kept = Message(contact_id, False, expected, MessageState.RECEIVED, now, payload.text, payload.by)
        self._contacts.add_message(tx, contact.file_id, kept)
        self._contacts.change(
            tx, replace(contact, received=expected, flawed=None, agreed=pair, pairs=_joined(contact.pairs, (pair,)))
        )
        member = called(contact.peer, self._name_of)
        body = {"direction": "in", "member": member, "sequence": expected, "by": payload.by, "text": payload.text}
        self._journal.append(tx, contact.file_id, SYSTEM, EntryKind.MESSAGE, body, now)
        file = self._files.load(tx, contact.file_id)
        if file is not None:
            # Once a day: whoever looks sees all that was written.
            self._on_news(tx, file, f"{contact.contact_id.hex()}:{self._clock.today()}")
        return True

    def _opened(
        self, tx: Transaction, contact: Contact, expected: int, message: Relayed, listed: Callable[[str], str | None]
    ) -> tuple[Payload, Pair]:
        # One that was moved does not open here; one after a gap is not even tried.
        if contact.secret is None or message.sequence != expected:
            raise ForgedError
        sender = Side.ASKED if contact.side is Side.ASKING else Side.ASKING
        file: CaseFile | None = self._files.load(tx, contact.file_id)
        current = self._binding.pairs(tx, file.gap) if file is not None and file.gap is not None else ()
        place = self._place(contact, sender, message.sequence)
        return open_sealed(contact.secret, place, message.parts, _joined(contact.pairs, current), contact.peer, listed)

    # -- parts ------------------------------------------------------------------------------------------------------

    def _place(self, contact: Contact, sender: Side, sequence: int) -> Place:
        own = self._signer.member
        asking, asked = (own, contact.peer) if contact.side is Side.ASKING else (contact.peer, own)
        return Place(asking, asked, contact.contact_id, sender, sequence)

    def _note(self, tx: Transaction, contact: Contact, body: dict[str, str]) -> None:
        told = {**body, "member": called(contact.peer, self._name_of)}
        self._journal.append(tx, contact.file_id, SYSTEM, EntryKind.CONTACT, told, self._clock.now())


def _joined(some: tuple[Pair, ...], others: tuple[Pair, ...]) -> tuple[Pair, ...]:
    return tuple(dict.fromkeys((*some, *others)))


def _listed_keys(descriptor: Descriptor) -> Callable[[str], str | None]:
    def listed(member: str) -> str | None:
        return descriptor.member(member).key_sha256 if descriptor.has_member(member) else None

    return listed
