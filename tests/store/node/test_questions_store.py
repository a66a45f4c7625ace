"""A question stands until a person has answered it; protected pupils are shown to their role alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from federation.database import Database
from federation.rules.vocabulary import Notice, NoticeKind
from node.casework.questions import ASKED_DAYS, Questions
from node.model import What
from node.store.notices import Notices
from node.store.sayings import SayingContent, Sayings, SayingState
from tests.store.node.stored import PUPILS, SEALER, handle, opened, pupil, pupil_id

NOTICES, SAYINGS = Notices(), Sayings(SEALER)
QUESTIONS = Questions(PUPILS, NOTICES, SAYINGS)
ASKED = date(2026, 9, 18)
DAY = timedelta(days=1)


def ask(database: Database, *places: int, kind: NoticeKind = NoticeKind.CONFIRM) -> None:
    page = [Notice(number, kind, ASKED, handle(place), None) for number, place in enumerate(places, start=1)]
    database.run("test_keep", lambda tx: NOTICES.keep(tx, page, len(page), ASKED))


def say(database: Database, place: int, what: What, said_on: date) -> None:
    content = SayingContent(what.value, said_on, "Ada Berg", reviewed_by="Bo Ek")
    database.run("test_say", lambda tx: SAYINGS.add(tx, pupil_id(place), content, said_on, SayingState.STANDING))


def standing(database: Database, today: date = ASKED, *, protected: bool = False) -> list[tuple[str, date]]:
    found = database.view("test_standing", lambda tx: QUESTIONS.standing(tx, today, protected=protected))
    return [(question.person_id, question.asked_on) for question in found]


def test_a_question_names_the_pupil_it_is_about(database: Database) -> None:
    with opened(database, pupil(1), pupil(2)):
        ask(database, 2)
        assert standing(database) == [("person-2", ASKED)]


@pytest.mark.parametrize(
    ("what", "said_on", "stands"),
    [
        (What.MET, ASKED, False),
        (What.GONE, ASKED + DAY, False),
        (What.NO_SHOW, ASKED + DAY, False),
        (What.MET, ASKED - DAY, True),
        (What.AFFIRM, ASKED + DAY, True),
    ],
)
def test_a_persons_word_on_or_after_that_day_answers_it(
    database: Database, what: What, said_on: date, stands: bool
) -> None:
    with opened(database, pupil(1)):
        ask(database, 1)
        say(database, 1, what, said_on)
        assert bool(standing(database, ASKED + DAY)) is stands


def test_an_old_question_is_not_shown(database: Database) -> None:
    with opened(database, pupil(1)):
        ask(database, 1)
        assert standing(database, ASKED + ASKED_DAYS * DAY)
        assert not standing(database, ASKED + (ASKED_DAYS + 1) * DAY)


def test_a_protected_pupil_is_shown_to_the_role_alone(database: Database) -> None:
    with opened(database, pupil(1, protected=True)):
        ask(database, 1)
        assert not standing(database)
        assert standing(database, protected=True)


@pytest.mark.parametrize(
    ("what", "said_on", "stands"),
    [
        (What.AFFIRM, ASKED, False),
        (What.MET, ASKED + DAY, False),
        (What.GONE, ASKED + DAY, False),
        (What.NO_SHOW, ASKED + DAY, False),
        (What.AFFIRM, ASKED - DAY, True),
        (What.URGENT, ASKED + DAY, True),
    ],
)
def test_an_overlap_is_asked_until_a_person_has_looked(
    database: Database, what: What, said_on: date, stands: bool
) -> None:
    with opened(database, replace(pupil(1), in_roster=True)):
        ask(database, 1, kind=NoticeKind.OVERLAP)
        say(database, 1, what, said_on)
        assert bool(standing(database, ASKED + DAY)) is stands


def test_an_overlap_is_asked_for_as_long_as_the_row_stands(database: Database) -> None:
    with opened(database, replace(pupil(1), in_roster=True), pupil(2)):
        ask(database, 1, 2, kind=NoticeKind.OVERLAP)
        assert standing(database, ASKED + 500 * DAY) == [("person-1", ASKED)]
