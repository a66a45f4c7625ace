"""What opens and closes a case file after its statement was made: notices, and their absence (design §4.7).

Invariants: each notice has its effect once, in the order of the numbers, whatever fails between; a gap past due of
which the registry says nothing, or cannot be asked, gets its case file here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from federation.observability import Event, Level, Log
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import GapState, Notice, NoticeKind
from node.gaps import Gap, OpenedBy, after_fetch, told
from node.store.gaps import Gaps
from node.store.notices import Notices

PAGE = 200
"""Notices per transaction: short enough that an import never waits long."""

NOTICE_UNMATCHED = Event("notice_unmatched", ("number", "kind"), Level.ERROR)
CASE_FILES_OPENED = Event("case_files_opened", ("opened_by", "number"))


@dataclass(frozen=True, slots=True)
class Handled:
    """Notices handled, how many of them are about no gap this node knows, and whether more wait."""

    number: int
    unmatched: int
    more: bool


class Casework:
    """Keeps case files in step with what the registry says and does not say."""

    def __init__(self, gaps: Gaps, notices: Notices, log: Log) -> None:
        self._gaps = gaps
        self._notices = notices
        self._log = log

    def handle_notices(self, tx: Connection) -> Handled:
        """Write the effect of the next page of notices."""
        page = self._notices.to_handle(tx, PAGE)
        unmatched = 0
        for notice in page:
            if not self._handle(tx, notice):
                unmatched += 1
                self._log(NOTICE_UNMATCHED, number=notice.number, kind=notice.kind)
            self._notices.mark_handled(tx, notice.number)
        return Handled(len(page), unmatched, len(page) == PAGE)

    def open_unheard(self, tx: Connection, today: date, calendar: SchoolCalendar) -> int:
        """Open the case files of gaps past due about which nothing was heard; returns how many were opened."""
        closed_on = self._notices.state(tx).closed_on
        failed_day = self._notices.failed_day(tx, today, calendar.is_school_day)
        opened = 0
        for gap in self._gaps.to_ask_after_fetch(tx, today):
            after = after_fetch(gap, today=today, closed_on=closed_on, failed_day=failed_day)
            if after != gap:
                self._gaps.change(tx, after)
                opened += after.state is GapState.OPEN
        if opened:
            self._log(CASE_FILES_OPENED, opened_by=OpenedBy.SILENT_REGISTRY, number=opened)
        return opened

    def _handle(self, tx: Connection, notice: Notice) -> bool:
        """False where the notice is about a gap that this node does not know."""
        if notice.handle is None or notice.kind is NoticeKind.CONFIRM:
            # About no pupil, or about a presence: read by people, changes no gap.
            return True
        gap = self._gap(tx, notice)
        if gap is None:
            return False
        after = told(gap, notice)
        if after != gap:
            self._gaps.change(tx, after)
        return True

    def _gap(self, tx: Connection, notice: Notice) -> Gap | None:
        if notice.handle is None or notice.opening_number is None:
            return None
        return self._gaps.one(tx, notice.handle, notice.opening_number)
