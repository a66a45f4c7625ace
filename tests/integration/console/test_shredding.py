"""What remains of a case file once its time has come, what a thief of the store reads, and who touched the journal."""

from __future__ import annotations

import contextlib
import html
import shutil
import sqlite3
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from federation.errors import Code, UppropError
from federation.rules.vocabulary import CaseOutcome, CaseStatus
from node.casework.actor import Actor, Role
from node.casework.files.filing import Handed
from node.casework.files.model import CaseFile, Classification
from node.casework.journal.keeping import Upload
from node.casework.journal.model import EntryKind, Flaw, FlawKind
from node.casework.journal.verifying import Verifying
from node.casework.routines.model import HELD_ABROAD
from node.recovery.copies import Copies, KeysOf, restore
from node.settings import open_sealer
from node.store import shredding
from node.store.case_keys import DIRECTORY, CaseKeys
from tests.harness.console import actor, client
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


def case_keys(node: Node) -> CaseKeys:
    return CaseKeys(node.settings.data_dir / DIRECTORY, open_sealer(node.settings))


def flaws(node: Node) -> tuple[Flaw, ...]:
    watched = Verifying(node.app.database, case_keys(node), open_sealer(node.settings), node.settings.data_dir)
    return watched.verify().flaws


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
    Copies(node.app.database, case_keys(node)).make(copy, lambda *_: None)
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
    assert flaws(node) == ()
    # Its gap still stands, and is given no case file anew.
    assert desk.case_files.begin_missing() == 0


def test_a_case_file_whose_routine_goes_on_is_kept(node: Node, file: CaseFile) -> None:
    held_abroad(node, file)
    close(node, file)
    node.clock.set_today(date(2035, 1, 1))
    shred(node)
    assert NOTE in str(told(node, file))


def test_a_row_that_was_touched_is_named_where_people_look(node: Node, file: CaseFile) -> None:
    assert flaws(node) == ()
    desk = node.app.desk
    touched = "UPDATE journal SET sealed_entry = zeroblob(80) WHERE file_id = :of AND kind = 'NOTE'"
    desk.database.run("tamper", lambda tx: tx.execute(text(touched), {"of": file.file_id}))
    [flaw] = flaws(node)
    page = html.unescape(client(desk, WHO).get(f"/sv/arenden/{file.file_id.hex()}").text)
    assert f"Nr {flaw.position}: innehållet är ändrat" in page
    # The rest of the case file is read and worked on.
    assert "Öppnades" in page
    desk.keeping.note(file.file_id, "Vi går vidare.", WHO)
    assert flaws(node) == (flaw,)


@pytest.mark.parametrize(
    "touched",
    [
        "UPDATE attachments SET sealed_content = zeroblob(80)",
        "UPDATE attachments SET sealed_name = zeroblob(80)",
        "DELETE FROM attachments",
    ],
)
def test_an_attachment_that_was_touched_is_named_by_its_entry(touched: str, node: Node, file: CaseFile) -> None:
    assert flaws(node) == ()
    desk = node.app.desk
    [entry] = [
        each
        for each in desk.database.view("t", lambda tx: desk.keeping.entries(tx, file.file_id))
        if each.kind is EntryKind.ATTACHMENT
    ]
    desk.database.run("tamper", lambda tx: tx.execute(text(touched)))
    assert flaws(node) == (Flaw(entry.position, FlawKind.ATTACHMENT, file.file_id),)


def test_a_journal_set_back_to_an_older_copy_is_missed(node: Node, file: CaseFile) -> None:
    """By whoever can write the database file, and has no key: each row of the older one is sound."""
    desk = node.app.desk
    with contextlib.closing(sqlite3.connect(node.settings.data_dir / "node.sqlite")) as older:
        kept = older.execute("SELECT position, chain_index FROM journal_head").fetchone()
    desk.keeping.note(file.file_id, "Det här ska bort.", WHO)
    assert flaws(node) == ()
    with contextlib.closing(sqlite3.connect(node.settings.data_dir / "node.sqlite")) as thief:
        thief.execute("DELETE FROM journal WHERE position > ?", kept[:1])
        thief.execute("UPDATE journal_head SET position = ?, chain_index = ?", kept)
        thief.commit()
    [flaw] = flaws(node)
    assert (flaw.position, flaw.what) == (kept[0] + 1, FlawKind.SET_BACK)


def test_case_files_come_back_with_the_copy_of_their_keys_but_no_shredded_one(
    node: Node, file: CaseFile, tmp_path: Path
) -> None:
    copies, copy, keys = Copies(node.app.database, case_keys(node)), tmp_path / "copy", tmp_path / "keys"
    desk = node.app.desk
    other = [each for each in desk.database.view("t", shredding.kept) if each != file.file_id]
    close(node, file)
    copies.make(copy, lambda *_: None, keys)
    assert keys.stat().st_mode & 0o777 == 0o600
    node.clock.set_today(date(2031, 9, 23))
    shred(node)
    # The machine's disk is lost but for the tombstones; the copy of the keys is from before the shredding.
    node.close()
    shutil.rmtree(node.settings.data_dir / DIRECTORY)
    with pytest.raises(UppropError, match="--case-keys"):
        restore(node.settings, copy, replace=True, report=lambda *_: None)
    restore(node.settings, copy, replace=True, report=lambda *_: None, case_keys=KeysOf(keys))
    node.open()
    assert [each for each in told(node, file) if each is not None] == []
    assert case_keys(node).all() == frozenset(other)
    assert flaws(node) == ()
    # The next copy of the keys is written over the one before.
    Copies(node.app.database, case_keys(node)).make(tmp_path / "next", lambda *_: None, keys)
    assert keys.read_bytes() == case_keys(node).copy()


def test_case_files_whose_keys_are_lost_are_worked_on(node: Node, file: CaseFile, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    Copies(node.app.database, case_keys(node)).make(copy, lambda *_: None)
    node.close()
    shutil.rmtree(node.settings.data_dir / DIRECTORY)
    restore(node.settings, copy, replace=True, report=lambda *_: None, case_keys=KeysOf(lost=True))
    node.open()
    desk = node.app.desk
    page = html.unescape(client(desk, WHO).get(f"/sv/arenden/{file.file_id.hex()}").text)
    assert "nyckel gick förlorad" in page
    assert person(OPEN)["familyName"] in page
    desk.keeping.note(file.file_id, "Vi börjar om.", WHO)
    desk.case_files.hand(file.file_id, file.revision, Handed.TAKEN, WHO)
    assert "Vi börjar om." in str(told(node, file))
    assert flaws(node) == ()


def test_what_is_no_copy_of_keys_is_refused(node: Node) -> None:
    keys = case_keys(node)
    for content in (b"", b"\xff", b"upprop-case-keys/1\nzz", keys.copy().replace(b" 01", b" 02")):
        with pytest.raises(UppropError) as refused:
            keys.take(content, lambda _names: ())
        assert refused.value.code is Code.INPUT_REFUSED
