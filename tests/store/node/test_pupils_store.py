"""Pupils are found by any number and id they ever had, merged without losing anything, and sealed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from federation.database import Database
from node.identity import Route
from node.model import Observation, Row, What
from node.store.bulk import CHUNK
from node.store.pupils import Pupil
from node.store.sayings import SayingContent, Sayings, SayingState
from node.store.schema import pupils as pupils_table
from node.store.sealing import SealError
from tests.store.node.stored import (
    OUTBOX,
    PUPILS,
    SEALER,
    handle,
    number,
    number_index,
    opened,
    pupil,
    pupil_id,
    version,
)

DAY = date(2026, 9, 7)
SEEN = Observation(DAY, (Row("unit", "GR", date(2025, 8, 18), None, False, 4),), "Aktiv", "Ingen")
SAYINGS = Sayings(SEALER)


def load(database: Database, place: int) -> Pupil:
    return database.view("test_load", lambda tx: PUPILS.load(tx, pupil_id(place)))


def full(place: int) -> Pupil:
    return replace(
        pupil(place),
        observations=(SEEN, Observation(date(2026, 9, 14), None)),
        live=True,
        enrolled_until=date.max,
        recheck_on=DAY,
        dirty=True,
        in_roster=True,
    )


def test_a_pupil_comes_back_as_it_was_stored(database: Database) -> None:
    with opened(database, full(1), pupil(2, Route.PROTECTED, protected=True)):
        assert load(database, 1) == full(1)
        assert load(database, 2) == pupil(2, Route.PROTECTED, protected=True)
        changed = replace(full(1), observations=(), route=Route.RENUMBERED, protected=True, live=False)
        database.run("test_change", lambda tx: PUPILS.change(tx, [changed]))
        assert load(database, 1) == changed


def test_a_pupil_is_found_by_every_number_and_id_it_ever_had(database: Database) -> None:
    with opened(database, pupil(1)):
        identity = replace(pupil(1).identity, numbers=(number(1), number(9)), person_ids=("another",))
        database.run("test_change", lambda tx: PUPILS.change(tx, [replace(pupil(1), identity=identity)]))

        def work(tx: Any) -> tuple[set[bytes], set[bytes]]:
            numbers = PUPILS.by_numbers(tx, [number_index(1), number_index(9), number_index(5)])
            persons = PUPILS.by_person_ids(tx, [PUPILS.person_index(one) for one in ("person-1", "another", "none")])
            assert list(numbers.values()) == [pupil_id(1)] * 2
            assert list(persons.values()) == [pupil_id(1)] * 2
            return set(numbers), set(persons)

        numbers, persons = database.view("test_find", work)
        assert numbers == {number_index(1), number_index(9)}
        assert len(persons) == 2


def test_an_id_that_was_given_to_another_pupil_follows_the_newest_export(database: Database) -> None:
    with opened(database, pupil(1), pupil(2)):
        identity = replace(pupil(2).identity, person_ids=("person-1",))
        database.run("test_change", lambda tx: PUPILS.change(tx, [replace(pupil(2), identity=identity)]))
        index = PUPILS.person_index("person-1")
        assert database.view("test_find", lambda tx: PUPILS.by_person_ids(tx, [index])) == {index: pupil_id(2)}


def test_two_pupils_never_share_a_current_number(database: Database) -> None:
    other = replace(pupil(2), identity=pupil(1).identity)
    with opened(database, pupil(1)), pytest.raises(IntegrityError):
        database.run("test_add", lambda tx: PUPILS.add(tx, [other]))


def test_more_pupils_than_one_query_takes_are_all_found(database: Database) -> None:
    many = [pupil(place) for place in range(CHUNK + 5)]
    with opened(database, *many):
        ids = [one.pupil_id for one in many]
        assert len(database.view("test_load", lambda tx: PUPILS.load_all(tx, ids))) == len(many)
        database.run("test_dirty", lambda tx: PUPILS.mark_dirty(tx, ids))
        assert len(database.view("test_restate", lambda tx: PUPILS.to_restate(tx, DAY))) == len(many)


def test_a_pupil_is_restated_for_new_input_or_a_day_that_has_come(database: Database) -> None:
    later = replace(pupil(2), recheck_on=date(2026, 9, 10))

    def due(day: date) -> set[bytes]:
        return set(database.view("test_due", lambda tx: PUPILS.to_restate(tx, day)))

    with opened(database, pupil(1), later, replace(pupil(3), dirty=True)):
        assert due(DAY) == {pupil_id(3)}
        assert due(date(2026, 9, 10)) == {pupil_id(2), pupil_id(3)}
        rows = {pupil_id(2): (None, True), pupil_id(3): (date(2026, 9, 11), True)}
        database.run("test_restated", lambda tx: PUPILS.restated(tx, rows))
        assert due(date(2026, 9, 10)) == set()
        assert due(date(2026, 9, 11)) == {pupil_id(3)}
        assert load(database, 3).in_roster


def test_protected_pupils_are_left_out_of_the_roster(database: Database) -> None:
    here = [replace(pupil(place), in_roster=True) for place in (1, 2)]
    hidden = replace(pupil(3, Route.PROTECTED, protected=True), in_roster=True)
    with opened(database, *here, hidden, pupil(4)):
        assert database.view("test_roster", PUPILS.roster) == 2


def test_all_that_hangs_on_a_merged_pupil_goes_to_the_other(database: Database) -> None:
    with opened(database, full(1), full(2)):

        def work(tx: Any) -> None:
            OUTBOX.add(tx, [(pupil_id(1), version(1))], DAY)
            content = SayingContent(What.MET.value, DAY, "Ada Berg")
            SAYINGS.add(tx, pupil_id(1), content, DAY, SayingState.STANDING)
            PUPILS.merge(tx, PUPILS.load(tx, pupil_id(1)), pupil_id(2), DAY)

        database.run("test_merge", work)

        def check(tx: Any) -> None:
            assert PUPILS.by_numbers(tx, [number_index(1)]) == {number_index(1): pupil_id(2)}
            assert PUPILS.by_handle(tx, handle(1)) == pupil_id(2)
            assert PUPILS.retired(tx, [pupil_id(2)]) == {handle(1): pupil_id(2)}
            assert OUTBOX.newest(tx, [handle(1)])[handle(1)] == version(1)
            assert len(SAYINGS.standing(tx, [pupil_id(2)])[pupil_id(2)]) == 1
            with pytest.raises(KeyError):
                PUPILS.load(tx, pupil_id(1))

        database.view("test_merged", check)


def test_a_replaced_handle_is_retired_and_still_names_the_pupil(database: Database) -> None:
    with opened(database, pupil(1)):
        database.run("test_replace", lambda tx: PUPILS.replace_handle(tx, pupil(1), handle(7), DAY))
        assert load(database, 1).handle == handle(7)
        assert load(database, 1).dirty
        for one in (1, 7):
            assert database.view("test_handle", lambda tx, one=one: PUPILS.by_handle(tx, handle(one))) == pupil_id(1)  # type: ignore[misc]
        assert database.view("test_handle", lambda tx: PUPILS.by_handle(tx, handle(8))) is None


def test_rows_of_two_pupils_cannot_be_exchanged(database: Database) -> None:
    with opened(database, full(1), full(2)):

        def exchange(tx: Any) -> None:
            table = pupils_table
            sealed = tx.execute(sa.select(table.c.sealed_identity).where(table.c.pupil_id == pupil_id(1))).scalar_one()
            tx.execute(sa.update(table).where(table.c.pupil_id == pupil_id(2)).values(sealed_identity=sealed))

        database.run("test_exchange", exchange)
        with pytest.raises(SealError):
            load(database, 2)
