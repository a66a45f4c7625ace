"""What remains of a case file once its time has come, what a thief of the store reads, and who touched the journal."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from federation.rules.vocabulary import CaseOutcome, CaseStatus
from node.casework.actor import Actor, Role
from node.casework.files.model import CaseFile, Classification
from node.casework.journal.keeping import Upload
from node.casework.routines.model import HELD_ABROAD
from node.recovery.copies import Copies, restore
from tests.harness.console import actor
from tests.integration.console.conftest import OPEN
from tests.integration.node_parties import Node
from tests.unit.node.exports import number, person

NOTE, ATTACHED = "Mormor tror att hon är i Hargeisa.", b"Anteckning om Hargeisa och mormor"
WHO: Actor = actor(Role.CASEWORKER, Role.PROTECTED)
SECRETS = ("Hargeisa", "mormor", "Mormor", "Kim Handl", number(OPEN), person(OPEN)["familyName"], person(OPEN)["id"])


@pytest.fixture
def file(node: Node) -> CaseFile:
    """A case file with something in every table that can hold a word of it."""
    desk = node.app.desk
    board = desk.database.view("test_board", lambda tx: desk.showing.board(tx, actor()))
    [found] = [each.line.file for each in board if each.line.file is not None]
    desk.keeping.note(found.file_id, NOTE, WHO)
    desk.keeping.attach(found.file_id, Upload("Hargeisa.txt", ATTACHED), "Från mormor", WHO)
    desk.database.run("test_view", lambda tx: desk.journal.viewed(tx, found.file_id, WHO, "case", desk.now()))
    return found


def close(node: Node, file: CaseFile) -> None:
    files = node.app.desk.case_files
    done = files.classify(file.file_id, file.revision, Classification.MOVED_ABROAD_UNREGISTERED, WHO, why=NOTE)
    files.set_status(file.file_id, done.revision, CaseStatus.CLOSED, WHO, why=NOTE, outcome=CaseOutcome.EMIGRATED)


def held_abroad(node: Node, file: CaseFile) -> None:
    """Begin the routine that goes on after the close of its case file."""
    desk = node.app.desk
    desk.database.run("test_routine", lambda tx: desk.routines.start(tx, file, HELD_ABROAD, desk.today(), WHO))


def shred(node: Node) -> None:
    [worker] = [each for each in node.app.workers if each.name == "shredding"]
    worker.run()


def told(node: Node, file: CaseFile) -> list[object]:
    desk = node.app.desk
    return [entry.body for entry in desk.database.view("t", lambda tx: desk.keeping.entries(tx, file.file_id))]


def test_a_stolen_store_without_its_keys_names_nobody_and_tells_nothing(node: Node, file: CaseFile) -> None:
    close(node, file)
    stolen = b"".join(path.read_bytes() for path in node.settings.data_dir.glob("node.sqlite*"))
    assert [secret for secret in SECRETS if secret.encode() in stolen] == []
    assert b"MOVED_ABROAD_UNREGISTERED" in stolen


def test_a_shredded_case_file_is_opened_by_no_copy_of_the_store(node: Node, file: CaseFile, tmp_path: Path) -> None:
    close(node, file)
    copy = tmp_path / "copy"
    Copies(node.app.database).make(copy, lambda *_: None)
    node.clock.set_today(date(2031, 9, 20))
    shred(node)
    assert NOTE in str(told(node, file))
    node.clock.set_today(date(2031, 9, 23))
    shred(node)
    assert [each for each in told(node, file) if each is not None] == []

    node.close()
    restore(node.settings, copy, replace=True, report=lambda *_: None)
    node.open()
    assert [each for each in told(node, file) if each is not None] == []
    desk = node.app.desk
    assert desk.database.view("t", lambda tx: desk.keeping.attached(tx, file.file_id)) == ()
    # The next run empties the restored rows too; what is counted stays.
    shred(node)
    shown = desk.database.view("t", lambda tx: desk.case_files.see(tx, file.file_id, WHO))
    assert (shown.pupil_id, shown.classification) == (None, Classification.MOVED_ABROAD_UNREGISTERED)
    assert desk.database.view("t", lambda tx: list(desk.journal.flaws(tx))) == []
    # Its gap still stands, and is given no case file anew.
    assert desk.case_files.begin_missing() == 0


def test_a_case_file_whose_routine_goes_on_is_kept(node: Node, file: CaseFile) -> None:
    held_abroad(node, file)
    close(node, file)
    node.clock.set_today(date(2035, 1, 1))
    shred(node)
    assert NOTE in str(told(node, file))


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE journal SET written_at = '2026-01-01 00:00:00.000000' WHERE position = 2",
        "UPDATE journal SET kind = 'CORRECTION' WHERE position = 2",
        "UPDATE journal SET file_id = (SELECT file_id FROM files WHERE protected LIMIT 1) WHERE position = 2",
        "UPDATE journal SET sealed_entry = (SELECT sealed_entry FROM journal WHERE position = 3) WHERE position = 2",
        "UPDATE journal SET entry_digest = zeroblob(32) WHERE position = 2",
        "UPDATE journal SET chain_index = zeroblob(32) WHERE position = 2",
        "DELETE FROM journal WHERE position = 2",
    ],
)
def test_whatever_was_changed_in_the_journal_is_named_by_its_row(tampering: str, node: Node, file: CaseFile) -> None:
    assert file
    desk = node.app.desk
    assert desk.database.view("t", lambda tx: list(desk.journal.flaws(tx))) == []
    desk.database.run("tamper", lambda tx: tx.execute(text(tampering)))
    flaws = desk.database.view("t", lambda tx: list(desk.journal.flaws(tx)))
    assert flaws[0].position == 2


def test_rows_taken_from_the_end_of_the_journal_are_missed(node: Node, file: CaseFile) -> None:
    assert file
    desk = node.app.desk
    last = desk.database.run(
        "tamper",
        lambda tx: tx.execute(text("DELETE FROM journal WHERE position = (SELECT max(position) FROM journal)")),
    )
    assert last.rowcount == 1
    [flaw] = desk.database.view("t", lambda tx: list(desk.journal.flaws(tx)))
    assert flaw.what == "end"
