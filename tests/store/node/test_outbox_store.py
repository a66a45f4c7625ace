"""What waits is sent once, in order, in batches that stay the same until their answer is written."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from federation.database import Database
from federation.rules.vocabulary import Disposition, DispositionKind
from node.casework.parked import ParkedSignals
from node.identity import Route
from node.outbox import Version
from node.store.outbox import Batch, VersionState
from node.store.schema import pupils, versions
from tests.store.node.stored import MADE_ON, OUTBOX, PUPILS, handle, opened, pupil, pupil_id, version

NOW = datetime(2026, 9, 7, 12, tzinfo=UTC)
ACCEPTED = Disposition(DispositionKind.ACCEPTED)
BATCH_ID = b"b" * 16


def add(database: Database, *made: tuple[int, Version]) -> None:
    database.run("test_add", lambda tx: OUTBOX.add(tx, [(pupil_id(place), each) for place, each in made], MADE_ON))


def waiting(database: Database) -> list[Version]:
    return database.view("test_waiting", lambda tx: list(OUTBOX.waiting(tx)))


def make_batch(database: Database, batch_id: bytes = BATCH_ID) -> Batch:
    return database.run("test_batch", lambda tx: OUTBOX.make_batch(tx, batch_id, list(OUTBOX.waiting(tx)), NOW))


def open_batch(database: Database) -> Batch | None:
    return database.run("test_open_batch", OUTBOX.open_batch)


def settle(database: Database, batch: Batch, *answers: Disposition) -> int:
    return database.run("test_settle", lambda tx: OUTBOX.settle(tx, batch, answers, MADE_ON))


def set_route(database: Database, place: int, route: Route) -> None:
    def work(tx: Connection) -> None:
        tx.execute(update(pupils).where(pupils.c.pupil_id == pupil_id(place)).values(route=route.value))

    database.run("test_route", work)


def states(database: Database) -> list[str]:
    query = select(versions.c.state).order_by(versions.c.handle, versions.c.version)
    return database.view("test_states", lambda tx: list(tx.execute(query).scalars()))


def test_a_version_comes_back_as_it_was_made(database: Database) -> None:
    with opened(database, pupil(1)):
        made = version(1, epochs=(1, 2))
        add(database, (1, made))
        assert waiting(database) == [made]
        assert database.view("test_newest", lambda tx: OUTBOX.newest(tx, [handle(1)])) == {handle(1): made}


def test_versions_wait_in_the_order_of_their_numbers(database: Database) -> None:
    with opened(database, pupil(1), pupil(2)):
        add(database, (2, version(2, 1)), (2, version(2, 2)), (1, version(1, 1)))
        assert [(each.signal.version, each.signal.handle) for each in waiting(database)] == [
            (1, handle(1)),
            (1, handle(2)),
            (2, handle(2)),
        ]


def test_a_batch_stays_the_same_until_its_answer_is_written(database: Database) -> None:
    with opened(database, pupil(1), pupil(2)):
        add(database, (1, version(1)))
        batch = make_batch(database)
        add(database, (2, version(2)))
        assert open_batch(database) == batch == open_batch(database)
        settle(database, batch, ACCEPTED)
        assert open_batch(database) is None
        assert waiting(database) == [version(2)]


def test_an_answer_written_twice_changes_nothing(database: Database) -> None:
    with opened(database, pupil(1), pupil(2)):
        add(database, (1, version(1)), (2, version(2)))
        batch = make_batch(database)
        answers = (ACCEPTED, Disposition(DispositionKind.REJECTED, "NOT_SUPPORTED"))
        assert settle(database, batch, *answers) == 1
        once = states(database)
        assert settle(database, batch, *answers) == 0
        assert states(database) == once == [VersionState.ACKNOWLEDGED.value, VersionState.PARKED.value]


def test_what_is_parked_does_not_block_the_rest_and_is_shown(database: Database) -> None:
    with opened(database, pupil(1), pupil(2), pupil(3)):
        add(database, (1, version(1)), (2, version(2)), (3, version(3)))
        batch = make_batch(database)
        settle(
            database,
            batch,
            Disposition(DispositionKind.CONFLICT),
            Disposition(DispositionKind.DUPLICATE),
            Disposition(DispositionKind.REJECTED, "SIGNAL_MALFORMED"),
        )
        parked = database.view("test_parked", OUTBOX.parked)
        assert [(each.pupil_id, each.code, each.made_on) for each in parked] == [
            (pupil_id(1), "CONFLICT", MADE_ON),
            (pupil_id(3), "SIGNAL_MALFORMED", MADE_ON),
        ]
        shown = database.view("test_shown", lambda tx: ParkedSignals(PUPILS, OUTBOX).standing(tx, protected=False))
        assert [(each.person_id, each.code) for each in shown] == [
            ("person-1", "CONFLICT"),
            ("person-3", "SIGNAL_MALFORMED"),
        ]
        add(database, (1, version(1, 2)))
        assert waiting(database) == [version(1, 2)]
        counts = database.view("test_counts", OUTBOX.counts)
        assert (counts.waiting, counts.parked) == (1, 2)


def test_what_is_parked_of_a_protected_pupil_is_shown_to_the_role_alone(database: Database) -> None:
    parked = ParkedSignals(PUPILS, OUTBOX)
    with opened(database, pupil(1, protected=True)):
        add(database, (1, version(1)))
        settle(database, make_batch(database), Disposition(DispositionKind.CONFLICT))
        assert not database.view("test_shown", lambda tx: parked.standing(tx, protected=False))
        assert database.view("test_shown", lambda tx: parked.standing(tx, protected=True))


def test_a_dissolved_batch_goes_out_again_in_another(database: Database) -> None:
    with opened(database, pupil(1)):
        add(database, (1, version(1)))
        batch = make_batch(database)
        database.run("test_dissolve", lambda tx: OUTBOX.dissolve(tx, batch.batch_id))
        assert open_batch(database) is None
        again = make_batch(database, b"c" * 16)
        assert again.versions == batch.versions
        assert open_batch(database) == again


def test_nothing_of_a_pupil_off_the_route_registry_is_sent_nor_counted(database: Database) -> None:
    with opened(database, pupil(1), pupil(2)):
        add(database, (1, version(1)), (2, version(2)))
        set_route(database, 1, Route.PROTECTED)
        assert waiting(database) == [version(2)]
        assert database.view("test_counts", OUTBOX.counts).waiting == 1
        set_route(database, 1, Route.REGISTRY)
        assert waiting(database) == [version(1), version(2)]


def test_a_batch_is_dissolved_when_a_pupil_in_it_becomes_protected(database: Database) -> None:
    with opened(database, pupil(1), pupil(2)):
        add(database, (1, version(1)), (2, version(2)))
        make_batch(database)
        set_route(database, 1, Route.PROTECTED)
        assert open_batch(database) is None
        assert waiting(database) == [version(2)]


def test_what_was_given_up_is_no_obstacle_to_saying_it_anew(database: Database) -> None:
    with opened(database, pupil(1)):
        add(database, (1, version(1)))
        database.run("test_supersede", lambda tx: OUTBOX.supersede(tx, [version(1)]))
        assert waiting(database) == []
        newest = database.view("test_newest", lambda tx: OUTBOX.newest(tx, [handle(1)]))[handle(1)]
        assert (newest.signal, newest.carries) == (version(1).signal, ())
        assert database.view("test_dirty", lambda tx: PUPILS.to_restate(tx, MADE_ON)) == (pupil_id(1),)


def test_a_retired_handle_that_never_left_the_node_is_forgotten(database: Database) -> None:
    with opened(database, pupil(1)):
        add(database, (1, version(1)))
        assert database.run("test_withdraw", lambda tx: OUTBOX.withdraw(tx, [handle(1)])) == frozenset()
        assert waiting(database) == []


def test_a_retired_handle_that_may_have_left_the_node_is_known(database: Database) -> None:
    with opened(database, pupil(1)):
        add(database, (1, version(1)))
        batch = make_batch(database)
        database.run("test_dissolve", lambda tx: OUTBOX.dissolve(tx, batch.batch_id))
        assert database.run("test_withdraw", lambda tx: OUTBOX.withdraw(tx, [handle(1)])) == {handle(1)}
        assert waiting(database) == []


def test_a_waiting_retraction_is_not_given_up(database: Database) -> None:
    with opened(database, pupil(1)):
        add(database, (1, version(1)))
        settle(database, make_batch(database), ACCEPTED)
        add(database, (1, version(1, 2, retracted=True)))
        assert database.run("test_withdraw", lambda tx: OUTBOX.withdraw(tx, [handle(1)])) == {handle(1)}
        assert [each.signal.version for each in waiting(database)] == [2]


def test_what_a_version_says_stands_sealed(database: Database) -> None:
    with opened(database, pupil(1)):
        add(database, (1, version(1)))
        [sealed] = database.view("test_sealed", lambda tx: list(tx.execute(select(versions.c.sealed_signal)).scalars()))
        assert b"2026-09-05" not in sealed
