"""Imports, their remarks and the facts that all statements rest on are kept; the schema is what the code says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from alembic import command
from alembic.config import Config
from sqlalchemy import select

import node.store
from federation.database import Database
from node.model import HeldLeavings, ImportFacts, Saying, What
from node.records.person import Remark, RemarkKind
from node.store.imports import Held, ImportRecord, Imports
from node.store.sayings import SayingContent, Sayings, SayingState
from node.store.schema_systems import rejected_rows
from tests.store.node.stored import SEALER, opened, pupil, pupil_id

IMPORTS = Imports(SEALER)
SAYINGS = Sayings(SEALER)
DAY = date(2026, 8, 24)
WEEK = timedelta(days=7)
NOW = datetime(2026, 8, 24, 18, 0, 1, 250_000, tzinfo=UTC)


def record(as_of: date, *, baseline: bool = False, digest: bytes = b"d" * 32) -> ImportRecord:
    return ImportRecord(as_of, as_of, NOW, digest, 3, 4, 2, 1, 1, baseline)


def add(database: Database, one: ImportRecord, *remarks: Remark) -> None:
    database.run("test_import", lambda tx: IMPORTS.add(tx, one, remarks))


def test_the_newest_import_and_its_remarks_come_back(database: Database) -> None:
    remarks = (
        Remark(RemarkKind.REJECTED, 2, "civicNo", "has a wrong check digit"),
        Remark(RemarkKind.NOTE, 2, "enrolments.schoolType", "is not a known school type"),
    )
    with opened(database):
        assert database.view("test_newest", IMPORTS.newest) is None
        add(database, record(DAY, baseline=True), Remark(RemarkKind.NOTE, 1, "id", "is empty"))
        add(database, record(DAY + WEEK), *remarks)
        assert database.view("test_newest", IMPORTS.newest) == record(DAY + WEEK)
        assert database.view("test_remarks", IMPORTS.remarks_of_newest) == remarks
        # A second export of the same day is the newer one.
        add(database, record(DAY + WEEK, digest=b"e" * 32))
        assert database.view("test_newest", IMPORTS.newest) == record(DAY + WEEK, digest=b"e" * 32)
        assert database.view("test_remarks", IMPORTS.remarks_of_newest) == ()
        # What an old import remarked is old news.
        assert database.view("test_rejected", lambda tx: tx.execute(select(rejected_rows)).all()) == []


def test_the_facts_hold_each_day_once_and_what_waits(database: Database) -> None:
    held = Held(DAY + WEEK, "unit", 12, 5)
    with opened(database):
        assert database.view("test_facts", IMPORTS.facts) is None
        for one in (record(DAY, baseline=True), record(DAY + WEEK), record(DAY + WEEK, digest=b"e" * 32)):
            add(database, one)
        database.run("test_mass", lambda tx: IMPORTS.set_mass_start_days(tx, "main", [date(2026, 8, 18)]))
        database.run("test_hold", lambda tx: IMPORTS.hold(tx, held))
        database.run("test_hold", lambda tx: IMPORTS.hold(tx, held))
        facts = ImportFacts(
            DAY, (DAY, DAY + WEEK), frozenset({date(2026, 8, 18)}), (HeldLeavings(DAY + WEEK, "unit", None),)
        )
        assert database.view("test_facts", IMPORTS.facts) == facts
        database.run("test_release", lambda tx: IMPORTS.release(tx, held, DAY + 2 * WEEK))
        assert [one.released_on for one in database.view("test_held", IMPORTS.held)] == [DAY + 2 * WEEK]


def test_sayings_wait_stand_or_are_refused(database: Database) -> None:
    def say(what: What, state: SayingState) -> int:
        content = SayingContent(what.value, DAY, "Ada Berg", "text", None)
        return database.run("test_say", lambda tx: SAYINGS.add(tx, pupil_id(1), content, DAY, state))

    with opened(database, pupil(1), pupil(2)):
        met = say(What.MET, SayingState.STANDING)
        gone, no_show = say(What.GONE, SayingState.WAITING), say(What.NO_SHOW, SayingState.WAITING)
        assert len({met, gone, no_show}) == 3
        waiting = database.view("test_waiting", SAYINGS.waiting)
        assert [one.saying_id for one in waiting] == [gone, no_show]
        database.run("test_settle", lambda tx: SAYINGS.settle(tx, waiting[0], "Bo Ek", SayingState.STANDING))
        database.run("test_settle", lambda tx: SAYINGS.settle(tx, waiting[1], "Bo Ek", SayingState.REFUSED))
        assert database.view("test_waiting", SAYINGS.waiting) == ()
        standing = database.view("test_standing", lambda tx: SAYINGS.standing(tx, [pupil_id(1), pupil_id(2)]))
        assert standing == {
            pupil_id(1): tuple(Saying(what, DAY, DAY, "text", reviewed=True) for what in (What.MET, What.GONE))
        }
        assert database.view("test_spoken", SAYINGS.spoken_of) == (pupil_id(1),)


def test_the_migrations_make_exactly_the_tables_of_the_schema(database: Database) -> None:
    with opened(database), database.transaction("test_check") as tx:
        config = Config()
        config.set_main_option("script_location", f"{node.store.__path__[0]}/migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = tx
        # Raises where an autogenerated migration would not be empty.
        command.check(config)
