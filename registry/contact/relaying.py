"""Takes requests, acceptances and messages, and hands them to the other side.

Invariants
    - Filing a request tells nothing of others: it is answered the same whether anybody was handed it, and what it is
      refused for is its member's own doing.
    - The member that asked is told of a contact once it was accepted, and of nothing else: who refuses, who may not
      answer and who never saw the request look alike, and alike for the same time.
    - A contact that is not the caller's is answered like one that there is not.
    - What is carried is neither read nor changed here: sender and reader hold it against each other's listed keys.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.contact import MAX_MESSAGES_A_DAY, MAX_REQUESTS, REQUEST_DAYS, lapses_on
from federation.rules.vocabulary import Handle, MemberId
from registry.model import ref_of
from registry.store import Transaction, contacts
from registry.store.contacts import Contact, Held, Request, Sealed, Stated

PAGE = 100
MESSAGES_PAGE = 50
"""Of 5 KiB each, up to four times: below what one call may carry."""
MAX_LYING = 500
"""Messages that the other side has not fetched."""

CONTACT_ID_BYTES = 16

HAND_ON_SECONDS = 3_600.0

_NO_SUCH_CONTACT = "There is no such contact, or it has lapsed. Ask for the list of contacts."


class Contacts:
    """The registry's side of contacts. `new_id` gives 16 random bytes, the system's."""

    def __init__(self, database: Database, new_id: Callable[[], bytes]) -> None:
        self._database, self._new_id = database, new_id

    def file(
        self, member: MemberId, handle: Handle, number: int, request_id: bytes, stated: Stated, today: date
    ) -> None:
        """Hand a request to the other members of the case that this gap leads; to nobody where it leads none.

        Raises UppropError: QUOTA_EXCEEDED, REQUEST_INVALID.
        """
        filed = Request(member, request_id, ref_of(member, handle), number, stated, today, lapses_on(today))
        self._database.run("contact_file", functools.partial(self._file, filed))

    def _file(self, filed: Request, tx: Transaction) -> None:
        known = contacts.request(tx, filed.member, filed.request_id)
        if known is not None:
            if (known.ref, known.number, known.stated.content) != (filed.ref, filed.number, filed.stated.content):
                raise UppropError(Code.REQUEST_INVALID, "Another request was filed under this id. Choose a new one.")
            return
        if not contacts.owns(tx, filed.member, filed.ref):
            raise UppropError(Code.REQUEST_INVALID, "A request is about a gap of one's own. This handle is not known.")
        if contacts.filed_since(tx, filed.member, filed.filed_on - timedelta(days=REQUEST_DAYS)) >= MAX_REQUESTS:
            raise UppropError(
                Code.QUOTA_EXCEEDED,
                f"A member files at most {MAX_REQUESTS} requests for contact in {REQUEST_DAYS} days. File it later.",
            )
        if contacts.standing(tx, filed.ref, filed.number, filed.filed_on):
            raise UppropError(
                Code.REQUEST_INVALID, "A request about this gap stands already. Wait until it is answered or lapses."
            )
        others = contacts.others(tx, filed.ref, filed.number)
        contacts.add(tx, filed, [(self._new_id(), *each) for each in others])

    def hand_on(self, today: date) -> None:
        """Hand requests that stand to members whose gaps were linked with theirs since; once is enough."""
        after: tuple[str, bytes] | None = ("", b"")
        while after is not None:
            after = self._database.run("contact_hand_on", functools.partial(self._hand_on, today, after))

    def _hand_on(self, today: date, after: tuple[str, bytes], tx: Transaction) -> tuple[str, bytes] | None:
        found = contacts.handed_and_standing(tx, after, PAGE, today)
        for filed, handed in found:
            others = [each for each in contacts.others(tx, filed.ref, filed.number) if each[0] not in handed]
            contacts.hand(tx, filed, [(self._new_id(), *each) for each in others], today)
        return (found[-1][0].member, found[-1][0].request_id) if len(found) == PAGE else None

    def page(self, member: MemberId, after: bytes, today: date) -> tuple[list[Contact], bool]:
        """The next contacts that a member may know of, and whether there are more."""
        return self._database.view("contact_page", lambda tx: contacts.page(tx, member, after, PAGE, today))

    def accept(
        self, member: MemberId, contact_id: bytes, stated: Stated, greeting: Sequence[Sealed], today: date
    ) -> None:
        """The member that was asked accepts. Said again it changes nothing. Raises UppropError(REQUEST_INVALID)."""

        def work(tx: Transaction) -> None:
            held = contacts.held(tx, member, contact_id, lock=True)
            if held is None or held.asked != member:
                raise UppropError(Code.REQUEST_INVALID, _NO_SUCH_CONTACT)
            if held.acceptance is None and held.lapses_on >= today:
                contacts.accept(tx, contact_id, stated, greeting, today)
            elif held.acceptance != stated.content:
                raise UppropError(Code.REQUEST_INVALID, _NO_SUCH_CONTACT)

        self._database.run("contact_accept", work)

    def send(
        self,
        member: MemberId,
        contact_id: bytes,
        sequence: int,
        message_id: bytes,
        sealed: Sequence[Sealed],
        today: date,
    ) -> None:
        """Take the next message of one side; the newest once more changes nothing.

        Raises UppropError: REQUEST_INVALID, QUOTA_EXCEEDED.
        """

        def work(tx: Transaction) -> None:
            held = self._accepted(tx, member, contact_id, lock=True)
            if (sequence, message_id) == (held.sent, held.last):
                return
            if sequence != held.sent + 1:
                raise UppropError(
                    Code.REQUEST_INVALID,
                    "Messages are numbered without gaps, and each number is used once. Send the next one.",
                )
            by_asking = member == held.asking
            if (
                contacts.sent_on(tx, contact_id, today, by_asking=by_asking) >= MAX_MESSAGES_A_DAY
                or contacts.lying(tx, contact_id, by_asking=by_asking) >= MAX_LYING
            ):
                raise UppropError(
                    Code.QUOTA_EXCEEDED,
                    f"A side sends at most {MAX_MESSAGES_A_DAY} messages a day, and no more than {MAX_LYING} that the "
                    "other side has not fetched. Send it later.",
                )
            contacts.send(tx, contact_id, sequence, message_id, sealed, today, by_asking=by_asking)

        self._database.run("contact_send", work)

    def messages(
        self, member: MemberId, contact_id: bytes, after: int
    ) -> tuple[list[tuple[int, tuple[Sealed, ...]]], bool]:
        """The other side's next messages, and whether there are more. Raises UppropError(REQUEST_INVALID)."""

        def work(tx: Transaction) -> tuple[list[tuple[int, tuple[Sealed, ...]]], bool]:
            held = self._accepted(tx, member, contact_id)
            return contacts.messages(tx, contact_id, after, MESSAGES_PAGE, by_asking=member != held.asking)

        return self._database.view("contact_messages", work)

    def acknowledge(self, member: MemberId, contact_id: bytes, through: int) -> None:
        """The member has the other side's messages up to a sequence. Raises UppropError(REQUEST_INVALID)."""

        def work(tx: Transaction) -> None:
            held = self._accepted(tx, member, contact_id, lock=True)
            contacts.acknowledge(tx, contact_id, min(through, held.others_sent), by_asking=member != held.asking)

        self._database.run("contact_ack", work)

    @staticmethod
    def _accepted(tx: Transaction, member: MemberId, contact_id: bytes, *, lock: bool = False) -> Held:
        held = contacts.held(tx, member, contact_id, lock=lock)
        if held is None or held.acceptance is None:
            raise UppropError(Code.REQUEST_INVALID, _NO_SUCH_CONTACT)
        return held
