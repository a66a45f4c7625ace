"""Who leads: a lead that would hand over, and a member that would take it. Both stand in the journal."""

from __future__ import annotations

from federation.clock import Clock
from federation.database import Database
from node.casework.actor import Actor
from node.casework.files.filing import CaseFiles, MayNotError
from node.casework.files.model import FileId
from node.casework.journal.model import EntryKind
from node.casework.statuses.model import Wishes
from node.store import Transaction
from node.store.case_statements import CaseStatements
from node.store.journal import Journal


class Leading:
    """What people of this member say of the lead. It counts from the close after both sides have said it."""

    def __init__(self, database: Database, case_files: CaseFiles, journal: Journal, clock: Clock) -> None:
        self._database, self._case_files, self._journal, self._clock = database, case_files, journal, clock
        self._statements = CaseStatements()

    def wishes(self, tx: Transaction, file_id: FileId) -> Wishes:
        return self._statements.wishes(tx, file_id)

    def wish(self, file_id: FileId, wishes: Wishes, actor: Actor) -> None:
        """Say what this member would have; the same twice is once. Raises NoSuchFileError, MayNotError."""
        if not actor.works_cases:
            raise MayNotError

        def work(tx: Transaction) -> None:
            self._case_files.see(tx, file_id, actor)
            if self._statements.wishes(tx, file_id) == wishes:
                return
            self._statements.wish(tx, file_id, wishes)
            body = {"offers": wishes.offers, "takes": wishes.takes}
            self._journal.append(tx, file_id, actor, EntryKind.LEAD, body, self._clock.now())

        self._database.run("lead_wish", work)
