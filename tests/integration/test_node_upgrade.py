"""A store of the first version, brought up to date: nobody is forgotten and nobody is taken to have left."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, insert, select

import node.store
from federation.database import Database
from federation.migration import migrate
from federation.rules.vocabulary import Policy
from node.settings import STORE_PACKAGE
from tests.integration.node_alone import BASELINE, TABLES, WEEK, Node, make, roster
from tests.unit.node.exports import enrolment, person


def first_version(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", f"{node.store.__path__[0]}/migrations")
    config.set_main_option("path_separator", "os")
    with database.transaction("test_first_version") as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0001")


def copy(source: Node, target: Database) -> None:
    """What the first version would have kept: its tables and columns, and a digest of each pupil of the last export."""

    def rows(tx: Connection) -> dict[str, list[dict[str, object]]]:
        return {table.name: [dict(row._mapping) for row in tx.execute(select(table))] for table in TABLES}

    kept = source.database.view("test_rows", rows)
    with target.transaction("test_copy") as tx:
        before = MetaData()
        before.reflect(tx)
        for table in before.sorted_tables:
            for row in kept.get(table.name, ()):
                row.pop("import_id", None)
                if table.name == "pupils":
                    row["observation_index"] = bytes(row["pupil_id"]) * 2 if row["live"] else None  # type: ignore[call-overload]
                tx.execute(insert(table).values({name: value for name, value in row.items() if name in table.c}))


def test_an_upgraded_store_takes_its_next_export_as_the_first_version_would_have(
    tmp_path: Path, sqlite_node: Node, node_store: str
) -> None:
    old = sqlite_node
    old.take(BASELINE, [*roster(20), person(30), person(31)])
    old.take(BASELINE + WEEK, [*roster(20), person(30)])
    upgraded = Database(f"sqlite:///{tmp_path / 'old.sqlite'}" if node_store.startswith("sqlite") else node_store)
    with upgraded.transaction("test_clear") as tx:
        found = MetaData()
        found.reflect(tx)
        found.drop_all(tx)
    first_version(upgraded)
    copy(old, upgraded)
    migrate(upgraded, STORE_PACKAGE)
    upgraded.close()

    node = make(tmp_path, str(upgraded.url.render_as_string(hide_password=False)), Policy())
    changed = person(3, enrolment(end="2026-09-04"))
    report = node.take(BASELINE + 2 * WEEK, [each for each in roster(20) if each["id"] != changed["id"]] + [changed])
    assert (report.changed, report.vanished) == (1, 1)
    openings = {
        place: opening.since
        for place in (*range(20), 30, 31)
        if (opening := node.states(node.pupil(place)).opening) is not None
    }
    assert openings == {3: date(2026, 9, 5), 30: BASELINE + 2 * WEEK, 31: BASELINE + WEEK}
    # The next one costs no more than any other.
    assert node.take(BASELINE + 3 * WEEK, [changed, *roster(3)[:2], *roster(20)[4:], roster(3)[2]]).changed == 0
    node.database.close()
