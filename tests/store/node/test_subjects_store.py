"""That erasing a pupil leaves no row, whichever tables there are."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import insert

from federation.database import Database
from node.store import schema
from node.store.subjects import BY_HANDLE, BY_NUMBER, BY_PUPIL, State, Subjects
from node.store.whole import metadata
from tests.store.node.stored import MADE_ON, OUTBOX, PUPILS, SEALER, number_index, opened, pupil, pupil_id, version

SUBJECTS = Subjects(SEALER)
NOW = datetime(2026, 9, 21, 8, tzinfo=UTC)

_NO_PUPILS = {
    # Of an invented pupil.
    "drills",
    # Ends with the erasure itself, in the same transaction.
    "subject_requests",
}
_NAMING = ("pupil_id", "handle", "number_index")


def test_every_table_that_names_a_pupil_is_taken_from() -> None:
    """A table that is added later is listed here, or holds no pupil."""
    taken = {table.name for table in (*BY_HANDLE, *BY_NUMBER, *BY_PUPIL)}
    naming = {table.name for table in metadata.sorted_tables if any(name in table.c for name in _NAMING)}
    assert naming - taken == _NO_PUPILS


def test_nothing_is_left_of_one_pupil_and_all_of_another(database: Database) -> None:
    with opened(database, pupil(1), pupil(2)) as store:

        def fill(tx: object) -> None:
            OUTBOX.add(tx, [(pupil_id(place), version(place)) for place in (1, 2)], MADE_ON)  # type: ignore[arg-type]
            for place in (1, 2):
                row = {"number_index": number_index(place), "epoch": 1, "sealed_value": b"x"}
                tx.execute(insert(schema.pseudonyms).values(row))  # type: ignore[attr-defined]

        store.run("test_fill", fill)
        before = store.view("test_rows", lambda tx: SUBJECTS.rows(tx, pupil_id(2)))
        assert {"pupils", "versions", "person_ids", "number_indexes", "pseudonyms"} == before.keys()
        store.run("test_shred", lambda tx: SUBJECTS.shred(tx, pupil_id(1), NOW))
        assert store.view("test_rows", lambda tx: SUBJECTS.rows(tx, pupil_id(1))) == {}
        assert store.view("test_rows", lambda tx: SUBJECTS.rows(tx, pupil_id(2))) == before
        # Twice does no harm.
        store.run("test_shred", lambda tx: SUBJECTS.shred(tx, pupil_id(1), NOW))


def test_what_was_asked_for_is_kept_without_whom_it_was_about(database: Database) -> None:
    with opened(database, pupil(1)) as store:
        store.run("test_begin", lambda tx: SUBJECTS.begin(tx, pupil_id(1), "Karin Ek", "begärt", MADE_ON))
        [(request_id, about)] = store.view("test_pending", SUBJECTS.pending).items()
        assert about == pupil_id(1)
        # Meanwhile nothing more is said of the pupil.
        store.run("test_mark", PUPILS.mark_all_dirty)
        assert store.view("test_due", lambda tx: PUPILS.to_restate(tx, MADE_ON)) == ()
        store.run("test_end", lambda tx: SUBJECTS.end(tx, request_id, State.DONE, MADE_ON))
        [kept] = store.view("test_all", SUBJECTS.all)
        assert (kept.by, kept.reason, kept.state, kept.ended_on) == ("Karin Ek", "begärt", State.DONE, MADE_ON)
        assert store.view("test_pending", SUBJECTS.pending) == {}


def test_what_reached_nobody_needs_no_taking_back(database: Database) -> None:
    with opened(database, pupil(1)) as store:
        assert store.view("test_taken", lambda tx: SUBJECTS.taken_back(tx, pupil_id(1)))
        store.run("test_add", lambda tx: OUTBOX.add(tx, [(pupil_id(1), version(1))], MADE_ON))
        assert not store.view("test_taken", lambda tx: SUBJECTS.taken_back(tx, pupil_id(1)))
        store.run("test_withdraw", lambda tx: OUTBOX.withdraw(tx, SUBJECTS.handles(tx, pupil_id(1))))
        assert store.view("test_taken", lambda tx: SUBJECTS.taken_back(tx, pupil_id(1)))
