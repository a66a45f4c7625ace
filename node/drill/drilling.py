"""Drills at work: making the test pupil, looking how far it has come, taking it back.

Invariants
    - The test pupil goes the ordinary way: the sync that sends and fetches for every pupil does so for this one too.
    - Whatever becomes of a drill, its pupil is taken back: by retraction where anything was said of it.
    - All that one look changes is written in one transaction; a look that finds nothing new writes nothing.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Log
from federation.rules.calendar import SchoolCalendar
from federation.rules.matching import coverage_incomplete
from federation.rules.vocabulary import HANDLE_BYTES, MemberId, Policy
from node.drill import steps
from node.drill.observability import DRILL_BEGUN, DRILL_FAILED, DRILL_PASSED, DRILL_STEP, DrillMetrics
from node.drill.pupil import SAID_BY, random_number
from node.drill.schedule import is_due
from node.drill.steps import Done, Drill, Sight, State, Step
from node.identity import Identity, Route
from node.model import What
from node.store import Transaction
from node.store.drills import Drills
from node.store.gaps import Gaps
from node.store.imports import Imports
from node.store.notices import Notices
from node.store.outbox import Outbox, VersionState
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import PUPIL_ID_BYTES, Pupil, Pupils
from node.store.sayings import SayingContent, Sayings, SayingState
from node.store.sealing import Sealer
from privacy.identifiers import NumberKind, Sound

TRIES = 100
"""Numbers looked at for one that nobody bears; in a store of test pupils alone some are taken."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A drill, the step it waits for, and the day of that step."""

    drill: Drill
    awaited: Step | None = None
    expected_on: date | None = None


class Drilling:
    """The node's drills. `rules` gives the federation's policy and this member's calendar as they stand now."""

    def __init__(
        self,
        *,
        database: Database,
        sealer: Sealer,
        member: MemberId,
        rules: Callable[[], tuple[Policy, SchoolCalendar]],
        clock: Clock,
        metrics: DrillMetrics,
        log: Log,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        below: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._database = database
        self._member = member
        self._rules = rules
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._random_bytes = random_bytes
        self._below = below
        self._drills = Drills()
        self._pupils = Pupils(sealer)
        self._sayings = Sayings(sealer)
        self._imports = Imports(sealer)
        self._outbox = Outbox(sealer)
        self._pseudonyms = Pseudonyms(sealer)
        self._notices = Notices()
        self._gaps = Gaps(self._pupils)
        self._one_at_a_time = threading.Lock()

    # -- beginning --------------------------------------------------------------------------------------------------

    def begin(self) -> int:
        """Begin a drill, or find the one that runs; returns its id. Raises UppropError(INPUT_REFUSED)."""
        today = self._clock.today()
        made = Done(today, self._clock.now())
        # The schedule and a person may ask at once: the second finds what the first has begun.
        with self._one_at_a_time:
            drill, new = self._database.run("node_drill_begin", lambda tx: self._begin(tx, made))
        if new:
            self._log(DRILL_BEGUN, drill=drill.drill_id)
            self.show_last()
        return drill.drill_id

    def begin_if_due(self, every: int) -> None:
        """Begin the drill of this round of `every` days, if its day has come. For the node's own schedule."""
        today = self._clock.today()

        def due(tx: Transaction) -> bool:
            facts, newest = self._imports.facts(tx), self._drills.newest(tx)
            if facts is None or (newest is not None and newest.state is State.RUNNING):
                return False
            last_begun = None if newest is None else newest.steps[Step.MADE].on
            return is_due(self._member, every, today, baseline=facts.baseline, last_begun=last_begun)

        if self._database.view("node_drill_due", due):
            self.begin()

    def _begin(self, tx: Transaction, made: Done) -> tuple[Drill, bool]:
        running = self._drills.running(tx)
        if running is not None:
            return running, False
        if self._imports.newest(tx) is None:
            raise UppropError(
                Code.INPUT_REFUSED, "Nothing has been imported yet. Import an export first: upprop node import --help."
            )
        pupil = Pupil(
            pupil_id=self._random_bytes(PUPIL_ID_BYTES),
            handle=self._random_bytes(HANDLE_BYTES),
            identity=Identity(person_ids=(), numbers=(self._free_number(tx, made.on),)),
            observations=(),
            route=Route.REGISTRY,
        )
        self._pupils.add(tx, [pupil])
        for what in (What.NOT_PLACED, What.URGENT):
            self._say(tx, pupil.pupil_id, what, made.on)
        return self._drills.begin(tx, pupil.pupil_id, pupil.handle, made), True

    def _free_number(self, tx: Transaction, today: date) -> Sound:
        """A test number that no pupil of this store bears and no drill has borne."""
        for _ in range(TRIES):
            number = random_number(today, self._below)
            taken = [
                self._pupils.number_index(replace(number, kind=kind))
                for kind in (NumberKind.DRILL, NumberKind.PERSONNUMMER)
            ]
            if not self._pupils.by_numbers(tx, taken):
                return number
        raise UppropError(Code.INPUT_REFUSED, "Test pupils of this store bear all test numbers. Drill on another node.")

    def _say(self, tx: Transaction, pupil_id: bytes, what: What, on: date) -> None:
        content = SayingContent(what.value, on, SAID_BY, reviewed_by=SAID_BY)
        self._sayings.add(tx, pupil_id, content, on, SayingState.STANDING)

    # -- carrying on ------------------------------------------------------------------------------------------------

    def carry_on(self, *, heard: bool) -> None:
        """Look how far the running drill has come; for the end of every sync.

        `heard`: all notices there are have been fetched, so that what is not among them was not said.
        """
        done, drill = self._database.run("node_drill_look", lambda tx: self._look(tx, heard=heard))
        if drill is None:
            return
        for step, detail in done.items():
            self._log(DRILL_STEP, drill=drill.drill_id, step=step, detail=detail)
        if drill.failure is not None:
            failure = drill.failure
            self._log(DRILL_FAILED, drill=drill.drill_id, step=failure.step, fault=failure.fault, code=failure.code)
        elif drill.state is State.PASSED:
            self._log(DRILL_PASSED, drill=drill.drill_id)
        if drill.state is not State.RUNNING:
            self.show_last()

    def _look(self, tx: Transaction, *, heard: bool) -> tuple[dict[Step, str], Drill | None]:
        """The steps that were newly done, and the drill as it stands after them; None where none runs."""
        drill = self._drills.running(tx)
        if drill is None:
            return {}, None
        today, now = self._clock.today(), self._clock.now()
        sight = self._sight(tx, drill, today)
        new = steps.reached(drill, sight)
        done = {step: Done(today, now, detail) for step, detail in new.items()}
        self._drills.done(tx, drill.drill_id, done)
        drill = replace(drill, steps={**drill.steps, **done})
        failure = steps.failure(drill, sight if heard else replace(sight, closed_on=None), today)
        if Step.OPENED in new or (failure is not None and Step.OPENED not in drill.steps):
            self._take_back(tx, drill, today)
        if failure is not None or steps.awaited(drill) is None:
            state = State.PASSED if failure is None else State.FAILED
            self._drills.end(tx, drill.drill_id, now, failure)
            drill = replace(drill, state=state, ended_at=now, failure=failure)
        return new, drill

    def _sight(self, tx: Transaction, drill: Drill, today: date) -> Sight:
        made = self._outbox.made(tx, drill.handle)
        taken = [each for each in made if each.state is VersionState.ACKNOWLEDGED]
        named = {ref for each in made for ref in each.version.carries}
        known = self._pseudonyms.made_by(tx, named)
        gap = next(iter(self._gaps.of_handles(tx, [drill.handle]).get(drill.handle, ())), None)
        registry = self._notices.state(tx)
        return Sight(
            evaluators=_evaluators(known.values()) if named and len(known) == len(named) else None,
            accepted=any(not each.version.signal.retracted for each in taken),
            taken_back=any(each.version.signal.retracted for each in taken),
            refused=next((each.code for each in made if each.state is VersionState.PARKED), None),
            roster=self._roster(tx, registry.roster_reported_as_of, today),
            verdict=None if gap is None else gap.verdict,
            verdict_on=None if gap is None else gap.verdict_on,
            closed_on=registry.closed_on,
        )

    def _roster(self, tx: Transaction, reported: date | None, today: date) -> date | None:
        """As-of of the rosters, if the registry knows it and does not count this member among the silent."""
        as_of = self._imports.current_as_of(tx)
        if as_of is None or reported is None or reported < as_of:
            return None
        policy, calendar = self._rules()
        contact = {self._member: as_of}
        silent = coverage_incomplete(contact, [self._member], today, policy, lambda _member: calendar)
        return None if silent else as_of

    def _take_back(self, tx: Transaction, drill: Drill, today: date) -> None:
        """The pupil is found, so that no gap of it is stated any more, and the handle it was spoken of by retires."""
        pupil = self._pupils.load(tx, drill.pupil_id)
        self._say(tx, pupil.pupil_id, What.FOUND, max(today, drill.steps[Step.MADE].on))
        self._pupils.replace_handle(tx, pupil, self._random_bytes(HANDLE_BYTES), today)

    # -- looking ----------------------------------------------------------------------------------------------------

    def shown(self, drill_id: int | None = None) -> Shown:
        """A drill, or the newest; UppropError(INPUT_REFUSED) where there is none."""

        def work(tx: Transaction) -> Shown | None:
            drill = self._drills.newest(tx) if drill_id is None else self._drills.load(tx, drill_id)
            if drill is None:
                return None
            awaited = steps.awaited(drill)
            closed_on = self._notices.state(tx).closed_on
            return Shown(drill, awaited, None if awaited is None else steps.expected_on(drill, awaited, closed_on))

        found = self._database.view("node_drill_shown", work)
        if found is None:
            raise UppropError(Code.INPUT_REFUSED, "No drill has been begun yet. Begin one: upprop node drill.")
        return found

    def show_last(self) -> None:
        """Show in the metrics how drills stand: at start, and after each change."""

        def work(tx: Transaction) -> tuple[Drill | None, Drill | None, Drill | None]:
            of_state = (State.RUNNING, State.PASSED, State.FAILED)
            running, passed, failed = (self._drills.newest(tx, state) for state in of_state)
            return running, passed, failed

        running, passed, failed = self._database.view("node_drill_last", work)
        self._metrics.running.set(running is not None)
        if passed is not None and passed.ended_at is not None:
            self._metrics.last_success.set(passed.ended_at.timestamp())
        last_passed = 0 if passed is None else passed.drill_id
        self._metrics.failed.set(failed is not None and failed.drill_id > last_passed)


def _evaluators(made_by: Iterable[str]) -> str:
    """All evaluators of several pseudonyms, as 1,2."""
    return ",".join(sorted({index for each in made_by for index in each.split(",") if index}, key=int))
