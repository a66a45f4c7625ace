"""Each sentence of design §5 about what people add to exports, by an example."""

from dataclasses import replace
from datetime import date

import pytest

from federation.rules.vocabulary import OpeningKind, Presence, Urgency
from node.model import (
    OpeningStated,
    Reason,
    Row,
    Saying,
    What,
)
from tests.unit.presence_stories import BASELINE, NEW, ROW, day, gone, left, said, say, seen

ENDED = (seen(BASELINE, ROW), seen(day(9, 7), replace(ROW, end=day(9, 4))))


@pytest.mark.parametrize(
    ("saying", "opening"),
    [
        (said(What.URGENT, day(9, 8)), left(day(9, 5), Urgency.IMMEDIATE)),
        (said(What.REASON, day(9, 8), reason=Reason.UNKNOWN_WHEREABOUTS), left(day(9, 5), Urgency.IMMEDIATE)),
        (said(What.REASON, day(9, 8), reason=Reason.ABROAD_UNDECIDED), left(day(9, 5), Urgency.IMMEDIATE)),
        (said(What.REASON, day(9, 8), reason=Reason.MOVED), left(day(9, 5))),
        (said(What.PLANNED_START, day(9, 28), day(9, 8)), left(day(9, 5), planned_start=day(9, 28))),
        (said(What.FOUND, day(9, 8)), None),
        (said(What.FOUND, day(9, 4)), left(day(9, 5))),
    ],
)
def test_what_a_person_adds_to_a_leaving(saying: Saying, opening: OpeningStated | None) -> None:
    assert say(day(9, 8), *ENDED, sayings=[saying]).opening == opening


def test_of_two_reasons_on_one_day_the_later_counts() -> None:
    moved = said(What.REASON, day(9, 8), reason=Reason.MOVED)
    unknown = said(What.REASON, day(9, 8), reason=Reason.UNKNOWN_WHEREABOUTS)
    assert say(day(9, 8), *ENDED, sayings=[moved, unknown]).opening == left(day(9, 5), Urgency.IMMEDIATE)
    assert say(day(9, 8), *ENDED, sayings=[unknown, moved]).opening == left(day(9, 5))


def test_words_about_an_earlier_leaving_do_not_carry_over() -> None:
    rows = (replace(ROW, end=day(9, 4)), replace(ROW, start=day(9, 21), end=day(10, 2)))
    urgent = said(What.URGENT, day(9, 8))
    assert say(day(10, 5), *ENDED, seen(day(9, 21), *rows), sayings=[urgent]).opening == left(day(10, 3))


def test_gone_though_enrolled_is_immediate_and_ends_the_presence() -> None:
    told = say(day(9, 14), seen(BASELINE, ROW), sayings=[said(What.GONE, day(9, 8), day(9, 14))])
    assert told.opening == left(day(9, 9), Urgency.IMMEDIATE)
    assert told.presences == (Presence(None, day(9, 9), BASELINE),)


@pytest.mark.parametrize(
    ("later", "since"),
    [
        ((replace(ROW, end=day(9, 18)),), day(9, 9)),
        ((replace(ROW, end=day(9, 8)),), day(9, 9)),
        ((replace(ROW, end=day(9, 4)),), day(9, 5)),
        ((replace(ROW, cancelled=True),), day(9, 9)),
        ((), day(9, 9)),
    ],
)
def test_gone_stays_immediate_whatever_the_school_enters_afterwards(later: tuple[Row, ...], since: date) -> None:
    word = said(What.GONE, day(9, 8), day(9, 14))
    told = say(day(9, 21), seen(BASELINE, ROW), seen(day(9, 18), *later), sayings=[word])
    assert told.opening == left(since, Urgency.IMMEDIATE)
    found = said(What.FOUND, day(9, 21))
    assert say(day(9, 21), seen(BASELINE, ROW), seen(day(9, 18), *later), sayings=[word, found]).opening is None


def test_gone_said_of_one_whose_row_had_ended_makes_the_leaving_immediate() -> None:
    told = say(day(9, 14), *ENDED, sayings=[said(What.GONE, day(9, 8), day(9, 14))])
    assert told.opening == left(day(9, 5), Urgency.IMMEDIATE)


def test_gone_ends_with_the_members_own_new_presence() -> None:
    back = (replace(ROW, end=day(9, 8)), replace(NEW, start=day(9, 28)))
    told = say(day(9, 28), seen(BASELINE, ROW), seen(day(9, 28), *back), sayings=[said(What.GONE, day(9, 8))])
    assert told.opening is None
    assert told.presences == (
        Presence(None, day(9, 9), BASELINE),
        Presence(day(9, 28), affirmed_on=day(9, 28)),
    )


@pytest.mark.parametrize("later", [(replace(NEW, cancelled=True),), (replace(NEW, end=day(9, 14)),), ()])
def test_a_no_show_stays_an_opening_when_the_school_takes_the_row_away(later: tuple[Row, ...]) -> None:
    word = said(What.NO_SHOW, day(9, 4), day(9, 14))
    told = say(day(9, 21), seen(day(9, 7), NEW), seen(day(9, 18), *later), sayings=[word])
    assert (told.presences, told.opening) == ((), left(day(9, 4)))


def test_a_no_show_stays_an_opening_when_rows_of_an_unknown_form_vanish_on_its_day() -> None:
    row = replace(NEW, form="X")
    told = say(day(9, 8), seen(day(9, 4), row), gone(day(9, 7)), sayings=[said(What.NO_SHOW, day(9, 7))])
    assert told.opening == left(day(9, 4))


def test_an_own_later_row_does_not_account_for_one_who_is_looked_for_at_once() -> None:
    rows = (replace(ROW, end=day(9, 4)), Row("other", "GR", day(9, 17)))
    story = (seen(BASELINE, ROW), seen(day(9, 7), *rows))
    assert say(day(9, 8), *story).opening is None
    assert say(day(9, 8), *story, sayings=[said(What.URGENT, day(9, 8))]).opening == left(day(9, 5), Urgency.IMMEDIATE)


def test_not_placed_said_of_one_who_left_postpones_nothing() -> None:
    word = said(What.NOT_PLACED, day(9, 18))
    assert say(day(9, 18), *ENDED, sayings=[word]).opening == OpeningStated(OpeningKind.NOT_PLACED, day(9, 5))
    found = said(What.FOUND, day(9, 10))
    told = say(day(9, 18), *ENDED, sayings=[word, found])
    assert told.opening == OpeningStated(OpeningKind.NOT_PLACED, day(9, 18))


def test_found_again_the_presence_goes_on_and_is_affirmed() -> None:
    words = [said(What.GONE, day(9, 8), day(9, 14)), said(What.FOUND, day(9, 21))]
    told = say(day(9, 21), seen(BASELINE, ROW), sayings=words)
    assert told.opening is None
    assert told.presences == (
        Presence(None, day(9, 9), BASELINE),
        Presence(day(9, 21), affirmed_on=day(9, 21)),
    )


def test_a_no_show_takes_the_presence_back() -> None:
    told = say(day(9, 14), seen(day(9, 7), NEW), sayings=[said(What.NO_SHOW, day(9, 4), day(9, 14))])
    assert (told.presences, told.opening) == ((), left(day(9, 4)))


def test_a_no_show_after_a_break_keeps_the_time_before_it() -> None:
    told = say(day(11, 4), seen(BASELINE, ROW), sayings=[said(What.NO_SHOW, day(11, 2), day(11, 4))])
    assert told.presences == (Presence(None, day(11, 2), BASELINE),)
    assert told.opening == left(day(11, 2))


def test_not_placed_needs_no_row_and_ends_with_a_presence() -> None:
    word = said(What.NOT_PLACED, day(9, 1))
    assert say(day(9, 1), sayings=[word]).opening == OpeningStated(OpeningKind.NOT_PLACED, day(9, 1))
    assert say(day(9, 4), seen(day(9, 4), NEW), sayings=[word]).opening is None


@pytest.mark.parametrize("what", [What.GONE, What.NO_SHOW, What.NOT_PLACED])
def test_a_hand_made_opening_counts_only_once_reviewed(what: What) -> None:
    word = said(what, day(9, 8), reviewed=False)
    assert say(day(9, 14), seen(day(9, 7), NEW), sayings=[word]).opening is None
