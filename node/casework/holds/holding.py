"""Holds at work: asked for, watched with their gap, let go, decided, taken back.

Invariants
    - Asking twice under one id is asking once; another content under it is refused.
    - The answer comes with the registry's notices alone: nothing that somebody does here brings it sooner.
    - A school system names its own persons alone, and a person at the form those whom they may see: of anybody else
      nothing is told, not even that there is such a pupil. A principal may see those of their own school units.
    - A hold that is let go by a decision is looked for all the same: its opening stands, and its case file opens now.
      But of a pupil who leaves one school unit and stays at another here there is no opening.
    - Until the withdrawal is made it can be taken back, let go or not: its opening falls away, and the pupil is here.
    - What a person does to a hold stands in the journal of the pupil's case file.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Protocol

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.calendar import DAY
from federation.rules.matching import DUTY_ENDED_DAYS
from node.casework.actor import SYSTEM, Actor, Role, knows, sees
from node.casework.files.filing import CaseFiles
from node.casework.files.model import CaseFile, OpenedFor
from node.casework.holds.model import (
    MAX_TEXT,
    Asked,
    Hold,
    HoldError,
    HoldId,
    HoldState,
    ReleasedBy,
)
from node.casework.holds.rules import (
    check,
    enrolled_at,
    has_place_beside,
    let_go,
    needs_a_look,
    stays_elsewhere_here,
    withdrawn,
)
from node.casework.journal.model import EntryKind
from node.casework.persons import find_person
from node.casework.sayings import MAX_REVIEW_DAYS
from node.casework.school_units import units_at
from node.gaps import SECRET_ROUTES, Judge
from node.model import IMMEDIATE_REASONS, History, Reason, Row, What
from node.records.person import qualified
from node.store import Transaction
from node.store.files import Files
from node.store.holds import Holds
from node.store.imports import Imports
from node.store.journal import Journal
from node.store.pupils import Pupil, Pupils
from node.store.records import Records
from node.store.sayings import SayingContent, Sayings, SayingState
from node.store.sealing import Sealer
from node.timeline import Timeline

DECIDERS = frozenset({Role.CASEWORKER, Role.PROTECTED, Role.PRINCIPAL})


class OnDue(Protocol):
    """Called for a hold that needs a look, in each sync until it is settled: whoever is told is told once."""

    def __call__(self, tx: Transaction, hold_id: HoldId, file: CaseFile | None, /, *, protected: bool) -> None: ...


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
        on_due: OnDue = lambda _tx, _hold_id, _file, *, protected: None,  # noqa: ARG005 - nobody is told
    ) -> None:
        self._database, self._clock = database, clock
        self._on_due = on_due
        self._case_files, self._files, self._journal = case_files, files, journal
        self._holds = Holds(sealer)
        self._pupils = Pupils(sealer)
        self._imports = Imports(sealer)
        self._sayings = Sayings(sealer)
        self._records = Records(sealer)

    # -- asking -----------------------------------------------------------------------------------------------------

    def ask(self, person: str, asked: Asked, actor: Actor | None = None) -> Hold:
        """Ask to withdraw a pupil; returns the hold, or that which stands.

        `person` is a school system's own id of the pupil; of an `actor`, who fills in the form, a number or such an id.
        Raises HoldError, and UppropError(BATCH_REUSED) where the id stands for another request.
        """
        today = self._clock.today()
        check(asked, today)

        def work(tx: Transaction) -> Hold:
            pupil = self._find(tx, person, asked.system, actor)
            if pupil is None and actor is not None:
                raise HoldError("unknown-person")
            known = self._holds.load(tx, asked.hold_id)
            if known is not None:
                if known.asked != asked or pupil is None or known.pupil_id != pupil.pupil_id:
                    raise UppropError(
                        Code.BATCH_REUSED, "This id stands for another request that came before. Choose a new one."
                    )
                return known
            if pupil is None:
                raise HoldError("unknown-person")
            if not (pupil.in_roster or _listed(pupil, today)):
                raise HoldError("not-enrolled")
            if asked.unit and not enrolled_at(_rows(pupil), asked.last_day, asked.unit):
                raise HoldError("not-at-unit")
            standing = next((each for each in self._holds.of_pupil(tx, pupil.pupil_id) if _stands(each)), None)
            if standing is not None:
                raise HoldError("stands-already")
            hold = Hold(asked, pupil.pupil_id, today, state_since=today)
            by = asked.responsible.strip()
            if asked.reason in IMMEDIATE_REASONS:
                self._say(tx, pupil, What.REASON, asked, by, asked.reason.value)
            # Before the hold itself: two that ask at once take turns at the pupil, and the second finds the first's.
            self._say(tx, pupil, What.HELD, asked, by, None)
            self._holds.add(tx, hold)
            return hold

        return self._database.run("hold_ask", work)

    def _find(self, tx: Transaction, person: str, system: str, actor: Actor | None) -> Pupil | None:
        if actor is None:
            index = self._pupils.person_index(qualified(system, person))
            pupil_id = self._pupils.by_person_ids(tx, [index]).get(index)
        else:
            pupil_id = find_person(tx, person, self._clock.today(), self._pupils, self._imports)
        pupil = None if pupil_id is None else self._pupils.load_all(tx, [pupil_id]).get(pupil_id)
        return pupil if pupil is None or actor is None or self._may_see(actor, pupil) else None

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
        """Those that wait, those let go and not made, and those of the last month, with their pupils.

        Of protected ones, to that role alone.
        """
        today = self._clock.today()
        newest = self._holds.newest(tx, today - timedelta(days=31))
        standing, not_made = self._holds.standing(tx), self._holds.not_made(tx, today)
        found = {hold.asked.hold_id: hold for hold in (*standing, *not_made, *newest)}
        pupils = self._pupils.load_all(tx, {hold.pupil_id for hold in found.values()})
        return tuple(
            (hold, pupils[hold.pupil_id])
            for hold in found.values()
            if hold.pupil_id in pupils and self._may_see(actor, pupils[hold.pupil_id])
        )

    def units(self, tx: Transaction) -> dict[str, str]:
        """id → name of the school units that exports name, by name."""
        return dict(sorted(self._records.units(tx).items(), key=lambda each: (each[1] or each[0], each[0])))

    def open_file(self, tx: Transaction, hold: Hold, actor: Actor) -> CaseFile | None:
        """The open case file of the hold's pupil, where this person may see it."""
        pupil = self._pupils.load(tx, hold.pupil_id)
        file = self._open_file(tx, pupil)
        return file if file is not None and sees(actor, protected=file.protected) else None

    def unsettled(self, tx: Transaction, pupil_id: bytes) -> Hold | None:
        """The newest hold of a pupil, unless it was taken back, or let go and made."""
        hold = next(reversed(self._holds.of_pupil(tx, pupil_id)), None)
        if hold is None or hold.state is HoldState.CANCELLED:
            return None
        pupil = self._pupils.load(tx, pupil_id)
        made = hold.state is HoldState.RELEASED and is_made(hold, pupil, self._clock.today())
        return None if made else hold

    # -- letting go -------------------------------------------------------------------------------------------------

    def follow(self, judge: Judge) -> int:
        """Let go of the holds whose pupils are accounted for by now; returns how many. To be called by the sync."""

        def work(tx: Transaction) -> int:
            standing, today = self._holds.standing(tx), self._clock.today()
            pupil_ids = [hold.pupil_id for hold in standing]
            states, pupils = self._holds.gap_states(tx, pupil_ids), self._pupils.load_all(tx, pupil_ids)
            times = self._timelines(tx, pupils, today, judge)
            released = 0
            for hold in standing:
                by = let_go(hold, states.get(hold.pupil_id), times.get(hold.pupil_id), today)
                if by is None:
                    if needs_a_look(hold, states.get(hold.pupil_id), times.get(hold.pupil_id), today):
                        self._tell_due(tx, hold, pupils[hold.pupil_id])
                else:
                    self._end(tx, replace(hold, state=HoldState.RELEASED, released_by=by))
                    time = times.get(hold.pupil_id)
                    if time is not None and stays_elsewhere_here(hold, time):
                        # No leaving: the pupil is said to be here, whatever becomes of the one place.
                        self._say(tx, pupils[hold.pupil_id], What.HOLD_OVER, hold.asked, SYSTEM.name, None)
                    released += 1
            return released

        return self._database.run("holds_follow", work)

    def _tell_due(self, tx: Transaction, hold: Hold, pupil: Pupil) -> None:
        file = self._open_file(tx, pupil)
        self._on_due(tx, hold.asked.hold_id, file, protected=_is_protected(pupil))

    def _timelines(
        self, tx: Transaction, pupils: dict[bytes, Pupil], today: date, judge: Judge
    ) -> dict[bytes, Timeline]:
        facts = self._imports.facts(tx)
        if facts is None or not pupils:
            return {}
        said = self._sayings.standing_or_waiting(tx, list(pupils))
        return {
            pupil_id: Timeline(
                History(pupil.observations, said.get(pupil_id, ())), facts, today, judge.policy, judge.calendar
            )
            for pupil_id, pupil in pupils.items()
        }

    def override(self, hold_id: HoldId, actor: Actor, why: str) -> Hold:
        """A named person decides that the pupil is withdrawn all the same. Raises HoldError."""
        if not actor.has(*DECIDERS):
            raise HoldError("role")
        why = why.strip()
        if not why:
            raise HoldError("reason")
        if len(why) > MAX_TEXT:
            raise HoldError("too-long")

        def work(tx: Transaction) -> Hold:
            hold, pupil = self._found(tx, hold_id, actor)
            if hold.released_by is ReleasedBy.OVERRIDE and (hold.decided_by, hold.decision) == (actor.name, why):
                # The form, sent twice.
                return hold
            if not _stands(hold):
                raise HoldError("over")
            after = replace(
                hold,
                state=HoldState.RELEASED,
                released_by=ReleasedBy.OVERRIDE,
                decided_by=actor.name,
                decision=why,
            )
            self._end(tx, after)
            asked = hold.asked
            if (
                asked.unit
                and asked.reason not in IMMEDIATE_REASONS
                and has_place_beside(_rows(pupil), asked.last_day, asked.unit)
            ):
                self._say(tx, pupil, What.HOLD_OVER, asked, actor.name, None)
            self._note(tx, self._file(tx, pupil, why, actor), hold, ReleasedBy.OVERRIDE.value, after.decision, actor)
            return after

        return self._database.run("hold_override", work)

    def end_duty(self, hold_id: HoldId, actor: Actor, *, begins: date, review: date, why: str) -> Hold:
        """Document that the duty to attend here ends, `why` saying who decided it, until `review`. Raises HoldError.

        It lets the hold go at once. Once the review has passed, the pupil is looked for again.
        """
        today = self._clock.today()
        if not actor.has(*DECIDERS):
            raise HoldError("role")
        why = why.strip()
        if not why:
            raise HoldError("reason")
        if len(why) > MAX_TEXT:
            raise HoldError("too-long")
        if begins > today:
            raise HoldError("duty-ahead")
        if not timedelta(0) < review - today <= timedelta(days=MAX_REVIEW_DAYS):
            raise HoldError("review")

        def work(tx: Transaction) -> Hold:
            hold, pupil = self._found(tx, hold_id, actor)
            if hold.released_by is ReleasedBy.DUTY_ENDED and (hold.decided_by, hold.decision) == (actor.name, why):
                return hold
            if not _stands(hold):
                raise HoldError("over")
            if begins < hold.asked.last_day + DAY - timedelta(days=DUTY_ENDED_DAYS):
                raise HoldError("duty-long-ago")
            by = ReleasedBy.DUTY_ENDED
            after = replace(hold, state=HoldState.RELEASED, released_by=by, decided_by=actor.name, decision=why)
            content = SayingContent(What.DUTY_ENDED.value, begins, actor.name, review=review)
            self._sayings.add(tx, pupil.pupil_id, content, today, SayingState.STANDING)
            self._pupils.mark_dirty(tx, [pupil.pupil_id])
            self._end(tx, after)
            file = self._open_file(tx, pupil)
            if file is not None:
                self._note(tx, file, hold, by.value, why, actor)
            return after

        return self._database.run("hold_end_duty", work)

    def cancel(self, hold_id: HoldId, actor: Actor, why: str) -> Hold:
        """The pupil stays: what was asked is taken back, also where it was let go and is not made. Raises HoldError."""
        if not actor.has(*DECIDERS):
            raise HoldError("role")
        why = why.strip()
        if len(why) > MAX_TEXT:
            raise HoldError("too-long")

        def work(tx: Transaction) -> Hold:
            hold, pupil = self._found(tx, hold_id, actor)
            if hold.state is HoldState.CANCELLED:
                if (hold.decided_by, hold.decision) == (actor.name, why):
                    return hold
                raise HoldError("over")
            if hold.state is HoldState.RELEASED:
                if not why:
                    raise HoldError("reason")
                if is_made(hold, pupil, self._clock.today()):
                    raise HoldError("made")
                if any(_stands(each) for each in self._holds.of_pupil(tx, pupil.pupil_id)):
                    raise HoldError("newer")
            after = replace(hold, state=HoldState.CANCELLED, released_by=None, decided_by=actor.name, decision=why)
            self._end(tx, after)
            self._say(tx, pupil, What.HOLD_OVER, hold.asked, actor.name, None)
            if hold.asked.reason in IMMEDIATE_REASONS:
                # Else the pupil's next leaving, of whatever kind, would be taken for one of unknown whereabouts.
                self._say(tx, pupil, What.REASON, hold.asked, actor.name, Reason.OTHER.value)
            file = self._open_file(tx, pupil)
            if file is not None:
                self._note(tx, file, hold, HoldState.CANCELLED.value, after.decision, actor)
            return after

        return self._database.run("hold_cancel", work)

    def _found(self, tx: Transaction, hold_id: HoldId, actor: Actor) -> tuple[Hold, Pupil]:
        hold = self._holds.load(tx, hold_id)
        pupil = None if hold is None else self._pupils.load_all(tx, [hold.pupil_id]).get(hold.pupil_id)
        if hold is None or pupil is None or not self._may_see(actor, pupil):
            raise HoldError("not-there")
        return hold, pupil

    def _may_see(self, actor: Actor, pupil: Pupil) -> bool:
        return knows(actor, units_at(pupil.observations, self._clock.today()), protected=_is_protected(pupil))

    def _end(self, tx: Transaction, hold: Hold) -> None:
        self._holds.change(tx, replace(hold, state_since=self._clock.today()), self._clock.now())

    def _note(self, tx: Transaction, file: CaseFile, hold: Hold, what: str, why: str, actor: Actor) -> None:
        body = {"hold": what, "text": why, "last_day": hold.asked.last_day.isoformat()}
        self._journal.append(tx, file.file_id, actor, EntryKind.HOLD, body, self._clock.now())

    def _open_file(self, tx: Transaction, pupil: Pupil) -> CaseFile | None:
        of_pupil = self._files.of_pupils(tx, [pupil.pupil_id]).get(pupil.pupil_id, ())
        return next((file for file in of_pupil if file.closed_on is None), None)

    def _file(self, tx: Transaction, pupil: Pupil, why: str, actor: Actor) -> CaseFile:
        file = self._open_file(tx, pupil)
        if file is not None:
            return file
        protected = _is_protected(pupil)
        return self._case_files.open_in(tx, pupil.pupil_id, OpenedFor.WORRY, why, actor, protected=protected)


def is_made(hold: Hold, pupil: Pupil, today: date) -> bool:
    """Whether the school lists the pupil no longer than the last day: the withdrawal was made, held or not."""
    return not pupil.live or withdrawn(_rows(pupil), hold.asked.last_day, hold.asked.unit, today)


def _rows(pupil: Pupil) -> tuple[Row, ...]:
    """The newest that schools told of the pupil."""
    return next((seen.rows for seen in reversed(pupil.observations) if seen.rows is not None), ())


def _listed(pupil: Pupil, today: date) -> bool:
    """Whether a school lists the pupil, though nothing was stated yet, or an end of duty says that it left."""
    return pupil.live and pupil.enrolled_until is not None and pupil.enrolled_until >= today


def _stands(hold: Hold) -> bool:
    return hold.state is HoldState.HELD


def _is_protected(pupil: Pupil) -> bool:
    return pupil.protected or pupil.route in SECRET_ROUTES
