"""No statement of the registry's daily work reads a large table from end to end.

The statements are those that intake, closes, mailbox and recovery really execute, caught on their way to a PostgreSQL
server with millions of rows, and explained there: with the values they had, and as the server plans them for
any values, where it finds that no dearer and so keeps to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation import boundary
from federation.database import Database
from federation.rules.vocabulary import Handle, MemberId, OpeningKind, Presence, Pseudonym, Urgency
from registry.model import CaseDescription
from registry.recovery import Recovery
from registry.statistics.catalogue import AgeBand, Sex
from registry.statistics.describing import Describing
from registry.statistics.releasing import Releasing
from registry.store import schema
from tests.harness import stored_nation
from tests.store.registry.conftest import empty
from tests.store.registry.scene import DUE, KEYS, Scene, again, arrival, federation, leaving, pupil, retracted

SIGNALS = 500_000
"""And two million rows that they leave behind."""
LARGE = 20_000
"""Rows from which on a table may not be read from end to end."""

MEMBERS = (MemberId("1000"), MemberId("1001"))
RELEASED = date(2026, 11, 14)
"""When the first month is due."""

EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")

PARTIAL = {
    index.name
    for table in schema.metadata.sorted_tables
    for index in table.indexes
    if index.dialect_options["postgresql"]["where"] is not None
}

Caught = dict[str, tuple[str, Any]]
"""By its text: the transaction that a statement was first executed in, and its parameters."""


@pytest.fixture(scope="module")
def caught(migrated_postgres: Database) -> Iterator[tuple[Database, Caught]]:
    """A store of millions of rows, and the statements of a day on it."""
    empty(migrated_postgres)
    stored_nation.fill(migrated_postgres, SIGNALS)
    statements: Caught = {}

    def catch(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        name = boundary._thread.transaction
        if statement.lstrip().startswith(EXPLAINED) and name not in (None, "test"):
            statements.setdefault(statement, (str(name), parameters))

    sa.event.listen(migrated_postgres.engine, "before_cursor_execute", catch)
    try:
        _a_day(Scene(migrated_postgres, federation(*MEMBERS)))
    finally:
        sa.event.remove(migrated_postgres.engine, "before_cursor_execute", catch)
    yield migrated_postgres, statements
    empty(migrated_postgres)


def _a_day(scene: Scene) -> None:
    a, b = MEMBERS
    gone = [leaving(pupil(f"p{number}")) for number in range(400)]
    urgent = leaving(pupil("urgent"), urgency=Urgency.IMMEDIATE, kind=OpeningKind.NOT_PLACED)
    come = [arrival(pupil(f"p{number}")) for number in range(300)]
    scene.submit(a, *gone, urgent)
    scene.submit(b, *come, arrival(pupil("urgent")), leaving(pupil("p399"), since=DUE - timedelta(days=13)))
    scene.close(DUE - timedelta(days=1))
    scene.submit(
        a, *(again(signal, presences=(Presence(None, signal.opening.since),)) for signal in gone if signal.opening)
    )
    scene.submit(b, *map(retracted, come[:50]))
    # Some have changed, others are due.
    scene.close(DUE)
    described = [CaseDescription(signal.handle, 1, AgeBand.MIDDLE, Sex.MALE) for signal in gone]
    Describing(scene.database, scene.clock).take(a, described)
    scene.close(DUE + timedelta(days=30), all_current=False)
    scene.mailbox.acknowledge(a, scene.mailbox.page(a, 0, 100)[0][-1].number)
    recovery = Recovery(scene.database, KEYS, lambda: scene.descriptor)
    page, _, _ = recovery.page(a, Handle(b""), 100)
    assert page
    assert recovery.find(a, [Pseudonym(1, pupil("p1").value)])
    scene.clock.set_today(RELEASED)
    scene.close(RELEASED, all_current=False)
    Releasing(scene.database, lambda: scene.descriptor, scene.clock, scene.log).publish_due()


WORK = (
    "submit_signals",
    "report_roster",
    "describe_cases",
    "close_begin",
    "close_take",
    "close_read",
    "close_portion",
    "close_finish",
    "statistics_spend",
    "statistics_draw",
)
READING = ("list_notices", "ack_notices", "list_signals", "find_handles")


@pytest.mark.parametrize("transaction", [*WORK, *READING])
def test_no_large_table_is_read_from_end_to_end(caught: tuple[Database, Caught], transaction: str) -> None:
    database, statements = caught
    large = _large(database)
    assert {"signals", "pseudonyms", "gaps", "notices", "ledger_signals"} <= large
    explained, flaws = 0, []
    for statement, (name, parameters) in statements.items():
        if name != transaction:
            continue
        for plan in _plans(database, statement, parameters):
            explained += 1
            flaws += [f"{table}: {statement}" for table in _read_whole(plan) & large]
    assert explained
    assert flaws == []


def test_what_reads_a_large_table_is_noticed(caught: tuple[Database, Caught]) -> None:
    database, _ = caught
    plan, *_ = _plans(database, "SELECT count(*) FROM signals WHERE version = %(version)s::BIGINT", {"version": 7})
    assert _read_whole(plan) == {"signals"}


def _plans(database: Database, statement: str, parameters: Any) -> Iterator[Any]:
    """How the server would execute the statement: with these values, and once it has prepared it."""
    values = parameters[0] if isinstance(parameters, list) else parameters
    with database.engine.connect() as connection:
        own = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()[0]["Plan"]
        yield own
        names = list(dict.fromkeys(PLACEHOLDER.findall(statement)))
        prepared = PLACEHOLDER.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
        explain = f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {prepared}".replace("%", "%%")
        generic = connection.exec_driver_sql(explain).scalar_one()[0]["Plan"]
        if generic["Total Cost"] <= own["Total Cost"]:
            yield generic


def _read_whole(plan: dict[str, Any]) -> set[str]:
    """The tables that a plan reads from end to end, be it in the order of an index."""
    below = set[str]().union(*(_read_whole(each) for each in plan.get("Plans", ())))
    whole = "Seq Scan" in plan["Node Type"] or ("Index" in plan["Node Type"] and "Index Cond" not in plan)
    # An index of few rows by what it was made for is read whole for a good reason.
    partial = plan.get("Index Name") in PARTIAL
    return below | ({plan["Relation Name"]} if whole and not partial and "Relation Name" in plan else set())


def _large(database: Database) -> set[str]:
    with database.read("test") as tx:
        query = sa.text("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > :rows")
        return set(tx.scalars(query, {"rows": LARGE}))
