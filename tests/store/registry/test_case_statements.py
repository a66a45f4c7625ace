"""What members state: whose case file, which version counts, and what comes of it; on each kind of store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from federation.observability import Log
from federation.rules.vocabulary import CaseOutcome, CaseStatus, Handle, MemberId, NoticeKind, Signal
from registry.model import CaseStated, CaseStatement
from registry.retention.purging import Retention
from registry.store import case_statements
from registry.store.schema import dirty
from registry.store.schema_casework import case_statements as table
from tests.store.registry.scene import DUE, A, B, C, Scene, arrival, leaving, pupil

NIGHT = timedelta(days=1)
WORKED = CaseStated(CaseStatus.ACKNOWLEDGED)
CLOSED = CaseStated(CaseStatus.CLOSED, outcome=CaseOutcome.PLACED)


def state(
    scene: Scene, member: MemberId, handle: Handle, stated: CaseStated, version: int = 1, number: int = 1
) -> Sequence[CaseStatement]:
    said = [CaseStatement(handle, number, version, stated)]
    return scene.database.run("test_state", lambda tx: case_statements.take(tx, member, said, DUE))


def rows(scene: Scene) -> list[tuple[int, str]]:
    query = sa.select(table.c.version, table.c.status).order_by(table.c.ref, table.c.number)
    return scene.database.view("test_rows", lambda tx: [tuple(row) for row in tx.execute(query)])


def kinds(scene: Scene, member: MemberId) -> list[NoticeKind]:
    """What the member hears that it has not heard before."""
    return [notice.kind for notice in scene.news(member)]


def marks(scene: Scene) -> int:
    count = sa.select(sa.func.count()).select_from(dirty)
    return scene.database.view("test_marks", lambda tx: tx.execute(count).scalar_one())


def both(scene: Scene) -> tuple[Signal, Signal]:
    """A leads by the rule; B misses the pupil too; C looks for another."""
    mine, theirs = leaving(pupil("p")), replace(leaving(pupil("p")), presences=())
    scene.submit(A, mine)
    scene.submit(B, theirs)
    scene.submit(C, leaving(pupil("q")))
    scene.close(DUE)
    return mine, theirs


def test_the_highest_version_counts_in_whatever_order_and_however_often_it_comes(scene: Scene) -> None:
    mine, _ = both(scene)
    assert state(scene, A, mine.handle, CLOSED, 3) == []
    [standing] = state(scene, A, mine.handle, WORKED, 2)
    assert (standing.number, standing.version) == (1, 3)
    assert state(scene, A, mine.handle, CLOSED, 3) == []
    assert rows(scene) == [(3, "CLOSED")]
    # As of a member that lost its store and counts anew.
    [standing] = state(scene, A, mine.handle, WORKED, 3)
    assert standing.version == 3
    assert state(scene, A, mine.handle, WORKED, standing.version + 1) == []
    assert rows(scene) == [(4, "ACKNOWLEDGED")]


def test_in_one_call_the_highest_version_of_a_gap_counts(scene: Scene) -> None:
    mine, _ = both(scene)
    said = [CaseStatement(mine.handle, 1, version, stated) for version, stated in ((2, CLOSED), (1, WORKED))]
    scene.database.run("test_state", lambda tx: case_statements.take(tx, A, said, DUE))
    assert rows(scene) == [(2, "CLOSED")]


def test_nobody_states_anything_of_another_member_s_gap_nor_learns_that_there_is_one(scene: Scene) -> None:
    mine, _ = both(scene)
    state(scene, A, mine.handle, WORKED, 5)
    scene.close(DUE + NIGHT)
    # C has come by the very handle: it reads as one that there is not.
    for handle in (mine.handle, Handle(bytes(16))):
        assert state(scene, C, handle, CLOSED, 1) == []
    assert rows(scene) == [(5, "ACKNOWLEDGED")]
    assert marks(scene) == 0


def test_of_an_opening_that_was_never_said_nothing_is_kept(scene: Scene) -> None:
    mine, _ = both(scene)
    assert state(scene, A, mine.handle, CLOSED, 1, number=2) == []
    assert rows(scene) == []


def test_a_case_file_may_be_stated_before_any_close_has_seen_its_opening(scene: Scene) -> None:
    mine = leaving(pupil("p"))
    scene.submit(A, mine)
    scene.submit(B, replace(leaving(pupil("p")), presences=()))
    state(scene, A, mine.handle, CLOSED)
    scene.close(DUE)
    assert NoticeKind.LEAD in kinds(scene, B)
    assert NoticeKind.LEAD not in kinds(scene, A)


def test_the_other_member_is_told_of_the_lead_alone_and_by_the_close_alone(scene: Scene) -> None:
    mine, _ = both(scene)
    for member in (A, B, C):
        kinds(scene, member)
    for version, stated in enumerate((WORKED, CaseStated(CaseStatus.ESCALATED), CLOSED), 1):
        state(scene, A, mine.handle, stated, version)
        assert [kinds(scene, member) for member in (A, B, C)] == [[], [], []]
    scene.close(DUE + NIGHT)
    assert [kinds(scene, member) for member in (A, B, C)] == [[NoticeKind.LINKED], [NoticeKind.LEAD], []]


def test_what_is_stated_goes_with_what_its_handle_says(scene: Scene) -> None:
    left, came = leaving(pupil("p")), arrival(pupil("p"))
    scene.submit(A, left)
    scene.submit(B, came)
    state(scene, A, left.handle, CLOSED)
    retention = Retention(
        scene.database, lambda: scene.descriptor, scene.clock, scene.metrics, Log(level="error"), pause=lambda _: None
    )
    for on, kept in ((DUE, [(1, "CLOSED")]), (DUE + timedelta(days=60), [])):
        scene.close(on)
        retention.run_if_due()
        assert rows(scene) == kept
    # Nor does it come back.
    assert state(scene, A, left.handle, CLOSED, 2) == []
    assert rows(scene) == []
