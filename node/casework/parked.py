"""Signals that the registry did not take, with the pupils they are about: somebody has to look into each (design §4.4).

A parked version stays until the pupil's statement changes; the gap it would have stated is opened by this node itself,
since no notice comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.gaps import SECRET_ROUTES
from node.store import Transaction
from node.store.outbox import Outbox
from node.store.pupils import Pupils


@dataclass(frozen=True, slots=True)
class ParkedSignal:
    """One version not taken, and the code the registry gave."""

    person_id: str
    number: str
    name: str
    made_on: date
    code: str

    def __repr__(self) -> str:
        return f"ParkedSignal(code={self.code})"


class ParkedSignals:
    """Finds what is parked."""

    def __init__(self, pupils: Pupils, outbox: Outbox) -> None:
        self._pupils = pupils
        self._outbox = outbox

    def standing(self, tx: Transaction, *, protected: bool) -> tuple[ParkedSignal, ...]:
        """Oldest first. `protected`: those about pupils that the protected-identity role alone may see, as well."""
        parked = self._outbox.parked(tx)
        pupils = self._pupils.load_all(tx, (version.pupil_id for version in parked))
        return tuple(
            ParkedSignal(
                person_id=pupil.identity.person_id,
                number="" if pupil.identity.number is None else pupil.identity.number.number,
                name=pupil.identity.name,
                made_on=version.made_on,
                code=version.code,
            )
            for version in parked
            if (pupil := pupils.get(version.pupil_id)) is not None
            and (protected or not (pupil.protected or pupil.route in SECRET_ROUTES))
        )
