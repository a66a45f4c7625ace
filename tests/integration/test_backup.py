"""Copies of a node's store and stores made of copies, on each kind of database."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, select

from federation.clock import ManualClock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.files import write_secret
from federation.lock import DaemonLock
from federation.migration import current, migrate
from node.cli import node as commands
from node.recovery.copies import Copies, restore
from node.settings import STORE_PACKAGE, NodeSettings, open_sealer
from node.store.imports import Imports
from node.store.recovery import Recoveries
from node.store.schema import metadata, node_state
from node.store.schema_systems import imports
from tests.harness.postgres import PostgresServer
from tests.integration.node_parties import Federation, keys_of, running
from tests.integration.test_recover_node import (
    AUTUMN,
    BASELINE,
    DAYS,
    LATER,
    MALMO,
    STOCKHOLM,
    THERE,
    autumn,
    changed,
    left,
    raised,
    recover,
    roll,
    told,
)
from tests.unit.node.exports import enrolment, person

KEY = bytes(range(32))


def unseen(_step: str, _done: int, _total: int) -> None:
    """Progress that nobody looks at."""


class Home:
    """A node's data directory, key and settings, with its store on one kind of database."""

    def __init__(self, directory: Path, url: str | None) -> None:
        directory.mkdir()
        write_secret(directory / "record.key", KEY)
        url_file = None
        if url is not None:
            url_file = directory / "db.url"
            write_secret(url_file, url.encode())
        self.directory = directory
        self.settings = NodeSettings(
            data_dir=directory / "data",
            certificate=directory / "tls.crt",
            private_key=directory / "tls.key",
            descriptor=directory / "federation.toml",
            authority_key=directory / "authority.pub",
            record_key=directory / "record.key",
            database_url_file=url_file,
        )
        self.database = Database(url) if url else Database(_made(self.settings.data_dir) / "node.sqlite")

    def fill(self) -> None:
        """A migrated store, begun under the key, with an import."""
        migrate(self.database, STORE_PACKAGE)

        def work(tx: Any) -> None:
            Imports(open_sealer(self.settings)).check_key(tx)
            day = {"as_of": BASELINE, "seen_on": BASELINE, "received_at": ManualClock("UTC", BASELINE).now()}
            counts = dict.fromkeys(("persons", "rows", "changed", "vanished", "rejected"), 0)
            for file in (b"a", b"b"):
                tx.execute(insert(imports).values(**day, **counts, file_digest=file * 32, baseline=True))

        self.database.run("test_fill", work)

    def rows(self) -> dict[str, list[Any]]:
        def read(tx: Any) -> dict[str, list[Any]]:
            tables = [table for table in metadata.sorted_tables if table.name != "recovery"]
            return {table.name: sorted(map(tuple, tx.execute(select(table))), key=repr) for table in tables}

        return self.database.view("test_rows", read)

    def restore(self, copy: Path, *, replace: bool = False) -> date | None:
        self.database.close()
        return restore(self.settings, copy, replace=replace, report=unseen)


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest) -> Iterator[tuple[str | None, str | None]]:
    """Where two stores of one kind are; None for SQLite in the data directory."""
    if request.param == "sqlite":
        yield None, None
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.fresh_database() as one, server.fresh_database() as other:
        yield one, other


@pytest.fixture
def home(tmp_path: Path, urls: tuple[str | None, str | None]) -> Iterator[Home]:
    made = Home(tmp_path / "home", urls[0])
    made.fill()
    yield made
    made.database.close()


@pytest.fixture
def other(tmp_path: Path, urls: tuple[str | None, str | None]) -> Iterator[Home]:
    made = Home(tmp_path / "other", urls[1])
    yield made
    made.database.close()


@pytest.fixture
def copy(home: Home, tmp_path: Path) -> Path:
    path = tmp_path / "copy"
    Copies(home.database, keys_of(home.settings)).make(path, unseen)
    return path


def refused(code: Code) -> pytest.RaisesExc[UppropError]:
    return pytest.RaisesExc(UppropError, check=lambda error: error.code is code)


def test_a_restored_store_holds_what_was_copied_and_asks_before_it_sends(home: Home, other: Home, copy: Path) -> None:
    before = home.rows()
    assert other.restore(copy) == BASELINE
    assert other.rows() == before
    state = other.database.view("test_state", Recoveries(open_sealer(other.settings)).state)
    assert (state.agreed, state.restored_as_of) == (False, BASELINE)
    # And it goes on counting where the copied one stopped.
    with other.database.transaction("test") as tx:
        day = {"as_of": LATER, "seen_on": LATER, "received_at": ManualClock("UTC", LATER).now()}
        counts = dict.fromkeys(("persons", "rows", "changed", "vanished", "rejected"), 0)
        tx.execute(insert(imports).values(**day, **counts, file_digest=bytes(32), baseline=False))
        assert list(tx.execute(select(imports.c.import_id).order_by(imports.c.import_id)).scalars()) == [1, 2, 3]


def test_a_copy_is_one_file_of_its_owner_with_no_key_in_it(home: Home, copy: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert KEY not in copy.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "home"]


def test_a_copy_goes_from_one_kind_of_database_to_the_other(postgres: PostgresServer, tmp_path: Path) -> None:
    with postgres.fresh_database() as url:
        ends = [Home(tmp_path / "sqlite", None), Home(tmp_path / "postgresql", url)]
        ends[0].fill()
        before = ends[0].rows()
        Copies(ends[0].database, keys_of(ends[0].settings)).make(tmp_path / "there", unseen)
        ends[1].restore(tmp_path / "there")
        assert ends[1].rows() == before
        Copies(ends[1].database, keys_of(ends[1].settings)).make(tmp_path / "back", unseen)
        ends[0].restore(tmp_path / "back", replace=True)
        assert ends[0].rows() == before
        for end in ends:
            end.database.close()


def test_nothing_is_written_over(home: Home, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("something else")
    with refused(Code.CONFIG_INVALID):
        Copies(home.database, keys_of(home.settings)).make(taken, unseen)
    assert taken.read_text() == "something else"
    with refused(Code.CONFIG_INVALID):
        Copies(home.database, keys_of(home.settings)).make(tmp_path / "nowhere" / "copy", unseen)


def test_a_copy_that_fails_leaves_nothing(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_kind: object, _path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("federation.copying.make_whole", full)
    with pytest.raises(OSError, match="No space left"):
        Copies(home.database, keys_of(home.settings)).make(tmp_path / "copy", unseen)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_store_that_holds_something_is_replaced_only_when_told(home: Home, other: Home, copy: Path) -> None:
    other.fill()
    other.database.run("test_cursor", lambda tx: tx.execute(node_state.update().values(notice_cursor=7)))
    before = other.rows()
    with refused(Code.INPUT_REFUSED):
        other.restore(copy)
    assert other.rows() == before
    other.restore(copy, replace=True)
    assert other.rows() == home.rows()


def test_an_empty_store_is_no_obstacle(home: Home, other: Home, copy: Path) -> None:
    migrate(other.database, STORE_PACKAGE)
    other.restore(copy)
    assert other.rows() == home.rows()


def test_a_copy_under_another_key_is_refused(other: Home, copy: Path) -> None:
    other.settings.record_key.unlink()
    write_secret(other.settings.record_key, bytes(32))
    with refused(Code.CONFIG_INVALID):
        other.restore(copy)
    assert not (other.settings.data_dir / "node.sqlite").exists()
    assert [path.name for path in other.settings.data_dir.iterdir()] == ["daemon.lock"]


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3000] = bytes(3000)
    path.write_bytes(content)


def of_another_role(path: Path) -> None:
    path.unlink()
    database = Database(path)
    migrate(database, "privacy.evaluator.store")
    database.close()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(damage, id="damaged"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(b"no database at all" * 1_000), id="something else"),
        pytest.param(lambda path: os.truncate(path, path.stat().st_size // 2), id="cut off"),
        pytest.param(of_another_role, id="another role's"),
        pytest.param(lambda path: path.unlink(), id="not there"),
    ],
)
def test_what_is_no_copy_changes_nothing(home: Home, copy: Path, spoil: Any) -> None:
    before = home.rows()
    spoil(copy)
    with refused(Code.INPUT_REFUSED):
        home.restore(copy, replace=True)
    assert home.rows() == before


def test_the_copy_of_a_newer_version_is_refused(other: Home, copy: Path) -> None:
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with refused(Code.SCHEMA_NEWER):
        other.restore(copy)


def test_the_copy_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """A copy as a node made it before there were records of school systems, and recovery."""
    from alembic import command

    from federation import migration

    home = Home(tmp_path / "home", None)
    old = tmp_path / "old"
    database = Database(old)
    config = migration._config(STORE_PACKAGE)
    with database.restructuring("test_old") as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            "INSERT INTO imports"
            " (as_of, received_at, file_digest, persons, rows, changed, vanished, rejected, baseline)"
            " VALUES ('2026-08-24', '2026-08-24 00:00:00', x'00', 0, 0, 0, 0, 0, 1)"
        )
    database.close()
    content = old.read_bytes()
    assert home.restore(old) == BASELINE
    assert current(home.database) == migration.head(STORE_PACKAGE)
    assert old.read_bytes() == content


def test_a_damaged_store_is_replaced_when_told(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", None)
    home.fill()
    before = home.rows()
    Copies(home.database, keys_of(home.settings)).make(tmp_path / "copy", unseen)
    home.database.close()
    (home.settings.data_dir / "node.sqlite").write_bytes(b"what is left of it" * 500)
    (home.settings.data_dir / "node.sqlite-wal").write_bytes(b"and of its log" * 500)
    with refused(Code.INPUT_REFUSED):
        home.restore(tmp_path / "copy")
    home.restore(tmp_path / "copy", replace=True)
    assert home.rows() == before


def test_a_running_node_is_not_restored(other: Home, copy: Path) -> None:
    with DaemonLock(other.settings.data_dir), refused(Code.STORE_LOCKED):
        other.restore(copy)


# -- through the command line, and with a registry ---------------------------------------------------------------------


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        yield parties


def run(federation: Federation, *arguments: str, expect: int = 0) -> Result:
    config = str(federation.dev.node(STOCKHOLM))
    done = CliRunner().invoke(commands, [*arguments, "--config", config], env={"UPPROP_LANG": "en"})
    assert done.exit_code == expect, (done.output, done.exception)
    return done


def test_back_up_go_on_lose_restore_recover_and_end_where_an_undisturbed_node_does(
    federation: Federation, tmp_path: Path
) -> None:
    """Between copy and loss: one leaves, one returns, one arrives, and a gap of before is answered."""
    node = federation.nodes[STOCKHOLM]
    autumn(federation, *DAYS[:2])
    node.close()
    run(federation, "backup", str(tmp_path / "copy"))
    node.open()
    window = changed(AUTUMN, left(2), person(201, enrolment("2026-09-21")))
    returned = changed(window, person(3, enrolment(end="2026-09-11"), enrolment("2026-09-28")))
    federation.day(DAYS[2], {STOCKHOLM: changed(window, person(3, enrolment(end="2026-09-11"))), MALMO: THERE})
    federation.day(LATER, {STOCKHOLM: returned, MALMO: changed(THERE, person(0, enrolment("2026-09-22")))})
    before, said, gaps = node.gaps(), told(federation), raised(federation)
    assert len(before) == 2
    node.close()
    run(federation, "restore", str(tmp_path / "copy"), expect=1)
    done = run(federation, "restore", str(tmp_path / "copy"), "--replace")
    assert "newest import: 2026-09-14" in done.output
    node.open()
    federation.set_today(date(2026, 9, 29))
    node.take(returned)
    assert "upprop node recover" in node.sync().problems[0]
    assert recover(node).complete
    report = node.sync()
    assert (report.submitted, report.problems) == (0, ())
    assert told(federation) == said
    assert node.gaps() == before
    assert raised(federation) == gaps
    for day in (date(2026, 10, 5), date(2026, 10, 12)):
        federation.day(day, {STOCKHOLM: returned, MALMO: changed(THERE, person(0, enrolment("2026-09-22")))})
    assert node.gaps() == before


def test_a_copy_as_new_as_the_registry_needs_no_recovery(federation: Federation, tmp_path: Path) -> None:
    node = federation.nodes[STOCKHOLM]
    autumn(federation)
    Copies(node.app.database, keys_of(node.settings)).make(tmp_path / "copy", unseen)
    before = node.gaps()
    node.close()
    restore(node.settings, tmp_path / "copy", replace=True, report=unseen)
    node.open()
    assert node.sync().problems == ()
    assert node.gaps() == before
    federation.day(LATER, {STOCKHOLM: AUTUMN, MALMO: changed(THERE, person(0, enrolment("2026-09-22")))})
    assert [gap.state for gap in node.gaps()] == ["ANSWERED"]


def test_the_command_line_copies_a_running_node(federation: Federation, tmp_path: Path) -> None:
    node = federation.nodes[STOCKHOLM]
    node.close()
    config = str(federation.dev.node(STOCKHOLM))
    command = [sys.executable, "-m", "federation.cli", "node"]
    with subprocess.Popen([*command, "serve", "--config", config], stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        while b"daemon_started" not in process.stderr.readline():
            assert process.poll() is None
        done = subprocess.run(
            [*command, "backup", str(tmp_path / "copy"), "--config", config, "--json"], capture_output=True, check=True
        )
        process.terminate()
        process.wait(30)
    node.open()
    report = json.loads(done.stdout)
    assert report == {
        "path": str(tmp_path / "copy"),
        "bytes": (tmp_path / "copy").stat().st_size,
        "newest_import": BASELINE.isoformat(),
    }


def test_a_recovery_on_the_command_line_says_what_is_left_to_do(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    gone = [each for each in AUTUMN if each["id"] != person(0)["id"]]
    for day in DAYS:
        federation.day(day, {STOCKHOLM: gone, MALMO: THERE})
    node.close()
    for path in node.settings.data_dir.glob("node.sqlite*"):
        path.unlink()
    # A node at rest goes by the date of its settings.
    config = federation.dev.node(STOCKHOLM)
    config.write_text(config.read_text().replace(BASELINE.isoformat(), DAYS[-1].isoformat()))
    run(federation, "migrate")
    refusal = run(federation, "recover", expect=1)
    assert isinstance(refusal.exception, UppropError)
    assert "upprop node import" in refusal.exception.sentence
    node.open()
    node.take(gone)
    node.close()
    done = run(federation, "recover")
    assert "The registry knows 3 pupils from you; 2 are known here by number." in done.output
    assert "1 pupil is in no import" in done.output
    assert "--person -" in done.output
    named = CliRunner().invoke(
        commands,
        ["recover", "--person", "-", "--lang", "en", "--config", str(config)],
        input=f"{person(0)['civicNo']['value']}\n",
    )
    assert named.exit_code == 0, named.output
    assert "recovered-" in named.output
    assert person(0)["civicNo"]["value"] not in named.output
    assert json.loads(run(federation, "recover", "--json").stdout)["nameless"] == 0
    node.open()
