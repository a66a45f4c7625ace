"""Several replicas make one close together on PostgreSQL: what they write is what one would have written."""

from __future__ import annotations

import contextlib
import functools
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from federation.database import Database
from federation.descriptor_file import PolicyValues
from federation.errors import Code, UppropError
from federation.rules.vocabulary import GapState, MemberId
from registry import pipeline, portion
from registry.model import CloseReport, Ref
from registry.pipeline import Close
from registry.store import Transaction, groups, leases, schema
from tests.store.registry.conftest import empty
from tests.store.registry.scene import DUE, A, B, Scene, arrival, day, federation, leaving, pupil, retracted
from tests.store.registry.test_registry_histories import (
    DAYS,
    FIRST_DAY,
    MEMBERS,
    comparable,
    given,
    history,
    stored_gaps,
)

LEASE = timedelta(milliseconds=300)
LONG = timedelta(minutes=5)


@pytest.fixture
def scene(migrated_postgres: Database) -> Scene:
    empty(migrated_postgres)
    return Scene(migrated_postgres)


@pytest.fixture
def replica(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Close]]:
    """Makes replicas of the scene's registry, each with connections of its own; portions are of two groups."""
    monkeypatch.setattr(pipeline, "GROUPS_A_PORTION", 2)
    monkeypatch.setattr(pipeline, "POLL_SECONDS", 0.01)
    with contextlib.ExitStack() as stack:

        def make(lease: timedelta = LONG) -> Close:
            url = scene.database.url.render_as_string(hide_password=False)
            own = stack.enter_context(contextlib.closing(Database(url, idle_seconds=lease.total_seconds())))
            return Close(
                own,
                lambda: scene.descriptor,
                scene.clock,
                scene.metrics,
                scene.log,
                scene._random,
                scene.roll_call,
                lease,
            )

        yield make


def together(*closes: Callable[[], CloseReport]) -> list[CloseReport]:
    with ThreadPoolExecutor(len(closes)) as pool:
        return [future.result() for future in [pool.submit(close) for close in closes]]


@pytest.fixture
def alone(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Scene]:
    """The same registry as one process, on SQLite."""
    shutil.copy(migrated_sqlite, tmp_path / "alone.sqlite")
    with contextlib.closing(Database(tmp_path / "alone.sqlite")) as database:
        yield Scene(database)


def test_two_replicas_write_what_one_writes(scene: Scene, alone: Scene, replica: Callable[..., Close]) -> None:
    both, done_by = [replica(), replica()], [0, 0]
    for number, said in enumerate(history(random.Random(11))[:25]):
        today = FIRST_DAY + timedelta(days=number)
        for each in (scene, alone):
            for member, signal in said:
                each.submit(member, signal)
        alone.close(today)
        scene.report(*MEMBERS, as_of=today)
        reports = together(*(functools.partial(each.run, today) for each in both))
        done_by = [done + report.groups for done, report in zip(done_by, reports, strict=True)]
        assert comparable(stored_gaps(scene)) == comparable(stored_gaps(alone))
    assert given(scene) == given(alone)
    assert min(done_by) > 0, "one replica did everything"


def test_closes_of_two_replicas_under_load_come_to_what_one_close_gives(
    scene: Scene, alone: Scene, replica: Callable[..., Close]
) -> None:
    """Members go on sending while both close, again and again; once all is quiet, one more close makes up for it."""
    said = [each for day in history(random.Random(7)) for each in day]
    last_day = FIRST_DAY + timedelta(days=DAYS)
    for each in (scene, alone):
        each.report(*MEMBERS, as_of=last_day)

    def send(member: MemberId) -> None:
        for sender, signal in said:
            if sender == member:
                scene.submit(sender, signal)

    both = [replica(), replica()]
    with ThreadPoolExecutor(len(MEMBERS)) as pool:
        sending = [pool.submit(send, member) for member in MEMBERS]
        while not all(each.done() for each in sending):
            together(*(functools.partial(each.run, last_day) for each in both))
        for future in sending:
            future.result()
    together(*(functools.partial(each.run, last_day) for each in both))

    for member, signal in said:
        alone.submit(member, signal)
    alone.close(last_day)
    expected = {key: gap.state for key, gap in stored_gaps(alone).items()}
    # Gaps that were taken back while the closes ran are known to the one and not to the other.
    assert expected == {key: gap.state for key, gap in stored_gaps(scene).items() if key in expected}
    assert table(scene, schema.dirty) == table(scene, schema.portions) == []
    assert [pair for pair in table(scene, schema.pseudonyms) if not pair.live] == []


class Paused:
    """A replica that stops at a call, as under SIGSTOP, until it is let go on."""

    def __init__(self, module: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.let_go = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._result: list[CloseReport | BaseException] = []
        call = getattr(module, name)

        def stopped(*args: Any, **options: Any) -> Any:
            if threading.current_thread() is self._thread and not self.reached.is_set():
                self.reached.set()
                assert self.let_go.wait(60)
            return call(*args, **options)

        monkeypatch.setattr(module, name, stopped)

    def run(self, close: Callable[[], CloseReport]) -> None:
        def work() -> None:
            try:
                self._result.append(close())
            except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
                self._result.append(error)

        self._thread = threading.Thread(target=work)
        self._thread.start()
        assert self.reached.wait(60)

    def go_on(self) -> CloseReport:
        self.let_go.set()
        assert self._thread is not None
        self._thread.join(60)
        [result] = self._result
        if isinstance(result, BaseException):
            raise result
        return result


def test_a_worker_that_was_paused_past_its_lease_writes_nothing(
    scene: Scene, replica: Callable[..., Close], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.submit(A, *(leaving(pupil(f"p{number}")) for number in range(6)))
    paused = Paused(portion, "_settle", monkeypatch)
    paused.run(functools.partial(replica(LEASE).run, DUE))
    # The other one waits until the lease has run out, takes the portion over and ends the close.
    assert replica(LEASE).run(DUE).groups == 6
    before = everything(scene)
    assert paused.go_on().groups == 0
    assert everything(scene) == before
    assert sorted(scene.kinds(A)) == ["OPENED"] * 6


def test_an_expired_lease_writes_nothing_even_where_nobody_took_it_over(
    scene: Scene, replica: Callable[..., Close], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.submit(A, leaving(pupil("p")))
    hold, refused = leases.hold, 0

    def counted(tx: Transaction, lease: leases.Lease) -> None:
        nonlocal refused
        try:
            hold(tx, lease)
        except leases.LeaseLostError:
            refused += 1
            raise

    monkeypatch.setattr(leases, "hold", counted)
    paused = Paused(portion, "_settle", monkeypatch)
    paused.run(functools.partial(replica(LEASE).run, DUE))
    time.sleep(2 * LEASE.total_seconds())
    # Refused once; then it takes the portion anew, like any other.
    assert (paused.go_on().groups, refused) == (1, 1)


def test_a_worker_paused_inside_its_transaction_loses_it_and_its_locks(
    scene: Scene, replica: Callable[..., Close], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.submit(A, *(leaving(pupil(f"p{number}")) for number in range(3)))
    # Behind the check of its token, with rows locked.
    paused = Paused(groups, "lock", monkeypatch)
    paused.run(functools.partial(replica(LEASE).run, DUE))
    assert replica(LEASE).run(DUE).groups == 3
    before = everything(scene)
    assert paused.go_on().groups == 0
    assert everything(scene) == before


def test_two_workers_that_reach_one_group_from_two_handles_write_it_once(
    scene: Scene, replica: Callable[..., Close], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read the group before either writes; the second finds it changed under its locks and reads it again."""
    scene.submit(A, leaving(pupil("p"), pupil("q", epoch=2)))
    scene.submit(B, leaving(pupil("q", epoch=2), begins=day("02-02").replace(year=2025)))
    # Every handle a portion of its own: the two have different places.
    monkeypatch.setattr(pipeline, "GROUPS_A_PORTION", 1)
    met, settle, looked = threading.Barrier(2), portion._settle, []

    def at_once(seen: Any, terms: Any) -> Any:
        looked.append(len(seen.groups))
        if len(looked) <= 2:
            met.wait(60)
        return settle(seen, terms)

    monkeypatch.setattr(portion, "_settle", at_once)
    reports = together(*(functools.partial(each.run, DUE) for each in (replica(), replica())))
    assert looked == [1, 1, 0]
    assert sorted(report.groups for report in reports) == [0, 1]
    assert len(table(scene, schema.cases)) == 1
    assert [notice.kind.value for notice in scene.news(A)] == ["OPENED", "LINKED", "LEAD"]
    assert [notice.kind.value for notice in scene.news(B)] == ["OPENED", "LINKED"]


def test_a_batch_between_reading_and_writing_is_read_too(
    scene: Scene, replica: Callable[..., Close], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = leaving(pupil("p"))
    scene.submit(A, gone)
    paused = Paused(portion, "_settle", monkeypatch)
    paused.run(functools.partial(replica().run, DUE))
    scene.submit(A, retracted(gone))
    assert paused.go_on().groups == 1
    assert scene.news(A) == []
    assert table(scene, schema.dirty) == []


def test_an_opening_that_another_replica_decides_of_between_reading_and_writing_is_read_again(
    scene: Scene, replica: Callable[..., Close], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came after the first replica had begun the close: undecided, it would wait for a person for ever."""
    scene.descriptor = federation(limits=PolicyValues().policy())
    one, other = replica(), replica()
    scene.report(*MEMBERS, as_of=DUE)
    scene.submit(B, arrival(pupil("p")))
    look_at, settle, looked = portion.look_at, portion._settle, list[Any]()

    def with_one_more(*args: Any) -> Any:
        scene.submit(A, leaving(pupil("p")))
        return look_at(*args)

    def beside_the_other(*args: Any) -> Any:
        if not looked:
            other._run("close_begin", lambda tx: other._begin(tx, DUE, scene.descriptor))
        looked.append(args)
        return settle(*args)

    monkeypatch.setattr(pipeline, "look_at", with_one_more)
    monkeypatch.setattr(portion, "_settle", beside_the_other)
    one.run(DUE)
    assert [gap.state for gap in stored_gaps(scene).values()] == [GapState.ANSWERED]


def test_nothing_is_delivered_before_the_last_portion_is_done(
    scene: Scene, replica: Callable[..., Close], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.submit(A, *(leaving(pupil(f"p{number}")) for number in range(6)))
    paused = Paused(portion, "_settle", monkeypatch)
    paused.run(functools.partial(replica().run, DUE))
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(replica().run, DUE)
        while sum(row.handles for row in table(scene, schema.portions)) > 2:
            time.sleep(0.01)
        assert len(table(scene, schema.notices)) == 8
        assert scene.mailbox.page(A, 0, 1_000) == ([], False, None)
        assert not other.done()
        assert paused.go_on().groups == 2
        assert other.result(60).groups == 4
    assert len(scene.news(A)) == 12
    assert [close.working for close in table(scene, schema.closes)] == [False]


def test_a_later_day_takes_over_what_an_earlier_close_left(
    scene: Scene, replica: Callable[..., Close], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.submit(A, *(leaving(pupil(f"p{number}")) for number in range(4)))
    paused = Paused(portion, "_settle", monkeypatch)
    paused.run(functools.partial(replica().run, DUE))
    assert replica().run(DUE + timedelta(days=1)).groups == 4
    before = everything(scene)
    with pytest.raises(UppropError) as refused:
        paused.go_on()
    assert refused.value.code is Code.INPUT_REFUSED
    assert everything(scene) == before


def test_a_portion_holds_whole_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "GROUPS_A_PORTION", 2)
    placed = [(place, Ref(place + handle)) for place in (b"a", b"b", b"c", b"d", b"e") for handle in (b"1", b"2", b"3")]
    cut = list(pipeline._cut(placed))
    assert [len(portion) for portion in cut] == [6, 6, 3]
    assert [ref for portion in cut for ref in portion] == [ref for _, ref in placed]
    assert list(pipeline._cut([])) == []


def everything(scene: Scene) -> dict[str, list[Any]]:
    return {each.name: table(scene, each) for each in schema.metadata.sorted_tables}


def table(scene: Scene, each: sa.Table) -> list[Any]:
    with scene.database.read("test") as tx:
        return list(tx.execute(sa.select(each).order_by(*each.primary_key.columns)))
