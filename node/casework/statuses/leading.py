"""Who leads: a lead that would hand over, a member that would take it, and what comes of it. All stand in the journal.

Invariant: a wish ends with the lead it was about. Who has handed a lead over does not do so again when it comes back.
"""

from __future__ import annotations

from federation.clock import Clock
from federation.database import Database
from node.casework.actor import SYSTEM, Actor
from node.casework.files.filing import CaseFiles, MayNotError
from node.casework.files.model import FileId
from node.casework.journal.model import EntryKind
from node.casework.statuses.model import Wishes
from node.store import Transaction
from node.store.case_statements import CaseStatements
from node.store.journal import Journal


class LeadMovedError(Exception):
    """Somebody else leads by now, or nobody else is there: what was wished has no meaning. Names no case file."""


class Leading:
    """What people of this member say of the lead. It counts from the close after both sides have said it."""

    def __init__(self, database: Database, case_files: CaseFiles, journal: Journal, clock: Clock) -> None:
        self._database, self._case_files, self._journal, self._clock = database, case_files, journal, clock
        self._statements = CaseStatements()

    def wishes(self, tx: Transaction, file_id: FileId) -> Wishes:
        return self._statements.wishes(tx, file_id)

    def led(self, tx: Transaction, file_id: FileId) -> bool | None:
        """Whether this member leads; None where there is no other, or nothing may be said of the pupil."""
        return self._statements.led(tx, file_id)

    def follow(self) -> None:
        """Have the journals tell who leads where that has changed. Safe to do again."""

        def work(tx: Transaction) -> None:
            for file_id, leads in self._statements.lead_changes(tx):
                self._statements.lead_told(tx, file_id, leads=leads)
                self._journal.append(tx, file_id, SYSTEM, EntryKind.LEAD, {"leads": leads}, self._clock.now())

        if self._database.view("lead_changes", self._statements.lead_changes):
            self._database.run("lead_follow", work)

    def wish(self, file_id: FileId, wishes: Wishes, actor: Actor) -> None:
        """Say what this member would have; the same twice is once.

        Raises NoSuchFileError, MayNotError, LeadMovedError.
        """
        if not actor.works_cases:
            raise MayNotError

        def work(tx: Transaction) -> None:
            self._case_files.see(tx, file_id, actor)
            led = self._statements.led(tx, file_id)
            if led is None or (wishes.offers and not led) or (wishes.takes and led):
                raise LeadMovedError
            if self._statements.wishes(tx, file_id) == wishes:
                return
            self._statements.wish(tx, file_id, wishes)
            body = {"offers": wishes.offers, "takes": wishes.takes}
            self._journal.append(tx, file_id, actor, EntryKind.LEAD, body, self._clock.now())

        self._database.run("lead_wish", work)
