"""Leavings that wait because too many left one school unit on one import (design §5, Leaving).

More often than not a unit that empties at once is a mistake of the export. What waits is let through by a person, or by
imports that still say so after the waiting time; nothing is forgotten meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import Policy
from node.model import History, Observation, Row
from node.presence import statement, units_left
from node.records.intake import BULK_PUPILS, Leaving, bulk_leavings, covers, may_have_left
from node.store import Transaction
from node.store.imports import Held, Imports
from node.store.pupils import Pupils
from node.store.sayings import Sayings

Observations = Mapping[bytes, tuple[Observation, ...]]
"""pupil_id → observations, oldest first."""


class Leavings:
    """Holds and releases; every method works on the connection of the caller's transaction."""

    def __init__(self, pupils: Pupils, imports: Imports, sayings: Sayings) -> None:
        self._pupils = pupils
        self._imports = imports
        self._sayings = sayings

    def release(self, tx: Transaction, as_of: date, calendar: SchoolCalendar, *, confirm: bool) -> None:
        """Let through what a person confirms, and what the import of `as_of` still says after the waiting time."""
        released = False
        for held in self._imports.held(tx):
            if held.released_on is not None:
                continue
            if confirm or calendar.count(held.as_of, as_of) >= held.wait_school_days:
                self._imports.release(tx, held, as_of)
                released = True
        if released:
            # Which pupils' leavings waited is known to their histories alone.
            self._pupils.mark_all_dirty(tx)

    def hold(
        self,
        tx: Transaction,
        as_of: date,
        policy: Policy,
        calendar: SchoolCalendar,
        *,
        moved: Observations,
        before: Observations,
        unchanged: Mapping[bytes, Sequence[Row]],
    ) -> None:
        """Find the units that too many leave on the import of `as_of`, which is written already.

        `moved` are the pupils whose record changed, as they stand now; `before` the earlier observations of those among
        them that were known; `unchanged` the rows of the others: their days may have run out since the last import.
        """
        facts = self._imports.facts(tx)
        assert facts is not None
        last = max((day for day in facts.imports if day < as_of), default=None)
        if last is None:
            # The baseline has nothing to compare with: what it shows of the summer is told as it stands.
            return
        candidates = {pupil_id for pupil_id, seen in moved.items() if not _covered(seen[-1].rows, as_of, policy)}
        candidates |= {pupil_id for pupil_id, rows in unchanged.items() if may_have_left(rows, last, as_of, calendar)}
        if len(candidates) <= BULK_PUPILS:
            return
        observations = dict(moved)
        observations.update(
            (pupil_id, pupil.observations)
            for pupil_id, pupil in self._pupils.load_all(tx, candidates - moved.keys()).items()
        )
        sayings = self._sayings.standing(tx, candidates)
        # Whether others wait is no matter here: what was held once is not held again on its release.
        facts = replace(facts, held=())
        leavings: dict[bytes, Leaving] = {}
        for pupil_id in candidates:
            history = History(observations[pupil_id], sayings.get(pupil_id, ()))
            units = units_left(history, facts, as_of, last, policy, calendar)
            if units:
                opening = statement(history, facts, as_of, policy, calendar).opening
                assert opening is not None
                leavings[pupil_id] = Leaving(units, opening.since)
        if len(leavings) <= BULK_PUPILS:
            return
        rosters = [*unchanged.values(), *(_rows_on(seen, last) for seen in before.values())]
        sizes = _sizes(rosters, last, policy)
        settled = {(held.as_of, held.unit) for held in self._imports.held(tx) if held.released_on is not None}
        for bulk in bulk_leavings(leavings.values(), sizes, calendar):
            if (as_of, bulk.unit) not in settled:
                self._imports.hold(tx, Held(as_of, bulk.unit, bulk.pupils, bulk.wait_school_days))
        self._pupils.mark_dirty(tx, leavings)


def _covered(rows: Sequence[Row] | None, day: date, policy: Policy) -> bool:
    return any(covers(row, day, policy) for row in rows or ())


def _rows_on(seen: Sequence[Observation], day: date) -> Sequence[Row]:
    newest = next((observation for observation in reversed(seen) if observation.as_of <= day), None)
    return newest.rows or () if newest is not None else ()


def _sizes(rosters: Iterable[Sequence[Row]], day: date, policy: Policy) -> Counter[str]:
    """Pupils of each school unit on a day."""
    sizes: Counter[str] = Counter()
    for rows in rosters:
        sizes.update({row.unit for row in rows if covers(row, day, policy)})
    return sizes
