"""Further questions: paid for where they are asked, drawn by a worker, and answered the same for ever after.

Invariants
    - A question is paid for, within the asker's share of the year's reserve, in the transaction that writes it down;
      nothing is drawn before that is committed, and nothing ever while somebody waits.
    - Asked again, by whomever, it costs nothing and is answered what it was answered.
    - Nothing is asked anew of a year of which a question was paid for that the database does not hold (`outside`): what
      is left of its reserve is not known then. An answer that was given and is lost is not drawn anew.
    - Whether it is refused hangs on dates, coverage and what was spent, never on a child.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor, Reader
from federation.errors import Code, UppropError
from privacy import noise
from privacy.budget import PROFILES
from privacy.disclosure import Draw
from registry.statistics import counting, questions
from registry.statistics.catalogue import ReleaseKind
from registry.statistics.coverage import municipalities
from registry.statistics.model import Period, Spend
from registry.statistics.outside import Outside
from registry.statistics.questions import Posed, Question
from registry.store import Transaction, statistics_questions
from registry.store import statistics as store
from registry.store import statistics_budget as budget_store

LOOK_SECONDS = 10.0
"""How often the worker looks for questions, and after how long whoever asked one is told to ask again."""


class Asking:
    """Takes further questions and answers them."""

    def __init__(
        self,
        database: Database,
        descriptors: Callable[[], Descriptor],
        clock: Clock,
        draw: Draw = noise.gaussian,
        outside: Outside | None = None,
    ) -> None:
        self._database, self._descriptors, self._clock, self._draw = database, descriptors, clock, draw
        self._outside = outside or Outside()

    def ask(self, reader: Reader, question: Question) -> Posed:
        """The question as it stands, paid for and written down where it was not.

        Raises UppropError: BUDGET_EXHAUSTED; REQUEST_INVALID where the year's children are no longer kept, or silent.
        """
        standing = self._database.view(
            "statistics_question", functools.partial(_standing, reader=reader.name, query_id=question.query_id)
        )
        if standing is not None:
            return standing
        work = functools.partial(
            _pose, reader=reader, question=question, at=self._clock.now(), noted=self._outside.noted()
        )
        posed = self._database.run("statistics_ask", work)
        self._outside.note([question.spend_id])
        return posed

    def asked_by(self, reader: str) -> Sequence[tuple[Posed, datetime]]:
        """A reader's questions and when it asked them."""
        return self._database.view("statistics_asked", lambda tx: statistics_questions.asked_by(tx, reader))

    def answer_waiting(self) -> int:
        """Draw the answers that are waited for: for the worker. How many there were."""
        noted = self._outside.noted()
        asked = self._database.view("statistics_waiting", statistics_questions.waiting)
        # Answered before, and the database does not hold it: a second answer would be a second look.
        waiting = [query_id for query_id in asked if questions.answer_of(query_id) not in noted]
        for query_id in waiting:
            self._database.run("statistics_answer", functools.partial(self._answer, query_id=query_id))
            self._outside.note([questions.answer_of(query_id)])
        return len(waiting)

    def _answer(self, tx: Transaction, query_id: str) -> None:
        # Locked: another replica that came to it as well waits here, and finds it answered.
        posed = statistics_questions.posed(tx, query_id, lock=True)
        if posed is None or posed.answered_at is not None:
            return
        # Before it is counted: how long counting and drawing take tells of what is counted.
        at = self._clock.now()
        count = _count(tx, posed.question, self._descriptors())
        (value,) = self._draw([count], posed.nano_rho)
        statistics_questions.answer(tx, query_id, value, at)


def _standing(tx: Transaction, reader: str, query_id: str) -> Posed | None:
    """The question where it was asked, and by this reader too."""
    return statistics_questions.posed(tx, query_id) if statistics_questions.has_asked(tx, reader, query_id) else None


def _pose(tx: Transaction, reader: Reader, question: Question, at: datetime, noted: Collection[str]) -> Posed:
    posed = statistics_questions.posed(tx, question.query_id)
    if posed is None:
        posed = _pay(tx, reader, question, at, noted)
    statistics_questions.note_asking(tx, reader.name, question.query_id, at)
    return posed


def _pay(tx: Transaction, reader: Reader, question: Question, at: datetime, noted: Collection[str]) -> Posed:
    year = question.year
    release = store.release(tx, Period(ReleaseKind.YEAR, year).release_id)
    standing = budget_store.budget(tx, year, lock=True)
    if release is None or standing is None:
        raise UppropError(
            Code.REQUEST_INVALID,
            f"Further questions about {year} can be asked once the year is released. The list of releases says when.",
        )
    # Another question may have been the same one, while this transaction waited for the year's row.
    if (posed := statistics_questions.posed(tx, question.query_id)) is not None:
        return posed
    if store.release(tx, Period(ReleaseKind.CLOSED, year).release_id) is not None:
        raise UppropError(
            Code.REQUEST_INVALID,
            f"The last table of {year} is drawn, and its children are kept no longer: nothing new can be asked about "
            "them. What was asked before is still answered. Ask about a later year.",
        )
    question.refuse_silence(release.record.coverage.silent_municipalities)
    profile, spends = PROFILES[standing.profile], budget_store.spends(tx, year)
    questions.check_affordable(profile, spends, reader.role, reader.name, year)
    asked = {name for name in noted if name.startswith(questions.spends_of(year))}
    if asked - {each.spend_id for each in spends}:
        raise UppropError(
            Code.BUDGET_EXHAUSTED,
            f"What is left to be spent on further questions about {year} is not known: the registry was set back to an "
            "older copy. What it holds is still answered. Ask whoever runs it.",
        )
    spend = Spend(question.spend_id, year, profile.question_cost, at, reader.name, reader.role)
    if not budget_store.spend(tx, spend):
        raise UppropError(
            Code.BUDGET_EXHAUSTED,
            f"The privacy budget of {year} is spent. What is released, and what was asked before, is still answered.",
        )
    return statistics_questions.pose(tx, question, profile.question_cost, at)


def _count(tx: Transaction, question: Question, descriptor: Descriptor) -> int:
    """How many of the children that the year's release counted were first missed in these places and months."""
    period = Period(ReleaseKind.YEAR, question.year)
    rows = store.cases_of(tx, question.year)
    released = {row.child_year_id for row in rows if row.counted_in[ReleaseKind.YEAR] == period.release_id}
    uncounted = dict.fromkeys(ReleaseKind)
    again = [dataclasses.replace(row, counted_in=uncounted) for row in rows if row.child_year_id in released]
    children = counting.count(again, period, municipalities(descriptor.members)).children
    places, months = set(question.municipalities), set(question.months)
    return sum(child.municipality in places and child.month in months for child in children)
