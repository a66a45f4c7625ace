"""What other members' signals ask of this one (design §6): CONFIRM, OVERLAP and ROLL_CALL.

    CONFIRM    an immediate gap that this member's presence would answer: has a person seen the pupil in school?
    OVERLAP    another member has said for long that it has the pupil too: is the pupil still here?
    ROLL_CALL  another member misses a pupil who is enrolled here since before that member's own begin: really here?

Invariants: a CONFIRM stands until a person has said yes (`met`) or no (`no-show`, `gone`) on or after the day it was
asked, or until it is too old to matter; nothing that a school system shows answers it. An OVERLAP stands until a person
has said so or `affirm`, or the enrolment has ended: it has no age, since a row that nobody closes has none. A ROLL_CALL
stands while the registry's newest list calls the pupil, until a person has said `affirm` or no; unanswered, nothing is
stated.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from federation.rules.vocabulary import NoticeKind
from node.gaps import SECRET_ROUTES
from node.model import Saying, What
from node.store import Transaction
from node.store.notices import Notices
from node.store.pupils import Pupil, Pupils
from node.store.roll_call import RollCalls
from node.store.sayings import Sayings

ASKED_DAYS = 60
"""How long a CONFIRM is shown; days."""


class Asks(enum.StrEnum):
    """What is asked."""

    CONFIRM = "CONFIRM"
    OVERLAP = "OVERLAP"
    ROLL_CALL = "ROLL_CALL"


_ANSWERS = {
    Asks.CONFIRM: frozenset({What.MET, What.NO_SHOW, What.GONE}),
    Asks.OVERLAP: frozenset({What.AFFIRM, What.MET, What.NO_SHOW, What.GONE}),
    # A pupil who was met is not said to be in force anew: `affirm` alone is.
    Asks.ROLL_CALL: frozenset({What.AFFIRM, What.NO_SHOW, What.GONE}),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A pupil of whom somebody asks, what, and since when."""

    person_id: str
    number: str
    name: str
    asks: Asks
    asked_on: date
    pupil_id: bytes = b""
    protected: bool = False

    def __repr__(self) -> str:
        return f"Question(asks={self.asks.value}, asked_on={self.asked_on})"


class Questions:
    """Finds the questions that stand."""

    def __init__(self, pupils: Pupils, notices: Notices, sayings: Sayings) -> None:
        self._pupils = pupils
        self._notices = notices
        self._sayings = sayings
        self._calls = RollCalls()

    def standing(self, tx: Transaction, today: date, *, protected: bool) -> tuple[Question, ...]:
        """Oldest first. `protected`: those about pupils that the protected-identity role alone may see, as well."""
        asked = [
            (pupil_id, Asks(kind.value), asked_on)
            for kind, since in (
                (NoticeKind.CONFIRM, today - timedelta(days=ASKED_DAYS)),
                (NoticeKind.OVERLAP, date.min),
            )
            for handle, asked_on in self._notices.asked(tx, kind, since).items()
            if (pupil_id := self._pupils.by_handle(tx, handle)) is not None
        ]
        asked += [(pupil_id, Asks.ROLL_CALL, called_on) for pupil_id, called_on in self._calls.asked(tx).items()]
        pupil_ids = {pupil_id for pupil_id, _, _ in asked}
        said = self._sayings.standing(tx, pupil_ids)
        pupils = self._pupils.load_all(tx, pupil_ids)
        found = [
            Question(
                person_id=pupil.identity.person_id,
                number="" if pupil.identity.number is None else pupil.identity.number.number,
                name=pupil.identity.name,
                asks=asks,
                asked_on=asked_on,
                pupil_id=pupil_id,
                protected=pupil.protected or pupil.route in SECRET_ROUTES,
            )
            for pupil_id, asks, asked_on in asked
            if (pupil := pupils.get(pupil_id)) is not None
            and (protected or not (pupil.protected or pupil.route in SECRET_ROUTES))
            and not pupil.identity.drill
            and not _answered(asks, asked_on, pupil, said.get(pupil_id, ()))
        ]
        return tuple(sorted(found, key=lambda question: (question.asked_on, question.person_id, question.asks)))


def _answered(asks: Asks, asked_on: date, pupil: Pupil, said: Sequence[Saying]) -> bool:
    if asks is not Asks.CONFIRM and not pupil.in_roster:
        return True
    return any(saying.what in _ANSWERS[asks] and saying.said_on >= asked_on for saying in said)
