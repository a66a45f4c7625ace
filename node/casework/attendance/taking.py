"""Taking attendance in: marks of pupils who are known here, all of them in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from node.casework.attendance import table
from node.casework.attendance.model import Mark
from node.casework.attendance.table import DayMark, together
from node.model import Observation
from node.records.person import Remark, check_system, qualified
from node.store import Transaction
from node.store.attendance import KEPT_DAYS, Attendance
from node.store.pupils import Pupil, Pupils
from node.store.sealing import Sealer
from node.store.sources import SourceImport, SourceImports, SourceName
from privacy.identifiers import Sound, parse


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What an import of a source did. `unknown`: rows about nobody who is known here."""

    as_of: date
    rows: int
    unknown: int
    remarks: tuple[Remark, ...] = ()


class TakingAttendance:
    """Takes in attendance from files and from school systems."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._pupils = Pupils(sealer)
        self._attendance, self._sources = Attendance(sealer), SourceImports()

    def take_file(self, path: Path, system: str) -> SourceReport:
        """Import a CSV file. UppropError(EXPORT_UNREADABLE, INPUT_REFUSED); then nothing has changed."""
        check_system(system)
        return self.take(table.read(path, self._clock.today()), system)

    def take(self, read: Iterable[DayMark | Remark], system: str) -> SourceReport:
        """Import what a source shows. Days older than what is kept are passed over."""
        marks, remarks = _sorted_out(read)
        rows = len(marks) + len(remarks)
        if not marks:
            raise UppropError(
                Code.EXPORT_UNREADABLE,
                "No row of attendance can be read. Nothing was changed. See the manual of sources.",
            )
        return self._database.run("take_attendance", lambda tx: self._take(tx, marks, remarks, rows, system))

    def refused(self, system: str, error: UppropError) -> None:
        """The newest attempt came to nothing."""
        self._database.run(
            "attendance_refused",
            lambda tx: self._sources.refused(tx, f"attendance/{system}", error.code.value, self._clock.now()),
        )

    def _take(
        self, tx: Transaction, marks: list[DayMark], remarks: list[Remark], rows: int, system: str
    ) -> SourceReport:
        today = self._clock.today()
        owners = self._owners(tx, marks, system, today)
        pupils = self._pupils.load_all(tx, set(owners.values()))
        by_pupil: dict[bytes, dict[date, Mark]] = {}
        unknown = 0
        for mark in marks:
            owner = owners.get(_name(mark))
            pupil = None if owner is None else pupils[owner]
            if pupil is None or unit_of(pupil, mark.day) is None:
                unknown += 1
            elif mark.day > today - timedelta(days=KEPT_DAYS):
                together(by_pupil.setdefault(pupil.pupil_id, {}), mark.day, mark.mark)
        units = {of: unit_of(pupils[of], max(days)) or "" for of, days in by_pupil.items()}
        self._attendance.put(tx, by_pupil, units)
        as_of = max(mark.day for mark in marks)
        done = SourceImport(SourceName.ATTENDANCE, system, as_of, self._clock.now(), rows, unknown, len(remarks))
        self._sources.taken(tx, done, remarks)
        return SourceReport(as_of, rows, unknown, tuple(remarks))

    def _owners(
        self, tx: Transaction, marks: Iterable[DayMark], system: str, today: date
    ) -> Mapping[tuple[str, str], bytes]:
        """Whom rows are about, by what they name; rows that name nobody known here are left out."""
        names = {_name(mark) for mark in marks}
        by_id = {
            self._pupils.person_index(qualified(system, person_id)): (person_id, number)
            for person_id, number in names
            if person_id
        }
        found = {by_id[index]: of for index, of in self._pupils.by_person_ids(tx, by_id).items()}
        by_number: dict[bytes, list[tuple[str, str]]] = {}
        for name in names - found.keys():
            parsed = parse(name[1], today) if name[1] else None
            if isinstance(parsed, Sound):
                by_number.setdefault(self._pupils.number_index(parsed), []).append(name)
        for index, of in self._pupils.by_numbers(tx, by_number).items():
            found.update(dict.fromkeys(by_number[index], of))
        return found


def unit_of(pupil: Pupil, day: date) -> str | None:
    """The school unit at which the newest observation has the pupil on a day; None where at none."""
    observation = pupil.observations[-1] if pupil.observations else None
    return None if observation is None else unit_shown(observation, day)


def unit_shown(observation: Observation, day: date) -> str | None:
    """The unit of the enrolment that covers the day; of several, the one that began last."""
    rows = [
        row
        for row in observation.rows or ()
        if not row.cancelled and (row.start is None or row.start <= day) and (row.end is None or row.end >= day)
    ]
    return max(rows, key=lambda row: (row.start or date.min, row.unit)).unit if rows else None


def _sorted_out(read: Iterable[DayMark | Remark]) -> tuple[list[DayMark], list[Remark]]:
    marks: list[DayMark] = []
    remarks: list[Remark] = []
    for each in read:
        if isinstance(each, DayMark):
            marks.append(each)
        else:
            remarks.append(each)
    return marks, remarks


def _name(mark: DayMark) -> tuple[str, str]:
    return mark.person_id, mark.number
