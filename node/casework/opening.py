"""What opens and closes a case file after its statement was made: notices, and their absence (design §4.7).

A registry is silent where it cannot be reached, late where it answers and closes no day, and withholds where it has
closed the day of a gap that it took and says nothing about it.

Invariants: each notice has its effect once, in the order of the numbers, whatever fails between; a gap past due of
which the registry says nothing, or cannot be asked, gets its case file here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import GapState, NoticeKind
from node.gaps import after_fetch, told
from node.store import Transaction
from node.store.gaps import Gaps
from node.store.notices import Notices
from node.store.outbox import Outbox

_QUESTIONS = frozenset({NoticeKind.CONFIRM, NoticeKind.OVERLAP})
"""About a presence: read by people, change no gap."""

WITHHOLDING = (
    "The registry had taken gaps of ours and closed the days on which it had to judge them, and it says nothing about "
    "them. Their case files are open here. That must not happen: do not rely on the registry's word until its operator "
    "and the authority have cleared it up."
)

PAGE = 200
"""Notices per transaction: short enough that an import never waits long."""


@dataclass(frozen=True, slots=True)
class Handled:
    """Notices handled, how many of them are about no gap this node knows, and whether more wait."""

    number: int
    unmatched: int
    more: bool


def is_late(closed_on: date | None, today: date, calendar: SchoolCalendar) -> bool:
    """Whether a registry that tells of this newest close has missed that of the last school day before today."""
    return closed_on is None or closed_on < calendar.last_n_before(today, 1)


@dataclass(frozen=True, slots=True)
class Unheard:
    """Whether case files were opened for want of a notice; whether there are such of gaps that the registry took; and
    the newest school day over which it was silent or late."""

    opened: bool
    withheld: bool
    failed_day: date | None


class Casework:
    """Keeps case files in step with what the registry says and does not say."""

    def __init__(self, gaps: Gaps, notices: Notices, outbox: Outbox) -> None:
        self._gaps = gaps
        self._notices = notices
        self._outbox = outbox

    def handle_notices(self, tx: Transaction) -> Handled:
        """Write the effect of the next page of notices."""
        page = self._notices.to_handle(tx, PAGE)
        of_handles = self._gaps.of_handles(tx, (notice.handle for notice in page if notice.handle is not None))
        before = {(gap.handle, gap.number): gap for gaps in of_handles.values() for gap in gaps}
        after = dict(before)
        unmatched = 0
        for notice in page:
            if notice.handle is None or notice.kind in _QUESTIONS:
                continue
            gap = after.get((notice.handle, notice.opening_number or 0))
            if gap is None:
                unmatched += 1
            else:
                after[gap.handle, gap.number] = told(gap, notice)
        self._gaps.change(tx, [gap for name, gap in after.items() if gap != before[name]])
        self._notices.mark_handled(tx, [notice.number for notice in page])
        return Handled(len(page), unmatched, len(page) == PAGE)

    def open_unheard(self, tx: Transaction, today: date, calendar: SchoolCalendar) -> Unheard:
        """Open the case files of gaps past due about which nothing was heard."""
        closed_on = self._notices.state(tx).closed_on
        failed_day = self._notices.failed_day(tx, today, calendar.is_school_day)
        asked = self._gaps.to_ask_after_fetch(tx, today)
        taken = self._outbox.taken(tx, (gap.handle for gap in asked))
        after = [
            after_fetch(gap, today=today, closed_on=closed_on, failed_day=failed_day, taken_on=taken.get(gap.handle))
            for gap in asked
        ]
        changed = [gap for gap, was in zip(after, asked, strict=True) if gap != was]
        self._gaps.change(tx, changed)
        opened = any(gap.state is GapState.OPEN for gap in changed)
        return Unheard(opened, self._gaps.any_withheld(tx), failed_day)
