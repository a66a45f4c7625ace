"""The retention round: after every close, portion by portion, what is due is taken away.

Invariants
    - A round goes by the newest finished close, and stands still while another close is being made.
    - Each portion is one transaction, which also says how far the round has come: stopped anywhere, it goes on there.
      Several replicas do a round together or one after the other, and never a portion twice.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor
from federation.observability import Event, Log
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import MemberId
from registry.observability import RegistryMetrics
from registry.retention.sweeps import SWEEPS, Grounds
from registry.store import Transaction, closes
from registry.store import retention as store
from registry.store.retention import Place

LOOK_SECONDS = 300.0
"""How often the daemon looks whether a round is due."""

PAUSE_SECONDS = 0.05
"""Between two portions: what members send meanwhile goes first."""

RETENTION_FINISHED = Event("retention_finished", ("closed_on", "seconds"))

Progress = Callable[[str], object]
"""Called with the step that was worked at."""


@dataclass(frozen=True, slots=True)
class Round:
    """The close it went by, None before the first; and step → whether anything was due."""

    closed_on: date | None
    due: Mapping[str, bool]


class Retention:
    """Takes away what has served its purpose."""

    def __init__(
        self,
        database: Database,
        descriptors: Callable[[], Descriptor],
        clock: Clock,
        metrics: RegistryMetrics,
        log: Log,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database, self._descriptors, self._clock = database, descriptors, clock
        self._metrics, self._log, self._pause = metrics, log, pause

    def run_if_due(self) -> None:
        """Begin the round after the newest close, or go on with it."""
        self._work(again=False)

    def run(self, progress: Progress | None = None) -> Round:
        """A round now, even if there was one after the newest close."""
        return self._work(again=True, progress=progress)

    def due(self) -> Round:
        """What a round would take away now. Changes nothing."""
        grounds = self._database.view("retention_grounds", self._grounds)
        due = {step: self._database.view("retention_due", functools.partial(self._is_due, step)) for step in SWEEPS}
        return Round(None if grounds is None else grounds.on, due)

    def _is_due(self, step: str, tx: Transaction) -> bool:
        grounds, after = self._grounds(tx), None
        while grounds is not None:
            swept = SWEEPS[step](tx, grounds, after, write=False)
            if swept.due or swept.rest is None:
                return swept.due > 0
            after = swept.rest
        return False

    def _work(self, *, again: bool, progress: Progress | None = None) -> Round:
        begun, taken = self._clock.monotonic(), dict.fromkeys(SWEEPS, False)
        on = self._database.run("retention_begin", functools.partial(self._begin, again=again))
        while (portion := self._database.run("retention", self._portion)) is not None:
            step, due, finished = portion
            taken[step] = taken[step] or due
            if progress is not None:
                progress(step)
            if finished is not None:
                self._metrics.last_retention.set(self._clock.now().timestamp())
                seconds = round(self._clock.monotonic() - begun, 3)
                self._log(RETENTION_FINISHED, closed_on=finished, seconds=seconds)
                break
            self._pause(PAUSE_SECONDS)
        return Round(on, taken)

    def _begin(self, tx: Transaction, *, again: bool) -> date | None:
        """Begin a round where one is due; the close that it goes by, if any."""
        grounds, before = self._grounds(tx), store.take_round(tx)
        if grounds is None:
            return None
        stands = before is not None and before.step is None
        if before is not None and stands and (again or before.closed_on is None or before.closed_on < grounds.on):
            store.write_round(tx, Place(grounds.on, next(iter(SWEEPS))))
        return grounds.on

    def _portion(self, tx: Transaction) -> tuple[str, bool, date | None] | None:
        """Work at the next portion: its step, whether anything was taken away, and the day of a round that ended.

        None where there is nothing to do, or somebody else does it.
        """
        store.keep_off_closes(tx)
        grounds, now = self._grounds(tx), store.take_round(tx)
        if grounds is None or now is None or now.step is None:
            return None
        swept = SWEEPS[now.step](tx, grounds, now.after, write=True)
        if swept.rest is not None:
            store.write_round(tx, replace(now, after=swept.rest))
            return now.step, swept.due > 0, None
        following = dict(itertools.pairwise(SWEEPS)).get(now.step)
        store.write_round(tx, Place(now.closed_on, following))
        return now.step, swept.due > 0, now.closed_on if following is None else None

    def _grounds(self, tx: Transaction) -> Grounds | None:
        """None before the first close has ended, and while one is being made."""
        begun, finished = closes.newest(tx, finished=False), closes.newest(tx, finished=True)
        if begun is None or finished is None or begun.working or begun.closed_on > finished.closed_on:
            return None
        descriptor = self._descriptors()
        plain = SchoolCalendar()

        def calendar(member: MemberId) -> SchoolCalendar:
            return descriptor.calendar(member) if descriptor.has_member(member) else plain

        return Grounds(finished.closed_on, descriptor.policy, calendar)
