"""Two municipalities that look for the same pupil, and a third that does not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from node.casework.contact.contacting import Standing
from node.casework.contact.model import Ground
from node.casework.files.model import CaseFile
from node.store import Transaction
from tests.harness.console import actor
from tests.integration.node_parties import Federation, Node, running
from tests.unit.node.exports import enrolment, person

LEAD, OTHER, THIRD = "0180", "1280", "1480"
BASELINE = date(2026, 8, 24)
LEFT_SHOWN, DUE = date(2026, 9, 7), date(2026, 9, 21)
LAST_DAY = "2026-09-04"
ASKER, ANSWERER = actor(name="Ada Frågande"), actor(name="Bo Svarande")
GROUND = Ground.SCHOOL_ATTENDANCE


@contextlib.contextmanager
def linked(directory: Path) -> Iterator[Federation]:
    """On 21 September pupil 0 is missed by `LEAD`, which leads, and by `OTHER`, with whom the pupil began and left."""
    with running(directory, [LEAD, OTHER, THIRD], BASELINE) as parties:
        here = [person(place) for place in range(30)]
        there = [person(place) for place in range(100, 130)]
        third = [person(place) for place in range(200, 230)]
        parties.day(BASELINE, {LEAD: here, OTHER: there, THIRD: third})
        # The child went to school in both, and left both on one day.
        parties.day(date(2026, 9, 2), {LEAD: here, OTHER: [*there, person(0)], THIRD: third})
        here[0] = person(0, enrolment(end=LAST_DAY))
        # A pupil whom nobody else looks for.
        third[0] = person(200, enrolment(end=LAST_DAY))
        left = [*there, person(0, enrolment(end=LAST_DAY))]
        for day in (LEFT_SHOWN, DUE):
            parties.day(day, {LEAD: here, OTHER: left, THIRD: third})
        yield parties


def file_of(node: Node) -> CaseFile:
    """The one case file there is."""
    files = node.app.desk.case_files._files
    [found] = node.app.database.view("test_files", files.open)
    return found


def standing(node: Node) -> Standing:
    file = file_of(node)

    def work(tx: Transaction) -> Standing:
        return node.app.desk.contacting.standing(tx, file)

    return node.app.database.view("test_standing", work)


def ask(node: Node, ground: Ground = GROUND) -> None:
    node.app.desk.contacting.ask(file_of(node).file_id, ground, ASKER)


def accept(node: Node) -> None:
    [line] = standing(node).contacts
    node.app.desk.contacting.accept(file_of(node).file_id, line.contact.contact_id, ANSWERER)


def write(node: Node, text: str) -> None:
    [line] = standing(node).contacts
    node.app.desk.contacting.write(file_of(node).file_id, line.contact.contact_id, line.next_sequence, text, ASKER)


def connected(federation: Federation) -> tuple[Node, Node]:
    """Both sides once the request was accepted."""
    lead, other = federation.nodes[LEAD], federation.nodes[OTHER]
    ask(lead)
    for node in (lead, other):
        assert node.sync().problems == ()
    accept(other)
    for node in (other, lead):
        assert node.sync().problems == ()
    return lead, other


def texts(node: Node) -> list[tuple[bool, str, str]]:
    """(outgoing, by, text) of all messages."""
    return [(each.outgoing, each.by, each.text) for line in standing(node).contacts for each in line.messages]


def journal(node: Node, kind: str) -> list[dict[str, object]]:
    desk, file = node.app.desk, file_of(node)
    entries = node.app.database.view("test_journal", lambda tx: desk.journal.of_file(tx, file.file_id))
    return [dict(entry.body or {}) for entry in entries if entry.kind.value == kind]
