"""Gaps of a handle that was handed back: from openings and notices, whatever the store had made of them meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import (
    GapState,
    Handle,
    MemberId,
    Notice,
    NoticeKind,
    Opening,
    OpeningKind,
    Policy,
    Signal,
    Urgency,
)
from node.gaps import Gap, Judge, OpenedBy
from node.identity import Route
from node.recovery.retelling import retold, taken_in
from node.recovery.stated import Stated

HANDLE = Handle(b"h" * 16)
JUDGE = Judge(MemberId("0180"), Policy(), SchoolCalendar())
SINCE, DUE = date(2026, 9, 7), date(2026, 9, 18)
LOST = date(2026, 10, 12)
FIRST = Opening(1, OpeningKind.LEFT, SINCE)
SECOND = Opening(2, OpeningKind.LEFT, date(2026, 10, 1))


def stated(current: Opening | None, *openings: Opening) -> Stated:
    return Stated(Signal(HANDLE, 4, (), opening=current), openings)


def notice(number: int, kind: NoticeKind, on: date, opening: int = 1, case_id: bytes | None = None) -> Notice:
    return Notice(number, kind, on, HANDLE, opening, case_id)


def local(number: int, since: date, on: date, state: GapState = GapState.OPEN) -> Gap:
    opening = Opening(number, OpeningKind.LEFT, since, Urgency.IMMEDIATE)
    opened = {"opened_on": on, "opened_by": OpenedBy.IMMEDIATE} if state is GapState.OPEN else {}
    return Gap(HANDLE, opening, Route.REGISTRY, True, since, on, state, on, **opened)  # type: ignore[arg-type]


def test_what_was_told_is_told_again_with_its_days() -> None:
    notices = [
        notice(3, NoticeKind.OPENED, DUE, case_id=b"c" * 16),
        notice(4, NoticeKind.LEAD, DUE, case_id=b"c" * 16),
        notice(9, NoticeKind.ANSWERED, date(2026, 9, 28)),
    ]
    [opened] = retold((), stated(FIRST, FIRST), notices[:2], JUDGE, LOST)
    assert (opened.state, opened.opened_on, opened.opened_by, opened.lead) == (
        GapState.OPEN,
        DUE,
        OpenedBy.NOTICE,
        True,
    )
    assert (opened.case_id, opened.stated, opened.due_on) == (b"c" * 16, True, DUE)
    [answered] = retold((), stated(FIRST, FIRST), notices, JUDGE, LOST)
    assert (answered.state, answered.state_since, answered.opened_on) == (GapState.ANSWERED, date(2026, 9, 28), DUE)


def test_what_nothing_was_told_of_is_watched() -> None:
    [gap] = retold((), stated(FIRST), [], JUDGE, LOST)
    assert (gap.state, gap.verdict, gap.opened_on, gap.said_on) == (GapState.WATCH, None, None, SINCE)


def test_numbers_that_were_used_are_not_used_again() -> None:
    gaps = retold((), stated(None, FIRST, SECOND), [], JUDGE, LOST)
    assert [(gap.number, gap.stated) for gap in gaps] == [(1, False), (2, False)]


def test_notices_about_another_opening_change_nothing() -> None:
    first, second = retold((), stated(SECOND, FIRST, SECOND), [notice(1, NoticeKind.VOIDED, DUE)], JUDGE, LOST)
    assert (first.state, second.state) == (GapState.VOID, GapState.WATCH)
    assert (first.stated, second.stated) == (False, True)


def test_a_gap_from_before_the_loss_is_not_told_anew() -> None:
    known = replace(local(1, SINCE, DUE), verdict=GapState.OPEN, verdict_on=DUE, opened_by=OpenedBy.SILENT_REGISTRY)
    assert retold((known,), stated(known.opening), [], JUDGE, LOST) == (known,)


def test_a_case_file_opened_meanwhile_keeps_its_first_day() -> None:
    meanwhile = local(1, SECOND.since, LOST)
    [first, second] = retold((meanwhile,), stated(SECOND, FIRST, SECOND), [], JUDGE, LOST)
    assert (first.number, first.opened_on, first.stated) == (1, None, False)
    assert (second.state, second.opened_on, second.opened_by) == (GapState.OPEN, LOST, OpenedBy.IMMEDIATE)
    opened = [notice(5, NoticeKind.OPENED, date(2026, 10, 9), opening=2)]
    [_, told] = retold((meanwhile,), stated(SECOND, FIRST, SECOND), opened, JUDGE, LOST)
    assert (told.opened_on, told.opened_by) == (date(2026, 10, 9), OpenedBy.NOTICE)


def test_a_case_file_without_a_stated_gap_gets_a_number_of_its_own() -> None:
    [first, third] = retold((local(1, LOST, LOST),), stated(None, FIRST), [], JUDGE, LOST)
    assert (first.opening, first.stated) == (FIRST, False)
    assert (third.number, third.stated, third.state, third.opening.since) == (2, True, GapState.OPEN, LOST)


def test_a_gap_of_the_store_alone_stands_where_nothing_else_is_stated() -> None:
    meanwhile = local(2, LOST, LOST)
    assert retold((meanwhile,), stated(None, FIRST), [], JUDGE, LOST)[1] == meanwhile


def test_what_was_only_watched_meanwhile_leaves_nothing() -> None:
    watched = replace(local(1, LOST, LOST, GapState.WATCH))
    told = retold((), stated(FIRST), [], JUDGE, LOST)
    assert taken_in(told, [watched]) == told
