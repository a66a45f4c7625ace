"""Routines at work in case files: begun, their steps finished, what is due.

Invariants
    - What a step did is one transaction with its journal entry, which says who, when, how and why.
    - A step is done once; whoever is second is told what the first did, and nothing of it changes.
    - A worry is never kept waiting: the step that reports it waits for no other and is due the same day.
    - What is left of a routine that outlives the close of its case file stays due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from federation.clock import Clock as Clocks
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import CaseOutcome, Policy
from node.casework.actor import SYSTEM, Actor
from node.casework.files.filing import Change
from node.casework.files.model import CaseFile, Classification, FileId
from node.casework.journal.model import MAX_NOTE, EntryKind
from node.casework.routines import clocks
from node.casework.routines.catalogue import Catalogue
from node.casework.routines.checklist import Due, Line, LineName, StepDoneError, StepError
from node.casework.routines.model import (
    HELD_ABROAD,
    LASTING_SUPPORT,
    MISSING_PUPIL,
    PROTECTED_IDENTITY,
    CountsAs,
    Outcome,
    Routine,
    Step,
    may_finish,
)
from node.store import Transaction
from node.store.checklists import Checklists, Row, Run
from node.store.journal import Journal

HELD = frozenset(
    {Classification.HELD_ABROAD_SUSPECTED, Classification.HELD_ABROAD_CONFIRMED, Classification.CUSTODY_ABDUCTION}
)
"""Classifications under which a child is looked for abroad."""

Protect = Callable[[Transaction, FileId, Actor], None]
"""Makes a case file the protected-identity role's alone, in the caller's transaction."""


class Routines:
    """The routines of one node."""

    def __init__(
        self,
        catalogue: Catalogue,
        checklists: Checklists,
        journal: Journal,
        rules: Callable[[], tuple[Policy, SchoolCalendar]],
        clock: Clocks,
        protect: Protect | None = None,
    ) -> None:
        self.catalogue = catalogue
        self._checklists, self._journal = checklists, journal
        self._rules, self._clock = rules, clock
        self._protect = protect

    # -- beginning --------------------------------------------------------------------------------------------------

    def opened(self, tx: Transaction, file: CaseFile) -> None:
        """For the hook `on_opened`: the routine that a new case file begins with; its day 0 is the day it opened."""
        self.start(tx, file, PROTECTED_IDENTITY if file.protected else MISSING_PUPIL, file.opened_on)

    def changed(self, tx: Transaction, change: Change) -> None:
        """For the hook `on_changed`: what a case file has become may ask for a routine of its own."""
        before, after, today = change.before, change.after, self._clock.today()
        if after.protected and not before.protected:
            self.start(tx, after, PROTECTED_IDENTITY, today, change.actor)
        if after.classification in HELD and before.classification not in HELD:
            self.start(tx, after, HELD_ABROAD, today, change.actor)
        came_back = after.outcome is CaseOutcome.RETURNED and before.outcome is not after.outcome
        if came_back and after.classification in HELD:
            self.start(tx, after, LASTING_SUPPORT, today, change.actor)

    def start(self, tx: Transaction, file: CaseFile, routine_name: str, on: date, actor: Actor = SYSTEM) -> int:
        """Begin a routine as it stands in the files today; returns its run. One that runs already goes on.

        `on` is its day 0. Writes to the journal unless the node itself begins it. KeyError for an unknown routine.
        """
        return self._start(tx, file.file_id, routine_name, on, actor)

    def _start(self, tx: Transaction, file_id: FileId, routine_name: str, on: date, actor: Actor) -> int:
        for run in self._checklists.runs(tx, file_id):
            if run.routine.name == routine_name and run.ended_on is None:
                return run.number
        routine = self.catalogue[routine_name].routine
        number = self._checklists.begin(tx, file_id, routine, on)
        for step in routine.begins_with():
            self._begin(tx, file_id, number, step, on)
        if actor is not SYSTEM:
            body = {"began": routine.name, "routine": _said(routine), "day_0": on.isoformat()}
            self._journal.append(tx, file_id, actor, EntryKind.STEP, body, self._clock.now())
        return number

    def _begin(self, tx: Transaction, file_id: FileId, run: int, step: Step, on: date, due: date | None = None) -> None:
        if due is None and step.due is not None:
            due = clocks.due_on(step.due, on, self._rules()[1])
        self._checklists.add(tx, file_id, run, step, on, due)

    # -- seeing -----------------------------------------------------------------------------------------------------

    def checklist(self, tx: Transaction, file_id: FileId) -> tuple[Line, ...]:
        """Every line of the case file: by routine as begun, open ones first by their day, standing ones after them."""
        runs = {run.number: run for run in self._checklists.runs(tx, file_id)}
        rows = self._checklists.rows(tx, file_id)
        lines = [_line(runs[row.name.run], row, rows) for row in rows]
        return tuple(sorted(lines, key=_order))

    def next_due(self, tx: Transaction, file_ids: Iterable[FileId]) -> Mapping[FileId, Due]:
        """The open step of each case file that is due first; case files without any are left out."""
        found: dict[FileId, Due] = {}
        for due in self.due(tx, file_ids):
            found.setdefault(due.file_id, due)
        return found

    def due(
        self,
        tx: Transaction,
        file_ids: Iterable[FileId] | None = None,
        until: date | None = None,
        counts_as: CountsAs | None = None,
    ) -> tuple[Due, ...]:
        """Open steps with a day, the earliest first; of all case files, protected ones too, where none are named."""
        found = self._checklists.due(tx, file_ids, until, None if counts_as is None else counts_as.value)
        dues: list[Due] = []
        for file_id, row, routine in found:
            step = routine.step(row.name.step_id)
            assert step is not None
            assert row.due_on is not None
            dues.append(Due(file_id, row.name, routine, step, row.due_on))
        return tuple(dues)

    def goes_on(self, tx: Transaction, file_id: FileId) -> tuple[Routine, ...]:
        """The routines of a case file that go on after its close, and past 18."""
        runs = self._checklists.runs(tx, file_id)
        return tuple(run.routine for run in runs if run.ended_on is None and run.routine.outlives_close)

    # -- finishing --------------------------------------------------------------------------------------------------

    def finish(
        self,
        tx: Transaction,
        file_id: FileId,
        name: LineName,
        outcome_id: str,
        actor: Actor,
        note: str = "",
        *,
        done_on: date | None = None,
        next_on: date | None = None,
    ) -> Line:
        """Say how a step went; returns the line as it stands then. What follows from the outcome begins.

        `done_on`: today where left out. `next_on`: when what comes again is due, in place of its clock. Raises
        StepError, and StepDoneError where somebody was quicker.
        """
        today = self._clock.today()
        done_on = done_on or today
        line = self._find(tx, file_id, name)
        outcome = self._allowed(line, outcome_id, actor, note, done_on, next_on, today)
        body = {
            "routine": _said(line.routine),
            "step": _said_words(line.step),
            "step_id": line.step.id,
            "outcome": {"sv": outcome.title.sv, "en": outcome.title.en},
            "outcome_id": outcome.id,
            "done_on": done_on.isoformat(),
            "due_on": None if line.due_on is None else line.due_on.isoformat(),
            "text": note.strip(),
        }
        # A second one waits here until the first is through, and then finds it done.
        position = self._journal.append(tx, file_id, actor, EntryKind.STEP, body, self._clock.now())
        if not self._checklists.finish(tx, file_id, name, done_on, outcome.id, position):
            raise StepDoneError(self._find(tx, file_id, name))
        self._follow(tx, file_id, line, outcome, actor, next_on)
        return self._find(tx, file_id, name)

    def _find(self, tx: Transaction, file_id: FileId, name: LineName) -> Line:
        for line in self.checklist(tx, file_id):
            if line.name == name:
                return line
        raise StepError("step.error.unknown")

    @staticmethod
    def _allowed(
        line: Line, outcome_id: str, actor: Actor, note: str, done_on: date, next_on: date | None, today: date
    ) -> Outcome:
        if line.done_on is not None:
            raise StepDoneError(line)
        if line.lapsed:
            raise StepError("step.error.lapsed")
        if not may_finish(actor, line.step):
            raise StepError("step.error.role")
        outcome = line.step.outcome(outcome_id)
        if outcome is None:
            raise StepError("step.error.outcome")
        if line.waits_for:
            raise StepError("step.error.waits", first=line.waits_for[0].title)
        if len(note) > MAX_NOTE:
            raise StepError("step.error.long", length=len(note), most=MAX_NOTE)
        if outcome.needs_note and not note.strip():
            raise StepError("step.error.note")
        if done_on > today:
            raise StepError("step.error.future")
        if done_on < line.begun_on:
            raise StepError("step.error.before", day=line.begun_on.isoformat())
        if next_on is not None and next_on <= today:
            raise StepError("step.error.past")
        if next_on is not None and next_on > clocks.months_after(today, 12):
            raise StepError("step.error.far")
        return outcome

    def _follow(
        self, tx: Transaction, file_id: FileId, line: Line, outcome: Outcome, actor: Actor, next_on: date | None
    ) -> None:
        today, run = self._clock.today(), line.name.run
        for step_id in outcome.then:
            self._begin_named(tx, file_id, line, step_id, today, None)
        for step_id in outcome.loop:
            self._begin_named(tx, file_id, line, step_id, today, next_on)
        if line.step.standing:
            self._begin(tx, file_id, run, line.step, today)
        if outcome.ends or not any(each.open for each in self.checklist(tx, file_id) if each.name.run == run):
            self._checklists.end(tx, file_id, run, today)
        for name in outcome.starts:
            if name in self.catalogue:
                self._start(tx, file_id, name, today, actor)
        if outcome.protects and self._protect is not None:
            self._protect(tx, file_id, actor)

    def _begin_named(
        self, tx: Transaction, file_id: FileId, line: Line, step_id: str, on: date, due: date | None
    ) -> None:
        step = line.routine.step(step_id)
        assert step is not None  # checked when the routine was read
        self._begin(tx, file_id, line.name.run, step, on, due)


def _said(routine: Routine) -> dict[str, object]:
    return {"name": routine.name, "edition": routine.edition, "sv": routine.title.sv, "en": routine.title.en}


def _said_words(step: Step) -> dict[str, str]:
    return {"sv": step.title.sv, "en": step.title.en}


def _line(run: Run, row: Row, rows: Iterable[Row]) -> Line:
    step = run.routine.step(row.name.step_id)
    assert step is not None  # of the same version
    newest = {each.name.step_id: each for each in rows if each.name.run == row.name.run}
    waits = [name for name in step.after if name in newest and newest[name].done_on is None]
    return Line(
        name=row.name,
        routine=run.routine,
        step=step,
        begun_on=row.begun_on,
        due_on=row.due_on,
        done_on=row.done_on,
        outcome=None if row.outcome_id is None else step.outcome(row.outcome_id),
        position=row.position,
        waits_for=() if row.done_on else tuple(each for each in run.routine.steps if each.id in waits),
        lapsed=run.ended_on is not None and row.done_on is None,
    )


def _order(line: Line) -> tuple[object, ...]:
    group = 2 if line.done_on is not None or line.lapsed else 1 if line.due_on is None else 0
    place = next(place for place, step in enumerate(line.routine.steps) if step.id == line.step.id)
    day = line.due_on if group == 0 else line.done_on
    return (line.name.run, group, day or date.max, place, line.name.round)
