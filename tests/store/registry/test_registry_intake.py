"""What a batch is answered and what it leaves in the store, on each kind of store."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from federation.errors import Code, UppropError
from federation.observability import COUNTED_STEP
from federation.rules.vocabulary import Presence, Signal
from privacy.registry_key import RegistryKey
from registry.keys import PseudonymKeys
from registry.model import Rejection, ref_of
from registry.store import schema
from registry.store.schema import metadata
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.scene import SINCE, A, B, Scene, again, arrival, day, federation, leaving, pupil, retracted


def test_each_version_is_answered_by_what_stood_before(scene: Scene) -> None:
    first = arrival(pupil("p"))
    other = replace(first, presences=(Presence(day("09-02")),))
    assert scene.submit(A, first) == ["ACCEPTED"]
    assert scene.submit(A, first) == ["DUPLICATE"]
    assert scene.submit(A, other) == ["CONFLICT"]
    assert scene.submit(A, again(first)) == ["ACCEPTED"]
    assert scene.submit(A, first) == ["STALE"]
    assert scene.submit(A, other) == ["STALE"]


def test_a_nonce_states_nothing(scene: Scene) -> None:
    first = arrival(pupil("p"))
    scene.submit(A, first)
    assert scene.submit(A, replace(first, nonce=b"m" * 16)) == ["DUPLICATE"]


def test_versions_within_one_batch_are_judged_in_their_order(scene: Scene) -> None:
    first = arrival(pupil("p"))
    second = again(first, presences=(Presence(day("09-02")),))
    assert scene.submit(A, second, first, second, again(first)) == ["ACCEPTED", "STALE", "DUPLICATE", "CONFLICT"]
    assert versions(scene) == {ref_of(A, first.handle): 2}


def test_handles_of_two_members_have_nothing_to_do_with_each_other(scene: Scene) -> None:
    first = arrival(pupil("p"))
    assert scene.submit(A, first) == ["ACCEPTED"]
    assert scene.submit(B, again(first)) == ["ACCEPTED"]
    assert scene.submit(A, first) == ["DUPLICATE"]


def test_the_same_batch_gets_the_same_answer_for_ever(scene: Scene) -> None:
    batch = (arrival(pupil("p")), Rejection("SIGNAL_MALFORMED", b"r" * 32))
    answer = scene.submit(A, *batch, batch_id=b"i" * 16)
    assert answer == ["ACCEPTED", "REJECTED SIGNAL_MALFORMED"]
    scene.submit(A, again(batch[0]))
    assert scene.submit(A, *batch, batch_id=b"i" * 16) == answer
    # The id counts per member.
    assert scene.submit(B, arrival(pupil("p")), batch_id=b"i" * 16) == ["ACCEPTED"]


@pytest.mark.parametrize("change", ["other content", "other order", "more", "less", "other rejection"])
def test_a_batch_id_with_other_content_is_refused_and_changes_nothing(scene: Scene, change: str) -> None:
    first, second, rejection = arrival(pupil("p")), arrival(pupil("q")), Rejection("SIGNAL_MALFORMED", b"r" * 32)
    batch: list[Signal | Rejection] = [first, second, rejection]
    scene.submit(A, *batch, batch_id=b"i" * 16)
    before = dump(scene)
    changes: dict[str, list[Signal | Rejection]] = {
        "other content": [again(first), second, rejection],
        "other order": [second, first, rejection],
        "more": [*batch, arrival(pupil("r"))],
        "less": batch[:2],
        "other rejection": [first, second, Rejection("SIGNAL_MALFORMED", b"s" * 32)],
    }
    with pytest.raises(UppropError) as refused:
        scene.submit(A, *changes[change], batch_id=b"i" * 16)
    assert refused.value.code is Code.BATCH_REUSED
    assert dump(scene) == before


@pytest.mark.parametrize("kind", ["DUPLICATE", "STALE", "CONFLICT"])
def test_what_is_not_accepted_takes_nothing_back(scene: Scene, kind: str) -> None:
    first = arrival(pupil("p"), pupil("p", epoch=2))
    second = again(first)
    scene.submit(A, first)
    scene.submit(A, second)
    before = content(scene)
    sent = {"DUPLICATE": second, "STALE": first, "CONFLICT": replace(second, presences=())}[kind]
    assert scene.submit(A, sent) == [kind]
    assert content(scene) == before


def test_a_rejected_signal_does_not_hold_up_the_others(scene: Scene) -> None:
    good = arrival(pupil("p"))
    assert scene.submit(A, Rejection("SIGNAL_MALFORMED", b"r" * 32), good) == ["REJECTED SIGNAL_MALFORMED", "ACCEPTED"]
    assert ref_of(A, good.handle) in versions(scene)


def test_an_epoch_the_descriptor_does_not_name_rejects_that_signal(scene: Scene) -> None:
    answer = scene.submit(
        A, arrival(pupil("p", epoch=3)), arrival(pupil("q")), arrival(pupil("r"), pupil("r", epoch=3))
    )
    assert answer == ["REJECTED EPOCH_UNKNOWN", "ACCEPTED", "REJECTED EPOCH_UNKNOWN"]


@pytest.mark.parametrize("reason", ["every signal", "newer descriptor", "no key here"])
def test_an_epoch_that_may_yet_become_known_refuses_the_batch_and_parks_nothing(
    empty_database: MakeDatabase, reason: str
) -> None:
    scene = Scene(empty_database(), keys=PseudonymKeys({1: RegistryKey(1, b"k" * 32)}))
    unknown = arrival(pupil("p", epoch=2 if reason == "no key here" else 3))
    batch = [unknown] if reason == "every signal" else [arrival(pupil("q")), unknown]
    with pytest.raises(UppropError) as refused:
        scene.submit(A, *batch, serial=2 if reason == "newer descriptor" else 1)
    assert refused.value.code is Code.EPOCH_UNKNOWN
    assert versions(scene) == {}


def test_a_batch_taken_up_again_after_the_epoch_became_known_is_accepted(scene: Scene) -> None:
    scene.descriptor = federation(epochs=[1])
    batch = (arrival(pupil("p", epoch=2)),)
    with pytest.raises(UppropError):
        scene.submit(A, *batch, batch_id=b"i" * 16)
    scene.descriptor = federation(serial=2)
    assert scene.submit(A, *batch, batch_id=b"i" * 16) == ["ACCEPTED"]


def test_a_retraction_leaves_a_version_and_nothing_to_meet_by(scene: Scene) -> None:
    first = leaving(pupil("p"))
    scene.submit(A, first)
    assert scene.submit(A, retracted(first)) == ["ACCEPTED"]
    assert scene.submit(A, first) == ["STALE"]
    scene.close(day("09-01"))
    with scene.database.read("test") as tx:
        assert tx.execute(sa.select(schema.pseudonyms)).all() == []
        row = tx.execute(sa.select(schema.signals)).one()
    assert (row.version, row.retracted) == (2, True)


def test_no_pseudonym_is_anywhere_in_the_store(scene: Scene, tmp_path: Path) -> None:
    taken, rejected = pupil("taken"), pupil("rejected", epoch=3)
    scene.submit(A, leaving(taken), arrival(rejected, taken))
    scene.submit(B, arrival(taken))
    scene.close(day("09-14"))
    stored = dump(scene)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for pseudonym in (taken, rejected):
        assert pseudonym.value.hex() not in stored
        assert pseudonym.value not in files


def test_digests_tell_nothing_to_someone_without_the_registry_key(empty_database: MakeDatabase) -> None:
    """Whoever can compute pseudonyms must not be able to test one against a digest: it changes with the key alone."""
    database = empty_database()
    signal = arrival(pupil("p"))
    digests = []
    for secret in (b"a", b"b"):
        scene = Scene(database, keys=PseudonymKeys({1: RegistryKey(1, secret * 32)}))
        scene.submit(A if secret == b"a" else B, signal, batch_id=b"i" * 16)
    with database.read("test") as tx:
        digests = [
            set(tx.scalars(sa.select(schema.signals.c.content_digest))),
            set(tx.scalars(sa.select(schema.batches.c.digest))),
        ]
    assert [len(each) for each in digests] == [2, 2]


def test_taking_in_a_batch_touches_no_other_members_rows(scene: Scene) -> None:
    """The statements of a matched and an unmatched batch are the same, so that neither shows in the time it takes."""
    scene.submit(B, leaving(pupil("p"), pupil("q")))
    matched, unmatched = arrival(pupil("p")), arrival(pupil("z"))
    statements: list[list[str]] = []

    def record(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements[-1].append(statement)

    sa.event.listen(scene.database.engine, "before_cursor_execute", record)
    try:
        for signal in (unmatched, matched, again(unmatched), again(matched, pseudonyms=(pupil("q"),))):
            statements.append([])
            scene.submit(A, signal)
    finally:
        sa.event.remove(scene.database.engine, "before_cursor_execute", record)
    assert statements[0] == statements[1]
    assert statements[2] == statements[3]


def test_batches_of_one_member_sent_at_once_are_taken_one_after_another(scene: Scene) -> None:
    first = arrival(pupil("p"))
    signals = [replace(first, version=version) for version in range(1, 9)]
    answers: dict[int, list[str]] = {}

    def send(signal: Signal) -> None:
        answers[signal.version] = scene.submit(A, signal)

    threads = [threading.Thread(target=send, args=(signal,)) for signal in signals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert set(map(tuple, answers.values())) <= {("ACCEPTED",), ("STALE",)}
    assert answers[8] == ["ACCEPTED"]
    assert versions(scene) == {ref_of(A, first.handle): 8}


def test_an_older_roster_changes_nothing_and_a_future_one_is_refused(scene: Scene) -> None:
    scene.report(A, as_of=SINCE)
    scene.intake.report_roster(A, SINCE - timedelta(days=1), 50, SINCE)
    scene.intake.report_roster(B, SINCE + timedelta(days=1), 0, SINCE)
    with pytest.raises(UppropError) as refused:
        scene.intake.report_roster(A, SINCE + timedelta(days=2), 50, SINCE)
    assert refused.value.code is Code.DATE_SKEW
    with scene.database.read("test") as tx:
        rows = tx.execute(sa.select(schema.members).order_by(schema.members.c.member)).all()
    reported = [(row.member, row.last_contact, row.roster) for row in rows]
    assert reported == [(A, SINCE, 100), (B, SINCE + timedelta(days=1), 0)]


def test_dispositions_are_counted_once_over_all_members(scene: Scene) -> None:
    first = arrival(pupil("p"))
    refused = [Rejection("SIGNAL_MALFORMED", b"r" * 32)] * (COUNTED_STEP // 2)
    for member in (A, B):
        scene.submit(member, first, *refused, batch_id=b"i" * 16)
        scene.submit(member, first, *refused, batch_id=b"i" * 16)
    (family,) = scene.metrics.signals.collect()
    counted = {tuple(s.labels.values()): s.value for s in family.samples}
    # Steps of a thousand are exact at a thousand; what two were accepted of is next to nothing.
    assert counted.pop(("REJECTED",)) == COUNTED_STEP
    assert counted.pop(("ACCEPTED",)) in (0, COUNTED_STEP)
    assert set(counted.values()) == {0}


def versions(scene: Scene) -> dict[bytes, int]:
    with scene.database.read("test") as tx:
        return {row.ref: row.version for row in tx.execute(sa.select(schema.signals))}


def content(scene: Scene) -> list[object]:
    """Everything that batches change, the batches themselves left out."""
    with scene.database.read("test") as tx:
        return [
            [tuple(row) for row in tx.execute(sa.select(table).order_by(*table.primary_key.columns))]
            for table in metadata.sorted_tables
            if table is not schema.batches
        ]


def dump(scene: Scene) -> str:
    """Every value of every table, as text."""
    with scene.database.read("test") as tx:
        return "\n".join(
            " ".join(value.hex() if isinstance(value, bytes) else str(value) for value in row)
            for table in metadata.sorted_tables
            for row in tx.execute(sa.select(table).order_by(*table.primary_key.columns))
        )
