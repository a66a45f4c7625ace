"""The checklist as the page of a case file shows it, and as its own page does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from node.casework.actor import Actor
from node.casework.files.model import FileId
from node.casework.files.showing import Shown as ShownFile
from node.casework.journal.model import MAX_NOTE
from node.casework.routines.checklist import Line
from node.casework.routines.help import Directory, Entry
from node.casework.routines.model import Routine, may_finish
from node.casework.routines.working import Routines
from node.console.visit import Visit
from node.store import Transaction
from node.store.journal import Journal

SOON_DAYS = 3
"""A step that is due in so few days stands out."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as a page shows it. `by` and `note` are those of whoever did it."""

    line: Line
    may: bool
    help: tuple[Entry, ...]
    urgency: str
    """`urgent`, `soon`, `ok` or `muted`: the class of its badge."""
    by: str = field(default="", repr=False)
    note: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        """Names the line within the page."""
        return f"{self.line.name.run}-{self.line.name.step_id}-{self.line.name.round}"


@dataclass(frozen=True, slots=True)
class Section:
    """One routine of the case file, its steps in three groups."""

    routine: Routine
    run: int
    open: tuple[Shown, ...]
    standing: tuple[Shown, ...]
    past: tuple[Shown, ...]


def checklist_of(visit: Visit, tx: Transaction, file_id: FileId) -> tuple[Section, ...]:
    """For `routines/part.html`, under the name `checklist`."""
    desk = visit.desk
    return sections(desk.routines, desk.journal, desk.help, tx, file_id, visit.actor, desk.today())


def case_part(visit: Visit, tx: Transaction, shown: ShownFile) -> Mapping[str, Any]:
    """What `routines/case_part.html` puts on the page of a case file."""
    return {"checklist": checklist_of(visit, tx, shown.file.file_id), "max_note": MAX_NOTE}


def sections(
    routines: Routines,
    journal: Journal,
    directory: Directory,
    tx: Transaction,
    file_id: FileId,
    actor: Actor,
    today: date,
) -> tuple[Section, ...]:
    """The checklist of a case file for one person, the routine begun last first where it is still at work."""
    lines = routines.checklist(tx, file_id)
    told = _told(journal, tx, file_id) if any(line.position is not None for line in lines) else {}
    found: list[Section] = []
    for run in dict.fromkeys(line.name.run for line in lines):
        shown = [_shown(line, actor, directory, today, told) for line in lines if line.name.run == run]
        found.append(
            Section(
                shown[0].line.routine,
                run,
                tuple(each for each in shown if each.line.open and not each.line.step.standing),
                tuple(each for each in shown if each.line.open and each.line.step.standing),
                tuple(each for each in shown if not each.line.open),
            )
        )
    # What is at work stands first, and of that what was begun last: the graver routine begins beside the first.
    return tuple(sorted(found, key=lambda section: (not section.open, -section.run)))


def _told(journal: Journal, tx: Transaction, file_id: FileId) -> Mapping[int, tuple[str, str]]:
    return {
        entry.position: (entry.author or "", str((entry.body or {}).get("text", "")))
        for entry in journal.of_file(tx, file_id)
    }


def _shown(line: Line, actor: Actor, directory: Directory, today: date, told: Mapping[int, tuple[str, str]]) -> Shown:
    by, note = told.get(line.position, ("", "")) if line.position is not None else ("", "")
    return Shown(
        line,
        line.open and may_finish(actor, line.step),
        directory.of_kinds(line.step.help) if line.open else (),
        urgency(line.due_on, line, today),
        by,
        note,
    )


def urgency(due_on: date | None, line: Line | None, today: date) -> str:
    """The class of the badge that a day bears."""
    if due_on is None or (line is not None and line.lapsed):
        return "muted"
    if line is not None and line.done_on is not None:
        return "soon" if line.late(today) else "ok"
    if due_on < today:
        return "urgent"
    return "soon" if (due_on - today).days <= SOON_DAYS else "ok"
