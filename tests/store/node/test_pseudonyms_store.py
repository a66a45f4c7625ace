"""A pseudonym is computed once per number and epoch; what is under way survives a restart unchanged."""

from __future__ import annotations

import functools
import secrets
from datetime import UTC, datetime

from sqlalchemy import select

from federation.database import Database
from federation.rules.vocabulary import Pseudonym
from node.identity import Route
from node.store.pseudonyms import Evaluation
from node.store.schema import evaluations
from privacy import protocol
from privacy.pseudonym import pupil_input
from tests.store.node.stored import (
    MADE_ON,
    OUTBOX,
    PSEUDONYMS,
    number,
    number_index,
    opened,
    pupil,
    pupil_id,
    ref,
    version,
)

NOW = datetime(2026, 9, 7, 12, tzinfo=UTC)


def evaluation(*places: int, epoch: int = 1) -> Evaluation:
    inputs = [pupil_input(number(place).number) for place in places]
    return Evaluation(
        secrets.token_bytes(16),
        epoch,
        tuple(number_index(place) for place in places),
        protocol.blind(inputs, secrets.token_bytes),
    )


def test_a_request_comes_back_as_it_was_begun(database: Database) -> None:
    begun = [evaluation(1, 2), evaluation(1, epoch=2)]
    with opened(database, pupil(1), pupil(2)):
        for each in begun:
            database.run("test_begin", functools.partial(PSEUDONYMS.begin, evaluation=each, now=NOW))
        found = database.view("test_under_way", PSEUDONYMS.under_way)
        assert sorted(found, key=lambda each: each.epoch) == begun


def test_a_finished_request_is_replaced_by_its_pseudonyms(database: Database) -> None:
    request = evaluation(1, 2)
    values = [b"1" * 32, b"2" * 32]
    with opened(database, pupil(1), pupil(2)):
        database.run("test_begin", lambda tx: PSEUDONYMS.begin(tx, request, NOW))
        for _ in range(2):
            database.run("test_finish", lambda tx: PSEUDONYMS.finish(tx, request, values, [1, 2]))
        assert database.view("test_under_way", PSEUDONYMS.under_way) == ()
        wanted = [ref(1), ref(2), ref(3), ref(1, 2)]
        assert database.view("test_missing", lambda tx: PSEUDONYMS.missing(tx, wanted)) == tuple(
            sorted([ref(3), ref(1, 2)])
        )
        assert database.view("test_values", lambda tx: PSEUDONYMS.values(tx, wanted)) == {
            ref(1): Pseudonym(1, values[0]),
            ref(2): Pseudonym(1, values[1]),
        }


def test_a_pseudonym_once_computed_stays(database: Database) -> None:
    first, second = evaluation(1), evaluation(1)
    with opened(database, pupil(1)):
        for request, value in ((first, b"1" * 32), (second, b"2" * 32)):
            database.run(
                "test_finish", functools.partial(PSEUDONYMS.finish, evaluation=request, values=[value], evaluators=[1])
            )
        found = database.view("test_values", lambda tx: PSEUDONYMS.values(tx, [ref(1)]))
        assert found == {ref(1): Pseudonym(1, b"1" * 32)}


def test_pupils_spoken_of_lack_the_pseudonym_of_a_new_epoch(database: Database) -> None:
    pupils = [pupil(1), pupil(2), pupil(3, Route.RENUMBERED)]
    with opened(database, *pupils):
        made = [(pupil_id(place), version(place)) for place in (1, 3)]
        database.run("test_add", lambda tx: OUTBOX.add(tx, made, MADE_ON))
        request = evaluation(1, 3)
        database.run("test_finish", lambda tx: PSEUDONYMS.finish(tx, request, [b"1" * 32, b"3" * 32], [1, 2]))
        assert database.view("test_lacking", lambda tx: PSEUDONYMS.lacking_epoch(tx, 1)) == 0
        assert database.view("test_lacking", lambda tx: PSEUDONYMS.lacking_epoch(tx, 2)) == 2


def test_numbers_and_blinds_stand_sealed(database: Database) -> None:
    request = evaluation(1)
    with opened(database, pupil(1)):
        database.run("test_begin", lambda tx: PSEUDONYMS.begin(tx, request, NOW))
        [sealed] = database.view(
            "test_sealed", lambda tx: list(tx.execute(select(evaluations.c.sealed_content)).scalars())
        )
        assert number(1).number.encode() not in sealed
        assert request.blinded.blinds[0] not in sealed
        assert number(1).number not in repr(request)
