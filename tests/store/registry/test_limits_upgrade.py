"""A store from before the limits: what it holds goes on as it was, and its overlaps are found by the next close."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import registry.store
from federation.database import Database
from federation.migration import migrate
from federation.rules.vocabulary import NoticeKind
from registry.model import ref_of
from registry.store import schema
from registry.store.schema_limits import openings, overlap_days
from tests.harness.postgres import PostgresServer
from tests.store.registry.scene import SINCE, A, B

LONG_BEFORE = SINCE - timedelta(days=400)


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty store on each kind."""
    if request.param == "sqlite":
        database = Database(tmp_path / "old.sqlite")
        yield database
        database.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.fresh_database() as url:
        database = Database(url)
        yield database
        database.close()


def at_revision(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", f"{registry.store.__path__[0]}/migrations")
    config.set_main_option("path_separator", "os")
    with database.transaction("test_old") as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def signal(member: str, handle: bytes, statement: str, **more: Any) -> dict[str, Any]:
    return {
        "ref": ref_of(member, handle),  # type: ignore[arg-type]
        "member": member,
        "handle": handle,
        "version": 1,
        "content_digest": bytes(32),
        "retracted": False,
        "statement": statement,
        "drill": False,
        **more,
    }


def test_a_store_with_rows_goes_on(old: Database) -> None:
    at_revision(old, "0003")
    mine, theirs = b"a" * 16, b"b" * 16
    opening = '{"number":1,"kind":"LEFT","since":"2025-07-28","urgency":"NORMAL","planned_start":null}'
    with old.transaction("test_rows") as tx:
        for row in (signal(A, mine, f'{{"opening":{opening}}}'), signal(B, theirs, "{}")):
            tx.execute(sa.insert(schema.signals).values(row))
            pair = {"epoch": 1, "keyed": b"k" * 32, "ref": row["ref"], "live": True}
            tx.execute(sa.insert(schema.pseudonyms).values(pair))
        tx.execute(
            sa.text(
                "INSERT INTO gaps (ref, number, kind, since, urgency, state, state_since, due_on, linked, leads, "
                "coverage_incomplete) "
                "VALUES (:ref, 1, 'LEFT', :since, 'NORMAL', 'WATCH', :since, :since, :no, :no, :no)"
            ).bindparams(sa.bindparam("since", type_=sa.Date())),
            {"ref": ref_of(A, mine), "since": LONG_BEFORE, "no": False},  # type: ignore[arg-type]
        )
        told = {"position": 1, "member": A, "number": 1, "kind": "OPENED", "closed_on": SINCE}
        tx.execute(sa.insert(schema.notices).values(**told, handle=mine, coverage_incomplete=False))
    migrate(old, "registry.store")

    def look(tx: sa.Connection) -> tuple[list[Any], set[bytes], list[str]]:
        known = tx.execute(sa.select(openings.c.member, openings.c.number, openings.c.received_on, openings.c.waits))
        days = {row.ref for row in tx.execute(sa.select(overlap_days).where(overlap_days.c.look_on < SINCE))}
        return [tuple(row) for row in known], days, list(tx.scalars(sa.select(schema.notices.c.kind)))

    known, days, notices = old.view("test_look", look)
    # No day of an opening that is known moves: it counts as received when it says that it began.
    assert known == [(A, 1, LONG_BEFORE, False)]
    assert days == {ref_of(A, mine), ref_of(B, theirs)}  # type: ignore[arg-type]
    assert notices == ["OPENED"]
    with old.transaction("test_overlap") as tx:
        another = {"position": 2, "member": A, "number": 2, "kind": NoticeKind.OVERLAP.value, "closed_on": date.max}
        tx.execute(sa.insert(schema.notices).values(**another, coverage_incomplete=False))
    with pytest.raises(sa.exc.IntegrityError), old.transaction("test_unknown") as tx:
        tx.execute(sa.insert(schema.notices).values(**{**another, "position": 3, "number": 3, "kind": "SUNG"}))
