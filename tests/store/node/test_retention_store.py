"""What a node keeps no longer, and what it keeps however old it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, insert, select

from federation.clock import ManualClock
from federation.database import Database
from federation.rules.vocabulary import (
    Disposition,
    DispositionKind,
    GapState,
    Notice,
    NoticeKind,
    Opening,
    OpeningKind,
)
from node.gaps import Gap, OpenedBy
from node.identity import Route
from node.retention import Retention
from node.store import schema, schema_ledger
from node.store.gaps import Gaps
from node.store.notices import Notices
from node.store.outbox import Outbox
from tests.store.node.stored import MADE_ON, OUTBOX, PUPILS, SEALER, handle, opened, pupil, pupil_id, version
from tests.store.registry.scene import federation

OLD = MADE_ON + timedelta(days=401)
GROWN = date(MADE_ON.year + 13, MADE_ON.month, MADE_ON.day) + timedelta(days=1)
NOW = datetime(2026, 9, 7, tzinfo=UTC)
ACCEPTED = Disposition(DispositionKind.ACCEPTED)


@pytest.fixture
def store(database: Database) -> Iterator[Database]:
    with opened(database, pupil(1), pupil(2)):
        yield database


def retain(store: Database, today: date, epochs: tuple[int, ...] = (1, 2)) -> None:
    Retention(store, lambda: federation(epochs=epochs), ManualClock("Europe/Stockholm", today)).run()


def count(store: Database, table: str) -> int:
    query = select(func.count()).select_from(schema.metadata.tables[table])
    return store.view("test_count", lambda tx: int(tx.execute(query).scalar_one()))


def send(store: Database, batch_id: bytes, *numbers: int, answer: Disposition = ACCEPTED) -> None:
    def work(tx: Connection) -> None:
        made = [version(1, number) for number in numbers]
        OUTBOX.add(tx, [(pupil_id(1), each) for each in made], MADE_ON)
        batch = OUTBOX.make_batch(tx, batch_id, list(Outbox(SEALER).waiting(tx)), NOW)
        OUTBOX.settle(tx, batch, [answer] * len(made), MADE_ON)

    store.run("test_send", work)


def test_what_was_said_last_stays_and_what_it_replaced_goes(store: Database) -> None:
    send(store, b"a" * 16, 1)
    send(store, b"b" * 16, 2)
    retain(store, OLD - timedelta(days=1))
    assert (count(store, "versions"), count(store, "batches")) == (2, 2)
    retain(store, OLD)
    assert (count(store, "versions"), count(store, "batches")) == (1, 1)
    newest = store.view("test_newest", lambda tx: OUTBOX.newest(tx, [handle(1)]))
    assert newest[handle(1)].signal.version == 2


def test_what_the_registry_did_not_take_replaces_nothing(store: Database) -> None:
    send(store, b"a" * 16, 1)
    send(store, b"b" * 16, 2, answer=Disposition(DispositionKind.CONFLICT))
    retain(store, OLD)
    assert (count(store, "versions"), count(store, "batches")) == (2, 2)


def test_receipts_stay_until_their_pupils_are_grown(store: Database) -> None:
    send(store, b"a" * 16, 1)
    send(store, b"b" * 16, 2)
    row = {
        "leaf_index": 1,
        "salt": bytes(32),
        "batch_digest": bytes(32),
        "stored_digest": bytes(32),
        "checkpoint": b"note",
        "size": 2,
        "root": bytes(32),
    }
    store.run(
        "test_receipt", lambda tx: tx.execute(insert(schema_ledger.receipts).values(batch_id=b"a" * 16, **row)).rowcount
    )
    retain(store, OLD)
    assert (count(store, "receipts"), count(store, "batches")) == (1, 2)
    retain(store, GROWN)
    assert (count(store, "receipts"), count(store, "batches")) == (0, 1)


def test_notices_go_but_for_those_of_open_gaps_and_those_not_handled(store: Database) -> None:
    gap = Gap(
        handle=handle(1),
        opening=Opening(1, OpeningKind.LEFT, MADE_ON),
        route=Route.REGISTRY,
        stated=True,
        due_on=MADE_ON,
        said_on=MADE_ON,
        state=GapState.OPEN,
        state_since=MADE_ON,
        opened_on=MADE_ON,
        opened_by=OpenedBy.NOTICE,
    )
    told = [Notice(number, NoticeKind.OPENED, MADE_ON, handle(number % 2 + 1), 1) for number in (1, 2, 3)]

    def work(tx: Connection) -> None:
        Gaps(PUPILS).save(tx, [(pupil_id(1), gap), (pupil_id(2), replace(gap, handle=handle(2), state=GapState.VOID))])
        Notices().keep(tx, told, 3, MADE_ON)
        Notices().mark_handled(tx, [1, 2])
        for day in (MADE_ON, OLD):
            Notices().record_fetch(tx, day, succeeded=True)

    store.run("test_told", work)
    retain(store, OLD)
    # 1 is about a gap that is settled; 2 about the open one; 3 has not had its effect.
    left = store.view("test_left", lambda tx: list(tx.scalars(select(schema.notices.c.number))))
    assert sorted(left) == [2, 3]
    assert count(store, "fetches") == 1


def test_pseudonyms_go_with_their_epoch(store: Database) -> None:
    row = {"sealed_value": b"s", "evaluators": "1,2"}
    for epoch in (1, 2):
        index = PUPILS.number_index(pupil(1).identity.numbers[0])
        store.run(
            "test_pseudonym",
            lambda tx, epoch=epoch, index=index: (
                tx.execute(  # type: ignore[misc]
                    insert(schema.pseudonyms).values(number_index=index, epoch=epoch, **row)
                ).rowcount
            ),
        )
    retain(store, MADE_ON)
    assert count(store, "pseudonyms") == 2
    retain(store, MADE_ON, epochs=(2,))
    assert count(store, "pseudonyms") == 1
