"""The shape of the store, on each kind of store."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from federation.database import Database
from federation.errors import Code, UppropError
from federation.migration import check_schema, migrate
from registry.store import schema
from registry.store.bulk import chunks, upsert
from tests.store.registry.scene import A, Scene, arrival, leaving, pupil


def test_migrations_and_tables_agree(database: Database) -> None:
    migrate(database, "registry.store")
    with database.read("test") as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    before, newest = migrate(database, "registry.store")
    assert before is None
    assert migrate(database, "registry.store") == (newest, newest)
    check_schema(database, "registry.store")


def test_an_empty_database_is_refused_until_it_is_migrated(database: Database) -> None:
    with pytest.raises(UppropError) as refused:
        check_schema(database, "registry.store")
    assert refused.value.code is Code.SCHEMA_OUTDATED


def test_constraints_of_tables_and_migrations_agree(database: Database) -> None:
    """Alembic compares no CHECKs; they state invariants, so they are compared here by name."""
    migrate(database, "registry.store")
    with database.read("test") as tx:
        inspector = sa.inspect(tx)
        for table in schema.metadata.sorted_tables:
            stated = {str(each.name) for each in table.constraints if isinstance(each, sa.CheckConstraint)}
            assert {check["name"] for check in inspector.get_check_constraints(table.name)} == stated


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("signals", {"version": 0}),
        ("gaps", {"state": "GONE"}),
        ("gaps", {"state": "OPEN", "told": None}),
        ("gaps", {"told": "WATCH"}),
        ("gaps", {"linked": True}),
        ("members", {"roster": 51}),
        ("sequence", {"id": 2}),
    ],
)
def test_a_row_that_breaks_an_invariant_is_refused(scene: Scene, table: str, row: dict[str, object]) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.close(scene.clock.today())
    with pytest.raises(sa.exc.IntegrityError), scene.database.transaction("test") as tx:
        tx.execute(sa.update(schema.metadata.tables[table]).values(**row))


def test_bulk_writing_inserts_and_updates(scene: Scene) -> None:
    scene.submit(A, *(arrival(pupil(f"p{number}")) for number in range(3)))
    with scene.database.transaction("test") as tx:
        refs = [row.ref for row in tx.execute(sa.select(schema.dirty).order_by(schema.dirty.c.ref))]
        tx.execute(sa.update(schema.dirty).values(mark=1))
        upsert(tx, schema.dirty, [{"ref": ref, "mark": 6} for ref in refs[:2]], update=("mark",))
        upsert(tx, schema.dirty, [{"ref": ref, "mark": 9} for ref in refs[1:]])
        upsert(tx, schema.dirty, [{"ref": refs[2], "mark": 3}], update=("mark",))
        upsert(tx, schema.dirty, [])
        assert list(tx.scalars(sa.select(schema.dirty.c.mark).order_by(schema.dirty.c.ref))) == [6, 6, 3]


def test_chunks_hold_everything_once() -> None:
    assert list(chunks(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []
