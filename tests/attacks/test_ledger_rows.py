"""A superuser edits what stands of a member's signals, beside the ledger: the member notices, and names the leaf."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Protocol

import pytest
import sqlalchemy as sa

from federation.rules.vocabulary import Handle
from node.ledger.findings import Kind
from registry.model import ref_of
from registry.store.schema import dirty, gaps, pseudonyms, signals
from tests.attacks.ledger_parties import (
    BASELINE,
    MALMO,
    STOCKHOLM,
    WEDNESDAY,
    Found,
    alarms,
    played,
    sent,
    superuser,
    verify,
)
from tests.harness.postgres import PostgresServer
from tests.integration.node_parties import Federation, running

TABLES = (signals, pseudonyms, dirty, gaps)

Attack = Callable[[sa.Connection, bytes], None]
"""Does something to the rows of a handle, given by its `ref`."""


class Tamper(Protocol):
    """Attacks the handle that a member's batch of Wednesday was about; gives that member's alarms. All is put back as
    it was afterwards."""

    def __call__(self, attack: Attack, member: str = STOCKHOLM) -> set[Found]: ...


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def federation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with contextlib.ExitStack() as stack:
        url = None
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            url = stack.enter_context(server.fresh_database())
        directory = tmp_path_factory.mktemp("federation")
        yield played(stack.enter_context(running(directory, [STOCKHOLM, MALMO], BASELINE, registry_store=url)))


@pytest.fixture
def leaf(federation: Federation) -> int:
    """The leaf of Wednesday's batch."""
    return sent(federation.nodes[STOCKHOLM])[-1][0]


@pytest.fixture
def tamper(federation: Federation) -> Iterator[Tamper]:
    with superuser(federation) as connection:
        before = {table: [dict(row._mapping) for row in connection.execute(sa.select(table))] for table in TABLES}

    def work(attack: Attack, member: str = STOCKHOLM) -> set[Found]:
        node = federation.nodes[member]
        _, handle, _ = sent(node)[-1]
        with superuser(federation) as connection:
            attack(connection, ref_of(node.app.member, Handle(handle)))
        assert not verify(node).problems
        return alarms(node)

    yield work
    with superuser(federation) as connection:
        for table in reversed(TABLES):
            connection.execute(sa.delete(table))
        for table, kept in before.items():
            for row in kept:
                connection.execute(sa.insert(table).values(row))
    federation.set_today(WEDNESDAY)
    for node in federation.nodes.values():
        node.app.pipeline._alarms.acknowledge("Test Person")
        verify(node)
        assert alarms(node) == set()


def test_nothing_is_raised_where_nothing_was_done(federation: Federation) -> None:
    for node in federation.nodes.values():
        report = verify(node)
        assert (report.problems, alarms(node)) == ((), set())
        assert report.receipts == len({leaf for leaf, *_ in sent(node)})
        assert report.compared == len({handle for _, handle, _ in sent(node)})
        assert [seen.tree.size for seen in report.witnesses if seen.tree] == [report.size] * 3


def test_an_opening_that_was_edited_away_is_named_by_its_leaf(tamper: Tamper, leaf: int) -> None:
    def attack(connection: sa.Connection, ref: bytes) -> None:
        [statement] = connection.execute(sa.select(signals.c.statement).where(signals.c.ref == ref)).scalars()
        forged = statement.replace(WEDNESDAY.isoformat(), (WEDNESDAY + timedelta(days=300)).isoformat())
        assert forged != statement
        connection.execute(sa.update(signals).where(signals.c.ref == ref).values(statement=forged))

    assert tamper(attack) == {(Kind.EDITED, leaf, leaf)}


def test_a_pseudonym_that_was_edited_is_named_by_the_leaf_it_was_sent_by(tamper: Tamper, leaf: int) -> None:
    def attack(connection: sa.Connection, ref: bytes) -> None:
        connection.execute(sa.update(pseudonyms).where(pseudonyms.c.ref == ref).values(keyed=bytes(32)))

    assert tamper(attack) == {(Kind.PSEUDONYM_LOST, leaf, leaf)}


def test_a_pseudonym_that_was_added_so_that_another_pupil_answers_is_named(tamper: Tamper, leaf: int) -> None:
    def attack(connection: sa.Connection, ref: bytes) -> None:
        connection.execute(sa.insert(pseudonyms).values(epoch=1, keyed=bytes(32), ref=ref, live=True))

    assert tamper(attack) == {(Kind.EDITED, leaf, leaf)}


def test_a_deleted_signal_is_named_by_its_leaf_however_long_ago_it_was_sent(
    tamper: Tamper, leaf: int, federation: Federation
) -> None:
    def attack(connection: sa.Connection, ref: bytes) -> None:
        for table in (gaps, dirty, pseudonyms, signals):
            connection.execute(sa.delete(table).where(table.c.ref == ref))

    # The gap is unanswered: no rule of retention takes it away.
    federation.set_today(WEDNESDAY + timedelta(days=700))
    assert tamper(attack) == {(Kind.MISSING, leaf, leaf)}


def test_a_signal_set_back_to_an_earlier_version_is_named(tamper: Tamper, federation: Federation) -> None:
    leaf, _, version = sent(federation.nodes[MALMO])[-1]
    assert version == 2

    def attack(connection: sa.Connection, ref: bytes) -> None:
        connection.execute(sa.update(signals).where(signals.c.ref == ref).values(version=1))

    assert tamper(attack, MALMO) == {(Kind.SET_BACK, leaf, leaf)}


def test_a_version_that_nobody_sent_is_noticed(tamper: Tamper) -> None:
    def attack(connection: sa.Connection, ref: bytes) -> None:
        connection.execute(sa.update(signals).where(signals.c.ref == ref).values(version=9, retracted=True))

    assert tamper(attack) == {(Kind.FOREIGN, None, None)}
