"""The daily close: the one place where gaps, cases and notices change; and the giving out of notices.

Invariants
    - Each whole group changes in one transaction. Run again, or killed between two transactions and run again, a close
      ends the same; its notices are delivered only when all of it is finished.
    - Facts received before the close count; one received meanwhile counts now or leaves its group dirty.
    - A group that cannot be evaluated holds up nobody else: it stays dirty, the operator is told, and its member's node
      opens the case file by itself for want of a notice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.observability import Log, place_of
from federation.rules.calendar import SchoolCalendar
from federation.rules.matching import GapVerdict, KnownGap, coverage_incomplete, evaluate
from federation.rules.vocabulary import Handle, MemberId, Notice
from registry.cases import confirmations, settle
from registry.intake import ANSWERS_KEPT
from registry.model import CASE_ID_BYTES, CloseReport, Gap, GapKey, Ref
from registry.observability import CLOSE_FINISHED, CLOSE_GROUP_FAILED, RegistryMetrics
from registry.roll_call.calling import RollCall
from registry.store import Transaction, batches, cases, closes, gaps, groups, members, notices

GROUPS_A_TRANSACTION = 500
"""Design §4.6: short enough that batches sent meanwhile do not wait long."""

Progress = Callable[[int, int], None]
"""Called with the handles looked at and the handles to look at."""


class Mailbox:
    """Gives members their notices, those of finished closes alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, member: MemberId, after: int, limit: int) -> tuple[list[Notice], bool, date | None]:
        """The next notices after a number, whether there are more, and the day of the newest finished close."""

        def work(tx: Transaction) -> tuple[list[Notice], bool, date | None]:
            close = closes.newest(tx, finished=True)
            if close is None or close.through_position is None:
                return [], False, None
            found, more = notices.page(tx, member, after, limit, close.through_position)
            return found, more, close.closed_on

        return self._database.view("list_notices", work)

    def acknowledge(self, member: MemberId, number: int) -> None:
        """Note what the member has kept. Raises UppropError(REQUEST_INVALID) for a number it was never given."""

        def work(tx: Transaction) -> bool:
            close = closes.newest(tx, finished=True)
            # Bounded by what was delivered, or trying numbers would tell of notices before their delivery.
            return notices.acknowledge(tx, member, number, (close and close.through_position) or 0)

        if not self._database.run("ack_notices", work):
            raise UppropError(Code.REQUEST_INVALID, "No notice of that number was given. Acknowledge what was listed.")


class Close:
    """The daily close."""

    def __init__(
        self,
        database: Database,
        descriptors: Callable[[], Descriptor],
        clock: Clock,
        metrics: RegistryMetrics,
        log: Log,
        random_bytes: Callable[[int], bytes],
        roll_call: RollCall,
    ) -> None:
        self._database, self._descriptors, self._clock = database, descriptors, clock
        self._metrics, self._log, self._random_bytes = metrics, log, random_bytes
        self._roll_call = roll_call
        self._one_at_a_time = threading.Lock()

    def run(self, on: date, progress: Progress | None = None) -> CloseReport:
        """Close the day `on`: look at every group that changed or whose day has come.

        A day may be closed again: then only what changed since is looked at. Raises UppropError(INPUT_REFUSED) for a
        day before the newest close.
        """
        with self._one_at_a_time:
            begun = self._clock.monotonic()
            descriptor = self._descriptors()
            total = self._database.run("close_begin", lambda tx: self._begin(tx, on, descriptor))
            report, done = CloseReport(on), 0
            for first in (_Changed(), _Due(on)):
                cursor: _Changed | _Due = first
                while (page := self._next_page(cursor, on, descriptor)) is not None:
                    cursor = page.rest
                    report = report.plus(page.report)
                    done += page.seeds
                    if progress is not None:
                        progress(min(done, total), total)
            finished_at = self._clock.now()
            self._database.run("close_finish", lambda tx: self._finish(tx, on, finished_at, descriptor))
            seconds = self._clock.monotonic() - begun
            self._metrics.last_close.set(finished_at.timestamp())
            self._metrics.close_seconds.observe(seconds)
            self._metrics.close_incomplete.set(1 if report.failed else 0)
            self._log(CLOSE_FINISHED, closed_on=on, seconds=round(seconds, 3))
            return report

    def show_last(self) -> None:
        """Show in the metrics when a close last finished: at start, before this process has made one."""
        _, finished = self.state()
        if finished is not None and finished.finished_at is not None:
            self._metrics.last_close.set(finished.finished_at.timestamp())

    def state(self) -> tuple[closes.Close | None, closes.Close | None]:
        """The newest close that was begun and the newest that was finished."""
        return self._database.view(
            "close_state", lambda tx: (closes.newest(tx, finished=False), closes.newest(tx, finished=True))
        )

    def _begin(self, tx: Transaction, on: date, descriptor: Descriptor) -> int:
        newest, finished = closes.newest(tx, finished=False), closes.newest(tx, finished=True)
        if newest is not None and on < newest.closed_on:
            raise UppropError(
                Code.INPUT_REFUSED, f"{newest.closed_on} is closed or being closed; an earlier day cannot be closed."
            )
        if finished is not None and finished.descriptor_serial != descriptor.serial:
            groups.touch_unanswered(tx)
        closes.begin(tx, on, descriptor.serial, self._clock.now())
        return groups.count(tx, on)

    def _finish(self, tx: Transaction, on: date, at: datetime, descriptor: Descriptor) -> None:
        batches.forget(tx, on - ANSWERS_KEPT)
        self._roll_call.make(tx, on, descriptor)
        closes.finish(tx, on, at)

    def _next_page(self, cursor: _Changed | _Due, on: date, descriptor: Descriptor) -> _Page | None:
        page = self._database.run("close_groups", lambda tx: self._page(tx, cursor, on, descriptor))
        for failure in page.failures if page is not None else ():
            self._log(CLOSE_GROUP_FAILED, closed_on=on, exception=failure.exception, where=failure.where)
        return page

    def _page(self, tx: Transaction, cursor: _Changed | _Due, on: date, descriptor: Descriptor) -> _Page | None:
        """Look at the next whole groups and write what changed; notices last, under the sequence row."""
        seeds, rest = cursor.next(tx)
        if not seeds:
            return None
        found = groups.load(tx, seeds)
        known = gaps.load(
            tx, {ref: (own.member, own.signal.handle) for group in found for ref, own in group.signals.items()}
        )
        rules = _Rules(members.last_contacts(tx), on, descriptor)
        judged: list[_Judged] = []
        failures: list[_Failure] = []
        for group, before in _known_of(found, known):
            try:
                judged.append(_Judged(group, before, rules.verdicts(group, before)))
            except Exception as error:  # noqa: BLE001 - one group that the rules cannot take must not hold up the nation
                failures.append(_Failure(type(error).__name__, place_of(error)))
        asked = gaps.already_asked(tx, [asked for each in judged for asked in confirmations(each.verdicts)])
        standing = cases.load(tx, {gap.case_id for gap in known.values() if gap.case_id is not None})
        settled = [
            settle(
                each.verdicts,
                each.before,
                {gap.case_id: standing[gap.case_id] for gap in each.before.values() if gap.case_id is not None},
                asked,
                on,
                coverage_incomplete=rules.coverage_incomplete,
                new_id=lambda: self._random_bytes(CASE_ID_BYTES),
            )
            for each in judged
        ]
        drafts = [notice for settlement in settled for notice in settlement.notices]
        cases.write(tx, [case for settlement in settled for case in settlement.cases])
        gaps.write(tx, [gap for settlement in settled for gap in settlement.gaps])
        gaps.write_asked(tx, [asked for settlement in settled for asked in settlement.asked])
        groups.looked_at(tx, [each.group for each in judged])
        notices.append(tx, drafts, on)
        report = CloseReport(
            on,
            groups=len(judged),
            changes=sum(len(settlement.gaps) for settlement in settled),
            notices=len(drafts),
            failed=len(failures),
        )
        return _Page(len(seeds), rest, report, tuple(failures))


@dataclass(frozen=True, slots=True)
class _Changed:
    """The handles whose signal changed since a close looked at them, by name, after one."""

    after: Ref | None = None

    def next(self, tx: Transaction) -> tuple[list[Ref], _Changed]:
        refs = groups.dirty_after(tx, self.after, GROUPS_A_TRANSACTION)
        return refs, _Changed(refs[-1]) if refs else self


@dataclass(frozen=True, slots=True)
class _Due:
    """The handles with a gap whose day has come, by day and name, after one."""

    on: date
    after: tuple[date, Ref] | None = None

    def next(self, tx: Transaction) -> tuple[list[Ref], _Due]:
        due = groups.due_after(tx, self.on, self.after, GROUPS_A_TRANSACTION)
        return [ref for _, ref in due], _Due(self.on, due[-1]) if due else self


@dataclass(frozen=True, slots=True)
class _Failure:
    """A group that could not be evaluated, without anything it holds."""

    exception: str
    where: str


@dataclass(frozen=True, slots=True)
class _Judged:
    group: groups.Group
    before: Mapping[GapKey, Gap]
    verdicts: tuple[GapVerdict, ...]


@dataclass(frozen=True, slots=True)
class _Page:
    """What one transaction did, and where the next begins."""

    seeds: int
    rest: _Changed | _Due
    report: CloseReport
    failures: tuple[_Failure, ...]


class _Rules:
    """The rules with what they are given of the federation, at one close."""

    def __init__(self, last_contacts: Mapping[MemberId, date], on: date, descriptor: Descriptor) -> None:
        self._last_contacts, self._on, self._descriptor = last_contacts, on, descriptor
        # A member that left the federation has no calendar any more; its last words are read by public holidays alone.
        self._plain = SchoolCalendar()
        self.coverage_incomplete = coverage_incomplete(
            last_contacts, [member.member_id for member in descriptor.members], on, descriptor.policy, self._calendar
        )

    def _calendar(self, member: MemberId) -> SchoolCalendar:
        return self._descriptor.calendar(member) if self._descriptor.has_member(member) else self._plain

    def verdicts(self, group: groups.Group, before: Mapping[GapKey, Gap]) -> tuple[GapVerdict, ...]:
        known = [
            KnownGap(gap.key.member, gap.key.handle, gap.opening, gap.state, gap.answer) for gap in before.values()
        ]
        stated = list(group.signals.values())
        if not known and all(own.signal.opening is None for own in stated):
            return ()
        return evaluate(stated, known, self._last_contacts, self._on, self._descriptor.policy, self._calendar)


def _known_of(
    found: Sequence[groups.Group], known: Mapping[GapKey, Gap]
) -> Iterable[tuple[groups.Group, dict[GapKey, Gap]]]:
    """Every group with the gaps known of its handles."""
    by_handle: dict[tuple[MemberId, Handle], list[Gap]] = {}
    for gap in known.values():
        by_handle.setdefault((gap.key.member, gap.key.handle), []).append(gap)
    for group in found:
        own = ((each.member, each.signal.handle) for each in group.signals.values())
        yield group, {gap.key: gap for name in own for gap in by_handle.get(name, ())}
