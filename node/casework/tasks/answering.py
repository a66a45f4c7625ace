"""Answers to tasks and to what other members ask: each with what follows from it, in one transaction.

Invariants
    - A task is answered once: who comes second is told what the first has answered, and nothing is said twice.
    - Nobody answers what they may not see, and what they may not see is as what is not there. A pupil's
      open case files tell of the answer in their journals.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from federation.clock import Clock
from federation.database import Database
from federation.rules.calendar import SchoolCalendar
from node.casework.actor import Actor, Role, knows, of_own_units, sees
from node.casework.attendance.model import Mark, absence_subject
from node.casework.attendance.taking import unit_of
from node.casework.files.filing import CaseFiles, ChangedMeanwhileError
from node.casework.files.model import Absence, CaseFile, FileId, OpenedFor
from node.casework.journal.model import EntryKind
from node.casework.questions import Asks, Question, Questions
from node.casework.residents.taking import sound
from node.casework.sayings import CaseworkSayings
from node.casework.school_units import units_at
from node.casework.tasks import rules
from node.casework.tasks.model import About, Answer, Answered, Task, TaskKind, TaskState
from node.casework.tasks.noticing import SWEPT, enrolled_from
from node.casework.tasks.rules import Refused, RefusedError
from node.gaps import SECRET_ROUTES
from node.model import What
from node.store import Transaction
from node.store.attendance import Attendance
from node.store.files import Files
from node.store.journal import Journal
from node.store.pupils import Pupil, Pupils
from node.store.sealing import Sealer
from node.store.tasks import New, Tasks

SCHOOL_ROLES = frozenset({Role.PRINCIPAL, Role.CASEWORKER, Role.PROTECTED})
"""Who may say whether a pupil was seen."""
CASE_ROLES = frozenset({Role.CASEWORKER, Role.PROTECTED})
OF_SCHOOLS = frozenset({TaskKind.SEEN, TaskKind.SWEEP})


class NoSuchTaskError(Exception):
    """There is no such task, or none that this person may know of."""


class AnsweredMeanwhileError(Exception):
    """Somebody was quicker, or the form was sent twice. `task` says what was answered."""

    def __init__(self, task: Task) -> None:
        super().__init__("a task was answered meanwhile")
        self.task = task


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a person gives as the answer. `absent`: the pupils of a sweep who have not come."""

    answer: Answer
    on: date | None = None
    until: date | None = None
    why: str = ""
    absent: Collection[bytes] = ()

    def __repr__(self) -> str:
        return f"Given(answer={self.answer.value})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an answer. `waits`: a second person has to agree; `file_id`: the case file that was opened."""

    waits: bool = False
    file_id: FileId | None = None


class Answering:
    """Takes answers."""

    def __init__(
        self,
        *,
        database: Database,
        sealer: Sealer,
        sayings: CaseworkSayings,
        questions: Questions,
        case_files: CaseFiles,
        files: Files,
        journal: Journal,
        calendar: Callable[[], SchoolCalendar],
        clock: Clock,
    ) -> None:
        self._database, self._sayings, self._questions = database, sayings, questions
        self._case_files, self._files, self._journal = case_files, files, journal
        self._calendar, self._clock = calendar, clock
        self._tasks, self._pupils = Tasks(sealer), Pupils(sealer)
        self._attendance = Attendance(sealer)

    def see(self, tx: Transaction, task_id: bytes, actor: Actor) -> Task:
        """A task that this person may see. Raises NoSuchTaskError."""
        task = self._tasks.load(tx, task_id)
        if task is None or (task.protected and not actor.has(Role.PROTECTED)) or not self._seen(tx, [task], actor):
            raise NoSuchTaskError
        return task

    def open(self, tx: Transaction, actor: Actor) -> tuple[Task, ...]:
        """What is open and this person may see, oldest due first."""
        kinds = tuple(TaskKind) if actor.reads_cases else tuple(OF_SCHOOLS)
        found = self._tasks.open(tx, protected=actor.has(Role.PROTECTED), kinds=kinds)
        return tuple(self._seen(tx, found, actor))

    def _seen(self, tx: Transaction, tasks: Sequence[Task], actor: Actor) -> Sequence[Task]:
        """Those of these tasks that are this person's by their kind and their school unit."""
        if actor.reads_cases:
            return tasks
        of_schools = [task for task in tasks if task.kind in OF_SCHOOLS]
        of_pupils = self._units_of(tx, {task.pupil_id for task in of_schools if task.pupil_id is not None})
        return [
            task
            for task in of_schools
            if of_own_units(actor, [task.about.unit] if task.pupil_id is None else of_pupils.get(task.pupil_id, ()))
        ]

    def _units_of(self, tx: Transaction, pupil_ids: Collection[bytes]) -> dict[bytes, frozenset[str]]:
        """Pupil → their school units today."""
        today = self._clock.today()
        pupils = self._pupils.load_all(tx, pupil_ids)
        return {pupil_id: units_at(pupil.observations, today) for pupil_id, pupil in pupils.items()}

    def answer(self, task_id: bytes, given: Given, actor: Actor) -> Outcome:
        """Answer a task. Raises NoSuchTaskError, AnsweredMeanwhileError, RefusedError, UppropError(INPUT_REFUSED)."""
        given = replace(given, why=given.why.strip())
        outcome, opened = self._database.run("task_answer", functools.partial(self._answer, task_id, given, actor))
        if opened is not None:
            # After the file is there: should this fail, an open case file is left whose absence nobody has told apart.
            absence = Absence.PROBLEMATIC if given.answer is Answer.PROBLEMATIC else Absence.MISSING
            if opened.absence is not absence:
                with contextlib.suppress(ChangedMeanwhileError):
                    self._case_files.decide_absence(opened.file_id, opened.revision, absence, actor, why=given.why)
        return outcome

    def answer_question(self, pupil_id: bytes, asks: Asks, given: Given, actor: Actor) -> Outcome:
        """Answer what another member asks: SEEN, NOT_SEEN, or GONE on the last day attended.

        Raises NoSuchTaskError where nobody asks that (any more), RefusedError.
        """

        def work(tx: Transaction) -> Outcome:
            today = self._clock.today()
            standing = self.questions(tx, actor)
            if not any((each.pupil_id, each.asks) == (pupil_id, asks) for each in standing):
                raise NoSuchTaskError
            what, on = _word(asks, given, today)
            _, waits = self._sayings.say_of(tx, pupil_id, what, on, actor.name)
            self._tell(tx, pupil_id, actor, asks.value, given)
            return Outcome(waits)

        return self._database.run("question_answer", work)

    def questions(self, tx: Transaction, actor: Actor) -> tuple[Question, ...]:
        """What other members ask, oldest first."""
        found = self._questions.standing(tx, self._clock.today(), protected=actor.has(Role.PROTECTED))
        if actor.reads_cases:
            return found
        units = self._units_of(tx, {question.pupil_id for question in found})
        return tuple(question for question in found if of_own_units(actor, units.get(question.pupil_id, ())))

    def pupils_of_unit(self, tx: Transaction, unit: str, actor: Actor) -> tuple[Pupil, ...]:
        """The pupils who are at a school unit today, as far as this person may know, by name."""
        today = self._clock.today()
        found = [
            pupil
            for pupil in self._pupils.load_all(tx, self._pupils.on_roster(tx)).values()
            if unit_of(pupil, today) == unit and knows(actor, [unit], protected=_secret(pupil))
        ]
        return tuple(sorted(found, key=lambda pupil: (pupil.identity.family_name, pupil.identity.given_name)))

    # -- what follows -----------------------------------------------------------------------------------------------

    def _answer(self, task_id: bytes, given: Given, actor: Actor, tx: Transaction) -> tuple[Outcome, CaseFile | None]:
        today, calendar = self._clock.today(), self._calendar()
        task = self.see(tx, task_id, actor)
        if not actor.has(*(SCHOOL_ROLES if task.kind in OF_SCHOOLS else CASE_ROLES)):
            raise NoSuchTaskError
        if task.state is not TaskState.OPEN:
            raise AnsweredMeanwhileError(task)
        rules.check(task, given.answer, today, on=given.on, until=given.until, why=given.why)
        answered = Answered(given.answer, actor.name, today, given.why, given.until)
        if not self._tasks.answer(tx, task, answered, rules.again_on(task, given.answer, today, given.until, calendar)):
            raise AnsweredMeanwhileError(self.see(tx, task_id, actor))
        if task.kind is TaskKind.SWEEP:
            self._ask_about(tx, task, given.absent, actor, today)
            return Outcome(), None
        return self._follow(tx, task, given, actor, today)

    def _follow(
        self, tx: Transaction, task: Task, given: Given, actor: Actor, today: date
    ) -> tuple[Outcome, CaseFile | None]:
        pupil_id, file, waits = task.pupil_id, None, False
        match given.answer:
            case Answer.SEEN:
                waits = self._say(tx, pupil_id, What.MET, given.on, actor)
            case Answer.NOT_SEEN:
                waits = self._say(tx, pupil_id, What.NO_SHOW, task.about.since, actor)
            case Answer.PROBLEMATIC | Answer.MISSING | Answer.GONE:
                assert pupil_id is not None
                if given.answer is Answer.GONE:
                    # The gap joins the case file, at the next sync and before any review.
                    waits = self._say(tx, pupil_id, What.GONE, given.on, actor)
                file = self._case_files.open_in(
                    tx, pupil_id, OpenedFor.ABSENCE, given.why, actor, protected=task.protected
                )
            case Answer.NOT_PLACED:
                about = task.about
                if pupil_id is None:
                    pupil_id = self._sayings.resident(tx, sound(about.number), about.name, marked=task.protected)
                    self._tasks.belongs(tx, task, pupil_id)
                waits = self._say(tx, pupil_id, What.NOT_PLACED, about.resident_since or about.since or today, actor)
            case _:
                pass
        if pupil_id is not None:
            self._tell(tx, pupil_id, actor, task.kind.value, given)
        if file is not None and not sees(actor, protected=file.protected):
            # It was there already, and is not for this person to know of: its journal tells of the answer.
            file = None
        return Outcome(waits, None if file is None else file.file_id), file

    def _say(self, tx: Transaction, pupil_id: bytes | None, what: What, on: date | None, actor: Actor) -> bool:
        assert pupil_id is not None
        if on is None:
            raise RefusedError(Refused.DAY_MISSING)
        return self._sayings.say_of(tx, pupil_id, what, on, actor.name)[1]

    def _ask_about(self, tx: Transaction, task: Task, absent: Collection[bytes], actor: Actor, today: date) -> None:
        """Whoever has not come after the break is looked into today."""
        of_unit = {pupil.pupil_id: pupil for pupil in self.pupils_of_unit(tx, task.about.unit, actor)}
        marks = self._attendance.of_pupils(tx, absent, date.min)
        wanted = []
        for pupil_id in absent:
            pupil = of_unit.get(pupil_id)
            if pupil is None:
                continue
            attended = [day for day, mark in marks.get(pupil_id, {}).items() if mark is Mark.PRESENT]
            last = max(attended, default=None)
            subject = absence_subject(pupil_id, last, enrolled_from(pupil, task.about.unit))
            about = About(last, unit=task.about.unit, hint=SWEPT)
            wanted.append(New(TaskKind.ABSENCE, subject, about, today, pupil_id, _secret(pupil)))
        self._tasks.ask(tx, wanted, today)

    def _tell(self, tx: Transaction, pupil_id: bytes, actor: Actor, asked: str, given: Given) -> None:
        """Tell it in the journals of the pupil's open case files."""
        for file in self._files.of_pupils(tx, [pupil_id]).get(pupil_id, ()):
            if file.closed_on is None:
                body = {
                    "task": asked,
                    "answer": given.answer.value,
                    "text": given.why,
                    "on": None if given.on is None else given.on.isoformat(),
                }
                self._journal.append(tx, file.file_id, actor, EntryKind.TASK, body, self._clock.now())


def _word(asks: Asks, given: Given, today: date) -> tuple[What, date]:
    """What an answer to another member's question states."""
    if given.answer in (Answer.SEEN, Answer.GONE):
        if given.on is None:
            raise RefusedError(Refused.DAY_MISSING)
        if given.on > today:
            raise RefusedError(Refused.DAY_AHEAD)
    if given.answer is Answer.GONE:
        return What.GONE, given.on or today
    if given.answer is Answer.NOT_SEEN:
        return What.NO_SHOW, today
    if given.answer is not Answer.SEEN:
        raise RefusedError(Refused.NOT_OF_KIND)
    return (What.AFFIRM, today) if asks is Asks.ROLL_CALL else (What.MET, given.on or today)


def _secret(pupil: Pupil) -> bool:
    return pupil.protected or pupil.route in SECRET_ROUTES
