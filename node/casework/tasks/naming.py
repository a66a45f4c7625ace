"""Tasks with what people need to know of them: the pupil's name and number, the unit's name, the days attended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from node.casework.attendance.model import Mark
from node.casework.attendance.taking import unit_of
from node.casework.tasks.model import Task
from node.store import Transaction
from node.store.attendance import KEPT_DAYS, Attendance
from node.store.pupils import Pupil, Pupils
from node.store.records import Records
from node.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Named:
    """`attended`: the days on which a source shows the pupil in school, newest first, as far as they are kept."""

    task: Task
    name: str = field(repr=False)
    number: str = field(repr=False)
    unit: str = field(repr=False)
    attended: tuple[date, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class OfUnit:
    """A pupil of a unit that is swept."""

    pupil_id: bytes = field(repr=False)
    name: str = field(repr=False)
    last_attended: date | None


class Naming:
    """Names tasks. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._pupils, self._records = Pupils(sealer), Records(sealer)
        self._attendance = Attendance(sealer)

    def named(self, tx: Transaction, tasks: Sequence[Task], today: date) -> tuple[Named, ...]:
        """In the order given."""
        pupil_ids = {task.pupil_id for task in tasks if task.pupil_id is not None}
        pupils = self._pupils.load_all(tx, pupil_ids)
        units = self._records.units(tx)
        marks = self._attendance.of_pupils(tx, pupil_ids, today - timedelta(days=KEPT_DAYS))
        found = []
        for task in tasks:
            pupil = None if task.pupil_id is None else pupils.get(task.pupil_id)
            unit = task.about.unit or ("" if pupil is None else unit_of(pupil, today) or "")
            of_pupil = marks.get(task.pupil_id or b"", {})
            attended = sorted((day for day, mark in of_pupil.items() if mark is Mark.PRESENT), reverse=True)
            number = task.about.number if pupil is None else _number(pupil)
            name = task.about.name if pupil is None else pupil.identity.name or task.about.name
            found.append(Named(task, name, number, units.get(unit, unit), tuple(attended)))
        return tuple(found)

    def of_unit(self, tx: Transaction, pupils: Sequence[Pupil], today: date) -> tuple[OfUnit, ...]:
        """In the order given."""
        marks = self._attendance.of_pupils(tx, (pupil.pupil_id for pupil in pupils), today - timedelta(days=KEPT_DAYS))
        return tuple(
            OfUnit(
                pupil.pupil_id,
                pupil.identity.name,
                max((day for day, mark in marks.get(pupil.pupil_id, {}).items() if mark is Mark.PRESENT), default=None),
            )
            for pupil in pupils
        )


def _number(pupil: Pupil) -> str:
    return "" if pupil.identity.number is None else pupil.identity.number.number
