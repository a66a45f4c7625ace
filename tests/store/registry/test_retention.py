"""What retention takes away, what it leaves, and that nothing comes back as a false alarm or is lost as a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from federation.observability import Log
from federation.rules.vocabulary import (
    DutyEnded,
    NoticeKind,
    Opening,
    OpeningKind,
    Policy,
    Presence,
    Urgency,
)
from registry.model import PURGED_DIGEST, ref_of
from registry.recovery import Recovery
from registry.retention.purging import Retention
from registry.retention.rules import months_after
from registry.store import retention as store
from registry.store import schema
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.scene import (
    DUE,
    KEYS,
    SINCE,
    A,
    B,
    C,
    Scene,
    again,
    arrival,
    federation,
    leaving,
    pupil,
    retracted,
)

ANSWER_KEPT = timedelta(days=60)
STAYS = months_after(SINCE, 13) + timedelta(days=121)
"""The first day on which an arrival of `SINCE` is needed no longer: 13 months, and 120 days of dating back."""

CASE_KEPT = timedelta(days=180)


@pytest.fixture
def scene(empty_database: MakeDatabase) -> Scene:
    return Scene(empty_database(), federation(limits=Policy(backdating_days=120, answer_kept_days=60)))


@pytest.fixture
def retention(scene: Scene) -> Retention:
    return retention_of(scene)


def retention_of(scene: Scene) -> Retention:
    return Retention(
        scene.database, lambda: scene.descriptor, scene.clock, scene.metrics, Log(level="error"), pause=lambda _: None
    )


def close(scene: Scene, retention: Retention, on: date) -> None:
    """Close a day, then let retention do its round."""
    scene.close(on)
    retention.run_if_due()


def rows(scene: Scene, table: str) -> list[sa.Row[tuple[object, ...]]]:
    with scene.database.read("test") as tx:
        return list(tx.execute(sa.select(schema.metadata.tables[table])))


def purged(scene: Scene) -> set[bytes]:
    return {row.ref for row in rows(scene, "signals") if row.purged_on is not None}


def states(scene: Scene) -> list[str]:
    return sorted(row.state for row in rows(scene, "gaps"))


def moved(scene: Scene) -> tuple[object, object]:
    """A pupil who left A and arrived at B on the same day."""
    left, came = leaving(pupil("p")), arrival(pupil("p"))
    scene.submit(A, left)
    scene.submit(B, came)
    return left, came


def test_an_answered_pair_is_broken_after_sixty_days_and_its_arrival_stays(scene: Scene, retention: Retention) -> None:
    left, came = leaving(pupil("p")), arrival(pupil("p"))
    scene.submit(A, left)
    scene.submit(B, came)
    scene.close(DUE)
    assert scene.kinds(A) == ["ANSWERED"]
    close(scene, retention, DUE + ANSWER_KEPT - timedelta(days=1))
    assert purged(scene) == set()
    close(scene, retention, DUE + ANSWER_KEPT)
    assert purged(scene) == {ref_of(A, left.handle)}
    [gap] = rows(scene, "gaps")
    # Nothing tells any more where the pupil went.
    assert (gap.state, gap.answer_member, gap.answer_handle) == ("ANSWERED", A, left.handle)
    assert {row.ref for row in rows(scene, "pseudonyms")} == {ref_of(B, came.handle)}
    [row] = [row for row in rows(scene, "signals") if row.ref == ref_of(A, left.handle)]
    assert (row.content_digest, row.version) == (PURGED_DIGEST, 1)
    assert "2026" not in row.statement


def test_an_arrival_goes_once_no_opening_reaches_back_to_it(scene: Scene, retention: Retention) -> None:
    came = arrival(pupil("p"))
    scene.submit(B, came)
    close(scene, retention, STAYS - timedelta(days=1))
    assert purged(scene) == set()
    close(scene, retention, STAYS)
    assert purged(scene) == {ref_of(B, came.handle)}
    assert rows(scene, "pseudonyms") == []


@pytest.mark.parametrize("later", [STAYS - timedelta(days=30), STAYS + timedelta(days=30), STAYS + timedelta(days=900)])
def test_a_gap_stated_again_after_its_purge_is_as_answered_as_it_was(
    scene: Scene, retention: Retention, later: date
) -> None:
    """As in a new epoch, or after a correction: with the arrival still there, and with it gone."""
    left, came = leaving(pupil("p")), arrival(pupil("p"))
    scene.submit(A, left)
    scene.submit(B, came)
    close(scene, retention, DUE)
    close(scene, retention, DUE + ANSWER_KEPT)
    close(scene, retention, later)
    scene.news(A)
    restated = again(left, pseudonyms=(*left.pseudonyms, pupil("p", epoch=2)))
    assert scene.submit(A, restated) == ["ACCEPTED"]
    scene.close(later + timedelta(days=1))
    assert scene.news(A) == []
    assert states(scene) == ["ANSWERED"]
    retention.run_if_due()
    assert ref_of(A, left.handle) in purged(scene)


def test_versions_keep_their_order_over_a_purge(scene: Scene, retention: Retention) -> None:
    came = arrival(pupil("p"))
    scene.submit(B, came, again(came))
    close(scene, retention, STAYS)
    assert scene.submit(B, came) == ["STALE"]
    assert scene.submit(B, again(came)) == ["DUPLICATE"]
    assert purged(scene) == {ref_of(B, came.handle)}
    assert scene.submit(B, again(again(came))) == ["ACCEPTED"]
    assert purged(scene) == set()


def test_an_older_version_that_comes_after_the_purge_brings_nothing_back(scene: Scene, retention: Retention) -> None:
    left = leaving(pupil("p"))
    assert left.opening is not None
    scene.submit(A, replace(left, version=3))
    scene.submit(B, arrival(pupil("p")))
    close(scene, retention, DUE)
    close(scene, retention, DUE + ANSWER_KEPT)
    assert purged(scene) == {ref_of(A, left.handle)}
    scene.kinds(A)
    before = rows(scene, "openings"), rows(scene, "gaps")
    late = replace(left, version=2, opening=replace(left.opening, number=2))
    assert scene.submit(A, late, on=DUE + ANSWER_KEPT) == ["STALE"]
    scene.close(months_after(DUE, 15))
    assert (rows(scene, "openings"), rows(scene, "gaps")) == before
    assert scene.kinds(A) == []


def test_a_pupil_who_leaves_after_three_years_is_looked_for_and_found(scene: Scene, retention: Retention) -> None:
    came = arrival(pupil("p"))
    scene.submit(B, came)
    for year in (1, 2, 3):
        close(scene, retention, months_after(SINCE, 12 * year))
    since = date(2029, 10, 1)
    left = again(
        came,
        presences=(Presence(None, since, SINCE),),
        opening=Opening(1, OpeningKind.LEFT, since),
    )
    assert scene.submit(B, left) == ["ACCEPTED"]
    close(scene, retention, date(2029, 10, 12))
    assert scene.kinds(B) == ["OPENED"]
    scene.submit(C, arrival(pupil("p"), begins=date(2029, 10, 20)))
    close(scene, retention, date(2029, 10, 22))
    assert scene.kinds(B) == ["ANSWERED"]


def test_an_open_gap_and_all_it_could_meet_are_never_taken(scene: Scene, retention: Retention) -> None:
    scene.submit(A, leaving(pupil("p")))
    # Entered before the leaver did: it answers nobody now, and might after a correction.
    old = arrival(pupil("p"), begins=date(2025, 3, 3))
    scene.submit(B, old)
    close(scene, retention, DUE)
    for years in (1, 5, 12):
        close(scene, retention, months_after(DUE, 12 * years))
    assert purged(scene) == set()
    assert states(scene) == ["OPEN"]
    on = months_after(DUE, 12 * 12) + timedelta(days=7)
    scene.submit(B, again(old, presences=(Presence(on - timedelta(days=3), None, on - timedelta(days=3)),)))
    scene.close(on)
    assert states(scene) == ["ANSWERED"]


def test_a_gap_nobody_ended_is_given_up_on_when_its_child_is_grown(scene: Scene, retention: Retention) -> None:
    left = leaving(pupil("p"))
    scene.submit(A, left)
    close(scene, retention, DUE)
    on = months_after(SINCE, 12 * 13)
    close(scene, retention, on - timedelta(days=1))
    assert states(scene) == ["OPEN"]
    close(scene, retention, on)
    assert states(scene) == ["VOID"]
    [case] = rows(scene, "cases")
    assert case.closed_on == on
    assert purged(scene) == {ref_of(A, left.handle)}


def test_a_closed_case_loses_its_names_and_stays_countable(scene: Scene, retention: Retention) -> None:
    left = leaving(pupil("p"))
    scene.submit(A, left)
    close(scene, retention, DUE)
    [before] = rows(scene, "cases")
    answered = DUE + timedelta(days=7)
    scene.submit(B, arrival(pupil("p"), begins=DUE))
    close(scene, retention, answered)
    # An answered pair would go after 60 days; that of a case stays for as long as the case is looked back on.
    close(scene, retention, answered + CASE_KEPT - timedelta(days=1))
    assert purged(scene) == set()
    assert len(rows(scene, "case_names")) == 1
    close(scene, retention, answered + CASE_KEPT)
    assert purged(scene) == {ref_of(A, left.handle)}
    assert rows(scene, "case_names") == []
    [after] = rows(scene, "cases")
    assert (after.case_id, after.child_year_id, after.lead) == (before.case_id, before.child_year_id, A)


def test_a_child_missed_twice_in_a_year_bears_one_child_year_id(scene: Scene, retention: Retention) -> None:
    """Also where half a year lies between, and the second municipality never met the first one's open case."""
    january, autumn = date(2027, 1, 11), date(2027, 11, 1)
    scene.submit(A, leaving(pupil("p"), since=january, begins=date(2026, 9, 1)))
    close(scene, retention, january + timedelta(days=14))
    found = arrival(pupil("p"), begins=january + timedelta(days=15))
    scene.submit(B, found)
    close(scene, retention, january + timedelta(days=21))
    close(scene, retention, autumn)
    gone = again(
        found,
        presences=(replace(found.presences[0], until=autumn),),
        opening=Opening(1, OpeningKind.LEFT, autumn),
    )
    scene.submit(B, gone)
    close(scene, retention, autumn + timedelta(days=20))
    first, second = rows(scene, "cases")
    assert first.case_id != second.case_id
    assert first.child_year_id == second.child_year_id


def test_another_year_and_another_child_bear_other_child_year_ids(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")), leaving(pupil("q")))
    scene.close(DUE)
    came = arrival(pupil("p"), begins=DUE)
    scene.submit(B, came)
    scene.close(DUE + timedelta(days=7))
    next_year = date(2027, 2, 1)
    scene.submit(
        B,
        again(
            came,
            presences=(replace(came.presences[0], until=next_year),),
            opening=Opening(1, OpeningKind.LEFT, next_year),
        ),
    )
    scene.close(next_year + timedelta(days=20))
    assert len({row.child_year_id for row in rows(scene, "cases")}) == 3


def test_an_urgent_word_after_the_purge_opens_the_case(scene: Scene, retention: Retention) -> None:
    """The pair is forgotten; that nobody has seen the pupil is new."""
    left, came = leaving(pupil("p")), arrival(pupil("p"))
    scene.submit(A, left)
    scene.submit(B, came)
    close(scene, retention, DUE)
    close(scene, retention, DUE + ANSWER_KEPT)
    scene.news(A)
    assert left.opening is not None
    scene.submit(A, again(left, opening=replace(left.opening, urgency=Urgency.IMMEDIATE)))
    scene.close(DUE + ANSWER_KEPT + timedelta(days=1))
    assert scene.kinds(A) == ["REOPENED"]
    assert [notice.kind for notice in scene.news(B)] == [NoticeKind.CONFIRM]


def test_a_short_stay_over_the_summer_is_waited_for(scene: Scene, retention: Retention) -> None:
    """Sixty days of summer hold few school days: the answer may still turn out to be none."""
    begins = date(2027, 6, 7)
    left = leaving(pupil("p"), since=begins, begins=date(2025, 8, 18), urgency=Urgency.NORMAL)
    scene.submit(A, left)
    came = arrival(pupil("p"), begins=begins)
    scene.submit(B, came)
    close(scene, retention, begins + timedelta(days=14))
    day = begins + timedelta(days=10)
    scene.submit(B, again(came, presences=(replace(came.presences[0], until=day),), duty_ended=DutyEnded(day)))
    close(scene, retention, begins + timedelta(days=70))
    assert states(scene) == ["OPEN"]


def test_what_is_left_of_a_member_back_after_a_silence_is_left_alone(scene: Scene, retention: Retention) -> None:
    left, came = leaving(pupil("p")), arrival(pupil("p"))
    scene.submit(A, left)
    scene.submit(B, came)
    close(scene, retention, DUE)
    close(scene, retention, DUE + ANSWER_KEPT)
    long_after = STAYS + timedelta(days=400)
    scene.close(long_after, all_current=False)
    scene.news(A)
    scene.report(A, B, as_of=long_after)
    scene.close(long_after + timedelta(days=1), all_current=False)
    assert scene.news(A) == []
    assert states(scene) == ["ANSWERED"]


def test_a_purged_handle_may_be_taken_back(scene: Scene, retention: Retention) -> None:
    left, came = leaving(pupil("p")), arrival(pupil("p"))
    scene.submit(A, left)
    scene.submit(B, came)
    close(scene, retention, DUE)
    close(scene, retention, DUE + ANSWER_KEPT)
    assert scene.submit(A, retracted(left)) == ["ACCEPTED"]
    close(scene, retention, DUE + ANSWER_KEPT + timedelta(days=1))
    assert states(scene) == ["VOID"]


def test_a_member_that_lost_its_database_is_not_handed_what_is_gone(scene: Scene, retention: Retention) -> None:
    left, came = leaving(pupil("p")), arrival(pupil("p"))
    scene.submit(A, left)
    scene.submit(B, came)
    stays = arrival(pupil("q"), begins=DUE)
    scene.submit(A, stays)
    close(scene, retention, DUE)
    close(scene, retention, DUE + ANSWER_KEPT)
    recovery = Recovery(scene.database, KEYS, lambda: scene.descriptor)
    handed, more, _ = recovery.page(A, b"", 10)
    assert ([each.signal.handle for each in handed], more) == ([stays.handle], False)
    assert recovery.find(A, [pupil("p"), pupil("q")]) == [(1, stays.handle)]


def test_handles_are_forgotten_altogether_when_nobody_of_school_age_bears_them(
    scene: Scene, retention: Retention
) -> None:
    scene.submit(A, leaving(pupil("p")))
    close(scene, retention, DUE)
    scene.submit(B, arrival(pupil("p"), begins=DUE))
    close(scene, retention, DUE + timedelta(days=7))
    close(scene, retention, STAYS + timedelta(days=60))
    assert len(purged(scene)) == 2
    for months in (1, 2):
        # Cases go in the round after the gaps that name them at the latest.
        close(scene, retention, months_after(STAYS, 12 * 13 + 2 + months))
    assert [rows(scene, name) for name in ("signals", "gaps", "cases", "pseudonyms", "confirmations")] == [[]] * 5


def test_notices_go_once_acknowledged_old_and_about_nothing_that_stands(scene: Scene, retention: Retention) -> None:
    moved(scene)
    scene.submit(A, leaving(pupil("q")))
    close(scene, retention, DUE)
    later = DUE + timedelta(days=401)
    close(scene, retention, later)
    assert len(rows(scene, "notices")) == 3
    scene.mailbox.acknowledge(A, 3)
    close(scene, retention, later + timedelta(days=1))
    # What opened the case that is open still can be listed anew.
    left = rows(scene, "notices")
    assert sorted(row.kind for row in left) == ["LEAD", "OPENED"]
    # What was acknowledged once may be so again.
    scene.mailbox.acknowledge(A, 3)


def test_answers_to_batches_and_old_closes_go(scene: Scene, retention: Retention) -> None:
    scene.submit(A, arrival(pupil("p")))
    close(scene, retention, SINCE)
    close(scene, retention, SINCE + timedelta(days=90))
    assert len(rows(scene, "batches")) == 1
    close(scene, retention, SINCE + timedelta(days=91))
    assert rows(scene, "batches") == []
    close(scene, retention, SINCE + timedelta(days=600))
    assert [row.closed_on for row in rows(scene, "closes")] == [SINCE + timedelta(days=600)]


# -- how it works ------------------------------------------------------------------------------------------------------


def test_a_round_is_done_in_portions_and_goes_on_where_it_was_stopped(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ROWS", 3)
    monkeypatch.setattr("registry.retention.sweeps.ROWS", 3)
    scene.submit(B, *(arrival(pupil(f"p{number}")) for number in range(10)))
    scene.close(STAYS)

    def stop(_seconds: float) -> None:
        raise InterruptedError

    for portions in range(1, 4):
        interrupted = retention_of(scene)
        interrupted._pause = stop
        with pytest.raises(InterruptedError):
            interrupted.run_if_due()
        assert len(purged(scene)) == 3 * portions
    retention_of(scene).run_if_due()
    assert len(purged(scene)) == 10
    # Nothing more after this close.
    assert not any(retention_of(scene)._work(again=False).due.values())


def test_looking_what_is_due_changes_nothing(scene: Scene, retention: Retention) -> None:
    moved(scene)
    assert retention.due().closed_on is None
    scene.close(DUE)
    assert not any(retention.due().due.values())
    scene.close(DUE + ANSWER_KEPT)
    assert {step for step, is_due in retention.due().due.items() if is_due} == {"handles"}
    assert purged(scene) == set()
    assert retention.run().due["handles"]
    assert not any(retention.due().due.values())


def test_a_close_under_way_is_not_disturbed(scene: Scene, retention: Retention) -> None:
    scene.submit(B, arrival(pupil("p")))
    scene.close(STAYS)
    with scene.database.transaction("test") as tx:
        tx.execute(sa.update(schema.closes).values(working=True))
    retention.run()
    assert purged(scene) == set()
