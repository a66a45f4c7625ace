"""Explaining one pupil: all that the store knows of the pupil, read at once, and made into an explanation.

Invariant: of a pupil whom the protected-identity role alone may see, the answer to anybody else is that to a person who
does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import Policy
from node.casework.persons import find_person
from node.explain.explaining import Explanation, Known, explain
from node.explain.findings import Finding
from node.explain.outcome import Hearing, Told
from node.gaps import SECRET_ROUTES
from node.identity import Identity
from node.model import History, ImportFacts, Row
from node.store import Transaction
from node.store.gaps import Gaps
from node.store.imports import Imports
from node.store.notices import Notices
from node.store.outbox import Made, Outbox
from node.store.pupils import Pupil, Pupils
from node.store.records import Records
from node.store.roll_call import RollCalls
from node.store.sayings import Sayings
from node.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Explained:
    """Who the pupil is, and the explanation as of a day."""

    identity: Identity
    as_of: date
    explanation: Explanation

    def __repr__(self) -> str:
        return f"Explained(as_of={self.as_of})"


class Explainer:
    """Explains pupils. `rules` gives policy and calendar as they stand now, `first_steps` how a case file begins."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        rules: Callable[[], tuple[Policy, SchoolCalendar]],
        first_steps: Callable[[], Sequence[Finding]],
        clock: Clock,
    ) -> None:
        self._database = database
        self._rules = rules
        self._first_steps = first_steps
        self._clock = clock
        self._pupils = Pupils(sealer)
        self._records = Records(sealer)
        self._imports = Imports(sealer)
        self._sayings = Sayings(sealer)
        self._outbox = Outbox(sealer)
        self._notices = Notices()
        self._gaps = Gaps(self._pupils)
        self._calls = RollCalls()

    def explain(self, person: str, *, protected: bool) -> Explained:
        """Why the pupil with this national number or school-system id is, or is not, a gap today.

        `protected`: also of those whom the protected-identity role alone may see. UppropError(INPUT_REFUSED) where
        nobody is known by it, or the pupil is not the asker's to see.
        """
        today, (policy, calendar) = self._clock.today(), self._rules()

        def read(tx: Transaction) -> tuple[Identity, Known] | None:
            pupil_id = find_person(tx, person, today, self._pupils, self._imports)
            facts = self._imports.facts(tx)
            if pupil_id is None:
                return None
            pupil = self._pupils.load(tx, pupil_id)
            hidden = pupil.protected or pupil.route in SECRET_ROUTES
            if pupil.identity.drill or (hidden and not protected):
                return None
            # A resident may be known by a word alone, before the first import.
            return pupil.identity, self._known(tx, pupil, facts or ImportFacts(today, ()), today, calendar)

        found = self._database.view("node_explain", read)
        if found is None:
            raise UppropError(
                Code.INPUT_REFUSED,
                "No such pupil is known here, or the pupil is not yours to see. Check the number or id, or import; for "
                "the protected-identity role: --protected.",
            )
        identity, known = found
        explanation = explain(known, today=today, policy=policy, calendar=calendar, first_steps=self._first_steps())
        return Explained(identity, today, explanation)

    def _known(self, tx: Transaction, pupil: Pupil, facts: ImportFacts, today: date, calendar: SchoolCalendar) -> Known:
        of_pupil = [pupil.pupil_id]
        handles = [*self._pupils.retired(tx, of_pupil), pupil.handle]
        gaps = self._gaps.of_handles(tx, handles)
        return Known(
            history=History(
                pupil.observations,
                self._sayings.standing(tx, of_pupil).get(pupil.pupil_id, ()),
                self._calls.calls(tx, of_pupil).get(pupil.pupil_id, ()),
            ),
            facts=facts,
            route=pupil.route,
            systems=self._systems(tx, pupil.pupil_id),
            units=self._records.units(tx),
            said=self._sayings.waiting_of(tx, of_pupil).get(pupil.pupil_id, ()),
            wait_school_days={(held.as_of, held.unit): held.wait_school_days for held in self._imports.held(tx)},
            versions=tuple(_told(made) for made in self._outbox.made_of(tx, pupil.pupil_id)),
            gaps=tuple(gap for handle in handles for gap in gaps.get(handle, ())),
            hearing=Hearing(
                self._notices.of_handles(tx, handles),
                self._notices.state(tx).closed_on,
                self._notices.failed_day(tx, today, calendar.is_school_day),
            ),
        )

    def _systems(self, tx: Transaction, pupil_id: bytes) -> dict[str, tuple[Row, ...]]:
        rows: dict[str, tuple[Row, ...]] = {}
        for stored in self._records.of_pupils(tx, [pupil_id]).get(pupil_id, ()):
            rows[stored.system] = (*rows.get(stored.system, ()), *stored.record.rows)
        return rows


def _told(made: Made) -> Told:
    signal = made.version.signal
    return Told(
        version=signal.version,
        made_on=made.made_on,
        state=made.state.value,
        code=made.code or "",
        since=None if signal.opening is None else signal.opening.since,
        retracted=signal.retracted,
    )
