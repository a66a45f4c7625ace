"""The daily close: the one place where gaps, cases and notices change.

Invariants
    - However many replicas there are, they make one close together: whoever begins it cuts what changed and what is due
      into portions, and each takes portions under a lease until none is left (`registry.portion`).
    - Each whole group changes in one transaction. Run again, or killed between two transactions and run again, a close
      ends the same; its notices are delivered only when the last portion is done.
    - Facts received before the close count; one received meanwhile counts now or leaves its group dirty.
    - A group that cannot be evaluated holds up nobody else: it stays dirty, the operator is told, and its member's node
      opens the case file by itself for want of a notice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import TypeVar

from federation.clock import Clock
from federation.database import Database, Isolation
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.observability import Log
from federation.rules.vocabulary import MemberId
from registry.epochs.changing import take_up
from registry.ledger import contents
from registry.limits import remembering, waiting
from registry.model import CloseReport, Ref
from registry.observability import CLOSE_FINISHED, CLOSE_GROUP_FAILED, CLOSE_LEASE_LOST, OPENINGS_WAIT, RegistryMetrics
from registry.portion import Terms, look_at
from registry.roll_call.calling import RollCall
from registry.store import Transaction, closes, groups, leases, ledger, notices

GROUPS_A_PORTION = 500
"""Design §4.6: short enough that batches sent meanwhile do not wait long."""

LEASE = timedelta(seconds=30)
"""How long a replica may take over a portion, which takes a second, before another one does it in its place."""

POLL_SECONDS = 0.1
"""Between two looks whether the others are done."""

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Called with the handles looked at and the handles to look at, over all replicas."""


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
        lease: timedelta = LEASE,
    ) -> None:
        self._database, self._descriptors, self._clock = database, descriptors, clock
        self._metrics, self._log, self._random_bytes = metrics, log, random_bytes
        self._roll_call = roll_call
        self._lease = lease
        self._one_at_a_time = threading.Lock()

    def run(self, on: date, progress: Progress | None = None) -> CloseReport:
        """Close the day `on`: look at every group that changed or whose day has come, or help those that do.

        Returns when the close has ended, with what this replica did of it. A day may be closed again: then only what
        changed since is looked at. Raises UppropError(INPUT_REFUSED) for a day before the newest close.
        """
        with self._one_at_a_time:
            begun = self._clock.monotonic()
            descriptor = self._descriptors()
            total, over = self._run("close_begin", lambda tx: self._begin(tx, on, descriptor))
            for member in over:
                self._log(OPENINGS_WAIT, member=member, closed_on=on)
            terms = Terms(on, descriptor, self._random_bytes)
            report, finished_at = CloseReport(on), None
            while finished_at is None:
                lease, left = self._run(
                    "close_take", lambda tx: (leases.take(tx, on, self._lease), leases.left(tx, on))
                )
                if progress is not None:
                    progress(max(0, total - left), total)
                if lease is not None:
                    report = report.plus(self._look_at(lease, terms))
                elif left:
                    time.sleep(POLL_SECONDS)
                else:
                    finished_at = self._run(
                        "close_finish", lambda tx: self._finish(tx, on, self._clock.now(), descriptor)
                    )
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

    def _run(self, name: str, work: Callable[[Transaction], T]) -> T:
        # What must not change meanwhile is locked, so each statement may see the newest rows.
        return self._database.run(name, work, isolation=Isolation.READ_COMMITTED)

    def _begin(self, tx: Transaction, on: date, descriptor: Descriptor) -> tuple[int, list[MemberId]]:
        """Put what changed and what is due to the close's work, beside what is left of it.

        Returns the number of handles, and the members that went beyond what they may open in a month.
        """
        closes.lock(tx)
        newest = closes.newest(tx, finished=False)
        if newest is not None and on < newest.closed_on:
            raise _earlier(newest.closed_on)
        if newest is not None and newest.descriptor_serial != descriptor.serial:
            groups.touch_unanswered(tx)
        if newest is None or newest.descriptor_serial != descriptor.serial:
            ledger.note(tx, [contents.of_descriptor(descriptor.serial)])
        over = waiting.decide(tx, descriptor.policy)
        closes.begin(tx, on, descriptor.serial, self._clock.now())
        leases.drop_before(tx, on)
        queued = leases.queued(tx, on)
        leases.add(tx, on, _cut((place, ref) for place, ref in groups.placed(tx, on) if ref not in queued))
        if newest is None or newest.descriptor_serial <= descriptor.serial:
            # Else this replica has yet to take up the descriptor that another closed a day by.
            notices.append(tx, take_up(tx, on, descriptor), on)
        return leases.left(tx, on), sorted(over)

    def _look_at(self, lease: leases.Lease, terms: Terms) -> CloseReport:
        try:
            report, failures = look_at(self._database, lease, terms)
        except leases.LeaseLostError:
            # Whoever has it now does it, or has done it.
            self._log(CLOSE_LEASE_LOST, closed_on=terms.on)
            return CloseReport(terms.on)
        # Each fault once: how many groups it bears on would be a count of them.
        for failure in dict.fromkeys(failures):
            self._log(CLOSE_GROUP_FAILED, closed_on=terms.on, exception=failure.exception, where=failure.where)
        return report

    def _finish(self, tx: Transaction, on: date, at: datetime, descriptor: Descriptor) -> datetime | None:
        """End the close, once, and return when it ended; None where it has got more work meanwhile."""
        closes.lock(tx)
        newest = closes.newest(tx, finished=False)
        if newest is None or newest.closed_on != on:
            raise _earlier(on if newest is None else newest.closed_on)
        if leases.left(tx, on):
            return None
        if closes.finish(tx, on, at):
            ledger.note(tx, [contents.of_close(on, descriptor.serial)])
            self._roll_call.make(tx, on, descriptor)
            remembering.forget(tx, on, descriptor.policy)
            return at
        return newest.finished_at


def _earlier(newest: date) -> UppropError:
    return UppropError(Code.INPUT_REFUSED, f"{newest} is closed or being closed; an earlier day cannot be closed.")


def _cut(placed: Iterable[tuple[bytes, Ref]]) -> Iterator[list[Ref]]:
    """Portions of at most `GROUPS_A_PORTION` places; what stands at one place stays together."""
    portion: list[Ref] = []
    before, places = None, 0
    for place, ref in placed:
        if place != before:
            before, places = place, places + 1
            if places > GROUPS_A_PORTION:
                yield portion
                portion, places = [], 1
        portion.append(ref)
    if portion:
        yield portion
