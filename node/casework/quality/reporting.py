"""The yearly report, made from the store for one person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from federation.clock import Clock
from federation.database import Database
from federation.rules.calendar import SchoolCalendar
from federation.web.i18n import Texts
from node.casework.actor import Actor, sees
from node.casework.quality import counting, documents
from node.casework.quality.documents import Form
from node.casework.quality.masking import masked
from node.casework.quality.model import Report
from node.casework.quality.tables import Table, tables
from node.casework.routines.catalogue import Catalogue
from node.store import quality


class NoSuchYearError(Exception):
    """Nothing can be told of that year: it is to come, or there was no case file yet."""


class Reporting:
    """`calendar` gives the member's school calendar as it stands, `member` its name."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        calendar: Callable[[], SchoolCalendar],
        member: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._database, self._catalogue, self._calendar = database, catalogue, calendar
        self._member, self._clock = member, clock

    def years(self, actor: Actor) -> tuple[int, ...]:
        """Those of which this person may know something, newest first; the running one always."""
        secret = sees(actor, protected=True)
        oldest = self._database.view("quality_years", lambda tx: quality.oldest(tx, with_protected=secret))
        return counting.years(oldest, self._clock.today())

    def report(self, year: int, actor: Actor, *, publish: bool = False) -> Report:
        """What this person may know of the year; what is published never counts protected identities.

        Raises NoSuchYearError.
        """
        if year not in self.years(actor):
            raise NoSuchYearError
        first, last = date(year, 1, 1), date(year, 12, 31)
        files = self._database.view("quality_report", lambda tx: quality.counted(tx, first, last))
        secret = sees(actor, protected=True) and not publish
        return counting.report(files, year, self._clock.today(), self._calendar().count, with_protected=secret)

    def tables(self, report: Report, words: Texts, *, publish: bool = False) -> tuple[Table, ...]:
        """To be shown; `publish`: what is small is not."""
        made = tables(report, words, lambda name: self._title(name, words))
        return masked(report, made) if publish else made

    def document(self, form: Form, report: Report, words: Texts, *, publish: bool = False) -> bytes:
        return documents.document(form, report, self.tables(report, words), self._member(), words, publish=publish)

    def text(self, report: Report, words: Texts) -> str:
        """For a terminal."""
        return documents.as_text(report, self.tables(report, words), self._member(), words)

    def _title(self, name: str, words: Texts) -> str:
        # One that is no longer among the files bears the name that it was begun under.
        return self._catalogue[name].routine.title.text(words.language) if name in self._catalogue else name
