"""A registry on each kind of store."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from federation.database import Database
from federation.migration import migrate
from registry.store.schema import metadata
from tests.harness.postgres import PostgresServer
from tests.store.registry.scene import Scene

MakeDatabase = Callable[[], Database]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("registry") / "migrated.sqlite"
    database = Database(path)
    migrate(database, "registry.store")
    database.close()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> Iterator[Database]:
    with postgres.fresh_database() as url:
        database = Database(url)
        migrate(database, "registry.store")
        yield database
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeDatabase]:
    """Makes empty databases with all tables, once on each kind of store; on PostgreSQL it is one, emptied."""
    made: list[Database] = []

    def make() -> Database:
        if request.param == "postgresql":
            database: Database = request.getfixturevalue("migrated_postgres")
            empty(database)
            return database
        path = tmp_path / f"store-{len(made)}.sqlite"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        made.append(Database(path))
        return made[-1]

    yield make
    for database in made:
        database.close()


def empty(database: Database) -> None:
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    with database.transaction("test_empty") as tx:
        tx.execute(sa.text(f"TRUNCATE {tables}"))
        tx.execute(sa.text("INSERT INTO sequence (id) VALUES (1)"))


@pytest.fixture
def scene(empty_database: MakeDatabase) -> Scene:
    return Scene(empty_database())
