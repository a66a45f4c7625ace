"""Whoever touches the journal without the record key is found out, by the row; whoever may write it writes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, LargeBinary, String, delete, insert, select, text, update

from federation.database import Database, Instant
from federation.rules.vocabulary import CaseStatus
from node.casework.actor import Actor, Role
from node.casework.files.model import CaseFile, FileId, OpenedFor, Responsible
from node.casework.journal.model import Entry, EntryKind, Flaw, FlawKind
from node.store import Transaction, shredding
from node.store.case_keys import CaseKeys
from node.store.chain import Chain
from node.store.files import Files
from node.store.journal import Journal
from node.store.schema_journal import journal, journal_head
from tests.store.node.stored import MADE_ON, SEALER, opened, pupil, pupil_id

KIM = Actor("test|kim", "Kim Ek", frozenset({Role.CASEWORKER}))
AT = datetime(2026, 9, 21, 8, 0, 0, 123456, UTC)
ONE, OTHER = FileId(b"f" * 16), FileId(b"g" * 16)
NEWS = 4
"""The position that is touched: of `ONE`, between two of `OTHER`."""
LAST = 6


class Written:
    """Six entries of two case files, each after one of the other."""

    def __init__(self, database: Database, directory: Path) -> None:
        self.database = database
        self.keys = CaseKeys(directory / "case-keys", SEALER)
        self.journal, self.chain = Journal(self.keys, SEALER), Chain(SEALER)
        files = Files(self.keys)

        def work(tx: Transaction) -> None:
            for place, file_id in enumerate((ONE, OTHER)):
                files.add(tx, _file(file_id, place))
            for place in range(LAST):
                file_id = OTHER if place % 2 == 0 else ONE
                self.append(tx, file_id, place)

        database.run("test_write", work)

    def append(self, tx: Transaction, file_id: FileId, place: int) -> int:
        at = AT + timedelta(hours=place)
        return self.journal.append(tx, file_id, KIM, EntryKind.NOTE, {"text": f"nr {place}"}, at)

    def flaws(self) -> list[Flaw]:
        return self.database.view("test_flaws", lambda tx: list(self.chain.flaws(tx)))

    def flaws_of(self, file_id: FileId) -> list[tuple[int, FlawKind]]:
        found = self.database.view("test_flaws_of", lambda tx: self.chain.flaws_of(tx, file_id))
        return [(flaw.position, flaw.what) for flaw in found]

    def entries(self, file_id: FileId) -> tuple[Entry, ...]:
        return self.database.view("test_entries", lambda tx: self.journal.of_file(tx, file_id))

    def touch(self, statement: Any) -> None:
        done = self.database.run("test_tamper", lambda tx: tx.execute(statement))
        assert done.rowcount == 1


def _file(file_id: FileId, place: int) -> CaseFile:
    return CaseFile(
        file_id=file_id,
        reference=f"2026-0000{place}",
        pupil_id=pupil_id(1),
        gap=None,
        opened_for=OpenedFor.WORRY,
        opened_on=MADE_ON,
        protected=False,
        status=CaseStatus.NEW,
        status_since=MADE_ON,
        responsible=Responsible(Role.CASEWORKER),
    )


@pytest.fixture
def written(database: Database, tmp_path: Path) -> Iterator[Written]:
    with opened(database, pupil(1)) as store:
        yield Written(store, tmp_path)


def _other(column: Column[Any]) -> Any:
    """Another value that the column can hold."""
    if column.foreign_keys:
        return OTHER
    if isinstance(column.type, Instant):
        return AT - timedelta(days=1)
    if isinstance(column.type, String):
        return EntryKind.EXPORTED.value
    if isinstance(column.type, LargeBinary):
        return b"\x01" + bytes(31)
    return 40


@pytest.mark.parametrize("column", [column.name for column in journal.c])
def test_a_change_of_any_column_is_named_by_its_row(column: str, written: Written) -> None:
    assert written.flaws() == []
    changed = {column: _other(journal.c[column])}
    written.touch(update(journal).where(journal.c.position == NEWS).values(changed))
    flaws = written.flaws()
    assert flaws[0].position == NEWS
    # Whoever looks at the case file is told too, and goes on working in it.
    assert written.flaws_of(ONE) or column in {"file_id", "position"}
    assert written.entries(ONE)
    written.database.run("test_write_on", lambda tx: written.append(tx, ONE, 9))
    if column != "position":
        assert {flaw.position for flaw in flaws} <= {NEWS, NEWS + 1}
        assert written.flaws() == flaws


def test_a_row_that_was_taken_away_is_missed_and_the_one_after_it_unproved(written: Written) -> None:
    written.touch(delete(journal).where(journal.c.position == NEWS))
    assert [(flaw.position, flaw.what) for flaw in written.flaws()] == [
        (NEWS, FlawKind.MISSING),
        (NEWS + 1, FlawKind.UNPROVED),
    ]


def test_a_content_that_was_taken_away_is_told_from_one_that_was_shredded(written: Written) -> None:
    written.touch(update(journal).where(journal.c.position == NEWS).values(sealed_entry=None))
    assert [(flaw.position, flaw.what) for flaw in written.flaws()] == [(NEWS, FlawKind.EMPTIED)]
    written.database.run("test_shred", lambda tx: shredding.empty(tx, [ONE], written.chain, AT, MADE_ON))
    assert written.flaws() == []
    assert [entry.kind for entry in written.entries(ONE)][-1] is EntryKind.SHREDDED
    # Emptied once more, as after a crash, it says so once.
    written.database.run("test_shred", lambda tx: shredding.empty(tx, [ONE], written.chain, AT, MADE_ON))
    assert len(written.entries(ONE)) == LAST // 2 + 1
    # What another did afterwards is none of it.
    written.touch(update(journal).where(journal.c.position == 1).values(sealed_entry=None))
    assert [(flaw.position, flaw.what) for flaw in written.flaws()] == [(1, FlawKind.EMPTIED)]


def test_a_case_file_whose_key_was_lost_is_written_in_again(written: Written) -> None:
    written.keys.destroy(ONE)
    written.keys.begin(ONE)
    written.database.run("test_lose", lambda tx: shredding.lose(tx, [ONE], written.chain, AT))
    written.database.run("test_write_on", lambda tx: written.append(tx, ONE, 9))
    assert written.flaws() == []
    assert [entry.body for entry in written.entries(ONE)] == [None] * 4 + [{"text": "nr 9"}]


def test_a_row_that_was_put_there_is_named(written: Written) -> None:
    with written.database.read("test_read") as tx:
        row = dict(tx.execute(select(journal).where(journal.c.position == NEWS)).mappings().one())
    forged = insert(journal).values({**row, "position": LAST + 1})
    written.database.run("test_forge", lambda tx: tx.execute(forged))
    assert [flaw.position for flaw in written.flaws()] == [LAST + 1, LAST + 2]


def test_the_end_cannot_be_cut_off_whatever_is_written_into_the_head(written: Written) -> None:
    with written.database.read("test_read") as tx:
        before = tx.execute(select(journal.c.chain_index).where(journal.c.position == LAST - 1)).scalar_one()
    written.touch(delete(journal).where(journal.c.position == LAST))
    assert [(flaw.position, flaw.what) for flaw in written.flaws()] == [(LAST, FlawKind.END)]
    written.touch(update(journal_head).values(position=LAST - 1, chain_index=before))
    assert [(flaw.position, flaw.what) for flaw in written.flaws()] == [(LAST, FlawKind.END)]


def test_a_journal_that_was_emptied_is_missed_for_there_are_case_files(written: Written) -> None:
    written.database.run("test_empty", lambda tx: tx.execute(delete(journal)))
    written.touch(update(journal_head).values(position=0, chain_index=bytes(32)))
    assert [(flaw.position, flaw.what) for flaw in written.flaws()] == [(1, FlawKind.END)]


def test_what_was_seen_once_is_held_against_a_journal_set_back(written: Written) -> None:
    seen = written.database.view("test_seen", written.chain.seen)
    with written.database.read("test_read") as tx:
        row = dict(tx.execute(select(journal_head)).mappings().one())
    written.database.run("test_append", lambda tx: written.append(tx, ONE, 7))
    later = written.database.view("test_seen", written.chain.seen)
    written.touch(delete(journal).where(journal.c.position == LAST + 1))
    written.touch(update(journal_head).values(row))
    # By themselves the rows are those of a journal that never had the last one.
    assert written.flaws() == []
    assert written.database.view("test_holds", lambda tx: written.chain.holds(tx, seen))
    assert not written.database.view("test_holds", lambda tx: written.chain.holds(tx, later))


def test_an_entry_that_does_not_open_leaves_the_others_readable(written: Written) -> None:
    written.touch(update(journal).where(journal.c.position == NEWS).values(sealed_entry=b"\x01" + bytes(40)))
    [first, broken, last] = written.entries(ONE)
    assert (broken.damaged, broken.body) == (True, None)
    assert first.body == {"text": "nr 1"}
    assert last.body == {"text": "nr 5"}


def test_a_value_that_is_none_at_all_is_named_too(written: Written) -> None:
    if not written.database.is_sqlite:
        pytest.skip("PostgreSQL takes no value of another type")
    for statement, what in (
        ("UPDATE journal SET written_at = 'yesterday' WHERE position = 4", FlawKind.CHANGED),
        ("UPDATE journal SET kind = x'ff' WHERE position = 2", FlawKind.CHANGED),
        ("UPDATE journal SET sealed_entry = 'text' WHERE position = 6", FlawKind.CHANGED),
    ):
        written.touch(text(statement))
        position = int(statement[-1])
        assert (position, what) in [(flaw.position, flaw.what) for flaw in written.flaws()]
    assert (4, FlawKind.CHANGED) in written.flaws_of(ONE)


def test_two_entries_of_one_transaction_are_chained_too(written: Written) -> None:
    def twice(tx: Transaction) -> None:
        written.append(tx, ONE, 7)
        written.append(tx, OTHER, 8)

    written.database.run("test_twice", twice)
    assert written.flaws() == []
    assert written.database.view("test_seen", written.chain.seen).position == LAST + 2
