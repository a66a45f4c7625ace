"""Each arrival makes a task: has the pupil been seen in school? An enrolment alone has fooled schools before.

An arrival is a presence that begins after what the baseline showed, or is said again after an end; whom a person has
seen since then is not asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import Presence
from node.casework.tasks.model import SEEN_SCHOOL_DAYS, About, TaskKind
from node.gaps import SECRET_ROUTES
from node.model import Saying, Statement, What
from node.store import Transaction
from node.store.pupils import Pupil
from node.store.tasks import New, Tasks

LOOKED_BACK = timedelta(days=60)
"""Whoever came before that was seen, or is missed by attendance."""


_SEEN = frozenset({What.MET, What.AFFIRM})


def arrival(statement: Statement, sayings: Iterable[Saying], today: date) -> Presence | None:
    """The presence that is an arrival to be seen; None where there is none, or somebody has seen the pupil since."""
    if not statement.moves or over(statement, sayings, today):
        return None
    newest = _in_force(statement, today)
    recent = newest is not None and newest.begins is not None and newest.begins >= today - LOOKED_BACK
    return newest if recent else None


def over(statement: Statement, sayings: Iterable[Saying], today: date) -> bool:
    """Whether nobody needs to be seen: no presence is in force, or a person has seen the pupil since it began."""
    newest = _in_force(statement, today)
    if newest is None:
        return True
    return newest.begins is not None and any(saying.what in _SEEN and saying.on >= newest.begins for saying in sayings)


def _in_force(statement: Statement, today: date) -> Presence | None:
    if not statement.in_force:
        return None
    return next((each for each in reversed(statement.presences) if each.in_force(today)), None)


class Arrivals:
    """Makes and drops the tasks of arrivals in the transaction that states them."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    def note(
        self,
        tx: Transaction,
        stated: Sequence[tuple[Pupil, Statement, Sequence[Saying]]],
        today: date,
        calendar: SchoolCalendar,
    ) -> None:
        """Ask about the arrivals among these statements, and no more about those that need not be seen."""
        gone = [pupil.pupil_id for pupil, statement, sayings in stated if over(statement, sayings, today)]
        self._tasks.drop_of(tx, gone, TaskKind.SEEN, today)
        found = [(pupil, arrival(statement, sayings, today)) for pupil, statement, sayings in stated]
        wanted = [
            New(
                TaskKind.SEEN,
                pupil.pupil_id + presence.begins.isoformat().encode(),
                About(presence.begins),
                calendar.nth_on_or_after(presence.begins, SEEN_SCHOOL_DAYS),
                pupil.pupil_id,
                pupil.protected or pupil.route in SECRET_ROUTES,
            )
            for pupil, presence in found
            if presence is not None and presence.begins is not None and not pupil.identity.drill
        ]
        self._tasks.ask(tx, wanted, today)
