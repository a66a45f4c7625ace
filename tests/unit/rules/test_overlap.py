"""Who is asked where two members say that they have one pupil."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.matching import MemberSignal
from federation.rules.overlap import Overlap, meeting, overlaps
from federation.rules.vocabulary import Handle, MemberId, Opening, OpeningKind, Policy, Presence, Pseudonym, Signal

A, B, C = MemberId("0180"), MemberId("1480"), MemberId("1280")
CALENDAR = SchoolCalendar([Break(date(2026, 10, 26), date(2026, 10, 30))])
POLICY = Policy(overlap_school_days=10)
PUPIL = Pseudonym(1, b"p" * 32)


def day(month: int, day_: int) -> date:
    return date(2026, month, day_)


def at(member: MemberId, *presences: Presence, pseudonym: Pseudonym = PUPIL) -> MemberSignal:
    handle = Handle(member.encode().ljust(16))
    return MemberSignal(member, Signal(handle, 1, (pseudonym,), presences))


def asked(*signals: MemberSignal, today: date, contacts: dict[MemberId, date] | None = None) -> list[Overlap]:
    heard = dict.fromkeys((A, B, C), today) | (contacts or {})
    return list(overlaps(meeting(signals), heard, today, POLICY, lambda _: CALENDAR))


LONG = Presence(None, affirmed_on=day(8, 24))
NEW = Presence(day(9, 1), affirmed_on=day(9, 1))


def test_the_earlier_is_asked_on_the_eleventh_school_day() -> None:
    [overlap] = asked(at(A, LONG), at(B, NEW), today=day(9, 2))
    assert (overlap.member, overlap.other_member, overlap.began_on) == (A, B, day(9, 1))
    # 1 September is a Tuesday; ten school days later it is the 15th.
    assert overlap.asks_on == day(9, 15)


def test_breaks_do_not_count() -> None:
    [overlap] = asked(at(A, LONG), at(B, Presence(day(10, 19), None, day(10, 19))), today=day(10, 20))
    assert overlap.asks_on == day(11, 9)


@pytest.mark.parametrize(
    ("here", "there", "earlier"),
    [
        (Presence(day(8, 20)), Presence(day(9, 1)), A),
        (Presence(day(9, 1)), Presence(day(8, 20)), B),
        (Presence(day(9, 1)), Presence(None), B),
        (Presence(day(9, 1), None, day(9, 3)), Presence(day(9, 1), None, day(9, 2)), B),
        (Presence(day(9, 1), None, day(9, 1)), Presence(day(9, 1), None, day(9, 1)), A),
        (Presence(None), Presence(None), A),
    ],
)
def test_the_earlier_is_the_one_that_began_before(here: Presence, there: Presence, earlier: MemberId) -> None:
    for signals in ((at(A, here), at(B, there)), (at(B, there), at(A, here))):
        [overlap] = asked(*signals, today=day(9, 20))
        assert overlap.member == earlier


def test_whatever_either_says_anew_puts_the_question_off() -> None:
    affirmed = replace(LONG, affirmed_on=day(9, 14))
    [overlap] = asked(at(A, affirmed), at(B, NEW), today=day(9, 15))
    assert overlap.asks_on == day(9, 28)


def test_nobody_affirms_ahead() -> None:
    """A presence affirmed on a day in the year 2030 is asked about like any other."""
    far = replace(LONG, affirmed_on=date(2030, 1, 1))
    [overlap] = asked(at(A, far), at(B, NEW), today=day(9, 15))
    assert overlap.asks_on == day(9, 15)


@pytest.mark.parametrize(
    "signals",
    [
        (at(A, replace(LONG, until=day(9, 10))), at(B, NEW)),
        (at(A, LONG), at(B, replace(NEW, until=day(9, 10)))),
        (at(A, LONG), at(B, Presence(day(9, 20)))),
        (at(A, LONG), at(B, NEW, pseudonym=Pseudonym(1, b"q" * 32))),
        (at(A, LONG), at(B, NEW, pseudonym=Pseudonym(2, b"p" * 32))),
        (at(A, LONG), at(A, NEW)),
        (at(A, LONG),),
    ],
    ids=["ended", "the other's ended", "not begun", "another pupil", "another epoch", "one member", "alone"],
)
def test_no_overlap(signals: tuple[MemberSignal, ...]) -> None:
    assert asked(*signals, today=day(9, 15)) == []


def test_who_has_an_opening_has_said_what_there_is_to_say() -> None:
    placed = at(B, NEW)
    opening = Opening(1, OpeningKind.HELD, day(9, 10))
    holding = replace(placed, signal=replace(placed.signal, opening=opening))
    assert asked(at(A, LONG), holding, today=day(9, 20)) == []


def test_drills_and_signals_taken_back_raise_no_question() -> None:
    there = at(B, NEW)
    drill = replace(there, signal=replace(there.signal, drill=True))
    back = replace(there, signal=replace(there.signal, retracted=True, presences=()))
    assert asked(at(A, LONG), drill, today=day(9, 20)) == asked(at(A, LONG), back, today=day(9, 20)) == []


def test_a_silent_member_makes_nobody_look() -> None:
    today = day(9, 20)
    silent = {B: today - timedelta(days=15)}
    assert asked(at(A, LONG), at(B, NEW), today=today, contacts=silent) == []
    # The silence of the one that is asked keeps no question back.
    assert len(asked(at(A, LONG), at(B, NEW), today=today, contacts={A: today - timedelta(days=15)})) == 1


def test_of_three_each_pair_has_its_earlier() -> None:
    found = asked(at(A, LONG), at(B, NEW), at(C, Presence(day(9, 3), None, day(9, 3))), today=day(9, 20))
    assert [(each.member, each.other_member) for each in found] == [(A, C), (A, B), (B, C)]


def test_off_asks_nobody() -> None:
    signals = meeting([at(A, LONG), at(B, NEW)])
    assert not list(overlaps(signals, {A: day(9, 20), B: day(9, 20)}, day(9, 20), Policy(), lambda _: CALENDAR))
