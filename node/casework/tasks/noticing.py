"""What comes up by itself, once a day and after each import: absences, and sweeps of school units.

Invariants: looked at as often as one likes, the same day asks nothing twice; a task whose ground is gone is dropped,
never one that somebody has answered. The protected-identity role's pupils come up for that role.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from federation.clock import Clock
from federation.database import Database
from federation.rules.calendar import SchoolCalendar
from node.casework.attendance.model import Mark, absence, absence_subject, days_of_unit
from node.casework.attendance.taking import unit_of
from node.casework.tasks.model import (
    ABSENCE_DUE_SCHOOL_DAYS,
    SWEEP_DUE_SCHOOL_DAYS,
    About,
    Task,
    TaskKind,
)
from node.casework.tasks.terms import swept_since
from node.gaps import SECRET_ROUTES
from node.store import Transaction
from node.store.attendance import KEPT_DAYS, Attendance
from node.store.pupils import Pupil, Pupils
from node.store.sealing import Sealer
from node.store.sources import SourceImports, SourceName
from node.store.tasks import New, Tasks

LOOK_SECONDS = 15 * 60.0
CHUNK = 500
"""Pupils per transaction."""
FORGET_AFTER = timedelta(days=400)
FORGET_ROWS = 500

SWEPT = "swept"
"""The hint of an absence that a sweep has found."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look rests on."""

    today: date
    calendar: SchoolCalendar
    attended: Mapping[bytes, frozenset[date]]
    covered: frozenset[date]
    days: dict[str, tuple[date, ...]] = field(default_factory=dict)
    """School unit → the days that count for its pupils, as far as they were asked for."""

    @property
    def since(self) -> date:
        return self.today - timedelta(days=KEPT_DAYS)


class Noticing:
    """Makes the tasks that nobody orders."""

    def __init__(
        self, database: Database, sealer: Sealer, calendar: Callable[[], SchoolCalendar], clock: Clock
    ) -> None:
        self._database, self._calendar, self._clock = database, calendar, clock
        self._pupils, self._tasks = Pupils(sealer), Tasks(sealer)
        self._attendance, self._sources = Attendance(sealer), SourceImports()
        self._one_at_a_time = threading.Lock()
        self._looked: object = None

    def look_if_new(self) -> None:
        """Look once a day, and again after attendance was imported."""
        imports = self._database.view("noticing_due", lambda tx: self._sources.newest(tx, SourceName.ATTENDANCE))
        state = (self._clock.today(), tuple(each.received_at for each in imports))
        if state != self._looked:
            self.look()
            self._looked = state

    def look(self) -> None:
        """Ask about what stands today, drop what no longer does, forget what is old."""
        with self._one_at_a_time:
            look = self._database.view("noticing_begin", self._begin)
            pupil_ids = self._database.view("noticing_roster", self._pupils.on_roster)
            stands: set[bytes] = set()
            units: dict[str, None] = {}
            for start in range(0, len(pupil_ids), CHUNK):
                chunk = pupil_ids[start : start + CHUNK]
                absent, seen = self._database.run("noticing", functools.partial(self._absences, chunk, look))
                stands |= absent
                units |= dict.fromkeys(seen)
            self._database.run("noticing_end", functools.partial(self._end, stands, sorted(units), look))
            self._forget(look.today)

    def _begin(self, tx: Transaction) -> _Look:
        today, calendar = self._clock.today(), self._calendar()
        attended = self._attendance.attended(tx, today - timedelta(days=KEPT_DAYS))
        return _Look(today, calendar, attended, frozenset().union(*attended.values()))

    def _absences(self, chunk: Sequence[bytes], look: _Look, tx: Transaction) -> tuple[set[bytes], set[str]]:
        """Ask about the absences among these pupils; returns whose stand, and the units of them all."""
        pupils = [each for each in self._pupils.load_all(tx, chunk).values() if not each.identity.drill]
        marks = self._attendance.of_pupils(tx, chunk, look.since)
        due_on = look.calendar.nth_on_or_after(look.today, ABSENCE_DUE_SCHOOL_DAYS)
        wanted, stands, units = [], set(), set()
        for pupil in pupils:
            unit = unit_of(pupil, look.today)
            if unit is None:
                continue
            units.add(unit)
            new = self._absence(pupil, unit, marks.get(pupil.pupil_id, {}), look, due_on)
            if new is not None:
                wanted.append(new)
                stands.add(pupil.pupil_id)
        self._tasks.ask(tx, wanted, look.today)
        return stands, units

    def _absence(self, pupil: Pupil, unit: str, marks: Mapping[date, Mark], look: _Look, due_on: date) -> New | None:
        days = look.days.get(unit)
        if days is None:
            attended = look.attended.get(self._attendance.unit_index(unit), frozenset())
            days = days_of_unit(attended, look.covered, look.calendar, (look.since, look.today))
            look.days[unit] = days
        begins = enrolled_from(pupil, unit)
        found = absence(marks, days, begins or look.since)
        if found is None:
            return None
        subject = absence_subject(pupil.pupil_id, found.last_attended, begins)
        about = About(found.last_attended, unit=unit, hint="valid" if found.valid else "")
        return New(TaskKind.ABSENCE, subject, about, due_on, pupil.pupil_id, _secret(pupil))

    def _end(self, stands: set[bytes], units: Sequence[str], look: _Look, tx: Transaction) -> None:
        """Drop absences that have ended, and begin the sweep that is due."""
        open_absences = self._tasks.open(tx, protected=True, kinds=[TaskKind.ABSENCE])
        self._tasks.drop(tx, (task.task_id for task in open_absences if _over(task, stands)), look.today)
        begun = swept_since(look.calendar, look.today)
        if begun is not None:
            due_on = look.calendar.nth_on_or_after(begun, SWEEP_DUE_SCHOOL_DAYS)
            sweeps = [
                New(TaskKind.SWEEP, unit.encode() + begun.isoformat().encode(), About(begun, unit=unit), due_on)
                for unit in units
            ]
            self._tasks.ask(tx, sweeps, look.today)

    def _forget(self, today: date) -> None:
        old = today - FORGET_AFTER
        for forget in (
            functools.partial(self._tasks.forget, before=old, today=today, limit=FORGET_ROWS),
            functools.partial(self._attendance.forget, before=today - timedelta(days=KEPT_DAYS), limit=FORGET_ROWS),
        ):
            while self._database.run("noticing_forget", forget):
                pass


def _over(task: Task, stands: set[bytes]) -> bool:
    """Whether an absence stands no more. What a sweep or a person has asked about stands until it is answered."""
    return task.pupil_id not in stands and task.about.hint != SWEPT


def _secret(pupil: Pupil) -> bool:
    return pupil.protected or pupil.route in SECRET_ROUTES


def enrolled_from(pupil: Pupil, unit: str) -> date | None:
    """Since when the pupil is at the unit, as the newest observation shows it."""
    rows = pupil.observations[-1].rows if pupil.observations else None
    starts = [row.start for row in rows or () if row.unit == unit and not row.cancelled and row.start is not None]
    return max((start for start in starts), default=None)
