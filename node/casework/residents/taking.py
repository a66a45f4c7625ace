"""Taking in the list of residents: who of school age has no presence here and no known school elsewhere is asked about.

Invariants
    - The list itself is not kept; of it there remain the tasks that it makes.
    - A list of half as many children as the one before is refused: whoever is missing from it would no longer be asked
      about.
    - Known elsewhere is whom the list says so of, whose gap another member has answered, or whose duty has ended.
      Whoever is looked for already is not asked about twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import GapState
from node.casework.attendance.taking import SourceReport
from node.casework.residents import table
from node.casework.residents.model import Resident, of_school_age
from node.casework.tasks.model import RESIDENT_DUE_SCHOOL_DAYS, About, TaskKind
from node.gaps import SECRET_ROUTES
from node.records.person import DEFAULT_SYSTEM, Remark, RemarkKind
from node.store import Transaction
from node.store.gaps import Gaps
from node.store.pupils import Pupil, Pupils
from node.store.sealing import Sealer
from node.store.sources import SourceImport, SourceImports, SourceName
from node.store.tasks import New, Tasks
from privacy.identifiers import CanonicalNumber, NumberKind, Sound

SOURCE = f"{SourceName.RESIDENTS.value}/{DEFAULT_SYSTEM}"

_SETTLED = frozenset({GapState.WATCH, GapState.OPEN, GapState.ANSWERED, GapState.ENDED})
"""Of a gap: looked for already, known to be elsewhere, or no longer under the duty."""


class TakingResidents:
    """Takes in lists of residents."""

    def __init__(
        self, database: Database, sealer: Sealer, calendar: Callable[[], SchoolCalendar], clock: Clock
    ) -> None:
        self._database, self._calendar, self._clock = database, calendar, clock
        self._pupils = Pupils(sealer)
        self._gaps = Gaps(self._pupils)
        self._tasks, self._sources = Tasks(sealer), SourceImports()

    def take_file(self, path: Path, as_of: date, *, accept_shrink: bool = False) -> SourceReport:
        """Import the list of `as_of`. UppropError(EXPORT_UNREADABLE, EXPORT_OLDER, EXPORT_SHRUNK, INPUT_REFUSED)."""
        today = self._clock.today()
        if as_of > today:
            raise UppropError(Code.INPUT_REFUSED, f"The day of the list ({as_of}) is after today ({today}).")
        try:
            read = list(table.read(path, as_of))
            return self._database.run(
                "take_residents", lambda tx: self._take(tx, read, as_of, accept_shrink=accept_shrink)
            )
        except UppropError as error:
            code = error.code.value
            self._database.run(
                "residents_refused", lambda tx: self._sources.refused(tx, SOURCE, code, self._clock.now())
            )
            raise

    def _take(
        self, tx: Transaction, read: Iterable[Resident | Remark], as_of: date, *, accept_shrink: bool
    ) -> SourceReport:
        residents = [each for each in read if isinstance(each, Resident)]
        remarks = tuple(each for each in read if isinstance(each, Remark))
        before = next(iter(self._sources.newest(tx, SourceName.RESIDENTS)), None)
        _check(residents, before, as_of, accept_shrink=accept_shrink)
        wanted = self._not_placed(tx, residents, as_of)
        self._tasks.ask(tx, wanted, self._clock.today())
        asked = {new.about.number for new in wanted}
        standing = self._tasks.open(tx, protected=True, kinds=[TaskKind.NOT_PLACED])
        self._tasks.drop(tx, (task.task_id for task in standing if task.about.number not in asked), self._clock.today())
        rejected = [remark for remark in remarks if remark.kind is RemarkKind.REJECTED]
        done = SourceImport(
            SourceName.RESIDENTS,
            DEFAULT_SYSTEM,
            as_of,
            self._clock.now(),
            len(residents) + len(rejected),
            len(wanted),
            len(rejected),
        )
        self._sources.taken(tx, done, rejected)
        return SourceReport(as_of, done.rows, done.unknown, remarks)

    def _not_placed(self, tx: Transaction, residents: Iterable[Resident], as_of: date) -> list[New]:
        today = self._clock.today()
        due_on = self._calendar().nth_on_or_after(today, RESIDENT_DUE_SCHOOL_DAYS)
        of_age = {each.number: each for each in residents if of_school_age(each.born, today) and not each.elsewhere}
        indexes = {self._pupils.number_index(sound(number)): number for number in of_age}
        known = self._pupils.by_numbers(tx, indexes)
        pupils = self._pupils.load_all(tx, known.values())
        gaps = self._gaps.of_handles(tx, (pupil.handle for pupil in pupils.values()))
        wanted = []
        for index, number in indexes.items():
            pupil = pupils.get(known.get(index, b""))
            if pupil is not None and (
                placed(pupil, today) or any(gap.stated and gap.state in _SETTLED for gap in gaps.get(pupil.handle, ()))
            ):
                continue
            resident = of_age[number]
            secret = pupil is not None and (pupil.protected or pupil.route in SECRET_ROUTES)
            wanted.append(
                New(
                    TaskKind.NOT_PLACED,
                    number.encode(),
                    About(as_of, number, resident.name, resident_since=resident.since),
                    due_on,
                    None if pupil is None else pupil.pupil_id,
                    resident.protected or secret,
                )
            )
        return wanted


def placed(pupil: Pupil, today: date) -> bool:
    """Whether a presence is in force, or an import says so that has not been stated yet."""
    enrolled = pupil.live and (pupil.enrolled_until is None or pupil.enrolled_until >= today)
    return pupil.in_roster or (pupil.dirty and enrolled)


def _check(residents: list[Resident], before: SourceImport | None, as_of: date, *, accept_shrink: bool) -> None:
    if not residents:
        raise UppropError(
            Code.EXPORT_UNREADABLE, "No row of the list can be read. Nothing was changed. See the manual of sources."
        )
    if before is None:
        return
    if as_of < before.as_of:
        raise UppropError(
            Code.EXPORT_OLDER, f"The list of {before.as_of} was imported already, and this one is of {as_of}."
        )
    if 2 * len(residents) < before.rows - before.rejected and not accept_shrink:
        raise UppropError(
            Code.EXPORT_SHRUNK,
            "The list has less than half as many children as the one before. Nothing was changed. Give the whole list, "
            "or say --accept-shrink if it is right.",
        )


def sound(number: str) -> Sound:
    """A number that the table has found sound."""
    coordination = int(number[6:8]) > 60
    kind = NumberKind.SAMORDNINGSNUMMER if coordination else NumberKind.PERSONNUMMER
    return Sound(kind, CanonicalNumber(number))
