"""Case files whose time has come: their keys are destroyed, so that no copy of the store, old or new, tells of them.

Invariants
    - A routine that goes on after the close of its case file keeps it.
    - The rows are emptied before the key goes; a crash in between, or a copy that is restored, is made good by the next
      run.
    - A pupil who is in no roster, and of whom nothing else is worked or kept, is erased with the last case file
      (`node.subject.erasing`), so that no restored copy brings the name back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from federation.clock import Clock
from federation.database import Database
from federation.observability import Event, Log
from federation.rules.matching import months_before
from node.casework.files.model import FileId
from node.casework.routines.working import Routines
from node.store import Transaction, shredding
from node.store.case_keys import CaseKeys

LOOK_SECONDS = 6 * 3_600.0
DEFAULT_YEARS = 5

SHREDDED = Event("case_files_shredded")

Erase = Callable[[bytes], bool]
"""Have a pupil erased where nothing stands against it; whether it was begun."""


class Shredding:
    """Shreds the case files that were closed more than `years` ago; the log of views is kept as long."""

    def __init__(
        self,
        database: Database,
        keys: CaseKeys,
        routines: Routines,
        clock: Clock,
        log: Log,
        *,
        years: int,
        erase: Erase,
    ) -> None:
        self._database, self._keys, self._routines = database, keys, routines
        self._clock, self._log, self._years, self._erase = clock, log, years, erase

    def run(self) -> int:
        """Shred what is due; returns how many case files."""
        today = self._clock.today()
        before = months_before(today, 12 * self._years)
        done = 0
        for file_id, pupil_id in self._database.view("case_files_to_shred", lambda tx: shredding.due(tx, before)):
            if self._shred(file_id, today):
                done += 1
                self._keys.destroy(file_id)
                if pupil_id is not None and self._database.view("case_files_left", self._alone(pupil_id)):
                    self._erase(pupil_id)
        if done:
            self._log(SHREDDED)
        old = self._clock.now() - timedelta(days=366 * self._years)
        while self._database.run("views_forgotten", lambda tx: shredding.forget_views(tx, old)) >= shredding.ROWS:
            pass
        return done

    def _shred(self, file_id: FileId, today: date) -> bool:
        def work(tx: Transaction) -> bool:
            if self._routines.goes_on(tx, file_id):
                return False
            shredding.empty(tx, [file_id], today)
            return True

        return self._database.run("case_file_shred", work)

    @staticmethod
    def _alone(pupil_id: bytes) -> Callable[[Transaction], bool]:
        return lambda tx: not (shredding.has_others(tx, pupil_id) or shredding.is_live(tx, pupil_id))
