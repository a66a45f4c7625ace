"""Leavings that wait because too many left one school unit on one import (design §5, Leaving).

More often than not a unit that empties at once is a mistake of the export. What waits is let through by a person, or by
imports that still say so after the waiting time; nothing is forgotten meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import date

from node.model import History, Observation, Row
from node.presence import statement, units_left
from node.records.intake import BULK_PUPILS, Leaving, bulk_leavings
from node.records.scanning import Order
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

    def waiting(self, tx: Transaction, system: str) -> tuple[Held, ...]:
        """What imports of a school system, or a person with one of them, may let through.

        A school system that is no more says nothing again: there the imports of the others speak in its place.
        """
        spoken_for = {name for name, newest in self._imports.newest_of_each(tx).items() if newest.retired} | {system}
        return tuple(held for held in self._imports.held(tx) if held.released_on is None and held.system in spoken_for)

    def release(self, tx: Transaction, order: Order) -> None:
        """Let through what a person confirms, and what this import of the same school system still says in time."""
        released = False
        for held in self.waiting(tx, order.system):
            if order.confirm_leavings or order.calendar.count(held.as_of, order.seen_on) >= held.wait_school_days:
                self._imports.release(tx, held, order.seen_on)
                released = True
        if released:
            # Which pupils' leavings waited is known to their histories alone.
            self._pupils.mark_all_dirty(tx)

    def hold(
        self,
        tx: Transaction,
        order: Order,
        last: date,
        moved: Observations,
        others: Set[bytes],
        sizes: Mapping[str, int],
    ) -> None:
        """Find the units that too many leave on this import, which is written already.

        `last` is the day of the import before; a baseline has none to compare with: what it shows of the summer is told
        as it stands. `moved` are the pupils whose records changed and no longer cover the day, as they stand now,
        `others` further ones who may have left since `last`, `sizes` the pupils of each unit then.
        """
        candidates = moved.keys() | others
        if len(candidates) <= BULK_PUPILS:
            return
        leavings = self._leavings(tx, order, last, moved, candidates)
        if len(leavings) <= BULK_PUPILS:
            return
        settled = {(held.as_of, held.unit) for held in self._imports.held(tx) if held.released_on is not None}
        for bulk in bulk_leavings(leavings.values(), sizes, order.calendar):
            if (order.seen_on, bulk.unit) not in settled:
                held = Held(order.seen_on, bulk.unit, bulk.pupils, bulk.wait_school_days, system=order.system)
                self._imports.hold(tx, held)
        self._pupils.mark_dirty(tx, leavings)

    def _leavings(
        self, tx: Transaction, order: Order, last: date, moved: Observations, candidates: Set[bytes]
    ) -> dict[bytes, Leaving]:
        facts = self._imports.facts(tx)
        assert facts is not None
        # Whether others wait is no matter here: what was held once is not held again on its release.
        facts = replace(facts, held=())
        observations = dict(moved)
        observations.update(
            (pupil_id, pupil.observations)
            for pupil_id, pupil in self._pupils.load_all(tx, candidates - moved.keys()).items()
        )
        sayings = self._sayings.standing(tx, candidates)
        found: dict[bytes, Leaving] = {}
        for pupil_id, seen in observations.items():
            history = History(seen, sayings.get(pupil_id, ()))
            units = units_left(history, facts, order.seen_on, last, order.policy, order.calendar)
            if units:
                opening = statement(history, facts, order.seen_on, order.policy, order.calendar).opening
                assert opening is not None
                found[pupil_id] = Leaving(units, opening.since)
        return found


def rows_on(seen: Sequence[Observation], day: date) -> Sequence[Row]:
    """The rows that the newest observation up to a day shows."""
    newest = next((observation for observation in reversed(seen) if observation.as_of <= day), None)
    return newest.rows or () if newest is not None and newest.rows is not None else ()
