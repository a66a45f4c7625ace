"""Taking in what a school system delivers: all of it in one transaction, or nothing (design §4.1, §5).

    scan (outside any transaction) → take, or rehearse (in one)

Invariants: one delivery is taken at a time; the report names rows and fields, never a value.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Generic, TypeVar

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import Policy
from node.records import intake
from node.records.person import DEFAULT_SYSTEM, Amending, Delivery, PersonRecord, Remark, check_system
from node.records.report import ImportReport
from node.records.scanning import Order, Scan, Scanner
from node.records.taking import Taking
from node.store import Transaction
from node.store.imports import ImportRecord, Imports
from node.store.pupils import Pupils
from node.store.records import Records
from node.store.sealing import Sealer

EXPORT_FAULTS = frozenset({Code.EXPORT_FOREIGN, Code.EXPORT_OLDER, Code.EXPORT_SHRUNK, Code.EXPORT_UNREADABLE})

Refused = Callable[[str, Code | None], None]
"""Called with a school system and why its newest export was refused; None where it was taken."""

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total)."""

T = TypeVar("T")


class _Rehearsed(Exception, Generic[T]):  # noqa: N818 - it ends a transaction that is not to be kept
    def __init__(self, report: ImportReport, seen: T) -> None:
        super().__init__("rehearsed")
        self.report = report
        self.seen = seen


class _Nothing:
    """The roster of a school system that is no more."""

    whole = True
    digest = hashlib.sha256().digest()
    gone: Collection[str] = ()
    units: Mapping[str, str] = MappingProxyType({})

    def read(self, progress: Callable[[int, int], None]) -> Iterator[PersonRecord | Remark]:
        progress(0, 0)
        return iter(())


class Importing:
    """Imports deliveries. `rules` gives the federation's policy and this member's calendar as they stand now."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        rules: Callable[[], tuple[Policy, SchoolCalendar]],
        clock: Clock,
        token: Callable[[int], bytes] = secrets.token_bytes,
        refused: Refused = lambda _system, _refused: None,
    ) -> None:
        """`refused` is told of every export whether it was refused."""
        self.refused = refused
        self._database = database
        self._rules = rules
        self._clock = clock
        self._imports = Imports(sealer)
        self._records = Records(sealer)
        self._scanner = Scanner(Pupils(sealer), self._records)
        self._taking = Taking(sealer, token)
        self._one_at_a_time = threading.Lock()

    def take(
        self,
        delivery: Delivery,
        as_of: date,
        *,
        system: str = DEFAULT_SYSTEM,
        accept_shrink: bool = False,
        confirm_leavings: bool = False,
        progress: Progress = lambda _step, _done, _total: None,
        also: Callable[[Transaction], None] = lambda _tx: None,
    ) -> ImportReport:
        """Import a delivery of a school system as the state of `as_of`.

        `also` is done at the end of the same transaction, also where nothing changed because the delivery came again.
        Raises UppropError: EXPORT_UNREADABLE, EXPORT_FOREIGN, EXPORT_SHRUNK, EXPORT_OLDER, INPUT_REFUSED; then nothing
        has changed.
        """

        def work(tx: Transaction) -> ImportReport:
            report = self._take(tx, order, scan, progress)
            also(tx)
            return report

        with self._one_at_a_time:
            order = self._order(system, as_of, accept_shrink, confirm_leavings)
            try:
                scan = self._scan(delivery, order, progress)
                report = self._database.run("import", work)
            except UppropError as error:
                self.was_refused(system, error)
                raise
            self.refused(system, None)
            return report

    def was_refused(self, system: str, error: UppropError) -> None:
        """An export of the system came to nothing: say so, where it was the export's fault."""
        if error.code in EXPORT_FAULTS:
            self.refused(system, error.code)

    def rehearse(
        self,
        delivery: Delivery,
        as_of: date,
        *,
        look: Callable[[Transaction], T],
        system: str = DEFAULT_SYSTEM,
        accept_shrink: bool = False,
        confirm_leavings: bool = False,
        progress: Progress = lambda _step, _done, _total: None,
    ) -> tuple[ImportReport, T]:
        """What `take` would do: it is done, `look` sees the store as it then stands, and all is undone."""

        def work(tx: Transaction) -> None:
            report = self._take(tx, order, scan, progress)
            raise _Rehearsed(report, look(tx))

        with self._one_at_a_time:
            order = self._order(system, as_of, accept_shrink, confirm_leavings)
            scan = self._scan(delivery, order, progress)
            try:
                self._database.run("rehearse_import", work)
            except _Rehearsed as done:
                return done.report, done.seen
        raise AssertionError("a rehearsal is never kept")

    def retire(self, system: str, progress: Progress) -> ImportReport:
        """Take away the roster of a school system that is no more: who is in no other system's roster has vanished.

        Raises UppropError(INPUT_REFUSED): nobody knows it, or no other is left.
        """
        with self._one_at_a_time:
            known = self.systems()
            if system not in known or known[system].retired:
                raise UppropError(
                    Code.INPUT_REFUSED, f"There is no school system {system}. See them with: upprop node systems"
                )
            if all(record.retired for name, record in known.items() if name != system):
                raise UppropError(
                    Code.INPUT_REFUSED,
                    f"{system} is the only school system. Import the roster of the one that follows it first.",
                )
            order = replace(self._order(system, self._clock.today(), True, False), retires=True)
            scan = self._scan(_Nothing(), order, progress)
            return self._database.run("retire_system", lambda tx: self._take(tx, order, scan, progress))

    def systems(self) -> dict[str, ImportRecord]:
        """School system → its newest import."""
        return self._database.view("systems", self._imports.newest_of_each)

    def _order(self, system: str, as_of: date, accept_shrink: bool, confirm_leavings: bool) -> Order:
        check_system(system)
        today = self._clock.today()
        policy, calendar = self._rules()

        def look(tx: Transaction) -> tuple[date, date | None]:
            of_system, newest = self._imports.newest(tx, system), self._imports.newest_seen(tx)
            intake.check_days(as_of, None if of_system is None else of_system.as_of, today)
            seen_on = as_of if newest is None else max(as_of, newest)
            return seen_on, self._imports.last_before(tx, system, seen_on)

        seen_on, last = self._database.view("import_order", look)
        return Order(system, as_of, seen_on, last, today, policy, calendar, accept_shrink, confirm_leavings)

    def _scan(self, delivery: Delivery, order: Order, progress: Progress) -> Scan:
        if isinstance(delivery, Amending):
            delivery.bind(
                lambda ids: self._database.view(
                    "import_before", lambda tx: self._records.of_persons(tx, order.system, ids)
                ),
                lambda: self._database.view("import_units", self._records.units),
            )
        return self._scanner.scan(
            delivery,
            order,
            lambda persons: self._database.view(
                "import_known", lambda tx: self._records.known(tx, order.system, persons)
            ),
            lambda done, total: progress("read", done, total),
        )

    def _take(self, tx: Transaction, order: Order, scan: Scan, progress: Progress) -> ImportReport:
        return self._taking.take(tx, order, scan, self._clock.now(), lambda done, total: progress("write", done, total))
