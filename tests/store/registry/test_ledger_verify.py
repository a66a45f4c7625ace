"""What a superuser does to the database, one deed a test, and that the comparison names the leaf: on both stores.

The scene has leaves 0–3 of batches, 4 of an hour, 5 of a batch, 6 of an hour with transitions, cases and notices, and 7
of an empty hour. Other deeds show from outside alone: see `tests/attacks/`.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from federation.checkpoint import Checkpoint
from federation.database import Database
from federation.errors import Code, UppropError
from federation.migration import migrate
from federation.observability import Log
from federation.rules.canonical import content_digest
from federation.rules.merkle import Frontier, frontier_at
from registry.ledger import contents
from registry.ledger.adopting import adopt
from registry.ledger.checking import DailyCheck
from registry.ledger.checkpoints import Checkpoints
from registry.ledger.contents import Purged
from registry.ledger.entries import EntryKind
from registry.ledger.flaws import SENTENCES, FlawKind
from registry.ledger.leaves import StoredSignal
from registry.ledger.observability import LedgerMetrics
from registry.ledger.verifying import Verification
from registry.model import PURGED_DIGEST, ref_of
from registry.store import ledger, ledger_audit, retention
from registry.store.schema import metadata
from tests.harness.postgres import PostgresServer
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.ledger_scene import LedgerScene, lived
from tests.store.registry.scene import DUE, SINCE, A, B, Scene, arrival, day, leaving, pupil


@pytest.fixture
def scene(empty_database: MakeDatabase) -> LedgerScene:
    return lived(LedgerScene(empty_database()))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def untouched(
    request: pytest.FixtureRequest, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LedgerScene]:
    """A scene that every deed is taken back from."""
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite":
            path = shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("verify") / "store.sqlite")
            database = Database(path)
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            database = Database(stack.enter_context(server.fresh_database()))
            migrate(database, "registry.store")
        stack.callback(database.close)
        yield lived(LedgerScene(database))


def do(tx: sa.Connection, *statements: str) -> None:
    """As superuser, who is held by no reference between tables. Bytes are written X'00' for both kinds of store."""
    sqlite = tx.dialect.name == "sqlite"
    tx.execute(sa.text("PRAGMA defer_foreign_keys = ON" if sqlite else "SET LOCAL session_replication_role = replica"))
    for statement in statements:
        text = statement if sqlite else re.sub(r"X('\w+')", r"decode(\1, 'hex')", statement)
        assert tx.execute(sa.text(text)).rowcount > 0, statement


class _TakenBack(Exception):  # noqa: N818 - ends a transaction without a trace
    pass


def found_after(scene: LedgerScene, *statements: str) -> set[tuple[str, int | None]]:
    """What a comparison finds within the transaction that did it all, which then comes to nothing."""
    found: set[tuple[str, int | None]] = set()
    with contextlib.suppress(_TakenBack), scene.database.transaction("test") as tx:
        do(tx, *statements)
        found = {(flaw.kind.value, flaw.leaf_index) for flaw in Verification(tx, []).flaws()}
        raise _TakenBack
    return found


def bundle_of(leaf: int, table: str = "ledger_batches") -> str:
    return f"(SELECT bundle FROM {table} WHERE leaf_index = {leaf})"


ZEROS = "X'" + "00" * 32 + "'"
SIGNAL = "ref = (SELECT ref FROM ledger_signals WHERE position = 0 AND bundle = {})"


def test_what_nobody_changed_is_whole(scene: LedgerScene) -> None:
    assert scene.head().size == 8
    assert scene.flaws() == []
    assert scene.flaws(Checkpoint(8, scene.head().root()), Checkpoint(0, root_at(scene, 0))) == []


def root_at(scene: LedgerScene, size: int) -> bytes:
    with scene.database.read("test") as tx:
        nodes = {
            (level, index): stored
            for level in range(4)
            for index, stored in ledger_audit.nodes_between(tx, level, 0, 8).items()
        }
    return frontier_at(size, lambda level, index: nodes[level, index]).root()


@pytest.mark.parametrize(
    ("deed", "kind", "leaf"),
    [
        # The tree.
        ("UPDATE ledger_nodes SET hash = {zeros} WHERE level = 0 AND node_index = 2", "LEAF_WRONG", 2),
        ("UPDATE ledger_nodes SET hash = {zeros} WHERE level = 1 AND node_index = 1", "NODE_WRONG", 2),
        ("UPDATE ledger_nodes SET hash = {zeros} WHERE level = 3", "NODE_WRONG", 0),
        ("DELETE FROM ledger_nodes WHERE level = 0 AND node_index = 3", "LEAF_MISSING", 3),
        ("DELETE FROM ledger_nodes WHERE level = 2 AND node_index = 1", "NODE_WRONG", 4),
        ("INSERT INTO ledger_nodes VALUES (1, 4, {zeros})", "NODE_WRONG", 8),
        ("INSERT INTO ledger_nodes VALUES (0, 8, {zeros})", "LEAF_SURPLUS", 8),
        ("UPDATE sequence SET tree_size = 7", "LEAF_SURPLUS", 7),
        ("UPDATE sequence SET tree_size = 9", "LEAF_MISSING", 8),
        ("UPDATE sequence SET frontier = {zeros}", "FRONTIER_WRONG", 7),
        # Batches.
        ("UPDATE ledger_batches SET batch_digest = {zeros} WHERE leaf_index = 1", "LEAF_WRONG", 1),
        ("UPDATE ledger_batches SET salt = {zeros} WHERE leaf_index = 1", "LEAF_WRONG", 1),
        ("UPDATE ledger_batches SET stored_digest = {zeros} WHERE leaf_index = 1", "STORED_DIGEST_WRONG", 1),
        ("UPDATE ledger_batches SET answer_digest = {zeros} WHERE leaf_index = 1", "STORED_DIGEST_WRONG", 1),
        ("UPDATE ledger_batches SET signature = {zeros} WHERE leaf_index = 1", "SIGNATURE_WRONG", 1),
        ("UPDATE ledger_batches SET signer = {zeros} WHERE leaf_index = 1", "SIGNATURE_WRONG", 1),
        ("UPDATE ledger_batches SET leaf_index = 9 WHERE leaf_index = 1", "LEAF_UNEXPLAINED", 1),
        ("DELETE FROM ledger_batches WHERE leaf_index = 1", "LEAF_UNEXPLAINED", 1),
        ("UPDATE batches SET answer = '[]' WHERE leaf_index = 2", "ANSWER_WRONG", 2),
        ("UPDATE batches SET digest = {zeros} WHERE leaf_index = 2", "ANSWER_WRONG", 2),
        ("UPDATE batches SET leaf_index = 2 WHERE leaf_index = 1", "ANSWER_WRONG", 2),
        ("UPDATE ledger_signals SET content_digest = {zeros} WHERE bundle = {batch}", "ROW_WRONG", 3),
        ("UPDATE ledger_signals SET version = 7 WHERE bundle = {batch}", "ROW_WRONG", 3),
        ("UPDATE ledger_signals SET hash = {zeros} WHERE bundle = {batch}", "STORED_DIGEST_WRONG", 3),
        ("UPDATE ledger_signals SET position = position + 1 WHERE bundle = {batch}", "STORED_DIGEST_WRONG", 3),
        ("DELETE FROM ledger_signals WHERE bundle = {batch}", "STORED_DIGEST_WRONG", 3),
        (
            "UPDATE ledger_signals SET salt=NULL, ref=NULL, version=NULL, content_digest=NULL WHERE bundle = {batch}",
            "PURGED_UNLISTED",
            3,
        ),
        (
            "UPDATE ledger_batches SET salt=NULL, batch_digest=NULL, signature=NULL, signer=NULL WHERE leaf_index = 3",
            "PURGED_UNLISTED",
            3,
        ),
        # Hours.
        ("UPDATE ledger_hours SET root = {zeros} WHERE leaf_index = 6", "HOUR_WRONG", 6),
        ("UPDATE ledger_hours SET salt = {zeros} WHERE leaf_index = 7", "LEAF_WRONG", 7),
        ("UPDATE ledger_hours SET hour = '2020-01-01 00:00:00' WHERE leaf_index = 7", "HOUR_WRONG", 7),
        ("DELETE FROM ledger_hours WHERE leaf_index = 7", "LEAF_UNEXPLAINED", 7),
        ("UPDATE ledger_entries SET content = {zeros} WHERE kind = 'CLOSE' AND bundle = {hour}", "ENTRY_WRONG", 6),
        ("UPDATE ledger_entries SET kind = 'QUOTA' WHERE kind = 'CLOSE' AND bundle = {hour}", "ENTRY_WRONG", 6),
        ("UPDATE ledger_entries SET kind = 'NOBODY' WHERE kind = 'CLOSE' AND bundle = {hour}", "ENTRY_WRONG", 6),
        ("DELETE FROM ledger_entries WHERE kind = 'CLOSE' AND bundle = {hour}", "HOUR_WRONG", 6),
        (
            "UPDATE ledger_entries SET salt=NULL, kind=NULL, content=NULL WHERE kind = 'CLOSE' AND bundle = {hour}",
            "PURGED_UNLISTED",
            6,
        ),
        # What stands.
        ("UPDATE signals SET statement = '{{}}' WHERE {signal}", "SIGNAL_CHANGED", 3),
        ("UPDATE signals SET statement = 'nothing' WHERE {signal}", "SIGNAL_CHANGED", 3),
        ("UPDATE signals SET content_digest = {zeros} WHERE {signal}", "SIGNAL_CHANGED", 3),
        ("UPDATE signals SET version = 9 WHERE {signal}", "SIGNAL_CHANGED", 3),
        ("UPDATE signals SET version = 1 WHERE {signal}", "SIGNAL_SET_BACK", 3),
        ("UPDATE signals SET retracted = NOT retracted WHERE {signal}", "SIGNAL_CHANGED", 3),
        ("UPDATE signals SET drill = NOT drill WHERE {signal}", "SIGNAL_CHANGED", 3),
        ("UPDATE signals SET member = '1280' WHERE {signal}", "SIGNAL_CHANGED", 3),
        ("UPDATE signals SET purged_on = '2026-09-01' WHERE {signal}", "SIGNAL_CHANGED", 3),
        ("UPDATE pseudonyms SET keyed = {zeros} WHERE {signal}", "SIGNAL_CHANGED", 3),
        ("DELETE FROM pseudonyms WHERE {signal}", "SIGNAL_CHANGED", 3),
        ("DELETE FROM signals WHERE {signal}", "SIGNAL_DELETED", 3),
        ("UPDATE gaps SET state = 'VOID' WHERE state = 'ANSWERED'", "GAP_CHANGED", 6),
        ("UPDATE gaps SET recheck_on = '2030-01-01' WHERE state = 'ANSWERED'", "GAP_CHANGED", 6),
        ("UPDATE gaps SET answer_member = '1280' WHERE state = 'ANSWERED'", "GAP_CHANGED", 6),
        ("DELETE FROM gaps WHERE state = 'ANSWERED'", "GAP_DELETED", 6),
        ("UPDATE cases SET lead = '1280'", "CASE_CHANGED", 6),
        ("UPDATE cases SET closed_on = '2026-09-30'", "CASE_CHANGED", 6),
        ("UPDATE case_names SET member = '1280' WHERE member = '0180'", "CASE_CHANGED", 6),
        ("DELETE FROM case_names", "CASE_CHANGED", 6),
        ("DELETE FROM cases", "CASE_DELETED", 6),
        ("UPDATE notices SET kind = 'VOIDED' WHERE kind = 'ANSWERED'", "NOTICE_DELETED", 6),
        ("UPDATE notices SET member = '1280' WHERE kind = 'ANSWERED'", "NOTICE_DELETED", 6),
        ("UPDATE notices SET case_name = NULL WHERE kind = 'OPENED'", "NOTICE_UNKNOWN", None),
        ("DELETE FROM notices WHERE kind = 'ANSWERED'", "NOTICE_DELETED", 6),
    ],
)
def test_a_change_is_found_and_its_leaf_named(untouched: LedgerScene, deed: str, kind: str, leaf: int | None) -> None:
    statement = deed.format(
        zeros=ZEROS, batch=bundle_of(3), hour=bundle_of(6, "ledger_hours"), signal=SIGNAL.format(bundle_of(3))
    )
    assert (kind, leaf) in found_after(untouched, statement)


def test_what_stood_before_there_was_a_ledger_is_taken_into_its_first_hour(empty_database: MakeDatabase) -> None:
    scene = LedgerScene(empty_database())
    unsigned = Scene.submit
    unsigned(scene, A, leaving(pupil("answered")), leaving(pupil("missing")))
    unsigned(scene, B, arrival(pupil("answered")))
    scene.close(SINCE)
    scene.close(DUE)
    # As an older version left it.
    with scene.database.transaction("test") as tx:
        do(tx, "DELETE FROM ledger_pending")
    assert {kind for kind, _ in scene.flaws()} >= {"SIGNAL_UNKNOWN", "GAP_CHANGED", "CASE_CHANGED", "NOTICE_UNKNOWN"}
    for _ in range(2):
        adopt(scene.database)
        assert scene.flaws() == []
    scene.seal()
    adopt(scene.database)
    scene.submit(B, arrival(pupil("signed")))
    assert scene.flaws() == []


def test_two_leaves_that_change_places_are_found(untouched: LedgerScene) -> None:
    nodes = "UPDATE ledger_nodes SET node_index = {} WHERE level = 0 AND node_index = {}"
    moved = [nodes.format(99, 1), nodes.format(1, 2), nodes.format(2, 99)]
    expected = {("LEAF_WRONG", 1), ("LEAF_WRONG", 2), ("NODE_WRONG", 0), ("NODE_WRONG", 2)}
    assert expected <= found_after(untouched, *moved)
    # With what they were made of: still not in the order in which they were signed.
    batches = "UPDATE ledger_batches SET leaf_index = {} WHERE leaf_index = {}"
    moved += [batches.format(99, 1), batches.format(1, 2), batches.format(2, 99)]
    assert {("NODE_WRONG", 0), ("NODE_WRONG", 2)} <= found_after(untouched, *moved)


def test_a_signal_slipped_in_is_found(scene: LedgerScene) -> None:
    forged = arrival(pupil("forged"))
    with scene.database.transaction("test") as tx:
        row = {
            "ref": ref_of(A, forged.handle),
            "member": A,
            "handle": forged.handle,
            "version": 1,
            "content_digest": content_digest(forged),
            "retracted": False,
            "statement": "{}",
            "drill": False,
        }
        tx.execute(sa.insert(metadata.tables["signals"]).values(row))
    assert ("SIGNAL_UNKNOWN", None) in scene.flaws()


def test_rows_that_belong_to_no_leaf_are_found(untouched: LedgerScene) -> None:
    deed = f"UPDATE ledger_signals SET bundle = X'{'ab' * 16}' WHERE bundle = {bundle_of(3)}"
    assert ("LEAF_UNEXPLAINED", None) in found_after(untouched, deed)


# -- older copies and other histories ---------------------------------------------------------------------------------


def test_a_database_that_was_set_back_does_not_lead_on_to_what_was_signed(scene: LedgerScene, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    scene.submit(B, arrival(pupil("newest")))
    kept = Checkpoints(scene.database, key, tmp_path, lambda: 0.0)
    kept.sign(scene.head())
    kept.check()
    with scene.database.transaction("test") as tx:
        do(tx, *BACK_TO_EIGHT)
    assert ("CHECKPOINT_BEYOND", 8) in scene.flaws(Checkpoint(9, bytes(32)))
    with pytest.raises(UppropError) as refused:
        Checkpoints(scene.database, key, tmp_path, lambda: 0.0).check()
    assert refused.value.code is Code.LEDGER_BROKEN


BACK_TO_EIGHT = (
    "DELETE FROM ledger_nodes WHERE level = 0 AND node_index = 8",
    "UPDATE sequence SET tree_size = 8, frontier = (SELECT hash FROM ledger_nodes WHERE level = 3)",
)


def test_a_history_rebuilt_from_the_leaves_on_differs_from_what_was_signed(scene: LedgerScene) -> None:
    """Even where every hash was derived anew: the root of the time is kept outside."""
    signed = Checkpoint(4, root_at(scene, 4))
    assert scene.flaws(signed) == []
    assert ("CHECKPOINT_OTHER_ROOT", 3) in scene.flaws(Checkpoint(4, bytes(32)))


def test_the_newest_checkpoint_is_kept_outside_at_most_every_few_seconds(scene: LedgerScene, tmp_path: Path) -> None:
    now = [0.0]
    checkpoints = Checkpoints(scene.database, Ed25519PrivateKey.generate(), tmp_path, lambda: now[0])
    checkpoints.sign(scene.head())
    scene.submit(A, arrival(pupil("x")))
    checkpoints.sign(scene.head())
    kept = checkpoints.kept()
    assert kept is not None
    assert kept.size == 8
    now[0] = 11.0
    # An older tree, signed late, does not take its place.
    checkpoints.sign(Frontier())
    kept = checkpoints.kept()
    assert kept is not None
    assert kept.size == 9
    with pytest.raises(UppropError) as refused:
        Checkpoints(scene.database, Ed25519PrivateKey.generate(), tmp_path, lambda: 0.0).check()
    assert refused.value.code is Code.CONFIG_INVALID
    assert "move it away" in refused.value.sentence


def test_the_registry_itself_looks_once_a_day(scene: LedgerScene, tmp_path: Path) -> None:
    metrics, lines = LedgerMetrics(CollectorRegistry()), io.StringIO()
    checkpoints = Checkpoints(scene.database, Ed25519PrivateKey.generate(), tmp_path, lambda: 0.0)
    checkpoints.sign(scene.head())
    check = DailyCheck(scene.database, checkpoints, scene.clock, metrics, Log(lines))
    check.run()
    assert metrics.broken._value.get() == 0
    with scene.database.transaction("test") as tx:
        do(tx, f"UPDATE ledger_batches SET salt = {ZEROS} WHERE leaf_index = 1")
    check.run()
    assert metrics.broken._value.get() == 1
    sound, broken = map(json.loads, lines.getvalue().splitlines())
    assert (sound["event"], sound["size"]) == ("ledger_checked", 8)
    assert (broken["event"], broken["leaf_index"], broken["kind"]) == ("ledger_broken", 1, "LEAF_WRONG")
    # Told to stop, it stops before it has found anything.
    check.stop()
    check.run()
    assert len(lines.getvalue().splitlines()) == 2


# -- purges -----------------------------------------------------------------------------------------------------------


def test_what_a_purge_lists_may_be_gone_and_nothing_else(scene: LedgerScene) -> None:
    with scene.database.read("test") as tx:
        [row] = tx.execute(sa.text(f"SELECT ref FROM ledger_signals WHERE bundle = {bundle_of(3)}"))
        content = tx.execute(
            sa.text(f"SELECT salt, ref, version, content_digest FROM ledger_signals WHERE bundle = {bundle_of(3)}")
        ).one()
    root = scene.head().root()

    def purge(tx: sa.Connection) -> None:
        ledger.purge(tx, [row.ref])
        for table in ("pseudonyms", "gaps"):
            own = metadata.tables[table]
            tx.execute(sa.delete(own).where(own.c.ref == row.ref))
        signals = metadata.tables["signals"]
        silent = {"statement": "{}", "content_digest": PURGED_DIGEST, "purged_on": day("09-30")}
        tx.execute(sa.update(signals).where(signals.c.ref == row.ref).values(silent))
        ledger.note(tx, [contents.of_signal(StoredSignal(row.ref, 2, PURGED_DIGEST))])

    scene.database.run("test", purge)
    assert scene.head().root() == root
    assert scene.flaws() == []
    assert scene.seal(3).size == 9
    assert scene.flaws() == []
    with scene.database.read("test") as tx:
        [purged] = list(ledger_audit.purges(tx))
        left = tx.execute(sa.text("SELECT count(*) FROM ledger_signals WHERE ref IS NULL")).scalar_one()
    # Both versions of the handle; the batch that held nothing else has lost its own content too.
    assert purged.signals.keys() == {0, 3}
    assert purged.batches == [3]
    assert purged.entries.keys() == {4, 6}
    assert left == 2

    with scene.database.transaction("test") as tx:
        own = metadata.tables["ledger_signals"]
        values = dict(content._mapping)
        tx.execute(sa.update(own).where(own.c.bundle == sa.text(bundle_of(3))).values(values))
    assert ("PURGED_RETURNED", 3) in scene.flaws()


def test_a_purge_of_more_than_there_can_be_is_refused_and_takes_no_memory(scene: LedgerScene) -> None:
    scene.database.run("test", lambda tx: ledger.note(tx, [contents.of_purge(Purged(signals={0: [2**62]}))]))
    assert scene.flaws() == [("PURGE_UNREADABLE", None)]


def test_a_batch_that_put_nothing_in_place_loses_its_content_with_its_answer(scene: LedgerScene) -> None:
    gone = leaving(pupil("twice"))
    scene.submit(A, gone)
    scene.submit(A, gone)
    first, second = scene.head().size - 2, scene.head().size - 1

    def forget(tx: sa.Connection) -> None:
        retention.forget_batches(tx, retention.batches_after(tx, None))

    scene.database.run("test", forget)
    scene.seal(3)
    assert scene.flaws() == []
    with scene.database.read("test") as tx:
        kept = {row.leaf_index: row.member for row in tx.execute(sa.text("SELECT * FROM ledger_batches"))}
    assert kept[first] == A
    assert kept[second] is None
    # Once is enough.
    scene.database.run("test", lambda tx: ledger.purge_batches(tx, [first, second]))
    with scene.database.read("test") as tx:
        assert [purged.batches for purged in ledger_audit.purges(tx)] == [[second]]


def test_a_purge_drops_what_waits_and_counts_it(scene: LedgerScene) -> None:
    subject = b"s" * 16
    scene.database.run("test", lambda tx: ledger.note(tx, [ledger.Entry(EntryKind.RELEASE, b"r", subject)]))
    purged = scene.database.run("test", lambda tx: ledger.purge(tx, [subject]))
    assert purged.pending == 1
    assert not scene.database.run("test", lambda tx: ledger.purge(tx, [subject]))
    scene.seal(3)
    assert scene.flaws() == []


def test_every_kind_of_flaw_has_its_sentence() -> None:
    assert SENTENCES.keys() == set(FlawKind)
