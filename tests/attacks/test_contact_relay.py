"""A registry that carries contacts and cheats: forges, swaps keys, replays, reorders, drops, moves to another pupil.

What it gets: it can keep anything back, and see who writes to whom, when and how often. What it does not get: no
content; nothing of its making is taken, and each attempt is told in the sync and, of messages, in the journal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from federation.rules.vocabulary import Handle
from node.casework.contact.exchanging import FORGED
from node.casework.contact.model import Ground, SealedPart, Side, Statement
from node.casework.contact.relayed import ContactLink, Listed, Relayed
from node.casework.contact.sealing import Place, Signer, make_acceptance, make_request, new_secret, public_of, seal
from tests.integration.contact_parties import (
    DUE,
    LEAD,
    OTHER,
    THIRD,
    accept,
    ask,
    connected,
    file_of,
    journal,
    linked,
    standing,
    texts,
    write,
)
from tests.integration.node_parties import Federation, Node
from tests.integration.played import Played

Change = Callable[[tuple[Listed, ...]], tuple[Listed, ...]]
Messages = Callable[[tuple[Relayed, ...]], tuple[Relayed, ...]]


class Cheating:
    """The registry's relay with what it hands over changed on the way."""

    def __init__(
        self, node: Node, contacts: Change = lambda all_: all_, messages: Messages = lambda all_: all_
    ) -> None:
        self._link: ContactLink = node.app.uplink.contacts()
        self._contacts, self._messages = contacts, messages

    def file(self, handle: Handle, number: int, request_id: bytes, statement: Statement) -> None:
        self._link.file(handle, number, request_id, statement)

    def list_all(self) -> tuple[Listed, ...]:
        return self._contacts(self._link.list_all())

    def accept(self, contact_id: bytes, acceptance: Statement, greeting: Sequence[SealedPart]) -> None:
        self._link.accept(contact_id, acceptance, greeting)

    def send(self, contact_id: bytes, sequence: int, message_id: bytes, sealed: Sequence[SealedPart]) -> None:
        self._link.send(contact_id, sequence, message_id, sealed)

    def messages(self, contact_id: bytes, after: int) -> tuple[tuple[Relayed, ...], bool]:
        found, more = self._link.messages(contact_id, after)
        return self._messages(found), more

    def acknowledge(self, contact_id: bytes, through: int) -> None:
        self._link.acknowledge(contact_id, through)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("linked"), linked)


@pytest.fixture
def federation(played: Played) -> Iterator[Federation]:
    with played.anew() as parties:
        yield parties


def exchange(node: Node, link: Cheating) -> tuple[str, ...]:
    pipeline = node.app.pipeline
    return pipeline._exchange.run(pipeline._descriptors.current(), link)


def own_signer(node: Node) -> Signer:
    return node.app.pipeline._exchange._signer


def each(change: Callable[[Listed], Listed]) -> Change:
    return lambda found: tuple(map(change, found))


def test_no_request_of_the_registrys_making_is_shown(federation: Federation) -> None:
    lead, other, third = (federation.nodes[member] for member in (LEAD, OTHER, THIRD))
    ask(lead)
    lead.sync()
    mine = new_secret()

    def swapped_key(listed: Listed) -> Listed:
        # What a third member signed is no request of the lead; nor is one in the lead's name by another key.
        forged = make_request(
            replace(own_signer(third), member=LEAD), listed.request_id, mine, Ground.CHILD_AT_RISK, DUE
        )
        return replace(listed, request=forged)

    def swapped_content(listed: Listed) -> Listed:
        content = listed.request.content.replace(b"SCHOOL_ATTENDANCE", b"CHILD_AT_RISK")
        return replace(listed, request=replace(listed.request, content=content))

    def other_id(listed: Listed) -> Listed:
        return replace(listed, request_id=b"\x09" * 16)

    for forge in (swapped_key, swapped_content, other_id):
        assert exchange(other, Cheating(other, each(forge))) == (FORGED,)
        assert standing(other).contacts == ()
    # The true one, twice under two names: shown once.
    twice = Cheating(other, lambda found: (*found, *(replace(one, contact_id=b"\x01" * 16) for one in found)))
    assert exchange(other, twice) == (FORGED,)
    assert len(standing(other).contacts) == 1
    # Handed to the member that asked itself.
    own = Cheating(lead, lambda _found: tuple(_as_asked(one, lead) for one in other.app.uplink.contacts().list_all()))
    assert exchange(lead, own) == (FORGED,)
    assert standing(lead).contacts == ()


def _as_asked(listed: Listed, node: Node) -> Listed:
    gap = file_of(node).gap
    assert gap is not None
    return replace(listed, side=Side.ASKED, handle=gap.handle, number=gap.number)


def test_no_acceptance_of_the_registrys_making_names_anybody(federation: Federation) -> None:
    lead, other, third = (federation.nodes[member] for member in (LEAD, OTHER, THIRD))
    ask(lead)
    lead.sync()
    other.sync()
    accept(other)
    other.sync()
    secret = new_secret()

    def swapped_keys(listed: Listed) -> Listed:
        """Its own key in the acceptance, so that it could read: signed by nobody that is listed."""
        [(request, _)] = standing(lead).requests
        digest = hashlib.sha256(request.statement.content).digest()
        forger = replace(own_signer(third), member=OTHER)
        return replace(listed, acceptance=make_acceptance(forger, LEAD, digest, secret, DUE))

    def by_a_colluding_member(listed: Listed) -> Listed:
        """A member that has nothing to do with the pupil accepts in its own name: it lacks the pseudonym."""
        [(request, _)] = standing(lead).requests
        digest = hashlib.sha256(request.statement.content).digest()
        signer = own_signer(third)
        key = public_of(request.secret)
        place = Place(LEAD, THIRD, listed.contact_id, Side.ASKED, 0)
        gap = file_of(third).gap
        assert gap is not None
        pairs = third.app.database.view("test_pairs", lambda tx: third.app.pipeline._exchange._binding.pairs(tx, gap))
        greeting = tuple(seal(signer, place, pairs, key, "", "Någon"))
        return replace(listed, acceptance=make_acceptance(signer, LEAD, digest, secret, DUE), greeting=greeting)

    def other_contact(listed: Listed) -> Listed:
        return replace(listed, contact_id=b"\x01" * 16)

    def no_greeting(listed: Listed) -> Listed:
        return replace(listed, greeting=())

    for forge in (swapped_keys, by_a_colluding_member, other_contact, no_greeting):
        assert exchange(lead, Cheating(lead, each(forge))) == (FORGED,)
        assert standing(lead).contacts == ()
    assert exchange(lead, Cheating(lead)) == ()
    assert [line.contact.peer for line in standing(lead).contacts] == [OTHER]


def test_a_request_that_is_handed_to_whoever_looks_for_another_pupil_names_nobody(federation: Federation) -> None:
    """A third member believes that it was asked, and accepts: the lead sees by the pseudonym whom it is not about."""
    lead, third = federation.nodes[LEAD], federation.nodes[THIRD]
    ask(lead)
    lead.sync()
    gap = file_of(third).gap
    assert gap is not None
    handed = federation.nodes[OTHER].app.uplink.contacts().list_all()
    astray = tuple(replace(one, handle=gap.handle, number=gap.number) for one in handed)
    assert exchange(third, Cheating(third, lambda _found: astray)) == ()
    accept(third)
    sent: list[tuple[Statement, Sequence[SealedPart]]] = []

    class Kept(Cheating):
        def accept(self, contact_id: bytes, acceptance: Statement, greeting: Sequence[SealedPart]) -> None:
            sent.append((acceptance, greeting))

    link = Kept(third)
    exchange(third, link)
    [(acceptance, greeting)] = sent
    request_gap = file_of(lead).gap
    assert request_gap is not None
    [one] = astray
    answer = replace(
        one,
        side=Side.ASKING,
        handle=request_gap.handle,
        number=request_gap.number,
        acceptance=acceptance,
        greeting=tuple(greeting),
    )
    assert exchange(lead, Cheating(lead, lambda _found: (answer,))) == (FORGED,)
    assert standing(lead).contacts == ()


def test_messages_that_are_replayed_moved_dropped_or_made_up_are_not_taken(federation: Federation) -> None:
    lead, other = connected(federation)
    for text in ("Ett", "Två", "Tre"):
        write(lead, text)
    lead.sync()
    [line] = standing(other).contacts
    mine = line.contact.secret
    assert mine is not None
    place = Place(LEAD, OTHER, line.contact.contact_id, Side.ASKING, 1)
    pairs = [line.contact.agreed] if line.contact.agreed is not None else list(line.contact.pairs)
    forger = replace(own_signer(federation.nodes[THIRD]), member=LEAD)
    # Even one that knew the pseudonym and every public key has no listed key.
    made_up = tuple(seal(forger, place, pairs, public_of(mine), "Falskt", "Ada"))

    def renumbered(found: tuple[Relayed, ...]) -> tuple[Relayed, ...]:
        first, second, third = found
        return (Relayed(1, second.parts), Relayed(2, first.parts), third)

    for change in (
        renumbered,
        lambda found: found[1:],
        lambda found: found[::-1],
        lambda found: (Relayed(1, made_up), *found[1:]),
        lambda found: (Relayed(1, (replace(found[0].parts[0], epoch=2),)), *found[1:]),
        lambda found: (Relayed(1, ()), *found[1:]),
    ):
        assert exchange(other, Cheating(other, messages=change)) == (FORGED,)
        assert texts(other) == []
    # Told once, however often it is tried.
    assert [entry["event"] for entry in journal(other, "CONTACT")].count("forged") == 1
    # The second is replayed in place of the third: what came before it is taken.
    replayed = Cheating(other, messages=lambda found: (*found[:2], Relayed(3, found[1].parts)))
    assert exchange(other, replayed) == (FORGED,)
    assert [text for _, _, text in texts(other)] == ["Ett", "Två"]
    # The true one, when it comes after all; twice is once.
    assert exchange(other, Cheating(other, messages=lambda found: (*found, *found))) == ()
    assert [text for _, _, text in texts(other)] == ["Ett", "Två", "Tre"]
    assert not any(line.contact.flawed for line in standing(other).contacts)


def test_a_members_own_words_are_not_handed_back_to_it(federation: Federation) -> None:
    lead, other = connected(federation)
    write(lead, "Ett")
    lead.sync()
    [line] = standing(lead).contacts
    found, _ = other.app.uplink.contacts().messages(line.contact.contact_id, 0)
    write(other, "Svar")
    other_link = Cheating(lead, messages=lambda _found: found)
    federation.set_today(DUE + timedelta(days=1))
    other.sync()
    assert exchange(lead, other_link) == (FORGED,)
    assert [text for _, _, text in texts(lead)] == ["Ett"]


def test_the_registrys_store_holds_nothing_of_the_pupil_or_of_what_is_written(federation: Federation) -> None:
    lead, _ = connected(federation)
    write(lead, "Ring mig om flickan från Sollentuna")
    lead.sync()
    stored = b"".join(path.read_bytes() for path in federation.dev.registry.parent.rglob("*") if path.is_file())
    for secret in ("Sollentuna", "Ada Frågande", "Bo Svarande"):
        assert secret.encode() not in stored
    at_node = b"".join(path.read_bytes() for path in lead.settings.data_dir.rglob("*") if path.is_file())
    for secret in ("Sollentuna", "Ada Frågande", "Bo Svarande"):
        assert secret.encode() not in at_node
