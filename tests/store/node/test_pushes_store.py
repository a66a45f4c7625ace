"""Clients' keys, requests that were taken, and rosters in parts are kept as they were stated."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from federation.database import Database
from node.store.clients import ClientKey, Clients
from node.store.pushes import REMEMBERED, Pushes, StagedPart, Taken
from node.store.schema_systems import roster_parts
from node.store.sealing import SealError
from tests.store.node.stored import SEALER, opened

CLIENTS, PUSHES = Clients(), Pushes(SEALER)
NOW = datetime(2026, 9, 21, 8, 0, 1, 250_000, tzinfo=UTC)
DAY = timedelta(days=1)


def key(name: str, place: int, *, added_at: datetime = NOW) -> ClientKey:
    return ClientKey(name, bytes([place]) * 32, added_at, added_at + 397 * DAY)


def part(number: int, *, roster: bytes = b"r" * 16, digest: bytes = b"d" * 32) -> StagedPart:
    return StagedPart(roster, number, 3, date(2026, 9, 21), bytes([number]) * 16, digest, b"[]")


def test_a_revocation_takes_all_keys_of_one_client(database: Database) -> None:
    with opened(database):
        made = [key("skola", 1), key("skola", 2, added_at=NOW + DAY), key("friskola", 3)]
        for one in made:
            database.run("test_add", partial(CLIENTS.add, key=one))
        assert database.view("test_of", lambda tx: CLIENTS.of(tx, "skola")) == (made[0], made[1])
        assert database.run("test_revoke", lambda tx: CLIENTS.revoke(tx, "skola", NOW + 2 * DAY)) == 2
        assert database.run("test_again", lambda tx: CLIENTS.revoke(tx, "skola", NOW + 3 * DAY)) == 0
        assert [(each.name, each.revoked_at) for each in database.view("test_all", CLIENTS.all)] == [
            ("friskola", None),
            ("skola", NOW + 2 * DAY),
            ("skola", NOW + 2 * DAY),
        ]
        assert database.view("test_key", lambda tx: CLIENTS.by_key(tx, b"\x03" * 32)) == made[2]
        assert database.view("test_key", lambda tx: CLIENTS.by_key(tx, bytes(32))) is None


def test_one_key_is_of_one_client(database: Database) -> None:
    with opened(database):
        database.run("test_add", lambda tx: CLIENTS.add(tx, key("skola", 1)))
        with pytest.raises(IntegrityError):
            database.run("test_add", lambda tx: CLIENTS.add(tx, key("friskola", 1)))


def test_a_request_is_remembered_by_its_system_and_forgotten_in_the_end(database: Database) -> None:
    taken = Taken(b"q" * 16, b"d" * 32, b"answer")
    with opened(database):
        database.run("test_keep", lambda tx: PUSHES.keep(tx, "skola", taken, NOW))
        assert database.view("test_taken", lambda tx: PUSHES.taken(tx, "skola", taken.request_id)) == taken
        assert database.view("test_taken", lambda tx: PUSHES.taken(tx, "friskola", taken.request_id)) is None
        assert database.view("test_last", CLIENTS.last_pushes) == {"skola": NOW}
        with pytest.raises(IntegrityError):
            database.run("test_keep", lambda tx: PUSHES.keep(tx, "skola", taken, NOW))
        database.run("test_keep", lambda tx: PUSHES.keep(tx, "friskola", taken, NOW + REMEMBERED))
        assert database.view("test_taken", lambda tx: PUSHES.taken(tx, "skola", taken.request_id)) == taken
        database.run("test_keep", lambda tx: PUSHES.keep(tx, "c", taken, NOW + REMEMBERED + DAY))
        assert database.view("test_taken", lambda tx: PUSHES.taken(tx, "skola", taken.request_id)) is None


def test_parts_of_a_roster_stand_in_order_and_each_once(database: Database) -> None:
    with opened(database):
        for one, persons in ((part(3), b"[3]"), (part(1), b"[1]"), (part(3, digest=b"e" * 32), b"[33]")):
            database.run("test_stage", partial(PUSHES.stage, system="skola", part=one, persons=persons))
        database.run("test_stage", lambda tx: PUSHES.stage(tx, "friskola", part(1), b"[]"))
        staged = database.view("test_staged", lambda tx: PUSHES.staged(tx, "skola"))
        assert staged == (part(1), part(3, digest=b"e" * 32))
        assert database.view("test_persons", lambda tx: PUSHES.persons(tx, "skola", 3)) == b"[33]"
        database.run("test_unstage", lambda tx: PUSHES.unstage(tx, "skola"))
        assert database.view("test_staged", lambda tx: PUSHES.staged(tx, "skola")) == ()
        assert len(database.view("test_staged", lambda tx: PUSHES.staged(tx, "friskola"))) == 1


def test_persons_of_a_part_are_sealed_to_their_place(database: Database) -> None:
    with opened(database):
        database.run("test_stage", lambda tx: PUSHES.stage(tx, "skola", part(1), b"a name"))
        sealed = database.view("test_sealed", lambda tx: tx.execute(select(roster_parts.c.sealed_persons)).scalar_one())
        assert b"a name" not in sealed
        moved = roster_parts.update().values(part=2)
        database.run("test_move", lambda tx: tx.execute(moved))
        with pytest.raises(SealError):
            database.view("test_persons", lambda tx: PUSHES.persons(tx, "skola", 2))
