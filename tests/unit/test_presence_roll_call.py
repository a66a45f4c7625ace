"""What a member says of a pupil whom the roll call asks for: only what is newer than what the leaver had."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from federation.rules.matching import entered_on
from federation.rules.vocabulary import Policy
from node.model import Call, History, ImportFacts, Observation, Row, Saying, Statement, What
from node.presence import statement
from tests.unit.presence_stories import BASELINE, CALENDAR, ROW, day, said, seen

CALLED_ON = day(9, 11)
SINCE_MARCH = replace(ROW, start=day(3, 2))
"""There long before the baseline import, so that it tells of no arrival."""


def called(
    *calls: Call, rows: tuple[Row, ...] = (SINCE_MARCH,), sayings: tuple[Saying, ...] = (), today: date = CALLED_ON
) -> Statement:
    facts = ImportFacts(BASELINE, (BASELINE,))
    observations: tuple[Observation, ...] = (seen(BASELINE, *rows),)
    return statement(History(observations, sayings, calls), facts, today, Policy(), CALENDAR)


def call(begun_since: date) -> Call:
    return Call(CALLED_ON, begun_since)


def test_without_a_call_nothing_is_said() -> None:
    assert not called().moves


@pytest.mark.parametrize("begun_since", [day(8, 18, 2025), day(3, 2)])
def test_a_presence_begun_since_the_leavers_own_is_said(begun_since: date) -> None:
    now = called(call(begun_since))
    assert (now.moves, now.doubted) == (True, ())
    assert [presence.begins for presence in now.presences] == [day(3, 2)]


def test_an_older_presence_is_not_said_but_doubted_though_every_export_has_shown_it() -> None:
    """That exports have shown it since the baseline answers nobody, here or at the registry."""
    older = call(day(3, 3))
    now = called(older)
    assert (now.moves, now.doubted) == (False, (older,))
    assert entered_on(now.presences[0]) == day(3, 2)


@pytest.mark.parametrize("row", [ROW, Row("unit", "GR")])
def test_of_a_presence_whose_begin_is_not_told_a_person_is_asked(row: Row) -> None:
    oldest = call(day(8, 1, 2025))
    assert called(oldest, rows=(row,)).doubted == (oldest,)


def test_a_persons_word_makes_it_said() -> None:
    older = call(day(3, 3))
    now = called(older, sayings=(said(What.AFFIRM, CALLED_ON),))
    assert (now.moves, now.doubted) == (True, ())
    assert now.presences[0].affirmed_on == CALLED_ON


@pytest.mark.parametrize("what", [What.MET, What.FOUND])
def test_no_other_word_does(what: What) -> None:
    older = call(day(3, 3))
    assert called(older, sayings=(said(what, CALLED_ON),)).doubted == (older,)


def test_of_several_members_that_miss_the_pupil_each_is_judged_by_its_own_begin() -> None:
    older = call(day(3, 3))
    now = called(call(day(8, 18, 2025)), older)
    assert (now.moves, now.doubted) == (True, (older,))
    # Said for the one, it must not answer the other at the registry, which knows nothing of calls.
    entered = entered_on(now.presences[0])
    assert entered is not None
    assert day(8, 18, 2025) <= entered < older.begun_since


@pytest.mark.parametrize("end", [day(9, 4), day(9, 10)])
def test_a_pupil_who_is_not_there_any_more_is_neither_said_to_be_there_nor_asked_about(end: date) -> None:
    # The second end shows on the day of the call.
    for begun_since in (day(8, 18, 2025), day(3, 3)):
        now = called(call(begun_since), rows=(replace(SINCE_MARCH, end=end),))
        assert now.doubted == ()
        assert not now.in_force
        assert now.opening is not None


def test_a_row_that_starts_later_waits_for_its_day() -> None:
    later = replace(ROW, start=day(9, 14))
    assert not called(call(day(8, 18, 2025)), rows=(later,)).in_force
    assert called(call(day(8, 18, 2025)), rows=(later,), today=day(9, 14)).moves


def test_a_call_counts_from_its_day_on() -> None:
    assert not called(call(day(8, 18, 2025)), today=day(9, 10)).moves
