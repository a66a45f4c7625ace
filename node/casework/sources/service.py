"""The sources beside the roster: taken in from files and from school systems, and looked at at once.

Invariant: what a source brings up stands as tasks when the import has ended; nothing of either source leaves the node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from federation.rules.calendar import SchoolCalendar
from node.casework.attendance.taking import SourceReport, TakingAttendance
from node.casework.residents.taking import TakingResidents
from node.casework.tasks.model import TaskKind
from node.casework.tasks.noticing import Noticing
from node.records.ss12000_api import attendance
from node.records.ss12000_api.settings import SchoolSystem
from node.store import Transaction
from node.store.sealing import Sealer
from node.store.sources import SourceImports, SourceName
from node.store.tasks import Tasks

ATTENDANCE_TAKEN = Event("attendance_taken", ("system", "as_of"))
ATTENDANCE_REFUSED = Event("attendance_refused", ("system", "code"), Level.WARNING)
RESIDENTS_TAKEN = Event("residents_taken", ("as_of",))
RESIDENTS_REFUSED = Event("residents_refused", ("code",), Level.WARNING)

LOOK_SECONDS = 300.0
AGAIN_AFTER = timedelta(minutes=30)
"""After a failure."""


class Sources:
    """Takes in attendance and residents, by command and by itself."""

    def __init__(
        self,
        *,
        database: Database,
        sealer: Sealer,
        systems: Mapping[str, SchoolSystem],
        calendar: Callable[[], SchoolCalendar],
        zone: Callable[[], ZoneInfo],
        clock: Clock,
        log: Log,
    ) -> None:
        self._database, self._systems = database, systems
        self._calendar, self._zone, self._clock, self._log = calendar, zone, clock, log
        self._attendance = TakingAttendance(database, sealer, clock)
        self._residents = TakingResidents(database, sealer, calendar, clock)
        self._imports, self._tasks = SourceImports(), Tasks(sealer)
        self.noticing = Noticing(database, sealer, calendar, clock)

    def attendance_file(self, path: Path, system: str) -> SourceReport:
        """Import attendance from a CSV file. Raises UppropError; then nothing has changed."""
        return self._attended(system, lambda: self._attendance.take_file(path, system))

    def fetch_attendance(self, system: str) -> SourceReport:
        """Import attendance from the API of a school system of the settings. Raises UppropError, as above."""
        source = self._systems.get(system)
        if source is None or source.attendance is None:
            raise UppropError(
                Code.CONFIG_INVALID,
                f'The settings know no attendance of the school system {system}. Add attendance = "aggregated" (or '
                f'"events") to [school_systems.{system}], or give a FILE.',
            )

        def work() -> SourceReport:
            read = list(attendance.fetch(source, self._clock.today(), self._calendar(), self._zone()))
            return self._attendance.take(read, system)

        return self._attended(system, work)

    def residents_file(self, path: Path, as_of: date, *, accept_shrink: bool) -> SourceReport:
        """Import a list of residents. Raises UppropError; then nothing has changed."""
        try:
            report = self._residents.take_file(path, as_of, accept_shrink=accept_shrink)
        except UppropError as error:
            self._log(RESIDENTS_REFUSED, code=error.code)
            raise
        self._log(RESIDENTS_TAKEN, as_of=report.as_of)
        return report

    def standing(self, kind: TaskKind) -> int:
        """How many tasks of a kind are open, those of the protected-identity role left out."""
        return len(
            self._database.view("tasks_standing", lambda tx: self._tasks.open(tx, protected=False, kinds=[kind]))
        )

    def fetch_what_is_due(self) -> None:
        """Fetch attendance once a day from each school system that has it, an hour after its pupils at the earliest.

        What fails is logged and does not keep the others; raises the last failure.
        """
        failure: UppropError | None = None
        for system, source in self._systems.items():
            if (
                source.attendance is None
                or source.fetched_from is None
                or not self._is_due(system, source.fetched_from)
            ):
                continue
            try:
                self.fetch_attendance(system)
            except UppropError as error:
                failure = error
        if failure is not None:
            raise failure

    def _is_due(self, system: str, at: time) -> bool:
        now = self._clock.now()
        local = now.astimezone(self._zone())
        if local.time() < at:
            return False

        def work(tx: Transaction) -> tuple[datetime | None, datetime | None]:
            newest = {each.system: each.received_at for each in self._imports.newest(tx, SourceName.ATTENDANCE)}
            refused = self._imports.refusals(tx).get(f"{SourceName.ATTENDANCE.value}/{system}")
            return newest.get(system), None if refused is None else refused.refused_at

        taken, refused = self._database.view("attendance_due", work)
        if refused is not None and now - refused < AGAIN_AFTER:
            return False
        return taken is None or taken.astimezone(self._zone()).date() < local.date()

    def _attended(self, system: str, work: Callable[[], SourceReport]) -> SourceReport:
        try:
            report = work()
        except UppropError as error:
            if error.code is not Code.CONFIG_INVALID:
                self._attendance.refused(system, error)
            self._log(ATTENDANCE_REFUSED, system=system, code=error.code)
            raise
        self._log(ATTENDANCE_TAKEN, system=system, as_of=report.as_of)
        self.noticing.look()
        return report
