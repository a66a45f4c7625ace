"""A superuser changes the ledger itself and rebuilds the tree over it, so that the registry proves its own lie: a
member or a witness finds out, and names the leaf."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from node.ledger.findings import Kind
from node.store.schema_ledger import receipts
from registry.store.schema_ledger import ledger_nodes
from tests.attacks.ledger_parties import (
    BASELINE,
    MALMO,
    STOCKHOLM,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Rewound,
    alarms,
    day,
    keep_database,
    leaves,
    played,
    put_back_database,
    rebuild,
    roll,
    seal,
    sent,
    superuser,
    verify,
)
from tests.harness.postgres import PostgresServer
from tests.integration.node_parties import Federation, running


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rewound]:
    directory = tmp_path_factory.mktemp("ledger")
    with running(directory / "federation", [STOCKHOLM, MALMO], BASELINE) as federation:
        yield Rewound(played(federation), directory / "kept")


@pytest.fixture
def federation(beginning: Rewound) -> Iterator[Federation]:
    yield beginning.federation
    beginning.set_back()


@pytest.fixture
def on_postgres(postgres: PostgresServer, tmp_path: Path) -> Iterator[Federation]:
    """The same, with the registry's store on PostgreSQL."""
    with (
        postgres.fresh_database() as url,
        running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, registry_store=url) as federation,
    ):
        yield played(federation)


def test_an_edited_leaf_is_named_by_its_member_and_bounded_by_the_other(federation: Federation) -> None:
    stockholm, malmo = federation.nodes.values()
    index = sent(stockholm)[-1][0]
    with superuser(federation) as connection:
        hashes = leaves(connection)
        hashes[index] = bytes(32)
        rebuild(connection, hashes)
    verify(stockholm)
    assert (Kind.LEAF_GONE, index, index) in alarms(stockholm)
    # Malmö's checkpoints tell between which of them it was.
    verify(malmo)
    [(_, first, last)] = {found for found in alarms(malmo) if found[0] is Kind.REWRITTEN}
    assert first is not None
    assert last is not None
    assert first <= index <= last


def test_a_deleted_leaf_is_named_though_all_others_stand(federation: Federation) -> None:
    stockholm = federation.nodes[STOCKHOLM]
    [index, *others] = sorted({leaf for leaf, *_ in sent(stockholm)})
    with superuser(federation) as connection:
        hashes = leaves(connection)
        rebuild(connection, hashes[:index] + hashes[index + 1 :])
    verify(stockholm)
    found = alarms(stockholm)
    assert (Kind.LEAF_GONE, index, index) in found
    assert {(Kind.LEAF_GONE, leaf, leaf) for leaf in others} <= found
    # Not that the end is cut off, but that it begins to differ where it does.
    assert (Kind.SHRUNK, 0, len(hashes) - 1) in found


def test_two_leaves_that_change_places_are_both_named(federation: Federation) -> None:
    stockholm, malmo = federation.nodes.values()
    mine = [leaf for leaf, *_ in sent(stockholm)]
    theirs = min(leaf for leaf, *_ in sent(malmo))
    with superuser(federation) as connection:
        hashes = leaves(connection)
        hashes[mine[-1]], hashes[theirs] = hashes[theirs], hashes[mine[-1]]
        rebuild(connection, hashes)
    verify(stockholm)
    verify(malmo)
    assert (Kind.LEAF_GONE, mine[-1], mine[-1]) in alarms(stockholm)
    assert (Kind.LEAF_GONE, theirs, theirs) in alarms(malmo)


def test_a_tail_that_was_cut_off_is_seen_in_the_next_sync(federation: Federation) -> None:
    stockholm, malmo = federation.nodes.values()
    with superuser(federation) as connection:
        hashes = leaves(connection)
        rebuild(connection, hashes[:-2])
    for node in (stockholm, malmo):
        report = node.sync(notices_only=True)
        assert alarms(node) == {(Kind.SHRUNK, len(hashes) - 2, len(hashes) - 1)}
        assert any(f"leaves {len(hashes) - 2} to {len(hashes) - 1}" in problem for problem in report.problems)


def test_a_restore_covers_no_change_of_what_stood_before_the_copy(federation: Federation) -> None:
    """The registry is set back, as after a loss, and an hour that is nobody's batch is changed on that occasion: the
    alarm begins before the leaves that the authority tells of as lost."""
    stockholm, malmo = federation.nodes.values()
    batches = {leaf for node in (stockholm, malmo) for leaf, *_ in sent(node)}
    with superuser(federation) as connection:
        hashes = leaves(connection)
        told = len(hashes) - 2
        hour = next(leaf for leaf in range(told) if leaf not in batches)
        hashes[hour] = bytes(32)
        rebuild(connection, hashes[:told])
    for node in (stockholm, malmo):
        node.sync(notices_only=True)
        [(kind, first, last)] = alarms(node)
        assert (kind, last) == (Kind.SHRUNK, len(hashes) - 1)
        assert first is not None
        assert first <= hour < told


def test_a_tail_that_was_cut_off_a_postgresql_store_is_seen_too(on_postgres: Federation) -> None:
    stockholm = on_postgres.nodes[STOCKHOLM]
    with superuser(on_postgres) as connection:
        hashes = leaves(connection)
        rebuild(connection, hashes[:-1])
    stockholm.sync(notices_only=True)
    assert alarms(stockholm) == {(Kind.SHRUNK, len(hashes) - 1, len(hashes) - 1)}


def test_a_leaf_that_cannot_be_read_any_more_is_no_excuse(federation: Federation) -> None:
    """The rows alone are deleted, and nothing is rebuilt: the registry then proves nothing."""
    stockholm = federation.nodes[STOCKHOLM]
    with superuser(federation) as connection:
        connection.execute(sa.delete(ledger_nodes).where(ledger_nodes.c.level <= 1))
    report = verify(stockholm)
    assert report.problems == ()
    mine = {leaf for leaf, *_ in sent(stockholm)}
    assert {(Kind.LEAF_GONE, leaf, leaf) for leaf in mine} <= alarms(stockholm)


def test_an_older_backup_is_noticed_at_once_and_also_once_it_has_grown(federation: Federation, tmp_path: Path) -> None:
    stockholm, malmo = federation.nodes.values()
    keep_database(federation, tmp_path / "wednesday")
    size = verify(stockholm).size
    assert size is not None
    day(federation, THURSDAY, stockholm=4)
    lost = sent(stockholm)[-1][0]
    for node in (stockholm, malmo):
        node.sync(notices_only=True)
    put_back_database(federation, tmp_path / "wednesday")

    report = stockholm.sync(notices_only=True)
    assert alarms(stockholm) == {(Kind.SHRUNK, size, lost + 1)}
    assert any(problem.startswith("ALARM") for problem in report.problems)
    seal(federation)
    stockholm.sync(notices_only=True)
    # Though it has grown by a leaf it is the same thing, raised once.
    assert alarms(stockholm) == {(Kind.SHRUNK, size, lost + 1)}
    verify(stockholm)
    # The leaver of Thursday is missing too: the row went with the leaf.
    assert {(Kind.LEAF_GONE, lost, lost), (Kind.MISSING, lost, lost)} <= alarms(stockholm)

    while federation.registry_app.ledger.checkpoints.size() <= lost + 2:  # type: ignore[union-attr]
        seal(federation)
    malmo.sync(notices_only=True)
    [(kind, first, last)] = alarms(malmo)
    assert (kind, last) == (Kind.REWRITTEN, lost + 1)
    assert first is not None
    assert first <= size


def test_two_histories_shown_to_two_members_are_found_by_the_witnesses(federation: Federation, tmp_path: Path) -> None:
    """The registry keeps two databases: Stockholm and the witnesses see one, Malmö the other."""
    stockholm, malmo = federation.nodes.values()
    verify(malmo)
    keep_database(federation, tmp_path / "common")
    common = federation.registry_app.ledger.checkpoints.size()  # type: ignore[union-attr]
    federation.set_today(THURSDAY)
    stockholm.take(roll(4, 30))
    stockholm.sync()
    seal(federation)
    assert verify(stockholm).problems == ()
    assert alarms(stockholm) == set()

    put_back_database(federation, tmp_path / "common")
    malmo.take(roll(101, 130))
    malmo.sync()
    federation.registry_app.ledger.hours.seal_after_close(THURSDAY, federation.clock._zone)
    # By itself what Malmö sees is sound: it continues all it has seen, and holds its leaf.
    assert malmo.sync(notices_only=True).problems == ()
    report = verify(malmo)
    assert report.problems == ()
    shown = {(alarm.kind, alarm.witness, alarm.first, alarm.last) for alarm in malmo.app.pipeline._alarms.standing()}
    assert shown == {(Kind.FORKED, index, common, common + 1) for index in (1, 2, 3)}
    evidence = malmo.app.pipeline._alarms.standing()[0].evidence.decode()
    assert evidence.count("upprop/ledger\n") == 2


def test_what_was_acknowledged_is_not_raised_again_and_the_watch_goes_on(federation: Federation) -> None:
    stockholm = federation.nodes[STOCKHOLM]
    with superuser(federation) as connection:
        hashes = leaves(connection)
        rebuild(connection, hashes[: min(leaf for leaf, *_ in sent(stockholm)[-1:])])
    with stockholm.app.database.transaction("test_unproved") as tx:
        # As it is when the registry was changed before the node could look.
        tx.execute(sa.update(receipts).values(proved=False))
    verify(stockholm)
    raised = alarms(stockholm)
    assert raised
    stockholm.app.pipeline._alarms.acknowledge("Test Person")
    verify(stockholm)
    assert alarms(stockholm) == set()
    # From here on it follows the ledger as it now stands, and notices the next change of it.
    day(federation, THURSDAY, stockholm=4)
    stockholm.sync(notices_only=True)
    assert alarms(stockholm) == set()
    with superuser(federation) as connection:
        hashes = leaves(connection)
        rebuild(connection, hashes[:-1])
    stockholm.sync(notices_only=True)
    [(kind, first, last)] = alarms(stockholm)
    assert (kind, last) == (Kind.SHRUNK, len(hashes) - 1)
    # Receipts of the history that was given up tell no more where the new one still holds.
    assert first is not None
    assert first < len(hashes)


def test_signals_go_on_being_sent_and_case_files_opened_under_an_alarm(federation: Federation) -> None:
    stockholm = federation.nodes[STOCKHOLM]
    with superuser(federation) as connection:
        rebuild(connection, leaves(connection)[:-2])
    stockholm.sync(notices_only=True)
    assert alarms(stockholm)
    before = len(sent(stockholm))
    day(federation, THURSDAY, stockholm=4)
    assert len(sent(stockholm)) == before + 1
    for today in (TUESDAY.replace(day=21), TUESDAY.replace(day=25)):
        day(federation, today, stockholm=4)
    assert {line.effective_date for line in stockholm.cases()} >= {WEDNESDAY}
