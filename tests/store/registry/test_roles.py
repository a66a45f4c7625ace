"""Three roles on a real PostgreSQL server: what the registry's login may do, and what it is refused."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.engine import make_url

from federation import throwaway
from federation.database import Database, Isolation
from federation.descriptor import Reader
from federation.files import write_secret
from privacy.keys import deal_epoch
from registry.cli import registry
from registry.model import ref_of
from registry.statistics.asking import Asking
from registry.statistics.questions import Question
from registry.store import ledger, schema
from registry.store.roles import APPEND_ONLY
from registry.store.schema_ledger import ledger_entries, ledger_signals
from tests.harness.postgres import PostgresServer
from tests.harness.statistics_nation import fill
from tests.store.registry.scene import DUE, A, B, Scene, arrival, leaving, pupil
from tests.store.registry.statistics_scene import ALL, Statistics

DENIED = "42501"


@pytest.fixture(scope="module")
def app(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The database as the registry's login sees it, after `upprop registry migrate` with roles."""
    suffix = secrets.token_hex(4)
    owner, migrator, login = (f"test_{kind}_{suffix}" for kind in ("owner", "migrator", "app"))
    password = secrets.token_hex(8)
    with postgres.fresh_database() as url, contextlib.closing(Database(url)) as server:
        _execute(
            server,
            f"CREATE ROLE {owner} NOLOGIN",
            f"CREATE ROLE {migrator} LOGIN PASSWORD '{password}' IN ROLE {owner}",
            f"CREATE ROLE {login} LOGIN PASSWORD '{password}'",
            f"ALTER DATABASE {make_url(url).database} OWNER TO {owner}",
        )
        try:
            directory = tmp_path_factory.mktemp("roles") / "federation"
            members = [throwaway.DevMember(A)]
            ports = throwaway.Ports(0, (0, 0))
            home = throwaway.dev(directory, members, deal_epoch=deal_epoch, ports=ports).registry.parent
            for name, user in (("app.url", login), ("migrator.url", migrator)):
                as_user = make_url(url).set(username=user, password=password)
                write_secret(home / name, as_user.render_as_string(hide_password=False).encode())
            _settle(home / "config.toml", owner, login)
            migrated = CliRunner().invoke(registry, ["migrate", "--config", str(home / "config.toml")])
            assert migrated.exit_code == 0, migrated.output
            with contextlib.closing(Database((home / "app.url").read_text())) as database:
                yield database
        finally:
            _execute(
                server,
                f"ALTER DATABASE {make_url(url).database} OWNER TO CURRENT_USER",
                *(f"DROP OWNED BY {role} CASCADE" for role in (login, migrator, owner)),
                *(f"DROP ROLE {role}" for role in (login, migrator, owner)),
            )


@pytest.fixture(scope="module")
def scene(app: Database) -> Scene:
    return Scene(app)


def test_the_login_does_all_of_a_days_work(app: Database, scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")), leaving(pupil("q")))
    scene.submit(B, arrival(pupil("q")))
    scene.close(DUE)
    assert sorted(scene.kinds(A)) == ["ANSWERED", "OPENED"]
    _seal(app, hour=1)


@pytest.mark.parametrize("table", sorted(table.name for table in APPEND_ONLY))
@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE {table} SET {column} = {column}",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "DROP TABLE {table}",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "SELECT {column} FROM {table} FOR UPDATE",
    ],
    ids=lambda attempt: attempt.split()[0].lower(),
)
def test_what_must_stay_as_it_was_is_not_rewritten(app: Database, table: str, attempt: str) -> None:
    column = next(iter(schema.metadata.tables[table].columns)).name
    _refused(app, attempt.format(table=table, column=column))


@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE statistics_budgets SET cap_nano_rho = cap_nano_rho",
        "UPDATE statistics_budgets SET profile = profile",
        "UPDATE statistics_queries SET selection = selection",
        "DELETE FROM statistics_budgets",
        "DELETE FROM statistics_queries",
    ],
)
def test_no_budget_is_raised_and_no_question_changed(app: Database, attempt: str) -> None:
    _refused(app, attempt)


@pytest.mark.parametrize(
    "attempt",
    [
        "CREATE TABLE own (id integer)",
        "DROP TABLE signals",
        "ALTER TABLE gaps DROP CONSTRAINT ck_gaps_state",
        "TRUNCATE notices",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE OR REPLACE FUNCTION ledger_empty_signals(purged bytea[]) RETURNS void LANGUAGE sql AS 'SELECT'",
        "GRANT UPDATE ON ledger_nodes TO CURRENT_USER",
    ],
)
def test_no_table_is_changed(app: Database, attempt: str) -> None:
    if attempt.startswith("GRANT"):
        # PostgreSQL warns and grants nothing.
        with app.transaction("test") as tx:
            tx.execute(sa.text(attempt))
        _refused(app, "UPDATE ledger_nodes SET level = level")
        return
    _refused(app, attempt)


def test_what_retention_purges_is_emptied_and_keeps_its_hash(app: Database, scene: Scene) -> None:
    gone = leaving(pupil("p"))
    scene.submit(A, gone)
    scene.close(DUE)
    ref = ref_of(A, gone.handle)
    _seal(app, hour=2)
    with app.read("test") as tx:
        hashes = _hashes(tx)
    with app.transaction("test") as tx:
        purged = ledger.purge(tx, [ref])
    assert purged.entries
    with app.read("test") as tx:
        assert _hashes(tx) == hashes
        assert tx.execute(sa.select(ledger_entries).where(ledger_entries.c.subject == ref)).all() == []


def test_the_login_publishes_and_answers_further_questions(app: Database) -> None:
    # Last: it closes days that come long after those of the others.
    statistics = Statistics.filled(app, date(2027, 2, 20), children=40)
    statistics.releasing.publish_due()
    asking = Asking(app, lambda: statistics.nation.descriptor, statistics.clock, lambda values, _nano_rho: list(values))
    reader = Reader(name="statistics", role="statistics", key_sha256="a" * 64)
    question = Question(2026, ("0180", "1480"), (1, 2))
    assert asking.ask(reader, question).value is None
    assert asking.answer_waiting() == 1
    assert asking.ask(reader, question).value is not None

    statistics.clock.set_today(ALL)
    fill(app, 2027, 2, 1, closed_on=ALL)
    statistics.releasing.publish_due()
    assert len([name for name in statistics.drawn() if name.startswith("2026")]) == 14


def _seal(database: Database, hour: int) -> None:
    with database.transaction("test", isolation=Isolation.READ_COMMITTED) as tx:
        ledger.seal(tx, datetime(2026, 9, 14, hour, tzinfo=UTC))


def _hashes(tx: sa.Connection) -> list[object]:
    return [
        tx.execute(sa.select(*table.primary_key.columns, table.c.hash).order_by(*table.primary_key.columns)).all()
        for table in (ledger_signals, ledger_entries)
    ]


def _refused(database: Database, statement: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError) as refused, database.transaction("test") as tx:
        tx.execute(sa.text(statement))
    assert getattr(refused.value.orig, "sqlstate", None) == DENIED


def _settle(config: Path, owner: str, app: str) -> None:
    config.write_text(
        f'database_url_file = "app.url"\n{config.read_text()}\n'
        f'[database_roles]\nowner = "{owner}"\napp = "{app}"\nmigrator_url_file = "migrator.url"\n'
    )


def _execute(database: Database, *statements: str) -> None:
    with database.transaction("test") as tx:
        for statement in statements:
            tx.execute(sa.text(statement))
