"""Holds at work: asked for, watched with their gap, let go, decided, taken back.

Invariants
    - Asking twice under one id is asking once; another content under it is refused.
    - The answer comes with the registry's notices alone: nothing that somebody does here brings it sooner.
    - A hold that is let go by a decision is looked for all the same: its opening stands, and its case file opens now.
    - What a person does to a hold stands in the journal of the pupil's case file.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.calendar import DAY
from federation.rules.vocabulary import GapState
from node.casework.actor import Actor, Role, sees
from node.casework.files.filing import CaseFiles
from node.casework.files.model import CaseFile, OpenedFor
from node.casework.holds.model import MAX_AHEAD_DAYS, MAX_TEXT, Asked, Hold, HoldError, HoldId, HoldState, ReleasedBy
from node.casework.journal.model import EntryKind
from node.casework.persons import find_person
from node.gaps import SECRET_ROUTES
from node.model import IMMEDIATE_REASONS, What
from node.store import Transaction
from node.store.files import Files
from node.store.holds import Holds
from node.store.imports import Imports
from node.store.journal import Journal
from node.store.pupils import Pupil, Pupils
from node.store.sayings import SayingContent, Sayings, SayingState
from node.store.sealing import Sealer

_LETS_GO = {GapState.ANSWERED: ReleasedBy.ANSWER, GapState.ENDED: ReleasedBy.DUTY_ENDED}

DECIDERS = frozenset({Role.CASEWORKER, Role.PROTECTED, Role.PRINCIPAL})


class Holding:
    """The holds of one node."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        case_files: CaseFiles,
        files: Files,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._database, self._clock = database, clock
        self._case_files, self._files, self._journal = case_files, files, journal
        self._holds = Holds(sealer)
        self._pupils = Pupils(sealer)
        self._imports = Imports(sealer)
        self._sayings = Sayings(sealer)

    # -- asking -----------------------------------------------------------------------------------------------------

    def ask(self, person: str, asked: Asked) -> Hold:
        """Ask to withdraw a pupil, by number or school-system id; returns the hold, or that which stands.

        Raises HoldError, and UppropError(BATCH_REUSED) where the id stands for another request.
        """
        today = self._clock.today()
        if not asked.responsible.strip():
            raise HoldError("responsible")
        if len(asked.note) > MAX_TEXT or len(asked.responsible) > MAX_TEXT:
            raise HoldError("too-long")
        if asked.last_day > today + timedelta(days=MAX_AHEAD_DAYS):
            raise HoldError("too-far")

        def work(tx: Transaction) -> Hold:
            pupil_id = find_person(tx, person, today, self._pupils, self._imports)
            pupil = None if pupil_id is None else self._pupils.load_all(tx, [pupil_id]).get(pupil_id)
            known = self._holds.load(tx, asked.hold_id)
            if known is not None:
                if known.asked != asked or pupil is None or known.pupil_id != pupil.pupil_id:
                    raise UppropError(
                        Code.BATCH_REUSED, "This id stands for another request that came before. Choose a new one."
                    )
                return known
            if pupil is None:
                raise HoldError("unknown-person")
            if not pupil.in_roster and not pupil.dirty:
                raise HoldError("not-enrolled")
            standing = next((each for each in self._holds.of_pupil(tx, pupil.pupil_id) if _stands(each)), None)
            if standing is not None:
                raise HoldError("stands-already")
            hold = Hold(asked, pupil.pupil_id, today, state_since=today)
            self._holds.add(tx, hold)
            by = asked.responsible.strip()
            if asked.reason in IMMEDIATE_REASONS:
                self._say(tx, pupil, What.REASON, asked, by, asked.reason.value)
            self._say(tx, pupil, What.HELD, asked, by, None)
            return hold

        return self._database.run("hold_ask", work)

    def _say(self, tx: Transaction, pupil: Pupil, what: What, asked: Asked, by: str, reason: str | None) -> None:
        content = SayingContent(what.value, asked.last_day + DAY, by, reason)
        self._sayings.add(tx, pupil.pupil_id, content, self._clock.today(), SayingState.STANDING)
        self._pupils.mark_dirty(tx, [pupil.pupil_id])

    # -- seeing -----------------------------------------------------------------------------------------------------

    def of_system(self, hold_id: HoldId, system: str) -> Hold | None:
        """The hold that this school system asked for; None where there is none of this id."""
        found = self._database.view("hold_state", lambda tx: self._holds.load(tx, hold_id))
        return found if found is not None and found.asked.system == system else None

    def listed(self, tx: Transaction, actor: Actor) -> tuple[tuple[Hold, Pupil], ...]:
        """Those that wait, and those of the last month, with their pupils; of protected ones, to that role alone."""
        since = self._clock.today() - timedelta(days=31)
        found = {hold.asked.hold_id: hold for hold in (*self._holds.standing(tx), *self._holds.newest(tx, since))}
        pupils = self._pupils.load_all(tx, {hold.pupil_id for hold in found.values()})
        return tuple(
            (hold, pupils[hold.pupil_id])
            for hold in found.values()
            if hold.pupil_id in pupils and _may_see(actor, pupils[hold.pupil_id])
        )

    # -- letting go -------------------------------------------------------------------------------------------------

    def follow(self) -> int:
        """Let go of the holds whose pupils are accounted for by now; returns how many. To be called by the sync."""

        def work(tx: Transaction) -> int:
            standing = self._holds.standing(tx)
            states = self._holds.gap_states(tx, [hold.pupil_id for hold in standing])
            released = 0
            for hold in standing:
                by = _LETS_GO.get(states.get(hold.pupil_id, GapState.WATCH))
                if by is not None:
                    self._end(tx, replace(hold, state=HoldState.RELEASED, released_by=by))
                    released += 1
            return released

        return self._database.run("holds_follow", work)

    def override(self, hold_id: HoldId, actor: Actor, why: str) -> Hold:
        """A named person decides that the pupil is withdrawn all the same. Raises HoldError."""
        if not actor.has(*DECIDERS):
            raise HoldError("role")
        if not why.strip():
            raise HoldError("reason")
        if len(why) > MAX_TEXT:
            raise HoldError("too-long")

        def work(tx: Transaction) -> Hold:
            hold, pupil = self._standing(tx, hold_id, actor)
            after = replace(
                hold,
                state=HoldState.RELEASED,
                released_by=ReleasedBy.OVERRIDE,
                decided_by=actor.name,
                decision=why.strip(),
            )
            self._end(tx, after)
            file = self._file(tx, pupil, why, actor)
            body = {"hold": "OVERRIDE", "text": why.strip(), "last_day": hold.asked.last_day.isoformat()}
            self._journal.append(tx, file.file_id, actor, EntryKind.HOLD, body, self._clock.now())
            return after

        return self._database.run("hold_override", work)

    def cancel(self, hold_id: HoldId, actor: Actor, why: str) -> Hold:
        """The pupil stays: what was asked is taken back. Raises HoldError."""
        if not actor.has(*DECIDERS):
            raise HoldError("role")

        def work(tx: Transaction) -> Hold:
            hold, pupil = self._standing(tx, hold_id, actor)
            after = replace(hold, state=HoldState.CANCELLED, decided_by=actor.name, decision=why.strip()[:MAX_TEXT])
            self._end(tx, after)
            self._say(tx, pupil, What.HOLD_OVER, hold.asked, actor.name, None)
            return after

        return self._database.run("hold_cancel", work)

    def _standing(self, tx: Transaction, hold_id: HoldId, actor: Actor) -> tuple[Hold, Pupil]:
        hold = self._holds.load(tx, hold_id)
        pupil = None if hold is None else self._pupils.load_all(tx, [hold.pupil_id]).get(hold.pupil_id)
        if hold is None or pupil is None or not _may_see(actor, pupil):
            raise HoldError("not-there")
        if not _stands(hold):
            raise HoldError("over")
        return hold, pupil

    def _end(self, tx: Transaction, hold: Hold) -> None:
        self._holds.change(tx, replace(hold, state_since=self._clock.today()), self._clock.now())

    def _file(self, tx: Transaction, pupil: Pupil, why: str, actor: Actor) -> CaseFile:
        for file in self._files.of_pupils(tx, [pupil.pupil_id]).get(pupil.pupil_id, ()):
            if file.closed_on is None:
                return file
        protected = pupil.protected or pupil.route in SECRET_ROUTES
        return self._case_files.open_in(tx, pupil.pupil_id, OpenedFor.WORRY, why, actor, protected=protected)


def _stands(hold: Hold) -> bool:
    return hold.state is HoldState.HELD


def _may_see(actor: Actor, pupil: Pupil) -> bool:
    protected = pupil.protected or pupil.route in SECRET_ROUTES
    return sees(actor, protected=protected) or (actor.has(Role.PRINCIPAL) and not protected)
