"""What a reader of the statistics is answered: tables, documents, releases, budgets; and what was answered, kept.

Invariants
    - Answers are made of what was released, or of a further question's one drawn value. Nothing is counted or drawn
      where a reader waits, and nothing that tells of single children is read.
    - A released table gives the same bytes for the same question. What was rendered is kept until something new is
      released: `LOOK_SECONDS` after that at the latest, every replica answers with it.
    - Readers of the role public are answered at the level public alone.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor, Reader
from federation.errors import Code, UppropError
from federation.web.i18n import Language
from privacy import noise
from privacy.budget import PROFILES
from registry.statistics import answers, calendar, delimited, jsonstat, kept, labels, notes, questions, sums, workbook
from registry.statistics.answers import Shelf
from registry.statistics.asking import LOOK_SECONDS as ANSWER_SECONDS
from registry.statistics.asking import Asking
from registry.statistics.catalogue import TABLES, DimensionId, Measure, ReleaseKind, Table, TableId
from registry.statistics.cube import Cube
from registry.statistics.kept import Kept
from registry.statistics.model import Budget, Period, Spend
from registry.statistics.questions import Question
from registry.statistics.reading import (
    Asked,
    Document,
    Format,
    Level,
    Pending,
    Releases,
    Selection,
    TableInfo,
    TableSummary,
    Upcoming,
    YearBudget,
)
from registry.statistics.reading import Release as ListedRelease
from registry.statistics.reading import Spend as ListedSpend
from registry.statistics.selecting import Askable, askable, described, select, table_named, time_code
from registry.store import Transaction
from registry.store import statistics as store
from registry.store import statistics_budget as budget_store

LOOK_SECONDS = 1.0
"""How old the list of releases may be that answers are made from."""

_Question = tuple[str, tuple[Selection, ...], Level, Format, Language]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Looked:
    """The releases as they were at a time."""

    shelf: Shelf
    drawn: frozenset[str]
    at: float


class Desk:
    """Answers readers. Safe to use from several threads."""

    def __init__(
        self,
        database: Database,
        asking: Asking,
        descriptors: Callable[[], Descriptor],
        clock: Clock,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        max_bytes: int = kept.MAX_BYTES,
    ) -> None:
        self._database, self._asking, self._descriptors, self._clock = database, asking, descriptors, clock
        self._monotonic = monotonic
        self._looking = threading.Lock()
        self._looked: _Looked | None = None
        self._kept: Kept[Document] = Kept(max_bytes)

    # -- tables --------------------------------------------------------------------------------------------------------

    def tables(self, reader: Reader, language: Language) -> tuple[TableSummary, ...]:
        """The catalogue, as far as the reader may ask it."""
        shelf = self._shelf()
        return tuple(_summary(shelf, table, language) for table in TABLES.values() if _open_to(table, reader))

    def table(self, reader: Reader, table_id: str, language: Language) -> TableInfo:
        """Raises UppropError: REQUEST_INVALID, METHOD_FORBIDDEN."""
        shelf, table = self._shelf(), table_named(table_id)
        if not _open_to(table, reader):
            raise _forbidden()
        profile = PROFILES[self._descriptors().policy.statistics]
        own = table.table_id is TableId.OWN_SELECTION
        nano_rho, cap = profile.question_cost if own else profile.cost(table.table_id), profile.cap_nano_rho
        newest = list(shelf.held.get(table.table_id, {}).values())[-1:]
        for held in newest:
            # What was released may have been under another profile than the one that counts from the next year on.
            nano_rho, cap = held.scale.nano_rho, shelf.caps[held.release.period.year]
        return TableInfo(
            summary=_summary(shelf, table, language),
            dimensions=described(_askable(shelf, table), language),
            unit=labels.unit(language),
            mechanism=noise.MECHANISM,
            nano_rho=nano_rho,
            notes=tuple(notes.of_table(table.table_id, nano_rho, cap, language)),
        )

    def data(
        self,
        reader: Reader,
        table_id: str,
        selections: tuple[Selection, ...],
        level: Level,
        form: Format,
        language: Language,
    ) -> Document | Pending:
        """Cells of a table. Raises UppropError: REQUEST_INVALID, METHOD_FORBIDDEN, BUDGET_EXHAUSTED."""
        if level not in (Level.PUBLIC, Level.of_role(reader.role)):
            raise _forbidden()
        table = table_named(table_id)
        if table.table_id is TableId.OWN_SELECTION:
            return self._own(reader, table, selections, level, form, language)
        question = (table.table_id.value, selections, level, form, language)
        shelf = self._shelf()
        if (standing := self._kept.find(shelf, question)) is not None:
            return standing
        shelf, cube = self._newest(
            shelf,
            lambda shelf: answers.build(shelf, (it := _askable(shelf, table)), select(it, selections), level, language),
        )
        document = _document(cube, form, language)
        self._kept.keep(shelf, question, document, _size(question, document))
        return document

    # -- releases and budgets ------------------------------------------------------------------------------------------

    def releases(self) -> Releases:
        known = self._database.view("statistics_known", store.known)
        shelf = self._shelf(seconds=0)
        return Releases(
            tuple(
                ListedRelease(
                    release_id=each.release_id,
                    kind=each.period.kind,
                    period=each.period.text,
                    drawn_on=each.drawn_on,
                    table_ids=tuple(table.value for table in each.period.tables),
                    mechanism=each.record.mechanism,
                    library=each.record.library,
                    profile=each.record.profile,
                    current_members=each.record.coverage.current_members,
                    silent=each.record.coverage.silent_municipalities,
                )
                for each in shelf.releases
            ),
            tuple(
                Upcoming(period.kind, period.text, calendar.due_on(period))
                for period in calendar.upcoming(
                    known, self._clock.today(), {each.release_id for each in shelf.releases}
                )
            ),
        )

    def budget(self, reader: Reader) -> tuple[YearBudget, ...]:
        """Year by year. Which question a sum was spent on is told to whoever may ask questions."""
        found = self._database.view("statistics_budget", _budgets)
        return tuple(
            YearBudget(
                year=each.year,
                profile=each.profile,
                cap_nano_rho=each.cap_nano_rho,
                spent_nano_rho=each.spent_nano_rho,
                spends=tuple(
                    ListedSpend(_purpose(spend, reader), spend.nano_rho, spend.spent_at.date()) for spend in spends
                ),
                role_left_nano_rho=left.role,
                caller_left_nano_rho=left.reader,
            )
            for each, spends in found
            for left in (questions.left(PROFILES[each.profile], spends, reader.role, reader.name),)
        )

    def asked(self, reader: Reader) -> tuple[Asked, ...]:
        """The reader's further questions, oldest first."""
        return tuple(
            Asked(
                query_id=posed.question.query_id,
                table_id=TableId.OWN_SELECTION.value,
                selections=tuple(Selection(name.value, codes) for name, codes in posed.question.codes.items()),
                asked_on=asked_at.date(),
                nano_rho=posed.nano_rho,
                answered=posed.answered_at is not None,
            )
            for posed, asked_at in self._asking.asked_by(reader.name)
        )

    # -- further questions ---------------------------------------------------------------------------------------------

    def _own(
        self,
        reader: Reader,
        table: Table,
        selections: tuple[Selection, ...],
        level: Level,
        form: Format,
        language: Language,
    ) -> Document | Pending:
        if not _open_to(table, reader):
            raise _forbidden()
        if level is not Level.AUTHORITY:
            raise UppropError(
                Code.REQUEST_INVALID, f"{table.table_id} is answered at the level authority alone. Ask for that level."
            )
        shelf, (question, measures) = self._newest(self._shelf(), lambda shelf: _posed(shelf, table, selections))
        posed = self._asking.ask(reader, question)
        if posed.answered_at is None:
            return Pending(question.query_id, round(ANSWER_SECONDS))
        release = next(each for each in shelf.releases if each.period == Period(ReleaseKind.YEAR, question.year))
        cube = sums.build(posed, release, shelf.caps[question.year], measures, language)
        return _document(cube, form, language)

    # -- what is released, and what was answered -----------------------------------------------------------------------

    def _newest(self, shelf: Shelf, make: Callable[[Shelf], T]) -> tuple[Shelf, T]:
        """What is made of the shelf, or of a newer one where this one has not what was asked for."""
        try:
            return shelf, make(shelf)
        except UppropError:
            newer = self._shelf(seconds=0)
            if newer is shelf:
                raise
            return newer, make(newer)

    def _shelf(self, seconds: float = LOOK_SECONDS) -> Shelf:
        looked = self._looked
        if looked is not None and self._monotonic() - looked.at < seconds:
            return looked.shelf
        # One looks; meanwhile those who can do with what was known have that.
        if not self._looking.acquire(blocking=looked is None or seconds == 0):
            assert looked is not None
            return looked.shelf
        try:
            return self._look().shelf
        finally:
            self._looking.release()

    def _look(self) -> _Looked:
        at, looked = self._monotonic(), self._looked
        drawn = frozenset(self._database.view("statistics_drawn", store.drawn))
        shelf = (
            looked.shelf
            if looked is not None and looked.drawn == drawn
            else self._database.view("statistics_releases", _load)
        )
        self._looked = _Looked(shelf, frozenset(each.release_id for each in shelf.releases), at)
        return self._looked


def _load(tx: Transaction) -> Shelf:
    releases = store.releases(tx)
    tables = {each.release_id: store.tables(tx, each.release_id) for each in releases}
    return Shelf.of(releases, tables, {each.year: each.cap_nano_rho for each in budget_store.budgets(tx)})


def _budgets(tx: Transaction) -> list[tuple[Budget, list[Spend]]]:
    return [(each, budget_store.spends(tx, each.year)) for each in budget_store.budgets(tx)]


def _open_to(table: Table, reader: Reader) -> bool:
    return table.table_id is not TableId.OWN_SELECTION or Level.of_role(reader.role) is not Level.PUBLIC


def _forbidden() -> UppropError:
    return UppropError(
        Code.METHOD_FORBIDDEN,
        "Your certificate reads what everybody may see: the released tables, at the level public. For more, ask the "
        "authority for a reader of the role statistics or oversight.",
    )


def _askable(shelf: Shelf, table: Table) -> Askable:
    if table.table_id is not TableId.OWN_SELECTION:
        return askable(table, shelf.held.get(table.table_id, {}))
    years = sorted(each.period.year for each in shelf.releases if each.period.kind is ReleaseKind.YEAR)
    months = itertools.product(years, range(1, 13))
    return askable(table, (time_code(Period(ReleaseKind.MONTH, year, month)) for year, month in months))


def _posed(shelf: Shelf, table: Table, selections: tuple[Selection, ...]) -> tuple[Question, tuple[Measure, ...]]:
    asked = _askable(shelf, table)
    selected = select(asked, selections)
    return Question.of(asked, selected), questions.measures(asked, selected)


def _summary(shelf: Shelf, table: Table, language: Language) -> TableSummary:
    asked = _askable(shelf, table)
    times = asked.codes[DimensionId.TIME]
    own = [each for each in shelf.releases if each.period.kind is ReleaseKind.YEAR]
    from_releases = [each.release for each in shelf.held.get(table.table_id, {}).values()] or (
        own if table.table_id is TableId.OWN_SELECTION else []
    )
    return TableSummary(
        table_id=table.table_id.value,
        label=labels.table_label(table.table_id, language),
        description=labels.table_description(table.table_id, language),
        dimensions=tuple(dimension.value for dimension in asked.codes),
        first_period=times[0] if times else None,
        last_period=times[-1] if times else None,
        updated=max((each.drawn_on for each in from_releases), default=None),
    )


def _document(cube: Cube, form: Format, language: Language) -> Document:
    release_ids = tuple(each.release_id for each in cube.disclosure.drawn)
    match form:
        case Format.JSON_STAT2:
            return Document(jsonstat.write(cube), jsonstat.MEDIA_TYPE, release_ids)
        case Format.CSV:
            return Document(delimited.write(cube), delimited.MEDIA_TYPE, release_ids)
        case Format.XLSX:
            return Document(workbook.write(cube, language), workbook.MEDIA_TYPE, release_ids)


def _purpose(spend: Spend, reader: Reader) -> str:
    if spend.role is None or spend.reader == reader.name:
        return spend.spend_id
    # What others ask about is theirs; that they asked, and what it cost, is everybody's.
    return spend.spend_id.rpartition("/")[0]


def _size(question: _Question, document: Document) -> int:
    asked = sum(len(code) for selection in question[1] for code in (*selection.codes, selection.dimension))
    return len(document.content) + asked + 1_024
