"""A subject is asked about once; an answer stands as long as it says; protected pupils are their role's alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from federation.database import Database
from node.casework.tasks.model import About, Answer, Answered, Task, TaskKind
from node.identity import Route
from node.store import Transaction
from node.store.tasks import New, Tasks
from tests.store.node.stored import SEALER, opened, pupil, pupil_id

TASKS = Tasks(SEALER)
TODAY = date(2026, 9, 7)
DAY = timedelta(days=1)


def new(place: int, *, protected: bool = False) -> New:
    return New(TaskKind.SEEN, b"subject" + bytes([place]), About(TODAY), TODAY + DAY, pupil_id(place), protected)


def ask(database: Database, *wanted: New, today: date = TODAY) -> int:
    return database.run("test_ask", lambda tx: TASKS.ask(tx, wanted, today))


def due(database: Database, today: date = TODAY + DAY, *, protected: bool = False) -> list[Task]:
    return list(database.view("test_due", lambda tx: TASKS.due(tx, today, protected=protected)))


def answer(database: Database, task: Task, again_on: date | None = None) -> bool:
    answered = Answered(Answer.SEEN, "Ada Berg", TODAY, "sedd")
    return database.run("test_answer", lambda tx: TASKS.answer(tx, task, answered, again_on))


def test_the_same_is_asked_once_and_an_answer_stands(database: Database) -> None:
    with opened(database, pupil(1)):
        assert ask(database, new(1)) == 1
        assert ask(database, new(1)) == 0
        assert due(database, TODAY) == []
        (task,) = due(database)
        assert answer(database, task)
        assert not answer(database, task)  # sent twice: the second says nothing
        assert ask(database, new(1)) == 0
        assert due(database) == []
        kept = database.view("test_load", lambda tx: TASKS.load(tx, task.task_id))
        assert kept is not None
        assert kept.answered == Answered(Answer.SEEN, "Ada Berg", TODAY, "sedd")


def test_what_was_dropped_or_answered_for_a_time_is_asked_again(database: Database) -> None:
    with opened(database, pupil(1), pupil(2)):
        ask(database, new(1), new(2))
        first, second = due(database)
        answer(database, first, again_on=TODAY + 10 * DAY)
        database.run("test_drop", lambda tx: TASKS.drop(tx, [second.task_id], TODAY))
        assert due(database) == []
        assert ask(database, new(1), new(2), today=TODAY + 9 * DAY) == 1
        assert ask(database, new(1), new(2), today=TODAY + 10 * DAY) == 1
        assert len(due(database, TODAY + 20 * DAY)) == 2


def test_a_protected_pupils_task_is_shown_to_that_role_alone(database: Database) -> None:
    """Also where the marking came after the task was made."""
    marked, secret = pupil(1, protected=True), pupil(2, Route.RENUMBERED)
    with opened(database, marked, secret, pupil(3)):
        ask(database, new(1), new(2), replace(new(3), protected=True), replace(new(4), pupil_id=None))
        assert [task.pupil_id for task in due(database)] == [None]
        assert len(due(database, protected=True)) == 4
        assert all(task.protected for task in due(database, protected=True) if task.pupil_id is not None)
        counts = database.view("test_counts", lambda tx: TASKS.counts(tx, TODAY + 2 * DAY, protected=False))
        assert counts == {TaskKind.SEEN: (1, 1)}


def test_old_answers_are_forgotten_unless_they_are_to_be_looked_at_again(database: Database) -> None:
    with opened(database, pupil(1), pupil(2), pupil(3)):
        ask(database, new(1), new(2), new(3))
        first, second, _third = due(database)
        answer(database, first)
        answer(database, second, again_on=TODAY + 500 * DAY)

        def forget(tx: Transaction) -> int:
            return TASKS.forget(tx, TODAY + DAY, TODAY + 400 * DAY, 100)

        assert database.run("test_forget", forget) == 1
        assert database.run("test_forget", forget) == 0
