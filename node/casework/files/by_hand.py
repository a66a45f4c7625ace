"""A case file opened by hand: somebody worries before any withdrawal, or a pupil is gone though enrolled.

Invariants
    - It is open at once, whoever else has yet to agree to what is said to the federation.
    - Whoever tells is not told whether a case file was there already, nor whether the pupil is protected. To a
      principal a pupil of other school units than their own is nobody.
"""

from __future__ import annotations

import enum
from dataclasses import replace
from datetime import date

from federation.clock import Clock
from federation.database import Database
from node.casework.actor import Actor, Role, of_own_units
from node.casework.files.filing import CaseFiles, MayNotError
from node.casework.files.model import Absence, CaseFile, OpenedFor
from node.casework.journal.model import EntryKind
from node.casework.persons import find_person
from node.casework.sayings import CaseworkSayings
from node.casework.school_units import units_at
from node.gaps import SECRET_ROUTES
from node.model import What
from node.store import Transaction
from node.store.files import Files
from node.store.imports import Imports
from node.store.journal import Journal
from node.store.pupils import Pupils
from node.store.sealing import Sealer

TELLERS = frozenset({Role.CASEWORKER, Role.PROTECTED, Role.PRINCIPAL})
MAX_WHY = 5_000


class Told(enum.StrEnum):
    WORRY = "WORRY"
    GONE = "GONE"
    """Gone though enrolled: said to the federation as well, at once."""


_TOLD = (EntryKind.OPENED, EntryKind.SAYING, EntryKind.NOTE)
"""The entries in which a worry is told."""


class NobodyKnownError(Exception):
    """Nobody is known by what was given."""


class ByHand:
    """Opens case files for people."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        case_files: CaseFiles,
        files: Files,
        journal: Journal,
        sayings: CaseworkSayings,
        clock: Clock,
    ) -> None:
        self._database, self._case_files, self._files = database, case_files, files
        self._journal, self._sayings, self._clock = journal, sayings, clock
        self._pupils, self._imports = Pupils(sealer), Imports(sealer)

    def tell(
        self, person: str, told: Told, why: str, actor: Actor, *, since: date | None = None, form_id: str = ""
    ) -> CaseFile:
        """`person`: a national number, or a school system's id; `since`: the day from which a pupil is gone.

        Told again it is noted in the case file that is open; by the same form it is told once. Raises NobodyKnownError,
        MayNotError, UppropError(INPUT_REFUSED) for what cannot be said.
        """
        if not actor.has(*TELLERS):
            raise MayNotError

        def work(tx: Transaction) -> CaseFile:
            today = self._clock.today()
            pupil_id = find_person(tx, person, today, self._pupils, self._imports)
            if pupil_id is None:
                raise NobodyKnownError
            pupil = self._pupils.load(tx, pupil_id)
            if pupil.identity.drill:
                raise NobodyKnownError
            if actor.by_units and not of_own_units(actor, units_at(pupil.observations, today)):
                raise NobodyKnownError
            standing = [each for each in self._files.of_pupils(tx, [pupil_id]).get(pupil_id, ()) if not each.closed_on]
            for file in standing:
                if self._journal.of_form(tx, file.file_id, form_id, *_TOLD) is not None:
                    return file
            if told is Told.GONE:
                self._sayings.say_of(tx, pupil_id, What.GONE, since or today, actor.name)
            if standing:
                # Whatever it was opened for.
                body = {"text": why.strip(), "told": told.value, **({"form": form_id} if form_id else {})}
                kind = EntryKind.SAYING if told is Told.GONE else EntryKind.NOTE
                self._journal.append(tx, standing[-1].file_id, actor, kind, body, self._clock.now())
                return standing[-1]
            protected = pupil.protected or pupil.route in SECRET_ROUTES
            return self._opened(tx, pupil_id, told, why.strip(), actor, form_id, protected=protected)

        return self._database.run("case_file_by_hand", work)

    def _opened(
        self, tx: Transaction, pupil_id: bytes, told: Told, why: str, actor: Actor, form_id: str, *, protected: bool
    ) -> CaseFile:
        file = self._case_files.open_in(tx, pupil_id, OpenedFor.WORRY, why, actor, protected=protected, form_id=form_id)
        if told is not Told.GONE:
            return file
        return self._files.change(tx, replace(file, absence=Absence.MISSING, absence_why=why))
