"""A daemon works only on a database of exactly the shape it knows."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from federation.database import Database
from federation.errors import Code, UppropError
from federation.migration import check_schema, head, known, migrate

ENVIRONMENT = """
from alembic import context
context.configure(connection=context.config.attributes["connection"], target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
"""
REVISION = """
import sqlalchemy as sa
from alembic import op
revision = "{number:04d}"
down_revision = {before}
def upgrade():
    op.create_table("t{number}", sa.Column("a", sa.Integer))
    {more}
"""


class Package:
    """An importable package with migrations."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self._versions = directory / name / "migrations" / "versions"
        self._versions.mkdir(parents=True)
        (directory / name / "__init__.py").write_text("", encoding="utf-8")
        (self._versions.parent / "env.py").write_text(ENVIRONMENT, encoding="utf-8")

    def add(self, number: int, more: str = "") -> None:
        before = f'"{number - 1:04d}"' if number > 1 else None
        text = REVISION.format(number=number, before=before, more=more)
        (self._versions / f"{number:04d}.py").write_text(text, encoding="utf-8")

    def forget(self, number: int) -> None:
        (self._versions / f"{number:04d}.py").unlink()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Package:
    monkeypatch.syspath_prepend(tmp_path)
    made = Package(tmp_path, f"package_{abs(hash(request.node.name)):x}")
    made.add(1)
    return made


def _tables(db: Database) -> set[str]:
    with db.read("tables") as connection:
        return set(sa.inspect(connection).get_table_names())


def test_an_empty_database_is_outdated_and_migrated(database: Database, package: Package) -> None:
    with pytest.raises(UppropError) as refused:
        check_schema(database, package.name)
    assert refused.value.code is Code.SCHEMA_OUTDATED
    assert migrate(database, package.name) == (None, "0001")
    check_schema(database, package.name)


def test_a_database_that_is_refused_is_left_with_nothing_open(tmp_path: Path, package: Package) -> None:
    database = Database(tmp_path / "refused.sqlite")
    with pytest.raises(UppropError):
        check_schema(database, package.name)
    assert isinstance(database.engine.pool, sa.QueuePool)
    assert database.engine.pool.checkedin() == 0
    migrate(database, package.name)
    check_schema(database, package.name)
    assert database.engine.pool.checkedin() == 1
    database.close()


def test_migrating_twice_changes_nothing(database: Database, package: Package) -> None:
    migrate(database, package.name)
    assert migrate(database, package.name) == ("0001", "0001")


def test_an_older_database_is_refused_until_it_is_migrated(database: Database, package: Package) -> None:
    migrate(database, package.name)
    package.add(2)
    with pytest.raises(UppropError) as refused:
        check_schema(database, package.name)
    assert refused.value.code is Code.SCHEMA_OUTDATED
    assert migrate(database, package.name) == ("0001", "0002")
    check_schema(database, package.name)


def test_a_newer_database_is_refused_and_left_alone(database: Database, package: Package) -> None:
    package.add(2)
    migrate(database, package.name)
    package.forget(2)
    for attempt in (check_schema, migrate):
        with pytest.raises(UppropError) as refused:
            attempt(database, package.name)
        assert refused.value.code is Code.SCHEMA_NEWER


def test_a_migration_that_fails_leaves_the_database_as_it_was(database: Database, package: Package) -> None:
    migrate(database, package.name)
    package.add(2, more="raise KeyError")
    before = _tables(database)
    with pytest.raises(KeyError):
        migrate(database, package.name)
    assert _tables(database) == before


def test_reading_the_revision_writes_nothing(database: Database, package: Package) -> None:
    with pytest.raises(UppropError):
        check_schema(database, package.name)
    assert _tables(database) == set()


@pytest.mark.parametrize("store", ["node.store", "registry.store", "privacy.evaluator.store"])
def test_what_is_known_is_what_alembic_knows(store: str) -> None:
    """A start reads the migrations' files itself, since importing Alembic would be half of it."""
    scripts = ScriptDirectory(str(Path(importlib.import_module(store).__path__[0]) / "migrations"))
    assert known(store) == {script.revision: script.down_revision for script in scripts.walk_revisions()}
    assert head(store) == scripts.get_current_head()


def test_a_package_with_two_newest_migrations_or_none_is_refused(package: Package) -> None:
    package.add(2)
    package.add(3)
    package.forget(2)
    with pytest.raises(ValueError, match="the newest"):
        head(package.name)
    for number in (1, 3):
        package.forget(number)
    with pytest.raises(ValueError, match="no migrations"):
        head(package.name)


def test_checking_a_schema_imports_no_alembic() -> None:
    looked = "import sys, federation.migration, node.app; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", looked]).returncode == 0
