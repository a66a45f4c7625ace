"""Contact across borders between real nodes over a real registry: asked, accepted or not, written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

import msgspec
import pytest
import sqlalchemy as sa

from federation.rules.contact import ANSWER_DAYS, SEALED_BYTES
from node.casework.actor import Role
from node.casework.contact.model import MAX_TEXT_BYTES, Refused, RefusedError, WrittenMeanwhileError
from node.casework.files.filing import MayNotError
from registry.store.contacts import Sealed
from registry.store.schema_contact import contact_messages, contact_requests, contacts
from tests.harness.console import TOKEN, actor, client
from tests.integration.contact_parties import (
    ASKER,
    DUE,
    GROUND,
    LAST_DAY,
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
from tests.integration.mail_parties import let_write, written
from tests.integration.node_lossy import Fault, Killed, Lossy
from tests.integration.node_parties import Federation, Node
from tests.integration.played import Played
from tests.unit.node.exports import enrolment, person

DAY = timedelta(days=1)
T = TypeVar("T")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("linked"), linked)


@pytest.fixture
def federation(played: Played) -> Iterator[Federation]:
    with played.anew() as parties:
        yield parties


def test_a_request_is_accepted_and_both_write(federation: Federation) -> None:
    lead, other = federation.nodes[LEAD], federation.nodes[OTHER]
    for node in (lead, other):
        let_write(node)
    # Only the lead of a case with others asks.
    assert [standing(federation.nodes[each]).refused for each in (LEAD, OTHER, THIRD)] == [
        None,
        Refused.NOT_LEAD,
        Refused.NO_GAP,
    ]
    for each, why in ((OTHER, Refused.NOT_LEAD), (THIRD, Refused.NO_GAP)):
        with pytest.raises(RefusedError) as refused:
            ask(federation.nodes[each])
        assert refused.value.why is why
    ask(lead)
    with pytest.raises(RefusedError):
        ask(lead)
    lead.sync()
    [(request, state)] = standing(lead).requests
    assert (state, request.ground, request.asked_by) == ("STANDS", GROUND, ASKER.name)
    assert request.lapses_on == DUE + ANSWER_DAYS * DAY
    federation.nodes[THIRD].sync()
    assert standing(federation.nodes[THIRD]).contacts == ()
    other.sync()
    [line] = standing(other).contacts
    assert (line.contact.peer, line.answerable, line.contact.ground) == (LEAD, True, GROUND)
    # Nothing tells the lead anything before the other has accepted.
    lead.sync()
    assert standing(lead).contacts == ()

    accept(other)
    accept(other)
    other.sync()
    lead.sync()
    assert [state for _, state in standing(lead).requests] == ["ANSWERED"]
    [here], [there] = standing(lead).contacts, standing(other).contacts
    assert (here.contact.peer, here.contact.accepted_by) == (OTHER, "Bo Svarande")
    assert (there.contact.peer, there.writable) == (LEAD, True)

    # The side that accepted may write before it has heard anything.
    write(other, "Vi når inte vårdnadshavarna.")
    write(lead, "Inte vi heller.\nHar ni talat med socialtjänsten?")
    write(lead, "Syskonens skola?")
    for node in (other, lead, other):
        assert node.sync().problems == ()
    assert texts(other) == [
        (True, ASKER.name, "Vi når inte vårdnadshavarna."),
        (False, ASKER.name, "Inte vi heller.\nHar ni talat med socialtjänsten?"),
        (False, ASKER.name, "Syskonens skola?"),
    ]
    assert sorted(texts(lead)) == sorted((not out, by, text) for out, by, text in texts(other))
    # Logged on both sides.
    assert [entry["event"] for entry in journal(lead, "CONTACT")] == ["asked", "answered"]
    assert [entry["event"] for entry in journal(other, "CONTACT")] == ["received", "accepted"]
    for node in (lead, other):
        assert sorted(str(entry["direction"]) for entry in journal(node, "MESSAGE")) in (
            ["in", "in", "out"],
            ["in", "out", "out"],
        )
    # Of what came, whoever is on duty is told: of the request or its answer, and once of what was written that day.
    assert written(lead, "CONTACT") == written(other, "CONTACT") == ["caseworker"] * 2
    # Delivered messages lie at the registry no more, and syncing again changes nothing.
    count = sa.select(sa.func.count()).select_from(contact_messages)
    assert federation.registry_app.database.view("test_left", lambda tx: tx.execute(count).scalar_one()) == 0
    before = texts(lead)
    lead.restart()
    lead.sync()
    assert texts(lead) == before


def test_what_a_form_sends_twice_is_written_once_and_what_another_wrote_is_seen_first(federation: Federation) -> None:
    lead, other = connected(federation)
    contacting, file_id = lead.app.desk.contacting, file_of(lead).file_id
    [line] = standing(lead).contacts
    contact_id = line.contact.contact_id
    for _ in range(2):
        contacting.write(file_id, contact_id, 1, "Ett", ASKER)
    with pytest.raises(WrittenMeanwhileError):
        contacting.write(file_id, contact_id, 1, "Två", ASKER)
    for text, why in (("  ", Refused.TEXT_MISSING), ("å" * MAX_TEXT_BYTES, Refused.TEXT_LONG)):
        with pytest.raises(RefusedError) as refused:
            contacting.write(file_id, contact_id, 2, text, ASKER)
        assert refused.value.why is why
    with pytest.raises(MayNotError):
        contacting.write(file_id, contact_id, 2, "Nej", actor(Role.AUDITOR))
    contacting.write(file_id, contact_id, 2, "å" * (MAX_TEXT_BYTES // 2), ASKER)
    lead.sync()
    # Whatever is said, and however long: one size.
    sealed = federation.registry_app.database.view(
        "test_sealed", lambda tx: tx.execute(sa.select(contact_messages.c.sealed)).scalars().all()
    )
    parts = [part for each in sealed for part in msgspec.msgpack.decode(each, type=tuple[Sealed, ...])]
    assert {len(part.sealed) for part in parts} == {SEALED_BYTES}
    assert len(parts) == 2
    other.sync()
    assert [text for _, _, text in texts(other)] == ["Ett", "å" * (MAX_TEXT_BYTES // 2)]


def test_refusing_silence_and_protection_are_one_to_the_member_that_asked(federation: Federation) -> None:
    """What the lead's node holds, and what the registry answers it, until the time is up and after it."""
    lead, other = federation.nodes[LEAD], federation.nodes[OTHER]
    ask(lead)
    lead.sync()
    other.sync()
    [line] = standing(other).contacts
    contact_id = line.contact.contact_id
    other.app.desk.contacting.decline(file_of(other).file_id, contact_id, ASKER)
    before = _at_registry(federation)
    other.sync()
    # Refusing sends nothing at all.
    assert _at_registry(federation) == before
    with pytest.raises(RefusedError):
        accept(other)
    for days, state in ((ANSWER_DAYS, "STANDS"), (ANSWER_DAYS + 1, "NO_ANSWER")):
        federation.set_today(DUE + days * DAY)
        lead.sync()
        assert [state for _, state in standing(lead).requests] == [state]
        assert standing(lead).contacts == ()
    # After that it may be asked anew, by all sides as if for the first time.
    ask(lead)
    lead.sync()
    other.sync()
    assert [each.contact.state.value for each in standing(other).contacts] == ["DECLINED", "RECEIVED"]


def test_of_a_protected_pupil_nothing_is_sent_by_either_side(federation: Federation) -> None:
    lead, other = federation.nodes[LEAD], federation.nodes[OTHER]
    ask(lead)
    lead.sync()
    other.sync()
    accept(other)
    _protect(other)
    before = _at_registry(federation)
    other.sync()
    # Accepted, but the marking came before it went out: nothing goes out.
    assert _at_registry(federation) == before
    assert standing(other).protected
    assert not any(line.answerable for line in standing(other).contacts)
    [line] = standing(other).contacts
    with pytest.raises(RefusedError) as refused:
        other.app.desk.contacting.decline(file_of(other).file_id, line.contact.contact_id, actor(Role.PROTECTED))
    assert refused.value.why is Refused.PROTECTED
    federation.set_today(DUE + (ANSWER_DAYS + 1) * DAY)
    lead.sync()
    assert [state for _, state in standing(lead).requests] == ["NO_ANSWER"]


def test_an_acceptance_of_a_pupil_who_became_protected_is_not_taken(federation: Federation) -> None:
    lead, other = federation.nodes[LEAD], federation.nodes[OTHER]
    ask(lead)
    lead.sync()
    other.sync()
    accept(other)
    other.sync()
    _protect(lead)
    lead.sync()
    assert standing(lead).contacts == ()
    assert standing(lead).refused is Refused.PROTECTED


def test_the_pages_show_contacts_in_both_languages(federation: Federation) -> None:
    lead, other = connected(federation)
    write(lead, "<script>alert(1)</script>")
    lead.sync()
    other.sync()
    file_id = file_of(other).file_id.hex()
    asked = client(other.app.desk, actor())
    for path in (f"/sv/arenden/{file_id}/kontakt", f"/en/cases/{file_id}/contact"):
        page = asked.get(path)
        assert page.status_code == 200
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert "<script>alert" not in page.text
    for path in ("/sv/kontakter", "/en/contacts", f"/sv/arenden/{file_id}", f"/en/cases/{file_id}"):
        assert asked.get(path).status_code == 200
    [line] = standing(other).contacts
    form = {"csrf_token": TOKEN, "do": "write", "contact": line.contact.contact_id.hex(), "sequence": "1"}
    path = f"/sv/arenden/{file_id}/kontakt"
    assert asked.post(path, data={**form, "text": "x" * 100_000}).status_code == 400
    assert "x" * 1_000 in asked.post(path, data={**form, "text": "x" * 100_000}).text
    assert asked.post(path, data={**form, "text": "Svar"}).status_code == 303
    answer = asked.post(path, data={**form, "text": "Annat svar"})
    assert (answer.status_code, "Annat svar" in answer.text) == (409, True)
    assert asked.post(path, data={**form, "do": "ask", "ground": "ANYTHING"}).status_code == 400
    assert asked.post(path, data={**form, "contact": "00" * 16, "text": "Svar"}).status_code == 404
    assert client(other.app.desk, actor(Role.AUDITOR)).post(path, data={**form, "text": "Svar"}).status_code == 403
    assert client(other.app.desk, actor(Role.ADMINISTRATOR)).get(path).status_code == 403


class OnlyContacts(Lossy):
    """Faults at calls of contacts, counted from 0; the others get through."""

    def call(self, name: str, work: Callable[[], T]) -> T:
        return super().call(name, work) if name in CALLS else work()


CALLS = {"file_contact", "list_contacts", "accept_contact", "send_message", "list_messages", "ack_messages"}


def test_whatever_is_lost_on_the_way_everything_arrives_once(federation: Federation) -> None:
    """Every call fails in each way in turn, the node is started anew, and then goes through."""
    lead, other = federation.nodes[LEAD], federation.nodes[OTHER]
    faults = list(Fault)

    def until_done(node: Node) -> None:
        for number in range(100):
            turn, fault = number // len(faults), faults[number % len(faults)]
            links = OnlyContacts(node.app.uplink, {turn: fault}.get)
            node.app.pipeline._links = links
            with contextlib.suppress(Killed):
                node.sync()
            node.restart()
            if len(links.calls) <= turn:
                return
        raise AssertionError

    ask(lead)
    until_done(lead)
    until_done(other)
    accept(other)
    until_done(other)
    until_done(lead)
    for text in ("Ett", "Två"):
        write(lead, text)
    until_done(lead)
    until_done(other)
    assert [text for _, _, text in texts(other)] == ["Ett", "Två"]
    assert [entry["event"] for entry in journal(lead, "CONTACT")] == ["asked", "answered"]
    assert [entry["event"] for entry in journal(other, "CONTACT")] == ["received", "accepted"]
    assert [line.contact.peer for line in standing(lead).contacts] == [OTHER]


def _at_registry(federation: Federation) -> list[tuple[object, ...]]:
    def work(tx: sa.Connection) -> list[tuple[object, ...]]:
        rows = [
            tuple(row) for table in (contact_requests, contacts, contact_messages) for row in tx.execute(table.select())
        ]
        return sorted(rows, key=repr)

    return federation.registry_app.database.view("test_registry", work)


def _protect(node: Node) -> None:
    """The next export marks pupil 0."""
    lead = node.app.member == LEAD
    places = range(30) if lead else range(100, 130)
    marked = person(0, enrolment(end=LAST_DAY), securityMarking="Sekretessmarkering")
    rest = [person(place) for place in places if place != 0]
    node.take([*rest, marked])
