"""What a recovery finds in a node's store and writes there, on each kind of store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from sqlalchemy import Connection, insert, select, update

from federation.database import Database
from node.identity import Identity, Route
from node.outbox import PseudonymRef
from node.store.outbox import VersionState
from node.store.recovery import Recoveries, RecoveryState, set_restored
from node.store.schema import pseudonyms, pupils, retired_handles, versions
from node.store.schema_systems import imports
from tests.store.node.stored import (
    MADE_ON,
    OUTBOX,
    PUPILS,
    SEALER,
    handle,
    number_index,
    opened,
    pupil,
    pupil_id,
    version,
)

RECOVERIES = Recoveries(SEALER)
NAMELESS = replace(pupil(9, Route.UNLINKABLE), identity=Identity(("recovered-1",)))


def state_of(tx: Connection, place: int) -> dict[int, str]:
    query = select(versions.c.version, versions.c.state).where(versions.c.handle == handle(place))
    return {row.version: row.state for row in tx.execute(query)}


def test_a_new_store_has_not_agreed_and_agrees_once(database: Database) -> None:
    with opened(database) as store:
        assert store.view("test", RECOVERIES.state) == RecoveryState()
        store.run("test", RECOVERIES.agree)
        store.run("test", lambda tx: RECOVERIES.behind(tx, MADE_ON, None))
        assert store.view("test", RECOVERIES.state) == RecoveryState(True, None, MADE_ON, None)
        store.run("test", RECOVERIES.doubt)
        store.run("test", set_restored)
        assert store.view("test", RECOVERIES.state) == RecoveryState(False, None, MADE_ON, None)


def test_nameless_pupils_are_counted_through(database: Database) -> None:
    with opened(database) as store:
        assert [store.run("test", RECOVERIES.next_nameless) for _ in range(3)] == [1, 2, 3]


def test_only_what_may_have_reached_the_registry_counts_as_said(database: Database) -> None:
    with opened(database, *(pupil(place) for place in range(4))) as store, store.transaction("test") as tx:
        OUTBOX.add(tx, [(pupil_id(place), version(place, count)) for place in range(3) for count in (1, 2)], MADE_ON)
        OUTBOX.make_batch(tx, b"b" * 16, [version(0, 1)], datetime(2026, 9, 7, tzinfo=UTC))
        RECOVERIES.hand_back(tx, [(pupil_id(1), version(1, 2))], MADE_ON)
        assert RECOVERIES.spoken(tx, [handle(place) for place in range(4)]) == {handle(0): 1, handle(1): 2}
        # A batch that was given back may have arrived all the same.
        OUTBOX.dissolve(tx, b"b" * 16)
        assert RECOVERIES.spoken(tx, [handle(0)]) == {handle(0): 1}
        assert RECOVERIES.unspoken(tx, to_ask=True) == (pupil_id(2), pupil_id(3))


def test_who_has_something_to_say_is_asked_about_first_and_only_who_may(database: Database) -> None:
    everyone = [pupil(0), pupil(1), pupil(2, Route.PROTECTED), pupil(3, Route.RENUMBERED), NAMELESS]
    with opened(database, *everyone) as store, store.transaction("test") as tx:
        OUTBOX.add(tx, [(pupil_id(1), version(1))], MADE_ON)
        assert RECOVERIES.unspoken(tx, to_ask=True) == (pupil_id(1), pupil_id(0))
        assert set(RECOVERIES.unspoken(tx, to_ask=False)) == {each.pupil_id for each in everyone}


def test_what_is_handed_back_stands_over_what_was_made_meanwhile(database: Database) -> None:
    with opened(database, pupil(0)) as store, store.transaction("test") as tx:
        OUTBOX.add(tx, [(pupil_id(0), version(0, count)) for count in (1, 2)], MADE_ON)
        for _ in range(2):
            RECOVERIES.hand_back(tx, [(pupil_id(0), version(0, 3))], MADE_ON)
            assert state_of(tx, 0) == {1: "SUPERSEDED", 2: "SUPERSEDED", 3: "ACKNOWLEDGED"}
        again = replace(version(0, 3), carries=(PseudonymRef(1, b"x"),))
        RECOVERIES.hand_back(tx, [(pupil_id(0), again)], MADE_ON)
        assert OUTBOX.newest(tx, [handle(0)]) == {handle(0): again}
        assert list(OUTBOX.waiting(tx)) == []


def test_a_pupil_without_a_number_of_whom_something_was_said_is_nameless(database: Database) -> None:
    silent = replace(pupil(8, Route.UNLINKABLE), identity=Identity(("person-8",)))
    with opened(database, pupil(0), silent, NAMELESS) as store, store.transaction("test") as tx:
        assert RECOVERIES.nameless(tx) == {}
        RECOVERIES.hand_back(tx, [(NAMELESS.pupil_id, version(9)), (pupil_id(0), version(0))], MADE_ON)
        assert RECOVERIES.nameless(tx) == {handle(9): NAMELESS.pupil_id}
        assert RECOVERIES.nameless_open(tx) == 0
        assert RECOVERIES.owners(tx, [handle(9), handle(0), handle(5)]) == {
            handle(9): NAMELESS.pupil_id,
            handle(0): pupil_id(0),
        }


def test_a_handle_moves_to_the_pupil_who_bears_its_number(database: Database) -> None:
    with opened(database, pupil(0), NAMELESS) as store, store.transaction("test") as tx:
        RECOVERIES.hand_back(tx, [(NAMELESS.pupil_id, version(9))], MADE_ON)
        OUTBOX.add(tx, [(pupil_id(0), version(0))], MADE_ON)
        PUPILS.merge(tx, NAMELESS, pupil_id(0), MADE_ON)
        RECOVERIES.take_handle(tx, pupil(0), handle(9), None)
        assert PUPILS.load(tx, pupil_id(0)).handle == handle(9)
        assert tx.execute(select(retired_handles)).all() == []
        assert state_of(tx, 0) == {}
        assert state_of(tx, 9) == {1: "ACKNOWLEDGED"}
        assert tx.execute(select(versions.c.pupil_id)).scalars().all() == [pupil_id(0)]


def test_a_handle_under_which_something_was_said_is_retired(database: Database) -> None:
    with opened(database, pupil(0), NAMELESS) as store, store.transaction("test") as tx:
        RECOVERIES.hand_back(tx, [(NAMELESS.pupil_id, version(9)), (pupil_id(0), version(0))], MADE_ON)
        PUPILS.merge(tx, NAMELESS, pupil_id(0), MADE_ON)
        RECOVERIES.take_handle(tx, pupil(0), handle(9), MADE_ON)
        assert PUPILS.retired(tx, [pupil_id(0)]) == {handle(0): pupil_id(0)}
        # And what the registry handed back counts as said, so that its retraction is.
        assert OUTBOX.withdraw(tx, [handle(0)]) == {handle(0)}


def test_what_was_made_on_half_the_grounds_is_made_anew(database: Database) -> None:
    with opened(database, pupil(0), pupil(1), pupil(2)) as store, store.transaction("test") as tx:
        OUTBOX.add(tx, [(pupil_id(place), version(place)) for place in range(3)], MADE_ON)
        OUTBOX.make_batch(tx, b"b" * 16, [version(0)], datetime(2026, 9, 7, tzinfo=UTC))
        tx.execute(update(pupils).where(pupils.c.pupil_id == pupil_id(2)).values(drill=True))
        RECOVERIES.forget_unsent(tx)
        assert (state_of(tx, 0), state_of(tx, 1)) == ({1: VersionState.SENT}, {})
        assert state_of(tx, 2) == {1: VersionState.WAITING}


def test_a_number_that_is_nobodys_leaves_no_pseudonym(database: Database) -> None:
    with opened(database, pupil(0)) as store, store.transaction("test") as tx:
        for place in (0, 1):
            row = {"number_index": number_index(place), "epoch": 1, "sealed_value": b"sealed"}
            tx.execute(pseudonyms.insert().values(row))
            RECOVERIES.forget_pseudonyms(tx, number_index(place))
        assert tx.execute(select(pseudonyms.c.number_index)).scalars().all() == [number_index(0)]


def test_the_first_import_since_a_restore_is_found(database: Database) -> None:
    def add(tx: Connection, day: date) -> None:
        counts = dict.fromkeys(("persons", "rows", "changed", "vanished", "rejected"), 0)
        at = datetime(2026, 9, 7, tzinfo=UTC)
        tx.execute(
            insert(imports).values(
                as_of=day, seen_on=day, received_at=at, file_digest=bytes(32), baseline=False, **counts
            )
        )

    with opened(database) as store, store.transaction("test") as tx:
        assert RECOVERIES.first_import_since(tx) is None
        add(tx, MADE_ON)
        add(tx, date(2026, 9, 14))
        assert RECOVERIES.first_import_since(tx) == MADE_ON
        set_restored(tx)
        assert RECOVERIES.state(tx).restored_as_of == date(2026, 9, 14)
        assert RECOVERIES.first_import_since(tx) is None
        # Another one of the same day is a newer one all the same.
        add(tx, date(2026, 9, 14))
        assert RECOVERIES.first_import_since(tx) == date(2026, 9, 14)
