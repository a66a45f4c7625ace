"""What the registry hands over of contacts, whom it tells, and what it forgets, on each kind of store."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from federation.errors import Code, UppropError
from federation.observability import Log
from federation.rules.contact import ANSWER_DAYS, CONTACT_DAYS, MAX_MESSAGES_A_DAY, MAX_REQUESTS, REQUEST_DAYS
from federation.rules.vocabulary import MemberId, Signal
from registry.contact.relaying import Contacts
from registry.model import ref_of
from registry.retention.purging import Retention
from registry.store import retention as store
from registry.store.contacts import Contact, Sealed, Stated
from registry.store.schema_contact import contact_messages, contact_requests, contacts
from tests.store.registry.scene import DUE, A, B, C, Scene, leaving, pupil, retracted

DAY = timedelta(days=1)
STATED, ACCEPTED = Stated(b"request", b"signature", b"key"), Stated(b"acceptance", b"signature", b"key")
SEALED = (Sealed(1, b"sealed"),)
REQUEST_ID = bytes(range(16))


@pytest.fixture
def relay(scene: Scene) -> Contacts:
    ids = itertools.count(1)
    return Contacts(scene.database, lambda: next(ids).to_bytes(16, "big"))


def linked(scene: Scene) -> tuple[Signal, Signal]:
    """A leads a case in which B is missing the pupil too; C looks for another."""
    mine = leaving(pupil("p"))
    theirs = replace(leaving(pupil("p")), presences=())
    scene.submit(A, mine)
    scene.submit(B, theirs)
    scene.submit(C, leaving(pupil("q")))
    scene.close(DUE)
    return mine, theirs


def file(relay: Contacts, member: MemberId, signal: Signal, on: date = DUE, request_id: bytes = REQUEST_ID) -> None:
    relay.file(member, signal.handle, 1, request_id, STATED, on)


def page(relay: Contacts, member: MemberId, on: date = DUE) -> list[Contact]:
    found, more = relay.page(member, b"", on)
    assert not more
    return found


def rows(scene: Scene) -> list[int]:
    tables = (contact_requests, contacts, contact_messages)

    def count(tx: sa.Connection) -> list[int]:
        return [tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables]

    return scene.database.view("test_rows", count)


def refused(code: Code = Code.REQUEST_INVALID) -> pytest.RaisesExc[UppropError]:
    return pytest.raises(UppropError, match=code.value)


def test_a_request_of_the_lead_reaches_the_other_member_alone(scene: Scene, relay: Contacts) -> None:
    mine, theirs = linked(scene)
    file(relay, A, mine)
    file(relay, A, mine)
    assert rows(scene) == [1, 1, 0]
    assert (page(relay, A), page(relay, C)) == ([], [])
    [handed] = page(relay, B)
    assert (handed.asking, handed.handle, handed.number) == (False, theirs.handle, 1)
    assert (handed.request.stated, handed.request.lapses_on) == (STATED, DUE + ANSWER_DAYS * DAY)


def test_a_member_that_comes_to_the_case_while_a_request_stands_is_handed_it_too(scene: Scene, relay: Contacts) -> None:
    mine, _ = linked(scene)
    file(relay, A, mine)
    scene.submit(C, replace(leaving(pupil("p")), presences=()))
    later = DUE + 3 * DAY
    scene.close(later)
    for _ in range(2):
        relay.hand_on(later)
    [handed] = page(relay, C, later)
    assert (handed.request.stated, handed.request.lapses_on) == (STATED, DUE + ANSWER_DAYS * DAY)
    assert rows(scene) == [1, 2, 0]
    # Whom nobody was handed because it led nothing stays as it was; so does one that has lapsed.
    relay.hand_on(DUE + (ANSWER_DAYS + 1) * DAY)
    assert rows(scene) == [1, 2, 0]


def test_whoever_does_not_lead_hands_nobody_anything_and_is_answered_alike(scene: Scene, relay: Contacts) -> None:
    _, theirs = linked(scene)
    file(relay, B, theirs)
    other = leaving(pupil("r"))
    scene.submit(C, other)
    file(relay, C, other, request_id=bytes(16))
    assert rows(scene) == [2, 0, 0]
    assert [page(relay, member) for member in (A, B, C)] == [[], [], []]


def test_what_a_request_is_refused_for_is_its_members_own_doing(scene: Scene, relay: Contacts) -> None:
    mine, theirs = linked(scene)
    with refused():  # another's handle
        file(relay, A, theirs)
    file(relay, A, mine)
    with refused():  # the same id, other content
        relay.file(A, mine.handle, 1, REQUEST_ID, replace(STATED, content=b"other"), DUE)
    with refused():  # one stands
        file(relay, A, mine, request_id=bytes(16))
    after = DUE + (ANSWER_DAYS + 1) * DAY
    file(relay, A, mine, after, bytes(16))
    for number in range(2, MAX_REQUESTS):
        relay.file(A, mine.handle, number, number.to_bytes(16, "big"), STATED, after)
    with refused(Code.QUOTA_EXCEEDED):
        relay.file(A, mine.handle, MAX_REQUESTS, b"\xfe" * 16, STATED, after)
    relay.file(A, mine.handle, MAX_REQUESTS, b"\xfe" * 16, STATED, after + (REQUEST_DAYS + 1) * DAY)


def test_silence_is_told_to_nobody_and_lapses(scene: Scene, relay: Contacts) -> None:
    mine, _ = linked(scene)
    file(relay, A, mine)
    last = DUE + ANSWER_DAYS * DAY
    [handed] = page(relay, B, last)
    assert page(relay, B, last + DAY) == []
    with refused():
        relay.accept(B, handed.contact_id, ACCEPTED, SEALED, last + DAY)
    assert page(relay, A, last + DAY) == []
    relay.accept(B, handed.contact_id, ACCEPTED, SEALED, last)
    [contact] = page(relay, A, last + DAY)
    assert (contact.asking, contact.handle, contact.acceptance, contact.greeting) == (
        True,
        mine.handle,
        ACCEPTED,
        SEALED,
    )


def named(sequence: int) -> bytes:
    """The id of a message."""
    return bytes(12) + sequence.to_bytes(4, "big")


def test_a_contact_of_others_is_answered_like_none(scene: Scene, relay: Contacts) -> None:
    mine, _ = linked(scene)
    file(relay, A, mine)
    [handed] = page(relay, B)
    known, unknown = handed.contact_id, b"\xaa" * 16
    sentences = set()
    for member in (A, C):
        # The member that asked cannot tell either whether somebody was asked.
        for contact_id in (known, unknown):
            for call in (
                lambda member=member, of=contact_id: relay.accept(member, of, ACCEPTED, SEALED, DUE),
                lambda member=member, of=contact_id: relay.send(member, of, 1, named(1), SEALED, DUE),
                lambda member=member, of=contact_id: relay.messages(member, of, 0),
                lambda member=member, of=contact_id: relay.acknowledge(member, of, 1),
            ):
                with pytest.raises(UppropError) as error:
                    call()
                sentences.add((error.value.code, error.value.sentence))
    assert len(sentences) == 1


def test_messages_go_in_order_once_and_are_gone_when_fetched(scene: Scene, relay: Contacts) -> None:
    mine, _ = linked(scene)
    file(relay, A, mine)
    [handed] = page(relay, B)
    of = handed.contact_id
    with refused():
        relay.send(B, of, 1, named(1), SEALED, DUE)
    relay.accept(B, of, ACCEPTED, SEALED, DUE)
    relay.accept(B, of, ACCEPTED, (Sealed(1, b"another"),), DUE)
    with refused():
        relay.accept(B, of, replace(ACCEPTED, content=b"other"), SEALED, DUE)
    with refused():
        relay.send(A, of, 2, named(2), SEALED, DUE)
    for sequence in (1, 1, 2, 2):
        relay.send(A, of, sequence, named(sequence), (Sealed(1, b"%d" % sequence),), DUE)
    for sequence, message_id in ((1, named(1)), (2, named(9)), (4, named(4))):
        with refused():
            relay.send(A, of, sequence, message_id, SEALED, DUE)
    assert relay.messages(B, of, 0) == ([(1, (Sealed(1, b"1"),)), (2, (Sealed(1, b"2"),))], False)
    assert relay.messages(A, of, 0) == ([], False)
    told = [(contact.newest, contact.sent, contact.has) for contact in (*page(relay, A), *page(relay, B))]
    assert told == [(0, 2, 0), (2, 0, 0)]
    relay.acknowledge(B, of, 1)
    assert [contact.has for contact in (*page(relay, A), *page(relay, B))] == [0, 1]
    assert relay.messages(B, of, 0) == ([(2, (Sealed(1, b"2"),))], False)
    # What was acknowledged does not come back by sending it again, and nobody has what was not sent.
    relay.acknowledge(B, of, 9)
    relay.send(A, of, 2, named(2), SEALED, DUE)
    assert relay.messages(B, of, 0)[0] == []
    assert [contact.has for contact in page(relay, B)] == [2]
    newest = 2 + MAX_MESSAGES_A_DAY
    for sequence in range(3, newest + 1):
        relay.send(A, of, sequence, named(sequence), SEALED, DUE)
    with refused(Code.QUOTA_EXCEEDED):
        relay.send(A, of, newest + 1, named(newest + 1), SEALED, DUE)
    relay.send(A, of, newest + 1, named(newest + 1), SEALED, DUE + DAY)


def test_what_lapsed_and_what_is_over_is_forgotten(scene: Scene, relay: Contacts) -> None:
    mine, _ = linked(scene)
    file(relay, A, mine)
    retention = Retention(
        scene.database, lambda: scene.descriptor, scene.clock, scene.metrics, Log(level="error"), lambda _seconds: None
    )

    def swept(on: date) -> list[int]:
        scene.close(on)
        retention.run()
        return rows(scene)

    last = DUE + ANSWER_DAYS * DAY
    assert swept(last) == [1, 1, 0]
    assert swept(last + DAY) == [1, 0, 0]
    file(relay, A, mine, last + DAY, b"\x07" * 16)
    [handed] = page(relay, B, last + DAY)
    relay.accept(B, handed.contact_id, ACCEPTED, SEALED, last + DAY)
    relay.send(B, handed.contact_id, 1, named(1), SEALED, last + 2 * DAY)
    # Older than what is counted against a member, and nothing came of it.
    assert swept(DUE + (2 * REQUEST_DAYS + 1) * DAY) == [1, 1, 1]
    assert swept(last + (2 + CONTACT_DAYS) * DAY) == [1, 1, 1]
    assert swept(last + (3 + CONTACT_DAYS) * DAY) == [0, 0, 0]


def test_a_contact_goes_with_the_handle_of_either_side(scene: Scene, relay: Contacts) -> None:
    mine, theirs = linked(scene)
    file(relay, A, mine)
    scene.submit(B, retracted(theirs))
    scene.submit(A, retracted(mine))
    scene.close(DUE + DAY)
    with refused():
        file(relay, A, mine, request_id=bytes(16))
    with scene.database.transaction("test_forget") as tx:
        row = next(row for row in store.handles(tx, None) if row.ref == ref_of(B, theirs.handle))
        store.forget_handles(tx, [row])
    assert rows(scene) == [1, 0, 0]
