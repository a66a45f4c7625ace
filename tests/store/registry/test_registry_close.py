"""What the daily close tells whom and when, on each kind of store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation.errors import Code, UppropError
from federation.rules.matching import evaluate
from federation.rules.vocabulary import DutyEnded, MemberId, NoticeKind, OpeningKind, Presence, Urgency
from registry import pipeline, portion
from registry.store import Transaction, closes, schema
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.scene import (
    DUE,
    SINCE,
    A,
    B,
    C,
    Scene,
    again,
    arrival,
    day,
    federation,
    leaving,
    pupil,
    retracted,
)

EARLIER = day("02-02").replace(year=2025)
"""Before the others' pupils came: what began then answers no later gap of theirs."""


def test_nothing_is_told_before_the_due_day(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("missing")), leaving(pupil("moved")))
    scene.submit(B, arrival(pupil("moved")))
    for on in (SINCE, SINCE + timedelta(days=6), DUE - timedelta(days=1)):
        scene.close(on)
        assert scene.news(A) == scene.news(B) == []
    scene.close(DUE)
    assert sorted(scene.kinds(A)) == ["ANSWERED", "OPENED"]
    assert scene.news(B) == []


def test_a_gap_first_heard_of_after_its_due_day_is_told_at_once(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.close(DUE + timedelta(days=30))
    assert scene.kinds(A) == ["OPENED"]


def test_an_immediate_gap_opens_at_the_first_close(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p"), urgency=Urgency.IMMEDIATE))
    scene.close(SINCE)
    assert scene.kinds(A) == ["OPENED"]


def test_a_planned_start_postpones(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p"), planned_start=day("09-18")))
    scene.close(DUE)
    assert scene.news(A) == []
    scene.close(day("09-18"))
    assert scene.kinds(A) == ["OPENED"]


def test_later_changes_are_told_at_the_next_close(scene: Scene) -> None:
    gone, come = leaving(pupil("p")), arrival(pupil("p"), begins=day("09-21"))
    scene.submit(A, gone)
    scene.close(DUE)
    assert scene.kinds(A) == ["OPENED"]
    scene.submit(B, come)
    scene.close(day("09-21"))
    assert scene.kinds(A) == ["ANSWERED"]
    scene.submit(B, retracted(come))
    scene.close(day("09-22"))
    assert scene.kinds(A) == ["REOPENED"]
    ended = again(gone, duty_ended=DutyEnded(day("09-01")))
    scene.submit(A, ended)
    scene.close(day("09-23"))
    assert scene.kinds(A) == ["ENDED"]
    scene.submit(A, again(ended, opening=None, duty_ended=None, presences=(Presence(None, SINCE),)))
    scene.close(day("09-24"))
    assert scene.kinds(A) == ["VOIDED"]
    assert scene.news(B) == []


def test_a_presence_that_begins_later_answers_on_that_day_without_a_new_signal(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.submit(B, arrival(pupil("p"), begins=day("09-24")))
    scene.close(DUE)
    assert scene.kinds(A) == ["OPENED"]
    scene.close(day("09-23"))
    assert scene.news(A) == []
    scene.close(day("09-24"))
    assert scene.kinds(A) == ["ANSWERED"]


def test_a_gap_voided_before_it_was_told_is_never_told(scene: Scene) -> None:
    gone = leaving(pupil("p"))
    scene.submit(A, gone)
    scene.close(SINCE)
    scene.submit(A, retracted(gone))
    for on in (day("09-07"), DUE, day("10-01")):
        scene.close(on)
    assert scene.news(A) == []


def test_whom_a_handle_met_before_it_changed_is_looked_at_again(scene: Scene) -> None:
    """A number typed wrong at B answered a gap at A; the correction must open it."""
    scene.submit(A, leaving(pupil("p")))
    wrong = arrival(pupil("p"))
    scene.submit(B, wrong)
    scene.close(DUE)
    assert scene.kinds(A) == ["ANSWERED"]
    scene.submit(B, again(wrong, pseudonyms=(pupil("q"),)))
    scene.close(day("09-15"))
    assert scene.kinds(A) == ["REOPENED"]


def test_a_pseudonym_added_later_meets(scene: Scene) -> None:
    gone = leaving(pupil("p"))
    scene.submit(A, gone)
    scene.submit(B, arrival(pupil("p", epoch=2)))
    scene.close(DUE)
    assert scene.kinds(A) == ["OPENED"]
    scene.submit(A, again(gone, pseudonyms=(pupil("p"), pupil("p", epoch=2))))
    scene.close(day("09-15"))
    assert scene.kinds(A) == ["ANSWERED"]


def test_a_silent_members_presence_answers_nobody_until_it_is_heard_again(scene: Scene) -> None:
    late = SINCE + timedelta(days=20)
    scene.submit(A, leaving(pupil("p"), since=late))
    scene.submit(B, arrival(pupil("p"), begins=day("08-20")))
    scene.report(B, as_of=SINCE)
    for on in (late, day("10-02")):
        scene.report(A, C, as_of=on)
        scene.close(on, all_current=False)
    # Due on 2 October; B was last heard of on 1 September, before the gap and over 14 days ago.
    (opened, _lead) = scene.news(A)
    assert (opened.kind, opened.coverage_incomplete) == (NoticeKind.OPENED, True)
    scene.report(B, as_of=day("10-02"))
    scene.close(day("10-03"), all_current=False)
    assert scene.kinds(A) == ["ANSWERED"]


def test_a_first_report_lets_what_was_said_before_it_answer(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.submit(B, arrival(pupil("p")))
    scene.report(A, as_of=DUE)
    scene.close(DUE, all_current=False)
    assert scene.kinds(A) == ["OPENED"]
    scene.report(B, as_of=DUE)
    scene.close(DUE, all_current=False)
    assert scene.kinds(A) == ["ANSWERED"]


def test_coverage_is_complete_while_every_member_is_current(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.close(DUE)
    assert [notice.coverage_incomplete for notice in scene.news(A)] == [False, False]


def test_an_immediate_gap_asks_the_other_member_once_whether_the_pupil_was_seen(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p"), urgency=Urgency.IMMEDIATE))
    come = arrival(pupil("p"))
    scene.submit(B, come)
    scene.close(SINCE)
    assert scene.kinds(A) == ["OPENED"]
    (asked,) = scene.news(B)
    assert (asked.kind, asked.handle, asked.opening_number, asked.case_id) == (
        NoticeKind.CONFIRM,
        come.handle,
        None,
        None,
    )
    scene.submit(B, again(come))
    scene.close(SINCE + timedelta(days=1))
    assert scene.news(B) == []
    scene.submit(B, again(again(come), presences=(Presence(SINCE, None, SINCE, SINCE),)))
    scene.close(SINCE + timedelta(days=2))
    assert scene.kinds(A) == ["ANSWERED"]


def test_gaps_that_meet_share_a_case_under_names_of_their_own(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.submit(B, leaving(pupil("p"), since=day("09-08"), begins=EARLIER))
    scene.close(DUE)
    opened, lead = scene.news(A)
    assert (opened.kind, lead.kind) == (NoticeKind.OPENED, NoticeKind.LEAD)
    scene.close(day("09-21"))
    told_b = scene.news(B)
    assert [notice.kind.value for notice in told_b] == ["OPENED", "LINKED", "LEAD"]
    told_a = scene.news(A)
    # B has the latest `since`: it leads, and A is told that another one does.
    assert [notice.kind.value for notice in told_a] == ["LINKED"]
    assert {notice.case_id for notice in (opened, lead, *told_a)} == {opened.case_id}
    assert {notice.case_id for notice in told_b} == {told_b[0].case_id}
    assert opened.case_id != told_b[0].case_id
    assert rows(scene, schema.cases)[0].lead == B


def test_the_lead_passes_on_when_its_gap_closes_and_stays_where_none_is_left(scene: Scene) -> None:
    gone_a, gone_b = leaving(pupil("p")), leaving(pupil("p"), since=day("09-02"), begins=EARLIER)
    scene.submit(A, gone_a)
    scene.submit(B, gone_b)
    scene.close(day("09-15"))
    scene.news(A), scene.news(B)
    scene.submit(B, again(gone_b, duty_ended=DutyEnded(day("09-02"))))
    scene.close(day("09-16"))
    assert [notice.kind.value for notice in scene.news(A)] == ["LEAD"]
    scene.submit(A, again(gone_a, duty_ended=DutyEnded(day("09-02"))))
    scene.close(day("09-17"))
    (case,) = rows(scene, schema.cases)
    assert (case.lead, case.opened_on, case.closed_on) == (A, day("09-15"), day("09-17"))


def test_not_placed_leads(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p"), kind=OpeningKind.NOT_PLACED))
    scene.submit(B, leaving(pupil("p"), since=day("09-02"), begins=EARLIER))
    scene.close(day("09-15"))
    assert rows(scene, schema.cases)[0].lead == A


def test_a_gap_that_reopens_keeps_its_case(scene: Scene) -> None:
    come = arrival(pupil("p"))
    scene.submit(A, leaving(pupil("p")))
    scene.close(DUE)
    scene.submit(B, come)
    scene.close(day("09-15"))
    scene.submit(B, retracted(come))
    scene.close(day("09-16"))
    told = {notice.case_id for notice in scene.news(A) if notice.kind is not NoticeKind.ANSWERED}
    assert len(told) == 1
    (case,) = rows(scene, schema.cases)
    assert (case.opened_on, case.closed_on) == (DUE, None)


def test_cases_that_turn_out_to_be_of_one_child_become_one(scene: Scene) -> None:
    gone = leaving(pupil("p"))
    scene.submit(A, gone)
    scene.submit(B, leaving(pupil("q"), since=day("09-02"), begins=EARLIER))
    scene.close(day("09-15"))
    assert len(rows(scene, schema.cases)) == 2
    scene.submit(A, again(gone, pseudonyms=(pupil("p"), pupil("q"))))
    scene.close(day("09-16"))
    assert sorted(case.closed_on is None for case in rows(scene, schema.cases)) == [False, True]
    assert len({gap.case_id for gap in rows(scene, schema.gaps)}) == 1


def test_gaps_that_no_longer_meet_part(scene: Scene) -> None:
    gone = leaving(pupil("p"), pupil("q"))
    scene.submit(A, gone)
    scene.submit(B, leaving(pupil("q")))
    scene.close(DUE)
    assert len(rows(scene, schema.cases)) == 1
    scene.submit(A, again(gone, pseudonyms=(pupil("p"),)))
    scene.close(day("09-15"))
    assert len({gap.case_id for gap in rows(scene, schema.gaps)}) == 2
    assert [gap.linked for gap in rows(scene, schema.gaps)] == [False, False]


def test_three_members_and_a_chain_of_pseudonyms_are_one_group(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.submit(B, leaving(pupil("p"), pupil("q")))
    scene.submit(C, leaving(pupil("q")))
    report = scene.close(DUE)
    assert report.groups == 1
    assert len({gap.case_id for gap in rows(scene, schema.gaps)}) == 1


def test_closing_a_day_twice_changes_nothing(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")), leaving(pupil("q")))
    scene.submit(B, arrival(pupil("p")), leaving(pupil("q")))
    scene.close(DUE)
    before = state(scene)
    report = scene.close(DUE)
    assert (report.groups, report.changes, report.notices) == (0, 0, 0)
    assert state(scene) == before


def test_a_fact_between_two_closes_of_a_day_counts_at_the_second(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.close(DUE)
    scene.submit(B, arrival(pupil("p")))
    scene.close(DUE)
    assert scene.kinds(A) == ["OPENED", "ANSWERED"]


def test_what_a_second_close_of_a_day_makes_is_delivered_when_it_is_finished(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.close(DUE)
    assert scene.kinds(A) == ["OPENED"]
    scene.submit(B, arrival(pupil("p")))
    with monkeypatch.context() as killed:
        killed.setattr(scene.daily_close, "_finish", lambda *_: raise_killed())
        with pytest.raises(KilledError):
            scene.close(DUE)
    assert scene.mailbox.page(A, 2, 10) == ([], False, DUE)
    with pytest.raises(UppropError):
        scene.mailbox.acknowledge(A, 3)
    scene.close(DUE)
    assert scene.kinds(A) == ["ANSWERED"]
    scene.mailbox.acknowledge(A, 3)


def test_an_earlier_day_cannot_be_closed(scene: Scene) -> None:
    scene.close(DUE)
    with pytest.raises(UppropError) as refused:
        scene.close(DUE - timedelta(days=1))
    assert refused.value.code is Code.INPUT_REFUSED


def test_another_policy_makes_due_days_new(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.close(day("09-07"))
    scene.descriptor = federation(serial=2, watch=5)
    scene.close(day("09-08"))
    assert scene.kinds(A) == ["OPENED"]


def test_a_member_that_left_the_federation_holds_up_nobody(scene: Scene) -> None:
    scene.submit(A, leaving(pupil("p")))
    scene.submit(C, leaving(pupil("p")))
    scene.descriptor = federation(A, B, serial=2)
    scene.close(DUE)
    assert "OPENED" in scene.kinds(A)


class KilledError(Exception):
    """Stands for the end of the process."""


def raise_killed() -> None:
    raise KilledError


def day_with_work(scene: Scene) -> None:
    for number in range(7):
        scene.submit(A, leaving(pupil(f"p{number}")), leaving(pupil(f"q{number}"), urgency=Urgency.IMMEDIATE))
        scene.submit(B, arrival(pupil(f"p{number}")) if number % 2 else leaving(pupil(f"p{number}")))
    scene.report(A, B, C, as_of=DUE)


def test_a_close_killed_between_any_two_transactions_ends_the_same(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, empty_database: MakeDatabase
) -> None:
    monkeypatch.setattr(pipeline, "GROUPS_A_PORTION", 2)
    # What the killed one had taken is waited for no longer than this.
    monkeypatch.setattr(scene.daily_close, "_lease", timedelta(milliseconds=100))
    day_with_work(scene)
    run, killed_at = scene.database.run, 0

    def killed_after(transactions: int) -> Callable[..., Any]:
        left = transactions

        def run_or_die(name: str, work: Callable[[Transaction], Any], **options: Any) -> Any:
            nonlocal left
            if left == 0:
                raise KilledError
            left -= 1
            return run(name, work, **options)

        return run_or_die

    while True:
        # One transaction more each time, until one run gets to its end.
        scene.database.run = killed_after(killed_at)  # type: ignore[method-assign]  # for this test
        try:
            scene.daily_close.run(DUE)
        except KilledError:
            killed_at += 1
            with scene.database.read("test") as tx:
                assert closes.newest(tx, finished=True) is None
            assert scene.mailbox.page(A, 0, 1_000) == ([], False, None)
            continue
        break
    assert killed_at > 3
    scene.database.run = run  # type: ignore[method-assign]  # as above
    after_kills = told(scene)

    undisturbed = Scene(empty_database())
    day_with_work(undisturbed)
    undisturbed.daily_close.run(DUE)
    assert after_kills == told(undisturbed)


def test_one_group_that_cannot_be_evaluated_holds_up_nobody(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned = leaving(pupil("poison"))
    scene.submit(A, poisoned, leaving(pupil("p")))
    scene.report(A, B, C, as_of=DUE)

    def fails_on_poison(signals: Any, *rest: Any) -> Any:
        if any(own.signal.handle == poisoned.handle for own in signals):
            raise OverflowError("a value of the group")
        return evaluate(signals, *rest)

    monkeypatch.setattr(portion, "evaluate", fails_on_poison)
    report = scene.daily_close.run(DUE)
    assert (report.failed, report.groups) == (1, 1)
    assert [notice.kind.value for notice in scene.news(A)] == ["OPENED", "LEAD"]
    assert scene.metrics.close_incomplete._value.get() == 1
    monkeypatch.undo()
    assert scene.close(DUE).failed == 0
    assert scene.kinds(A) == ["OPENED"]


def test_notice_numbers_tell_a_member_nothing_of_others_and_positions_have_no_holes(scene: Scene) -> None:
    day_with_work(scene)
    scene.close(DUE)
    given = rows(scene, schema.notices)
    assert sorted(notice.position for notice in given) == list(range(1, len(given) + 1))
    for member in (A, B):
        numbers = [notice.number for notice in given if notice.member == member]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
        assert len(numbers) > 2


def test_pages_follow_each_other_and_acknowledging_is_bounded_by_what_was_given(scene: Scene) -> None:
    day_with_work(scene)
    scene.close(DUE)
    everything, more, closed_on = scene.mailbox.page(A, 0, 1_000)
    assert (more, closed_on) == (False, DUE)
    first, more, _ = scene.mailbox.page(A, 0, 3)
    assert more
    rest, more, _ = scene.mailbox.page(A, first[-1].number, 1_000)
    assert not more
    assert [*first, *rest] == everything
    scene.mailbox.acknowledge(A, everything[-1].number)
    scene.mailbox.acknowledge(A, 1)
    assert {box.member: box.acked_number for box in rows(scene, schema.mailboxes)}[A] == everything[-1].number
    for member, number in ((A, everything[-1].number + 1), (C, 1)):
        with pytest.raises(UppropError) as refused:
            scene.mailbox.acknowledge(member, number)
        assert refused.value.code is Code.REQUEST_INVALID


def rows(scene: Scene, table: sa.Table) -> list[Any]:
    with scene.database.read("test") as tx:
        return list(tx.execute(sa.select(table).order_by(*table.primary_key.columns)))


def state(scene: Scene) -> list[Any]:
    return [rows(scene, table) for table in (schema.gaps, schema.cases, schema.notices, schema.signals, schema.dirty)]


def told(scene: Scene) -> dict[MemberId, list[tuple[object, ...]]]:
    """What each member was told, without the random names and in no order: those follow handles made per scene."""
    return {
        member: sorted(
            (notice.kind.value, notice.closed_on, notice.opening_number or 0) for notice in scene.news(member)
        )
        for member in (A, B, C)
    }
