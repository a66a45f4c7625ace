"""Case files whose time has come: their keys are destroyed, so that no copy of the store, old or new, tells of them.

Invariants
    - A routine that goes on after the close of its case file keeps it.
    - First the rows are emptied, then it is on the disk that the key is to go (`node.subject.tombstones`), so that no
      copy of the keys brings it back, then the key goes. A crash in between is made good by the next sync, a copy that
      is restored by the next run.
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
from node.store.chain import Chain
from node.subject.tombstones import Tombstones

LOOK_SECONDS = 6 * 3_600.0

SHREDDED = Event("case_files_shredded")

Erase = Callable[[Transaction, bytes], bool]
"""Have a pupil erased where nothing stands against it; whether it was begun."""


class Shredding:
    """Shreds the case files that were closed more than `years` ago; the log of views is kept as long."""

    def __init__(
        self,
        database: Database,
        keys: CaseKeys,
        chain: Chain,
        tombstones: Tombstones,
        routines: Routines,
        clock: Clock,
        log: Log,
        *,
        years: int,
        erase: Erase,
    ) -> None:
        self._database, self._keys, self._chain, self._tombstones = database, keys, chain, tombstones
        self._routines = routines
        self._clock, self._log, self._years, self._erase = clock, log, years, erase

    def run(self) -> int:
        """Shred what is due; returns how many case files."""
        today = self._clock.today()
        before = months_before(today, 12 * self._years)
        done = 0
        for file_id in self._database.view("case_files_to_shred", lambda tx: shredding.due(tx, before)):
            if self._database.run("case_file_shred", self._emptying(file_id, before, today)):
                self._tombstones.add([file_id])
                self._keys.destroy(file_id)
                done += 1
        if done:
            self._log(SHREDDED)
        old = self._clock.now() - timedelta(days=366 * self._years)
        while self._database.run("views_forgotten", lambda tx: shredding.forget_views(tx, old)) >= shredding.ROWS:
            pass
        return done

    def _emptying(self, file_id: FileId, before: date, today: date) -> Callable[[Transaction], bool]:
        def work(tx: Transaction) -> bool:
            # It may have been opened again, or a routine of it begun.
            if file_id not in shredding.due(tx, before) or self._routines.goes_on(tx, file_id):
                return False
            pupil_id = shredding.pupil_of(tx, file_id)
            shredding.empty(tx, [file_id], self._chain, self._clock.now(), today)
            if pupil_id is not None and not (shredding.has_others(tx, pupil_id) or shredding.is_live(tx, pupil_id)):
                self._erase(tx, pupil_id)
            return True

        return work
