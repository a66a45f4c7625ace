"""Case files at work: opened, taken, classified, moved on, closed; each change in the journal of its case file.

Invariants
    - A change says which revision was seen; one that others have changed meanwhile is not written over.
    - A gap that is or was open has a case file, whoever opened it and by whatever version of the program
      (`begin_missing`, in every sync and before every board).
    - The change and its journal entry are one transaction.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from federation.clock import Clock
from federation.database import Database
from federation.rules.vocabulary import CaseOutcome, CaseStatus, GapState
from node.casework.actor import SYSTEM, Actor, Role, sees
from node.casework.files import rules
from node.casework.files.model import Absence, CaseFile, Classification, FileId, OpenedFor, Responsible
from node.casework.journal.model import Entry, EntryKind
from node.store import Transaction
from node.store.case_keys import CaseShreddedError
from node.store.files import Files, StaleRevisionError, new_file_id
from node.store.journal import Journal


class NoSuchFileError(Exception):
    """There is no such case file, or none that this person may know of."""


class ChangedMeanwhileError(Exception):
    """Somebody else changed the case file first. `file` is how it stands, `since` what was done meanwhile."""

    def __init__(self, file: CaseFile, since: Sequence[Entry]) -> None:
        super().__init__("a case file was changed meanwhile")
        self.file = file
        self.since = tuple(since)


class MayNotError(Exception):
    """The person's role does not include this."""


MOST_LOOKED_AT = 200
"""Case files in which colleagues are looked for."""


class Handed(enum.StrEnum):
    """To whom a case file goes."""

    TAKEN = "TAKEN"
    BACK = "BACK"
    """To the role, for whoever takes it."""
    ASSIGNED = "ASSIGNED"
    """To a colleague, by somebody else."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one change did: the case file before and after it."""

    before: CaseFile
    after: CaseFile
    actor: Actor


Hook = Callable[[Transaction, CaseFile], None]
"""Called in the transaction in which a case file opens."""
ChangeHook = Callable[[Transaction, Change], None]
"""Called in the transaction of a change, after it was written."""


class CaseFiles:
    """The case files of one node. `on_opened` and `on_changed` are told in the same transaction."""

    def __init__(
        self,
        database: Database,
        files: Files,
        journal: Journal,
        clock: Clock,
        *,
        on_opened: Sequence[Hook] = (),
        on_changed: Sequence[ChangeHook] = (),
    ) -> None:
        self._database = database
        self._files = files
        self._journal = journal
        self._clock = clock
        self._on_opened = tuple(on_opened)
        self._on_changed = tuple(on_changed)

    # -- opening ----------------------------------------------------------------------------------------------------

    def begin_missing(self) -> int:
        """Open the case files of gaps that have none yet; returns how many."""
        return self._database.run("case_files_begin", self._begin_missing)

    def _begin_missing(self, tx: Transaction) -> int:
        missing = self._files.gaps_without(tx)
        of_pupils = self._files.of_pupils(tx, {pupil_id for pupil_id, *_ in missing})
        for pupil_id, gap, opened_on, protected in missing:
            told = next((file for file in of_pupils.get(pupil_id, ()) if not (file.gap or file.closed_on)), None)
            if told is not None:
                # What people were told of before has become a gap: one case file, not a second one.
                of_pupils[pupil_id] = tuple(file for file in of_pupils[pupil_id] if file is not told)
                after = replace(told, gap=gap, gap_state=GapState.OPEN)
                body = {"gap": GapState.OPEN.value, "since": opened_on.isoformat(), "status": told.status.value}
                self._by_itself(tx, told, after, EntryKind.GAP, body)
                continue
            file = self._new(tx, pupil_id, OpenedFor.GAP, opened_on, protected=protected)
            self._open(tx, replace(file, gap=gap, gap_state=GapState.OPEN), SYSTEM, {})
        return len(missing)

    def open_in(
        self,
        tx: Transaction,
        pupil_id: bytes,
        opened_for: OpenedFor,
        why: str,
        actor: Actor,
        *,
        protected: bool,
        form_id: str = "",
    ) -> CaseFile:
        """Open a case file without a gap, in the caller's transaction; `form_id` of the form that asks for it.

        Where one of this pupil is open without a gap already, that one is returned.
        """
        for file in self._files.of_pupils(tx, [pupil_id]).get(pupil_id, ()):
            if file.gap is None and file.closed_on is None:
                return file
        file = self._new(tx, pupil_id, opened_for, self._clock.today(), protected=protected)
        self._open(tx, file, actor, {"text": why, **({"form": form_id} if form_id else {})})
        return file

    def _new(self, tx: Transaction, pupil_id: bytes, what: OpenedFor, on: date, *, protected: bool) -> CaseFile:
        return CaseFile(
            file_id=new_file_id(),
            reference=self._files.next_reference(tx, on.year),
            pupil_id=pupil_id,
            gap=None,
            opened_for=what,
            opened_on=on,
            protected=protected,
            status=CaseStatus.NEW,
            status_since=on,
            responsible=Responsible(Role.PROTECTED if protected else Role.CASEWORKER),
        )

    def _open(self, tx: Transaction, file: CaseFile, actor: Actor, body: Mapping[str, Any]) -> None:
        self._files.add(tx, file)
        for hook in self._on_opened:
            hook(tx, file)
        told = {"opened_for": file.opened_for.value, "opened_on": file.opened_on.isoformat(), **body}
        self._journal.append(tx, file.file_id, actor, EntryKind.OPENED, told, self._clock.now())

    def protect(self, tx: Transaction, file_id: FileId, actor: Actor) -> None:
        """Make a case file the protected-identity role's alone, in the caller's transaction; one that is stays so."""
        file = self._files.load(tx, file_id, lock=True)
        if file is None or self._files.marked(tx, file_id):
            return
        file = replace(file, protected=False)
        after = self._files.change(tx, replace(file, protected=True, responsible=Responsible(Role.PROTECTED)))
        for hook in self._on_changed:
            hook(tx, Change(file, after, actor))
        told = {"handed": Handed.BACK.value, "protected": True, "revision": after.revision}
        self._journal.append(tx, file_id, actor, EntryKind.RESPONSIBLE, told, self._clock.now())

    # -- following --------------------------------------------------------------------------------------------------

    def follow(self) -> int:
        """Write into case files what became of them by themselves: their gaps, their day, their pupil's protection.

        To be called in every sync, after `begin_missing`. Each has its effect once; returns how many changed.
        """
        return self._database.run("case_files_follow", self._follow)

    def _follow(self, tx: Transaction) -> int:
        today, changed = self._clock.today(), 0
        for file_id in self._files.newly_protected(tx):
            self.protect(tx, file_id, SYSTEM)
            changed += 1
        for file, state, since in self._files.moved_gaps(tx):
            after = rules.on_gap(file, state, today)
            body = {"gap": state.value, "since": since.isoformat(), "status": after.status.value}
            self._by_itself(tx, file, after, EntryKind.GAP, body)
            changed += 1
        for file in self._files.rested(tx, today):
            body = {"status": CaseStatus.REOPENED.value, "rested_until": str(file.suspended_until)}
            self._by_itself(tx, file, rules.on_day(file, today), EntryKind.STATUS, body)
            changed += 1
        return changed

    def _by_itself(
        self, tx: Transaction, before: CaseFile, after: CaseFile, kind: EntryKind, body: Mapping[str, Any]
    ) -> None:
        written = self._files.change(tx, after)
        for hook in self._on_changed:
            hook(tx, Change(before, written, SYSTEM))
        told = {**body, "revision": written.revision}
        # Without its key, in a store restored from a copy, nothing can be written in it; its state counts all the same.
        with contextlib.suppress(CaseShreddedError):
            self._journal.append(tx, before.file_id, SYSTEM, kind, told, self._clock.now())

    # -- seeing -----------------------------------------------------------------------------------------------------

    def see(self, tx: Transaction, file_id: FileId, actor: Actor) -> CaseFile:
        """The case file as it stands today. Raises NoSuchFileError where there is none, or none for this person."""
        file = self._files.load(tx, file_id)
        if file is None or not sees(actor, protected=file.protected):
            raise NoSuchFileError
        return file

    # -- changing ---------------------------------------------------------------------------------------------------

    def set_status(
        self,
        file_id: FileId,
        revision: int,
        status: CaseStatus,
        actor: Actor,
        *,
        why: str = "",
        until: date | None = None,
        outcome: CaseOutcome | None = None,
    ) -> CaseFile:
        """Move a case file on. Raises `rules.RefusedError`, ChangedMeanwhileError, NoSuchFileError, MayNotError."""
        today = self._clock.today()
        body = {
            "status": status.value,
            "text": why.strip(),
            "until": None if until is None else until.isoformat(),
            "outcome": None if outcome is None else outcome.value,
        }
        return self._change(
            file_id,
            revision,
            actor,
            lambda file: rules.with_status(file, status, today, why=why, until=until, outcome=outcome),
            EntryKind.STATUS,
            body,
        )

    def classify(
        self, file_id: FileId, revision: int, classification: Classification, actor: Actor, *, why: str
    ) -> CaseFile:
        """Say what the matter turned out to be."""
        return self._change(
            file_id,
            revision,
            actor,
            lambda file: replace(file, classification=classification),
            EntryKind.CLASSIFIED,
            {"classification": classification.value, "text": why.strip()},
        )

    def decide_absence(self, file_id: FileId, revision: int, absence: Absence, actor: Actor, *, why: str) -> CaseFile:
        """Tell problematic absence from missing, with what decided it. RefusedError(REASON_MISSING) without that."""
        if not why.strip():
            raise rules.RefusedError(rules.Refused.REASON_MISSING)
        return self._change(
            file_id,
            revision,
            actor,
            lambda file: replace(file, absence=absence, absence_why=why.strip()),
            EntryKind.ABSENCE,
            {"absence": absence.value, "text": why.strip()},
        )

    def hand(self, file_id: FileId, revision: int, handed: Handed, actor: Actor) -> CaseFile:
        """Take responsibility for a case file, or give it back to its role: there is always exactly one."""

        def work(file: CaseFile) -> CaseFile:
            role = Role.PROTECTED if file.protected else Role.CASEWORKER
            taken = Responsible(role, actor.person_id, actor.name)
            return replace(file, responsible=taken if handed is Handed.TAKEN else Responsible(role))

        return self._change(file_id, revision, actor, work, EntryKind.RESPONSIBLE, {"handed": handed.value})

    def colleagues(self, tx: Transaction, file: CaseFile, actor: Actor) -> tuple[Responsible, ...]:
        """To whom a case file can be assigned, by name: who has one, or had one that is closed. One that is protected
        goes to those alone who have such.
        """
        found = {
            each.responsible.person_id: each.responsible
            for each in reversed(self._files.lately(tx, MOST_LOOKED_AT))
            if each.responsible.person_id and (each.responsible.role is Role.PROTECTED or not file.protected)
        }
        for person_id in (actor.person_id, file.responsible.person_id):
            found.pop(person_id, None)
        return tuple(sorted(found.values(), key=lambda each: (each.name, each.person_id)))

    def assign(self, file_id: FileId, revision: int, person_id: str, actor: Actor) -> CaseFile:
        """Make a colleague responsible. RefusedError(NO_COLLEAGUE) for anybody to whom it cannot be assigned."""

        def look(tx: Transaction) -> Responsible | None:
            file = self.see(tx, file_id, actor)
            return next((each for each in self.colleagues(tx, file, actor) if each.person_id == person_id), None)

        found = self._database.view("case_file_colleague", look)
        if found is None:
            raise rules.RefusedError(rules.Refused.NO_COLLEAGUE)

        def work(file: CaseFile) -> CaseFile:
            role = Role.PROTECTED if file.protected else Role.CASEWORKER
            return replace(file, responsible=replace(found, role=role))

        body = {"handed": Handed.ASSIGNED.value, "to": found.name}
        return self._change(file_id, revision, actor, work, EntryKind.RESPONSIBLE, body)

    def _change(
        self,
        file_id: FileId,
        revision: int,
        actor: Actor,
        make: Callable[[CaseFile], CaseFile],
        kind: EntryKind,
        body: Mapping[str, Any],
    ) -> CaseFile:
        if not actor.works_cases:
            raise MayNotError

        def work(tx: Transaction) -> CaseFile:
            """Raises CaseShreddedError where nothing can be written in it any more."""
            stands = self.see(tx, file_id, actor)
            if stands.shredded_on is not None:
                raise CaseShreddedError
            if stands.revision != revision:
                raise self._meanwhile(tx, stands, revision)
            try:
                after = self._files.change(tx, make(stands))
            except StaleRevisionError:
                raise self._meanwhile(tx, stands, revision) from None
            for hook in self._on_changed:
                hook(tx, Change(stands, after, actor))
            told = {**body, "revision": after.revision}
            self._journal.append(tx, file_id, actor, kind, told, self._clock.now())
            return after

        return self._database.run("case_file_change", work)

    def _meanwhile(self, tx: Transaction, stands: CaseFile, revision: int) -> ChangedMeanwhileError:
        entries = self._journal.of_file(tx, stands.file_id)
        since = [entry for entry in entries if entry.body is not None and entry.body.get("revision", 0) > revision]
        return ChangedMeanwhileError(stands, since)
