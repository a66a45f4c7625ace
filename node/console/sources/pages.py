"""The pages of tasks: the list, with what schools answer in it, and a page for each that asks for more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from starlette.responses import Response

from federation.errors import Code, UppropError
from node.casework.actor import Role
from node.casework.questions import Asks, Question
from node.casework.tasks.answering import (
    CASE_ROLES,
    OF_SCHOOLS,
    SCHOOL_ROLES,
    AnsweredMeanwhileError,
    Given,
    NoSuchTaskError,
    Outcome,
)
from node.casework.tasks.model import ANSWERS, NEEDS_UNTIL, TASK_ID_BYTES, Answer, Task, TaskKind, TaskState
from node.casework.tasks.naming import Named, OfUnit
from node.casework.tasks.rules import Refused, RefusedError
from node.console.page import Page
from node.console.visit import NoSuchPageError, Visit
from node.store import Transaction

ROLES = frozenset({*SCHOOL_ROLES, Role.AUDITOR})
SHOWN = 150
"""Arrivals on the page at once; those due first. A form may have so many fields."""

_PUPIL_ID_DIGITS = 32


@dataclass(frozen=True, slots=True)
class _List:
    questions: tuple[Question, ...] = field(repr=False)
    seen: tuple[Named, ...]
    absences: tuple[Named, ...]
    not_placed: tuple[Named, ...]
    sweeps: tuple[Named, ...]
    more: int


def show_list(visit: Visit) -> Response:
    return _list(visit)


def act_list(visit: Visit) -> Response:
    """Arrivals that were or were not seen, all that were chosen; or one answer to what another member asks."""
    if visit.field("asks"):
        return _question(visit)
    on = _day(visit.field("on"))
    answered, waits = 0, False
    for task_id in visit.fields("task"):
        chosen = visit.field(f"answer-{task_id}")
        if chosen not in (Answer.SEEN, Answer.NOT_SEEN):
            continue
        try:
            outcome = visit.desk.answering.answer(_id(task_id), Given(answer=Answer(chosen), on=on), visit.actor)
        except AnsweredMeanwhileError:
            continue
        except NoSuchTaskError:
            raise NoSuchPageError from None
        except RefusedError as refused:
            return _list(visit, refused.why, task_id)
        answered += 1
        waits = waits or outcome.waits
    if not answered:
        return _list(visit, Refused.NOTHING_CHOSEN)
    return visit.redirect("tasks", "tasks-wait" if waits else "tasks-answered")


def _question(visit: Visit) -> Response:
    pupil_id, asks, chosen = visit.field("pupil"), visit.field("asks"), visit.field("answer")
    if asks not in Asks.__members__ or len(pupil_id) != _PUPIL_ID_DIGITS:
        raise NoSuchPageError
    if chosen not in (Answer.SEEN, Answer.NOT_SEEN, Answer.GONE):
        return _list(visit, Refused.NOTHING_CHOSEN, pupil_id + asks)
    given = Given(answer=Answer(chosen), on=_day(visit.field("on")))
    try:
        outcome = visit.desk.answering.answer_question(_bytes(pupil_id), Asks(asks), given, visit.actor)
    except NoSuchTaskError:
        # Answered meanwhile, or no longer asked: the list shows what still stands.
        return visit.redirect("tasks", "tasks-answered")
    except RefusedError as refused:
        return _list(visit, refused.why, pupil_id + asks)
    return visit.redirect("tasks", "tasks-wait" if outcome.waits else "tasks-answered")


def _list(visit: Visit, refused: Refused | None = None, where: str = "") -> Response:
    desk, actor = visit.desk, visit.actor
    today = desk.today()

    def work(tx: Transaction) -> _List:
        open_tasks = desk.answering.open(tx, actor)
        of = {kind: [task for task in open_tasks if task.kind is kind] for kind in TaskKind}
        seen = of[TaskKind.SEEN]
        return _List(
            desk.answering.questions(tx, actor),
            desk.naming.named(tx, seen[:SHOWN], today),
            desk.naming.named(tx, of[TaskKind.ABSENCE], today),
            desk.naming.named(tx, of[TaskKind.NOT_PLACED], today),
            desk.naming.named(tx, of[TaskKind.SWEEP], today),
            max(0, len(seen) - SHOWN),
        )

    found = desk.database.view("console_tasks", work)
    return visit.show(
        "sources/tasks.html",
        422 if refused else 200,
        found=found,
        refused=refused,
        where=where,
        field=visit.field,
        may_answer=actor.has(*SCHOOL_ROLES),
        works=actor.reads_cases,
    )


# -- one task ---------------------------------------------------------------------------------------------------------


def show_task(visit: Visit) -> Response:
    return _task(visit)


def act_task(visit: Visit) -> Response:
    chosen = visit.field("answer")
    if chosen not in Answer.__members__:
        return _task(visit, Refused.NOTHING_CHOSEN)
    given = Given(
        answer=Answer(chosen),
        on=_day(visit.field("on")),
        until=_day(visit.field("until")),
        why=visit.field("why"),
        absent=[_bytes(each) for each in visit.fields("absent") if len(each) == _PUPIL_ID_DIGITS],
    )
    try:
        outcome: Outcome = visit.desk.answering.answer(_id(visit.part("task")), given, visit.actor)
    except NoSuchTaskError:
        raise NoSuchPageError from None
    except AnsweredMeanwhileError:
        return _task(visit, meanwhile=True)
    except RefusedError as refused:
        return _task(visit, refused.why)
    except UppropError as error:
        if error.code is not Code.INPUT_REFUSED:
            raise
        return _task(visit, Refused.DAY_TOO_EARLY)
    if outcome.file_id is not None:
        said = "task-file-waits" if outcome.waits else "task-file-opened"
        return visit.redirect("case", said, file=outcome.file_id.hex())
    return visit.redirect("tasks", "tasks-wait" if outcome.waits else "tasks-answered")


def _task(visit: Visit, refused: Refused | None = None, *, meanwhile: bool = False) -> Response:
    desk, actor = visit.desk, visit.actor
    task_id, today = _id(visit.part("task")), desk.today()

    def work(tx: Transaction) -> tuple[Named, tuple[OfUnit, ...]]:
        task = desk.answering.see(tx, task_id, actor)
        (named,) = desk.naming.named(tx, [task], today)
        pupils: tuple[OfUnit, ...] = ()
        if task.kind is TaskKind.SWEEP:
            pupils = desk.naming.of_unit(tx, desk.answering.pupils_of_unit(tx, task.about.unit, actor), today)
        return named, pupils

    try:
        named, pupils = desk.database.view("console_task", work)
    except NoSuchTaskError:
        raise NoSuchPageError from None
    return visit.show(
        "sources/task.html",
        409 if meanwhile else 422 if refused else 200,
        named=named,
        task=named.task,
        pupils=pupils,
        answers=ANSWERS[named.task.kind],
        needs_until=NEEDS_UNTIL & set(ANSWERS[named.task.kind]),
        refused=refused,
        meanwhile=meanwhile,
        field=visit.field,
        absent=visit.fields("absent"),
        may_answer=_may_answer(visit, named.task),
    )


def _may_answer(visit: Visit, task: Task) -> bool:
    roles = SCHOOL_ROLES if task.kind in OF_SCHOOLS else CASE_ROLES
    return task.state is TaskState.OPEN and visit.actor.has(*roles)


def _id(text: str) -> bytes:
    found = _bytes(text)
    if len(found) != TASK_ID_BYTES or found.hex() != text:
        raise NoSuchPageError
    return found


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise NoSuchPageError from None


def _day(text: str) -> date | None:
    """None where there is no day, or none that can be read: an answer that needs one says so."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


PAGES = (
    Page("tasks", "uppgifter", "tasks", show_list, ROLES, act_list, SCHOOL_ROLES, menu=True),
    Page("task", "uppgifter/{task}", "tasks/{task}", show_task, ROLES, act_task, SCHOOL_ROLES),
)
