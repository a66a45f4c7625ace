"""Each sentence of design §5 about presence, leaving and duty, by an example."""

from dataclasses import replace
from datetime import date

import pytest

from federation.rules.vocabulary import Policy, Presence, Urgency
from node.model import (
    HeldLeavings,
    History,
    ImportFacts,
    OpeningStated,
    Reason,
    Row,
    Statement,
    What,
)
from node.presence import statement, units_left
from tests.unit.presence_stories import BASELINE, CALENDAR, NEW, ROW, day, gone, left, said, say, seen

# -- presence --


def test_a_pupil_who_was_there_at_the_baseline_and_stays_is_not_told() -> None:
    told = say(day(9, 7), seen(BASELINE, ROW))
    assert (told.moves, told.opening, told.in_force) == (False, None, True)


def test_an_arrival_is_told_from_its_first_day_and_affirmed_when_first_seen() -> None:
    told = say(day(9, 7), seen(day(9, 7), NEW))
    assert told.presences == (Presence(day(9, 4), affirmed_on=day(9, 7)),)
    assert told.moves


def test_a_row_that_starts_later_is_no_presence_yet() -> None:
    early = seen(BASELINE, NEW)
    assert say(day(9, 3), early).presences == ()
    assert say(day(9, 3), early).recheck_on == day(9, 4)
    assert say(day(9, 4), early).presences == (Presence(day(9, 4), affirmed_on=day(9, 4)),)


def test_both_dates_of_a_row_are_inclusive() -> None:
    row = replace(NEW, end=day(9, 10))
    assert say(day(9, 10), seen(day(9, 7), row)).opening is None
    assert say(day(9, 11), seen(day(9, 7), row)).opening == left(day(9, 11))


def test_a_change_of_unit_over_a_weekend_is_one_presence() -> None:
    rows = (replace(ROW, end=day(9, 11)), Row("other", "GR", day(9, 14)))
    told = say(day(9, 14), seen(BASELINE, ROW), seen(day(9, 14), *rows))
    assert told.presences == (Presence(None, affirmed_on=BASELINE),)
    assert not told.moves


def test_the_summer_is_bridged() -> None:
    rows = (replace(ROW, end=day(6, 12)), replace(ROW, start=day(8, 18)))
    assert len(say(day(8, 24), seen(BASELINE, *rows)).presences) == 1


def test_a_stretch_with_a_school_day_is_not_bridged() -> None:
    rows = (replace(ROW, end=day(9, 10)), Row("other", "GR", day(9, 14)))
    told = say(day(9, 14), seen(BASELINE, ROW), seen(day(9, 14), *rows))
    assert [presence.until for presence in told.presences] == [day(9, 11), None]


@pytest.mark.parametrize("form", ["FS", "FTH", "VUX", "GY"])
def test_forms_without_the_duty_are_no_presence(form: str) -> None:
    row = replace(NEW, form=form)
    told = say(day(9, 21), seen(day(9, 7), row), seen(day(9, 14), replace(row, end=day(9, 8))))
    assert (told.presences, told.opening, told.moves) == ((), None, False)


def test_upper_secondary_counts_by_setting() -> None:
    row = replace(NEW, form="GY")
    assert say(day(9, 7), seen(day(9, 7), row), policy=Policy(upper_secondary=True)).in_force


def test_an_unknown_form_is_a_presence_is_reported_and_opens_nothing() -> None:
    row = replace(NEW, form="NEWFORM")
    there = say(day(9, 7), seen(day(9, 7), row))
    assert there.in_force
    assert there.unknown_forms == {"NEWFORM"}
    assert say(day(9, 14), seen(day(9, 7), row), seen(day(9, 14), replace(row, end=day(9, 9)))).opening is None


def test_a_presence_longer_ago_than_thirteen_months_has_no_first_day_and_an_ended_one_is_dropped() -> None:
    rows = (Row("old", "GR", day(8, 18, 2020), day(6, 1, 2024)), replace(ROW, start=day(8, 18, 2025)))
    assert [p.begins for p in say(day(9, 17), seen(BASELINE, *rows)).presences] == [day(8, 18, 2025)]
    assert [p.begins for p in say(day(9, 19), seen(BASELINE, *rows)).presences] == [None]


def test_at_most_eight_presences_stand_the_newest() -> None:
    rows = tuple(Row("unit", "GR", day(month, 1), day(month, 5)) for month in range(1, 13))
    told = say(day(12, 31), seen(day(12, 31), *rows))
    assert len(told.presences) == 8
    assert told.presences[-1].begins == day(12, 1)


def test_a_row_without_dates_means_is_in_the_export() -> None:
    row = Row("unit", "GR")
    assert say(day(9, 7), seen(BASELINE, row)).presences == (Presence(None, affirmed_on=BASELINE),)
    arrived = say(day(9, 14), seen(day(9, 7), row))
    assert arrived.presences == (Presence(day(9, 7), affirmed_on=day(9, 7)),)
    assert say(day(9, 14), seen(BASELINE, row), gone(day(9, 14))).opening == left(day(9, 14))


# -- affirmed --


def test_said_again_after_having_ended_is_affirmed_anew() -> None:
    back = say(day(9, 14), seen(BASELINE, ROW), seen(day(8, 31), replace(ROW, end=day(8, 30))), seen(day(9, 14), ROW))
    assert back.presences == (Presence(None, affirmed_on=day(9, 14)),)
    assert back.opening is None


def test_vanished_and_back_within_eight_days_affirms_nothing() -> None:
    assert say(day(9, 15), seen(BASELINE, ROW), gone(day(9, 7)), seen(day(9, 15), ROW)).presences == (
        Presence(None, affirmed_on=BASELINE),
    )
    later = say(day(9, 16), seen(BASELINE, ROW), gone(day(9, 7)), seen(day(9, 16), ROW))
    assert later.presences == (Presence(None, affirmed_on=day(9, 16)),)


def test_said_again_within_a_break_is_affirmed_anew() -> None:
    ended = replace(ROW, end=day(6, 9, 2027))
    told = say(day(7, 5, 2027), seen(BASELINE, ROW), seen(day(6, 14, 2027), ended), seen(day(7, 5, 2027), ROW))
    assert told.presences == (Presence(None, affirmed_on=day(7, 5, 2027)),)


def test_an_end_taken_back_before_it_showed_affirms_nothing() -> None:
    ended = replace(ROW, end=day(9, 11))
    told = say(day(9, 13), seen(BASELINE, ROW), seen(day(9, 12), ended), seen(day(9, 13), ROW))
    assert told.presences == (Presence(None, affirmed_on=BASELINE),)


def test_a_person_affirms_and_meets() -> None:
    told = say(
        day(9, 14),
        seen(BASELINE, ROW),
        sayings=[said(What.AFFIRM, day(9, 10)), said(What.MET, day(9, 8)), said(What.MET, day(9, 9))],
    )
    assert told.presences == (Presence(None, affirmed_on=day(9, 10), met_on=day(9, 9)),)


def test_what_a_person_affirms_is_told_though_the_member_had_it_when_it_joined() -> None:
    assert say(day(9, 14), seen(BASELINE, ROW), sayings=[said(What.AFFIRM, day(9, 10))]).moves


def test_a_presence_told_only_when_it_was_over_was_never_affirmed() -> None:
    told = say(day(9, 14), seen(day(9, 14), replace(NEW, end=day(9, 8))))
    assert told.presences == (Presence(day(9, 4), day(9, 9)),)
    assert told.opening == left(day(9, 9))


# -- leaving --


def test_a_leaving_is_said_on_the_first_school_day_after() -> None:
    friday = replace(ROW, end=day(9, 11))
    assert say(day(9, 13), seen(BASELINE, ROW), seen(day(9, 13), friday)).opening is None
    assert say(day(9, 13), seen(BASELINE, ROW), seen(day(9, 13), friday)).recheck_on == day(9, 14)
    told = say(day(9, 14), seen(BASELINE, ROW), seen(day(9, 13), friday))
    assert told.opening == left(day(9, 12))
    assert told.presences == (Presence(None, day(9, 12), BASELINE),)


def test_a_protected_pupils_leaving_is_said_at_once() -> None:
    friday = seen(day(9, 12), replace(ROW, end=day(9, 11)), marking="Sekretessmarkering")
    assert say(day(9, 12), seen(BASELINE, ROW), friday).opening == left(day(9, 12))


def test_who_vanishes_left_on_the_day_of_the_export() -> None:
    assert say(day(9, 7), seen(BASELINE, ROW), gone(day(9, 7))).opening == left(day(9, 7))
    assert say(day(9, 7), seen(BASELINE, ROW), seen(day(9, 7))).opening == left(day(9, 7))


def test_a_row_that_had_ended_before_it_vanished_keeps_its_date() -> None:
    ended = seen(day(8, 31), replace(ROW, end=day(8, 28)))
    assert say(day(9, 7), seen(BASELINE, ROW), ended, gone(day(9, 7))).opening == left(day(8, 29))


def test_an_own_later_row_by_the_due_day_is_no_leaving() -> None:
    def with_later(start: date) -> Statement:
        rows = (replace(ROW, end=day(9, 1)), Row("other", "GR", start))
        return say(day(9, 7), seen(BASELINE, ROW), seen(day(9, 7), *rows))

    assert with_later(day(9, 15)).opening is None
    assert with_later(day(9, 15)).presences == (Presence(None, day(9, 2), BASELINE),)
    assert with_later(day(9, 16)).opening == left(day(9, 2))


def test_a_later_import_that_covers_the_day_again_takes_the_opening_back() -> None:
    ended = seen(day(8, 31), replace(ROW, end=day(8, 28)))
    assert say(day(9, 7), seen(BASELINE, ROW), ended, seen(day(9, 7), ROW)).opening is None


def test_an_own_new_presence_ends_the_opening() -> None:
    ended = replace(ROW, end=day(8, 28))
    told = say(day(10, 5), seen(BASELINE, ROW), seen(day(8, 31), ended), seen(day(10, 5), ended, NEW))
    assert told.opening is None
    assert [p.begins for p in told.presences] == [None, day(9, 4)]


@pytest.mark.parametrize("void", [replace(NEW, cancelled=True), replace(NEW, end=day(9, 3))])
def test_a_cancelled_row_is_taken_back(void: Row) -> None:
    told = say(day(9, 14), seen(day(9, 7), NEW), seen(day(9, 14), void))
    assert (told.presences, told.opening) == ((), None)


def test_a_cancelled_row_that_stood_for_twenty_school_days_has_left() -> None:
    cancelled = replace(NEW, cancelled=True)
    assert say(day(10, 2), seen(day(9, 4), NEW), seen(day(10, 2), cancelled)).opening == left(day(10, 2))
    assert say(day(10, 1), seen(day(9, 4), NEW), seen(day(10, 1), cancelled)).opening is None


def test_a_cancelled_row_of_the_baseline_has_left() -> None:
    told = say(day(8, 31), seen(BASELINE, ROW), seen(day(8, 31), replace(ROW, cancelled=True)))
    assert told.opening == left(day(8, 31))


def test_the_baseline_tells_leavings_since_june_only() -> None:
    assert say(BASELINE, seen(BASELINE, replace(ROW, end=day(5, 29)))).opening is None
    assert say(BASELINE, seen(BASELINE, replace(ROW, end=day(5, 31)))).opening == left(day(6, 1))


def test_a_baseline_in_early_summer_tells_leavings_of_sixty_days() -> None:
    baseline = day(6, 8)
    facts = ImportFacts(baseline, (baseline,))

    def opening(end: date) -> OpeningStated | None:
        story = History((seen(baseline, replace(ROW, end=end)),))
        return statement(story, facts, baseline, Policy(), CALENDAR).opening

    assert opening(day(4, 8)) == left(day(4, 9))
    assert opening(day(4, 7)) is None


def test_the_baseline_tells_arrivals_since_june_but_no_mass_start() -> None:
    row = replace(ROW, start=day(8, 18))
    assert say(BASELINE, seen(BASELINE, row)).moves
    assert not say(BASELINE, seen(BASELINE, row), mass_start_days=frozenset({day(8, 18)})).moves
    assert not say(BASELINE, seen(BASELINE, replace(ROW, start=day(5, 4)))).moves


def test_who_comes_back_after_the_baseline_is_told_though_no_leaving_was_said() -> None:
    ended = replace(ROW, end=day(6, 21, 2027))
    rows = (ended, replace(ROW, start=day(8, 22, 2027)))
    told = say(day(8, 23, 2027), seen(BASELINE, ROW), seen(day(6, 21, 2027), ended), seen(day(8, 23, 2027), *rows))
    assert (told.opening, told.moves) == (None, True)


# -- too many at once --


def test_held_leavings_are_not_said_until_released() -> None:
    story = (seen(BASELINE, ROW), gone(day(9, 7)))
    waiting = HeldLeavings(day(9, 7), "unit")
    held = say(day(9, 14), *story, held=[waiting], imports=[day(9, 14)])
    assert (held.opening, held.in_force) == (None, True)
    released = replace(waiting, released_on=day(9, 14))
    assert say(day(9, 14), *story, held=[released], imports=[day(9, 14)]).opening == left(day(9, 7))
    assert say(day(9, 14), *story, held=[replace(waiting, unit="other")]).opening == left(day(9, 7))


def test_whoever_is_looked_for_at_once_does_not_wait_with_the_others_of_the_unit() -> None:
    story = (seen(BASELINE, ROW), gone(day(9, 7)))
    waiting = [HeldLeavings(day(9, 7), "unit")]
    for word in (said(What.URGENT, day(9, 8)), said(What.REASON, day(9, 8), reason=Reason.UNKNOWN_WHEREABOUTS)):
        told = say(day(9, 8), *story, held=waiting, sayings=[word])
        assert told.opening == left(day(9, 7), Urgency.IMMEDIATE)
        assert told.presences == (Presence(None, day(9, 7), BASELINE),)
    moved = said(What.REASON, day(9, 8), reason=Reason.MOVED)
    assert say(day(9, 8), *story, held=waiting, sayings=[moved]).opening is None


def test_leavings_dated_in_the_summer_are_held_with_the_import_that_first_shows_them() -> None:
    row = replace(NEW, start=day(8, 18), end=day(6, 11, 2027), school_year=5)
    story = [seen(day(8, 31), row)]
    imports = [day(6, 14, 2027), day(8, 17, 2027), day(8, 24, 2027)]
    shown = say(day(8, 17, 2027), *story, imports=imports)
    assert shown.opening == left(day(6, 12, 2027))
    assert shown.leaving_units == {"unit"}
    held = [HeldLeavings(day(8, 17, 2027), "unit")]
    assert say(day(8, 24, 2027), *story, imports=imports, held=held).opening is None


def test_units_left_are_those_newly_left_on_an_import() -> None:
    facts = ImportFacts(BASELINE, (BASELINE, day(9, 7), day(9, 14)))

    def units(as_of: date, before: date | None) -> frozenset[str]:
        story = History((seen(BASELINE, ROW), gone(day(9, 7))))
        return units_left(story, facts, as_of, before, Policy(), CALENDAR)

    assert units(day(9, 7), BASELINE) == {"unit"}
    assert units(day(9, 14), day(9, 7)) == frozenset()
    assert units(BASELINE, None) == frozenset()
