"""What other members' immediate gaps ask of this one: has a person seen the pupil in school? (design §6, CONFIRM)

Invariant: a question stands until a person has said yes (`met`) or no (`no-show`, `gone`) on or after the day it was
asked, or until it is too old to matter; nothing that a school system shows answers it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from node.gaps import SECRET_ROUTES
from node.model import What
from node.store import Transaction
from node.store.notices import Notices
from node.store.pupils import Pupils
from node.store.sayings import Sayings

ASKED_DAYS = 60
"""How long a question is shown; days."""

_ANSWERS = frozenset({What.MET, What.NO_SHOW, What.GONE})


@dataclass(frozen=True, slots=True)
class Question:
    """A pupil of whom somebody asks, and since when."""

    person_id: str
    number: str
    name: str
    asked_on: date

    def __repr__(self) -> str:
        return f"Question(asked_on={self.asked_on})"


class Questions:
    """Finds the questions that stand."""

    def __init__(self, pupils: Pupils, notices: Notices, sayings: Sayings) -> None:
        self._pupils = pupils
        self._notices = notices
        self._sayings = sayings

    def standing(self, tx: Transaction, today: date, *, protected: bool) -> tuple[Question, ...]:
        """Oldest first. `protected`: those about pupils that the protected-identity role alone may see, as well."""
        asked = {
            pupil_id: asked_on
            for handle, asked_on in self._notices.asked(tx, today - timedelta(days=ASKED_DAYS)).items()
            if (pupil_id := self._pupils.by_handle(tx, handle)) is not None
        }
        said = self._sayings.standing(tx, asked)
        found = [
            Question(
                person_id=pupil.identity.person_id,
                number="" if pupil.identity.number is None else pupil.identity.number.number,
                name=pupil.identity.name,
                asked_on=asked[pupil_id],
            )
            for pupil_id, pupil in self._pupils.load_all(tx, asked).items()
            if (protected or not (pupil.protected or pupil.route in SECRET_ROUTES))
            and not pupil.identity.drill
            and not any(
                saying.what in _ANSWERS and saying.said_on >= asked[pupil_id] for saying in said.get(pupil_id, ())
            )
        ]
        return tuple(sorted(found, key=lambda question: (question.asked_on, question.person_id)))
