"""What stands on the board and on the page of a case file, read for one person: case files, gaps, pupils, clocks.

Invariant: what a person may not see is neither listed nor counted; who asks for it by its id is told that it is not
there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from federation.rules.calendar import SchoolCalendar
from node.casework.actor import Actor, sees
from node.casework.files import rules
from node.casework.files.board import BoardLine, Clock, line, ordered
from node.casework.files.filing import CaseFiles
from node.casework.files.model import CaseFile, FileId
from node.casework.routines.checklist import Due
from node.casework.routines.working import Routines
from node.gaps import SECRET_ROUTES, Gap
from node.identity import Identity
from node.store import Transaction
from node.store.files import Files
from node.store.gaps import Gaps
from node.store.pupils import Pupils


@dataclass(frozen=True, slots=True)
class Named:
    """A line of the board with whom it is about; no identity where it was shredded."""

    line: BoardLine
    identity: Identity | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """A case file with its pupil, its gap, and the other case files of the pupil."""

    file: CaseFile
    identity: Identity | None = field(repr=False)
    gap: Gap | None
    line: BoardLine
    others: tuple[CaseFile, ...] = ()


class Showing:
    """Reads in the caller's transaction. `calendar` gives the member's school calendar as it stands now."""

    def __init__(
        self,
        case_files: CaseFiles,
        files: Files,
        gaps: Gaps,
        pupils: Pupils,
        routines: Routines,
        calendar: Callable[[], SchoolCalendar],
        today: Callable[[], date],
    ) -> None:
        self._case_files, self._files, self._gaps, self._pupils = case_files, files, gaps, pupils
        self._routines = routines
        self._calendar = calendar
        self._today = today

    def board(self, tx: Transaction, actor: Actor) -> tuple[Named, ...]:
        """All that this person may see, in the board's order."""
        if not actor.reads_cases:
            return ()
        files = [file for file in self._files.open(tx) if sees(actor, protected=file.protected)]
        gaps = self._gaps.named(tx, [file.gap for file in files if file.gap is not None])
        due = self._routines.next_due(tx, [file.file_id for file in files])
        lines = [
            self._line(file, gaps.get((file.gap.handle, file.gap.number)) if file.gap is not None else None, due)
            for file in files
        ]
        for pupil_id, gap, protected in self._gaps.watched(tx):
            secret = protected or gap.route in SECRET_ROUTES
            if sees(actor, protected=secret):
                lines.append(
                    line(
                        file=None,
                        gap=gap,
                        pupil_id=pupil_id,
                        step=None,
                        today=self._today(),
                        count=self._calendar().count,
                        protected=secret,
                    )
                )
        identities = self._pupils.identities(tx, {each.pupil_id for each in lines if each.pupil_id is not None})
        return tuple(Named(each, identities.get(each.pupil_id or b"")) for each in ordered(lines))

    def one(self, tx: Transaction, file_id: FileId, actor: Actor) -> Shown:
        """Raises NoSuchFileError where there is none for this person."""
        file = self._case_files.see(tx, file_id, actor)
        gap = None
        if file.gap is not None:
            gap = self._gaps.named(tx, [file.gap]).get((file.gap.handle, file.gap.number))
        identity = None
        others: tuple[CaseFile, ...] = ()
        if file.pupil_id is not None:
            identity = self._pupils.identities(tx, [file.pupil_id]).get(file.pupil_id)
            theirs = self._files.of_pupils(tx, [file.pupil_id]).get(file.pupil_id, ())
            others = tuple(each for each in theirs if each.file_id != file_id and sees(actor, protected=each.protected))
        due = self._routines.next_due(tx, [file_id])
        return Shown(file, identity, gap, self._line(file, gap, due), others)

    def _line(self, file: CaseFile, gap: Gap | None, due: Mapping[FileId, Due]) -> BoardLine:
        first = due.get(file.file_id)
        return line(
            file=rules.on_day(file, self._today()),
            gap=gap,
            pupil_id=file.pupil_id,
            step=None if first is None else Clock(first.due_on, "step", first.step.title),
            today=self._today(),
            count=self._calendar().count,
            protected=file.protected,
        )
