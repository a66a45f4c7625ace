"""Finding a pupil's case files by national number, by a school system's id, or by what one of them is called by.

Invariants
    - Whom a person may not see is not found, and reads as nobody known.
    - Each case file that is found stands in its log of views.
    - One person finds so many an hour: the console is no register to leaf through.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from federation.clock import Clock
from federation.database import Database
from federation.web.limits import CallLimit, Calls
from node.casework.actor import Actor, sees
from node.casework.files.filing import MayNotError
from node.casework.files.model import CaseFile
from node.casework.persons import find_person
from node.gaps import SECRET_ROUTES
from node.identity import Identity
from node.store import Transaction
from node.store.files import Files
from node.store.imports import Imports
from node.store.journal import Journal
from node.store.pupils import Pupils
from node.store.sealing import Sealer

LIMIT = CallLimit(120, 3600)
MAX_TYPED = 100


class TooManySearchesError(Exception):
    """Somebody searches more than anybody needs to. `minutes`: until they may again."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too many searches")
        self.minutes = seconds // 60 + 1


@dataclass(frozen=True, slots=True)
class Found:
    """A pupil; no identity where a case file is found that was shredded. `enrolled`: in the newest roster of some
    school system."""

    identity: Identity | None = field(repr=False)
    enrolled: bool
    files: tuple[CaseFile, ...]


class Searching:
    """Searches for people."""

    def __init__(self, database: Database, sealer: Sealer, files: Files, journal: Journal, clock: Clock) -> None:
        self._database, self._files, self._journal, self._clock = database, files, journal, clock
        self._pupils, self._imports = Pupils(sealer), Imports(sealer)
        self._calls = Calls(LIMIT)

    def search(self, person: str, actor: Actor) -> Found | None:
        """None: nobody is known by it, or nobody whom this person may see.

        Raises MayNotError, TooManySearchesError.
        """
        if not actor.reads_cases:
            raise MayNotError
        seconds = self._calls.admit(actor.person_id)
        if seconds is not None:
            raise TooManySearchesError(seconds)
        return self._database.run("case_file_find", lambda tx: self._find(tx, person[:MAX_TYPED], actor))

    def _find(self, tx: Transaction, person: str, actor: Actor) -> Found | None:
        file_id = self._files.by_reference(tx, person.strip())
        if file_id is None:
            pupil_id = find_person(tx, person, self._clock.today(), self._pupils, self._imports)
        else:
            file = self._files.load(tx, file_id)
            if file is None or not sees(actor, protected=file.protected):
                # Nor is its pupil, though other case files of theirs may be seen.
                return None
            pupil_id = file.pupil_id
            if pupil_id is None:
                self._journal.viewed(tx, file_id, actor, "search", self._clock.now())
                return Found(None, False, (file,))
        if pupil_id is None:
            return None
        pupil = self._pupils.load(tx, pupil_id)
        if pupil.identity.drill or not sees(actor, protected=pupil.protected or pupil.route in SECRET_ROUTES):
            return None
        theirs = self._files.of_pupils(tx, [pupil_id]).get(pupil_id, ())
        shown = tuple(file for file in theirs if sees(actor, protected=file.protected))
        if len(shown) < len(theirs) and not shown:
            # The case file alone is protected: nothing may be told from what is missing.
            return None
        for file in shown:
            self._journal.viewed(tx, file.file_id, actor, "search", self._clock.now())
        return Found(pupil.identity, pupil.live, shown)
