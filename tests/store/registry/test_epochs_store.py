"""An epoch begins, members come over, it is retired, and what every close finds meanwhile: on each kind of store."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from federation.clock import ManualClock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Log
from federation.rules.canonical import content_digest
from federation.rules.vocabulary import GapState, MemberId, NoticeKind, Pseudonym, Signal
from privacy.registry_key import parse_registry_key
from registry.epochs import changing
from registry.epochs.changing import Epochs
from registry.keys import PseudonymKeys
from registry.store import epochs as stored
from registry.store.schema import dirty, gaps, pseudonyms, signals
from registry.store.schema_ledger import ledger_pending
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.scene import A, B, C, Scene, again, arrival, day, federation, leaving, pupil, retracted

ANNA_1, ANNA_2, BO_1, BO_2 = pupil("Anna", 1), pupil("Anna", 2), pupil("Bo", 1), pupil("Bo", 2)


class Change:
    """A registry in epoch 1, whose keys stand in a directory."""

    def __init__(self, database: Database, directory: Path) -> None:
        directory.mkdir(mode=0o700)
        first = PseudonymKeys({}, directory=directory)
        first.make(1, b"\x01" * 32)
        self.directory = directory
        self.keys = PseudonymKeys.read({}, directory)
        self.scene = Scene(database, federation(epochs=[1]), self.keys)
        log = Log(level="error")
        self.epochs = Epochs(database, self.keys, lambda: self.scene.descriptor, ManualClock("Europe/Stockholm"), log)

    def list_epochs(self, *numbers: int, members: tuple[MemberId, ...] = ()) -> None:
        self.scene.descriptor = federation(*members, serial=self.scene.descriptor.serial + 1, epochs=numbers)

    def done(self) -> dict[str, int]:
        return {each.member: each.quarters for each in self.epochs.show()[1]}

    def retire(self, *left_behind: MemberId, epoch: int = 1) -> None:
        list(self.epochs.retire(epoch, left_behind))

    def refusal(self, *left_behind: MemberId, epoch: int = 1) -> str:
        with pytest.raises(UppropError) as caught:
            self.retire(*left_behind, epoch=epoch)
        assert caught.value.code is Code.INPUT_REFUSED
        return caught.value.sentence

    def rows(self, query: sa.Select[tuple[object]]) -> list[object]:
        with self.scene.database.read("test") as tx:
            return list(tx.scalars(query))

    def states(self) -> list[str]:
        return sorted(str(state) for state in self.rows(sa.select(gaps.c.state)))

    def steps(self) -> list[tuple[int, str, list[str]]]:
        """What the ledger was told of epochs."""
        query = sa.select(ledger_pending.c.content).where(ledger_pending.c.kind == "EPOCH")
        found = [json.loads(bytes(content)) for content in self.rows(query)]  # type: ignore[call-overload]  # a column of bytes
        return [(each["epoch"], each["step"], each["left_behind"]) for each in found]


@pytest.fixture
def change(empty_database: MakeDatabase, tmp_path: Path) -> Change:
    return Change(empty_database(), tmp_path / "keys")


def both(signal: Signal, *pairs: Pseudonym) -> Signal:
    return again(signal, pseudonyms=pairs)


def test_who_changed_over_is_met_throughout_and_afterwards(change: Change) -> None:
    scene = change.scene
    left, came, gone = leaving(ANNA_1), arrival(ANNA_1), leaving(BO_1)
    scene.submit(A, left, gone)
    scene.submit(B, came)
    scene.close(day("09-02"))
    change.epochs.begin(2)
    change.list_epochs(1, 2)
    assert change.done() == {A: 0, B: 0, C: 4}
    scene.submit(A, both(left, ANNA_1, ANNA_2), both(gone, BO_1, BO_2))
    scene.close(day("09-14"))
    assert change.states() == ["ANSWERED", "OPEN"]
    assert change.done() == {A: 4, B: 0, C: 4}
    assert f"pupil of {B} has" in change.refusal()
    scene.submit(B, both(came, ANNA_1, ANNA_2))
    assert "Every member is done" in change.refusal()
    change.list_epochs(2)
    change.retire()
    assert set(change.rows(sa.select(pseudonyms.c.epoch))) == {2}
    assert not (change.directory / "epoch-1.key").exists()
    assert not change.keys.has(1)
    scene.close(day("09-15"))
    assert change.states() == ["ANSWERED", "OPEN"]
    late = arrival(BO_2, begins=day("09-15"))
    scene.submit(C, late)
    scene.close(day("09-16"))
    assert change.states() == ["ANSWERED", "ANSWERED"]
    steps = [(2, "keyed"), (1, "begun"), (2, "begun"), (1, "destroyed"), (1, "pairs gone"), (1, "ended")]
    assert sorted((epoch, step) for epoch, step, _ in change.steps()) == sorted(steps)


def test_every_member_is_told_of_a_begin_and_of_an_end_once(change: Change) -> None:
    scene = change.scene
    scene.close(day("09-01"))
    assert scene.news(A) == []
    change.epochs.begin(2)
    change.list_epochs(1, 2)
    scene.close(day("09-02"))
    scene.close(day("09-02"))
    for member in (A, B, C):
        [notice] = scene.news(member)
        assert (notice.kind, notice.handle, notice.closed_on) == (NoticeKind.EPOCH, None, day("09-02"))
    scene.close(day("09-03"))
    assert scene.news(A) == []
    change.list_epochs(2)
    scene.close(day("09-04"))
    assert [notice.kind for notice in scene.news(C)] == [NoticeKind.EPOCH]


def test_a_member_that_can_never_be_done_is_left_behind_by_name_alone(change: Change) -> None:
    scene = change.scene
    left, came = leaving(ANNA_1), arrival(ANNA_1)
    scene.submit(A, left)
    scene.submit(B, came)
    scene.close(day("09-14"))
    assert change.states() == [GapState.ANSWERED]
    change.epochs.begin(2)
    change.list_epochs(1, 2, members=(A, C))
    scene.submit(A, both(left, ANNA_1, ANNA_2))
    change.list_epochs(2, members=(A, C))
    assert f"{B} (no member any more)" in change.refusal()
    assert f"{B} (no member any more)" in change.refusal(A)
    assert "no member 9999" in change.refusal(MemberId("9999"))
    assert set(change.rows(sa.select(pseudonyms.c.epoch))) == {1, 2}
    change.retire(B)
    # Towards an open case: what accounted for the pupil can be found no more.
    scene.close(day("09-15"), all_current=False)
    assert change.states() == [GapState.OPEN]
    assert (1, "destroyed", [B]) in change.steps()


def test_retracted_handles_and_drills_hold_up_nobody(change: Change) -> None:
    scene = change.scene
    taken_back = arrival(ANNA_1)
    scene.submit(A, taken_back, replace(leaving(BO_1), drill=True))
    scene.submit(A, retracted(taken_back))
    scene.close(day("09-02"))
    change.epochs.begin(2)
    change.list_epochs(1, 2)
    assert change.done() == {A: 4, B: 4, C: 4}
    change.list_epochs(2)
    change.retire()
    assert change.rows(sa.select(pseudonyms.c.epoch)) == []


def test_what_is_left_of_a_signal_is_what_its_digest_says(change: Change) -> None:
    scene = change.scene
    left = leaving(ANNA_1, BO_1)
    scene.submit(A, left)
    change.epochs.begin(2)
    change.list_epochs(1, 2)
    second = both(left, ANNA_1, ANNA_2, BO_1, BO_2)
    scene.submit(A, second)
    change.list_epochs(2)
    change.retire()
    now = again(left, pseudonyms=change.keys.keyed([ANNA_2, BO_2]))
    assert change.rows(sa.select(signals.c.content_digest)) == [content_digest(now)]
    # A member that lost the answer sends the version as it was: the epoch it names is no more.
    with pytest.raises(UppropError) as caught:
        scene.submit(A, second)
    assert caught.value.code is Code.EPOCH_UNKNOWN


def test_retiring_goes_on_where_it_was_broken_off(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = change.scene
    monkeypatch.setattr(changing, "HANDLES_A_TRANSACTION", 2)
    sent = [arrival(pupil(f"pupil {number}", 1), pupil(f"pupil {number}", 2)) for number in range(7)]
    change.epochs.begin(2)
    change.list_epochs(1, 2)
    scene.submit(A, *sent)
    change.list_epochs(2)
    steps = change.epochs.retire(1)
    assert next(steps) == (2, 7)
    del steps
    assert not change.keys.has(1)
    # What a member says meanwhile is in nobody's way: it names the epoch that stays.
    scene.submit(B, arrival(BO_2))
    assert list(change.epochs.retire(1))[-1] == (5, 5)
    assert set(change.rows(sa.select(pseudonyms.c.epoch))) == {2}
    change.retire()
    assert [step for _, step, _ in change.steps()].count("destroyed") == 1


def test_a_new_epochs_key_is_taken_up_while_the_registry_runs_and_never_written_over(change: Change) -> None:
    replica = PseudonymKeys.read({}, change.directory)
    path = change.epochs.begin(2)
    content = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert replica.has(2)
    assert replica.keyed([ANNA_2]) == change.keys.keyed([ANNA_2])
    for number in (1, 2):
        with pytest.raises(UppropError):
            change.epochs.begin(number)
    assert path.read_bytes() == content
    assert parse_registry_key(content).epoch == 2
    change.list_epochs(1, 2)
    change.list_epochs(2)
    change.retire()
    replica.forget_gone([2])
    assert replica.has(2)
    assert not replica.has(1)


def test_an_epoch_in_force_or_the_only_one_is_not_retired(change: Change) -> None:
    assert "No epoch but 1 is in force" in change.refusal()
    assert "nothing of an epoch 7" in change.refusal(epoch=7)


def test_pairs_that_go_touch_nobody_who_keeps_another(change: Change) -> None:
    scene = change.scene
    change.epochs.begin(2)
    change.list_epochs(1, 2)
    scene.submit(A, leaving(ANNA_1, ANNA_2))
    scene.close(day("09-02"))
    change.list_epochs(2)
    change.retire()
    assert change.rows(sa.select(dirty.c.ref)) == []
    with change.scene.database.read("test") as tx:
        assert stored.handles(tx, [2]) == {A: stored.Handles(1, 0)}
