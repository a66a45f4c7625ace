"""The ledger in the store, on each kind of store: leaves without holes, receipts that hold, one leaf an hour."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from federation.errors import Code, UppropError
from federation.rules import merkle
from federation.rules.canonical import batch_leaf, hourly_leaf
from federation.rules.merkle import Frontier, leaf_hash
from federation.rules.vocabulary import NoticeKind
from registry.intake import Taken
from registry.ledger import contents
from registry.ledger.entries import Entry, EntryKind, entry_hash
from registry.ledger.hours import hour_after_close, hour_due
from registry.model import NoticeDraft, Rejection
from registry.store import ledger, retention, schema, schema_ledger
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.ledger_scene import NOON, ZONE, LedgerScene, lived
from tests.store.registry.scene import DUE, SINCE, A, B, C, again, arrival, leaving, pupil


@pytest.fixture
def scene(empty_database: MakeDatabase) -> LedgerScene:
    return LedgerScene(empty_database())


def holds(scene: LedgerScene, taken: Taken, batch_digest: bytes) -> None:
    """What the member checks of its receipt: that its leaf is in the tree it was told of, and in the newest."""
    leaf = taken.leaf
    assert leaf is not None
    assert leaf.index < leaf.head.size
    hashed = leaf_hash(batch_leaf(leaf.salt, batch_digest, leaf.stored_digest))
    for tree in (leaf.head, scene.head()):
        [path] = scene.proofs.inclusion(tree.size, [leaf.index])
        merkle.verify_inclusion(hashed, leaf.index, tree.size, path, tree.root())
    path = scene.proofs.consistency(leaf.head.size, scene.head().size)
    merkle.verify_consistency(leaf.head.size, leaf.head.root(), scene.head().size, scene.head().root(), path)


def digests(scene: LedgerScene) -> dict[int, bytes]:
    with scene.database.read("test") as tx:
        rows = tx.execute(sa.select(schema_ledger.ledger_batches))
        return {row.leaf_index: row.batch_digest for row in rows}


def test_every_batch_has_one_leaf_whatever_became_of_it(scene: LedgerScene) -> None:
    first = arrival(pupil("p"))
    batches = [
        scene.take(A, first),
        scene.take(A, first),
        scene.take(A),
        scene.take(B, Rejection("SIGNAL_MALFORMED", b"r" * 32)),
        scene.take(B, first, again(first)),
    ]
    assert [taken.leaf.index for taken in batches if taken.leaf is not None] == [0, 1, 2, 3, 4]
    kept = digests(scene)
    for index, taken in enumerate(batches):
        holds(scene, taken, kept[index])
    assert scene.flaws() == []


def test_the_same_batch_has_the_same_leaf_and_a_checkpoint_that_holds_it(scene: LedgerScene) -> None:
    signal = arrival(pupil("p"))
    first = scene.take(A, signal, batch_id=b"i" * 16)
    scene.take(B, arrival(pupil("q")))
    later = scene.take(A, signal, batch_id=b"i" * 16)
    assert first.leaf is not None
    assert later.leaf is not None
    told = [(leaf.index, leaf.salt, leaf.stored_digest) for leaf in (first.leaf, later.leaf)]
    assert told[0] == told[1]
    assert (first.leaf.head.size, later.leaf.head.size) == (1, 2)
    holds(scene, later, digests(scene)[0])
    assert scene.head().size == 2


def test_a_batch_whose_leaf_retention_has_emptied_has_another_when_it_comes_again(scene: LedgerScene) -> None:
    """A retraction may be gone by the evening, and its answer lost: who asks again must not miss the receipt."""
    gone = arrival(pupil("mistaken"))
    scene.submit(A, gone)
    name = bytes(16)
    taken = replace(gone, version=2, presences=(), pseudonyms=(), retracted=True)
    first = scene.take(A, taken, batch_id=name)
    assert first.leaf is not None

    def purge(tx: sa.Connection) -> None:
        rows = retention.handles(tx, None)
        retention.purge_handles(tx, rows, [], [], SINCE)

    scene.database.run("test", purge)
    again_taken = scene.take(A, taken, batch_id=name)
    assert again_taken.answer == first.answer
    assert again_taken.leaf is not None
    assert again_taken.leaf.index > first.leaf.index
    # And that one stays the same.
    third = scene.take(A, taken, batch_id=name)
    assert third.leaf is not None
    assert third.leaf.index == again_taken.leaf.index
    scene.seal()
    assert scene.flaws() == []


def test_a_batch_without_a_signature_is_refused_where_there_is_a_ledger(scene: LedgerScene) -> None:
    scene.descriptor = replace(scene.descriptor, ledger_key=bytes(32))
    with pytest.raises(UppropError) as refused:
        scene.intake.submit(A, b"i" * 16, [arrival(pupil("p"))], SINCE, 1)
    assert refused.value.code is Code.BATCH_UNSIGNED
    assert scene.head() == Frontier()


def test_what_was_taken_unsigned_before_there_was_a_ledger_is_in_the_hours_leaf(scene: LedgerScene) -> None:
    taken = scene.intake.submit(A, b"i" * 16, [arrival(pupil("p"))], SINCE, 1)
    assert taken.leaf is None
    assert scene.seal().size == 1
    assert scene.flaws() == []
    # Sent again under its id, once the member signs: answered as before, without a leaf.
    assert scene.take(A, arrival(pupil("p"))).leaf is not None


def test_batches_at_once_make_leaves_without_holes_and_receipts_that_hold(scene: LedgerScene) -> None:
    taken: list[Taken] = []
    members = [A, B, C] * 2
    rounds = 5
    start = threading.Barrier(len(members) + 1)

    def send(place: int) -> None:
        start.wait()
        for number in range(rounds):
            taken.append(scene.take(members[place], arrival(pupil(f"{place} {number}"))))

    def seal() -> None:
        start.wait()
        for number in range(rounds):
            scene.hours.seal_due(NOON + timedelta(hours=number))

    threads = [threading.Thread(target=send, args=(place,)) for place in range(len(members))]
    threads.append(threading.Thread(target=seal))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scene.head().size == (len(members) + 1) * rounds
    kept = digests(scene)
    assert len({each.leaf.index for each in taken if each.leaf is not None}) == len(members) * rounds == len(kept)
    for each in taken:
        assert each.leaf is not None
        holds(scene, each, kept[each.leaf.index])
    assert scene.flaws() == []


def test_a_batch_that_came_to_nothing_leaves_no_leaf(scene: LedgerScene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.take(A, arrival(pupil("p")))

    def fails(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        # The very last statement of the transaction.
        broken.setattr("registry.intake.batches.keep", fails)
        with pytest.raises(ConnectionError):
            scene.take(A, arrival(pupil("q")))
    assert scene.head().size == 1
    assert scene.flaws() == []
    after = scene.take(A, arrival(pupil("r")))
    assert after.leaf is not None
    assert after.leaf.index == 1


def test_an_hour_has_its_leaf_also_when_nothing_happened(scene: LedgerScene) -> None:
    assert scene.seal().size == 1
    assert scene.hours.seal_due(NOON + timedelta(minutes=29)) is None
    assert scene.seal(1).size == 2
    # Missed hours share one leaf, and hours do not go back.
    assert scene.seal(50).size == 3
    assert scene.hours.seal_due(NOON + timedelta(hours=20)) is None
    assert scene.flaws() == []
    with scene.database.read("test") as tx:
        roots = tx.scalars(sa.select(schema_ledger.ledger_hours.c.root)).all()
        leaves = tx.scalars(sa.select(schema_ledger.ledger_nodes.c.hash).where(schema_ledger.ledger_nodes.c.level == 0))
        assert set(roots) == {merkle.EMPTY_ROOT}
        # Salted: nobody sees that two hours were empty.
        assert len(set(leaves)) == 3


def test_replicas_that_seal_at_once_make_one_leaf_an_hour(scene: LedgerScene) -> None:
    scene.close(SINCE)
    start = threading.Barrier(4)
    sealed: list[Frontier | None] = []

    def seal() -> None:
        start.wait()
        sealed.append(scene.hours.seal_due(NOON))

    threads = [threading.Thread(target=seal) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scene.head().size == 1
    assert [each.size for each in sealed if each is not None] == [1]
    assert scene.flaws() == []


def test_a_member_can_be_shown_its_own_notice_and_nothing_else(scene: LedgerScene) -> None:
    lived(scene)
    with scene.database.read("test") as tx:
        hours = {row.bundle: row for row in tx.execute(sa.select(schema_ledger.ledger_hours))}
        entries = tx.execute(
            sa.select(schema_ledger.ledger_entries).order_by(
                schema_ledger.ledger_entries.c.bundle, schema_ledger.ledger_entries.c.position
            )
        ).all()
        given = tx.execute(sa.select(schema.notices).where(schema.notices.c.member == A)).first()
    assert given is not None
    draft = NoticeDraft(
        A, NoticeKind(given.kind), given.handle, given.opening_number, given.case_name, given.coverage_incomplete
    )
    entry = contents.of_notice(draft, given.closed_on)
    [shown] = [each for each in entries if each.kind == "NOTICE" and each.content == entry.content]
    hour = hours[shown.bundle]
    siblings = [each.hash for each in entries if each.bundle == shown.bundle]
    tree = _nodes(siblings)
    path = merkle.inclusion_path(shown.position, len(siblings), lambda level, index: tree[level, index])
    merkle.verify_inclusion(entry_hash(shown.salt, entry), shown.position, len(siblings), path, hour.root)
    size = scene.head().size
    [path] = scene.proofs.inclusion(size, [hour.leaf_index])
    leaf = leaf_hash(hourly_leaf(hour.salt, hour.root))
    merkle.verify_inclusion(leaf, hour.leaf_index, size, path, scene.head().root())


def test_the_size_of_the_tree_tells_nobody_of_a_match(empty_database: MakeDatabase) -> None:
    sizes = []
    for name in ("p", "nobody"):
        scene = LedgerScene(empty_database())
        scene.submit(B, arrival(pupil(name)))
        heads = [scene.take(A, leaving(pupil("p"))).leaf]
        for on in (SINCE, DUE, DUE + timedelta(days=1)):
            scene.close(on)
            scene.hours.seal_after_close(on, ZONE)
            heads.append(scene.take(A, arrival(pupil(f"later {on}"))).leaf)
        sizes.append([leaf.head.size for leaf in heads if leaf is not None])
        assert scene.flaws() == []
    assert sizes[0] == sizes[1] == [2, 4, 6, 8]


def test_proofs_of_many_leaves_take_few_statements(scene: LedgerScene) -> None:
    for number in range(40):
        scene.take(A, arrival(pupil(str(number))))
    statements: list[str] = []

    def record(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(scene.database.engine, "before_cursor_execute", record)
    try:
        paths = scene.proofs.inclusion(40, range(40))
    finally:
        sa.event.remove(scene.database.engine, "before_cursor_execute", record)
    assert len([each for each in statements if each.startswith("SELECT")]) == 2
    hashes = _leaves(scene)
    for index, path in enumerate(paths):
        merkle.verify_inclusion(hashes[index], index, 40, path, scene.head().root())


@pytest.mark.parametrize(("size", "indexes"), [(2, [2]), (3, [0]), (0, [0])])
def test_proofs_of_what_is_not_there_are_refused(scene: LedgerScene, size: int, indexes: list[int]) -> None:
    scene.take(A, arrival(pupil("p")))
    scene.take(A, arrival(pupil("q")))
    with pytest.raises(UppropError) as refused:
        scene.proofs.inclusion(size, indexes)
    assert refused.value.code is Code.REQUEST_INVALID
    with pytest.raises(UppropError) as refused:
        scene.proofs.consistency(*((2, 1) if size == 2 else (1, 3)))
    assert refused.value.code is Code.REQUEST_INVALID


def test_entries_are_noted_with_the_transaction_that_made_them(scene: LedgerScene) -> None:
    def fails(tx: sa.Connection) -> None:
        ledger.note(tx, [Entry(EntryKind.RELEASE, b"never was")])
        raise ConnectionError

    with pytest.raises(ConnectionError):
        scene.database.run("test", fails)
    scene.database.run("test", lambda tx: ledger.note(tx, [Entry(EntryKind.RELEASE, b"was")]))
    scene.seal()
    with scene.database.read("test") as tx:
        assert tx.scalars(sa.select(schema_ledger.ledger_entries.c.content)).all() == [b"was"]


@pytest.mark.parametrize(
    ("now", "newest", "due"),
    [
        ("12:59:59", None, "12:00"),
        ("13:00:00", "12:00", "13:00"),
        ("13:59:59", "13:00", None),
        ("13:00:00", "14:00", None),
        ("17:10:00", "12:00", "17:00"),
    ],
)
def test_the_hour_due_is_the_last_that_has_begun(now: str, newest: str | None, due: str | None) -> None:
    def at(text: str | None) -> datetime | None:
        return None if text is None else datetime.fromisoformat(f"2026-09-01T{text}+00:00")

    begun = at(now)
    assert begun is not None
    assert hour_due(begun, at(newest)) == at(due)


def test_under_a_manual_clock_each_close_seals_a_later_hour() -> None:
    first = hour_after_close(date(2026, 9, 1), ZONE, None)
    assert first == datetime(2026, 9, 1, 16, 0, tzinfo=UTC)
    again_ = hour_after_close(date(2026, 9, 1), ZONE, first)
    assert again_ == first + timedelta(hours=1)
    assert hour_after_close(date(2026, 9, 2), ZONE, again_) == datetime(2026, 9, 2, 16, 0, tzinfo=UTC)


def _nodes(hashes: list[bytes]) -> dict[tuple[int, int], bytes]:
    frontier = Frontier()
    nodes: dict[tuple[int, int], bytes] = {}
    for each in hashes:
        nodes.update(((node.level, node.index), node.hash) for node in frontier.completed(each))
        frontier = frontier.append(each)
    return nodes


def _leaves(scene: LedgerScene) -> list[bytes]:
    nodes = schema_ledger.ledger_nodes
    with scene.database.read("test") as tx:
        return list(tx.scalars(sa.select(nodes.c.hash).where(nodes.c.level == 0).order_by(nodes.c.node_index)))
