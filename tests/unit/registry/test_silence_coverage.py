"""Who is current, who is silent, and whose pupils are covered."""

from __future__ import annotations

from datetime import date

from federation.descriptor_file import Member
from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.vocabulary import MemberId
from registry.model import Heard
from registry.silence.coverage import Contact, Coverage, coverage

A, B, C = (MemberId(text) for text in ("0180", "1280", "1480"))
FRIDAY, NEXT_FRIDAY, MONDAY = date(2026, 9, 4), date(2026, 9, 11), date(2026, 9, 14)


def member(name: MemberId, population: int = 50_000) -> Member:
    return Member(id=name, name=f"Kommun {name}", population=population, key_sha256="0" * 64)


def seen(today: date, calendar: SchoolCalendar | None = None, **heard: Heard) -> Coverage:
    by_name = {MemberId(name.removeprefix("m")): each for name, each in heard.items()}
    return coverage([member(A), member(B)], by_name, today, 5, lambda _: calendar or SchoolCalendar())


def test_a_member_is_silent_once_more_than_five_of_its_own_school_days_have_passed() -> None:
    friday = seen(NEXT_FRIDAY, m0180=Heard(FRIDAY, 1_000), m1280=Heard(NEXT_FRIDAY, 1_000))
    assert [(line.contact, line.silent_for) for line in friday.lines] == [(Contact.CURRENT, 5), (Contact.CURRENT, 0)]
    monday = seen(MONDAY, m0180=Heard(FRIDAY, 1_000), m1280=Heard(NEXT_FRIDAY, 1_000))
    assert [(line.contact, line.silent_for) for line in monday.lines] == [(Contact.SILENT, 6), (Contact.CURRENT, 1)]
    assert monday.percent == 50
    pause = SchoolCalendar([Break(FRIDAY, NEXT_FRIDAY)])
    assert seen(MONDAY, pause, m0180=Heard(FRIDAY, 1_000)).lines[0].contact is Contact.CURRENT


def test_a_member_never_heard_counts_with_the_pupils_its_population_lets_expect() -> None:
    covered = seen(FRIDAY, m0180=Heard(FRIDAY, 6_000))
    assert [line.contact for line in covered.lines] == [Contact.CURRENT, Contact.NEVER_HEARD]
    assert covered.percent == 50
    assert covered.number(Contact.NEVER_HEARD) == 1


def test_where_nobody_was_heard_nothing_is_covered() -> None:
    assert seen(FRIDAY).percent == 0
    assert coverage([], {}, FRIDAY, 5, lambda _: SchoolCalendar()).percent == 0


def test_a_member_that_left_the_federation_is_shown_and_covers_nothing() -> None:
    covered = seen(FRIDAY, m0180=Heard(FRIDAY, 1_000), m1280=Heard(FRIDAY, 1_000), m1480=Heard(FRIDAY, 9_000))
    assert [(line.member, line.contact) for line in covered.lines][-1] == (C, Contact.LEFT)
    assert covered.percent == 100
    silent = seen(MONDAY, m0180=Heard(FRIDAY, 1_000), m1280=Heard(MONDAY, 1_000), m1480=Heard(MONDAY, 9_000))
    assert silent.percent == 50
