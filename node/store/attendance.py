"""The aggregate "attendance": one mark for each pupil and day, kept for `KEPT_DAYS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy import Connection, delete, func, insert, or_, select

from node.casework.attendance.model import Mark
from node.store.bulk import chunks
from node.store.schema_sources import attendance
from node.store.sealing import Sealer

KEPT_DAYS = 60
"""Days."""


class Attendance:
    """Marks of pupils. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def unit_index(self, unit: str) -> bytes:
        return self._sealer.index("attendance unit", unit.encode())

    def put(self, tx: Connection, marks: Mapping[bytes, Mapping[date, Mark]], units: Mapping[bytes, str]) -> None:
        """Keep what a source shows, in place of what it showed of the same pupils and days before.

        `units`: pupil_id → the school unit, of all pupils in `marks`.
        """
        days = sorted({day for of_pupil in marks.values() for day in of_pupil})
        for chunk in chunks(sorted(marks)):
            for day in days:
                of_day = [pupil_id for pupil_id in chunk if day in marks[pupil_id]]
                if of_day:
                    tx.execute(delete(attendance).where(attendance.c.day == day, attendance.c.pupil_id.in_(of_day)))
            rows = [
                {"pupil_id": of, "day": day, "mark": mark.value, "unit_index": self.unit_index(units[of])}
                for of in chunk
                for day, mark in marks[of].items()
            ]
            if rows:
                tx.execute(insert(attendance), rows)

    def attended(self, tx: Connection, since: date) -> dict[bytes, frozenset[date]]:
        """unit_index → the days since `since` on which somebody of that unit was there."""
        query = (
            select(attendance.c.unit_index, attendance.c.day)
            .where(attendance.c.mark == Mark.PRESENT.value, attendance.c.day >= since)
            .distinct()
        )
        found: dict[bytes, set[date]] = {}
        for unit, day in tx.execute(query):
            found.setdefault(unit, set()).add(day)
        return {unit: frozenset(days) for unit, days in found.items()}

    def of_pupils(self, tx: Connection, pupil_ids: Iterable[bytes], since: date) -> dict[bytes, dict[date, Mark]]:
        """pupil_id → its marks since `since` and the last day attended; pupils without any are left out."""
        found: dict[bytes, dict[date, Mark]] = {}
        for chunk in chunks(pupil_ids):
            query = select(attendance).where(
                attendance.c.pupil_id.in_(chunk),
                or_(attendance.c.day >= since, attendance.c.mark == Mark.PRESENT.value),
            )
            for row in tx.execute(query):
                found.setdefault(row.pupil_id, {})[row.day] = Mark(row.mark)
        return found

    def newest_present(self, tx: Connection) -> date | None:
        """The newest day on which anybody was there."""
        query = select(func.max(attendance.c.day)).where(attendance.c.mark == Mark.PRESENT.value)
        return tx.execute(query).scalar()

    def forget(self, tx: Connection, before: date, limit: int) -> int:
        """Take away marks of days before a day, but for the last day that a pupil attended; returns how many."""
        later = attendance.alias("later")
        there = Mark.PRESENT.value
        attended_since = select(later.c.day).where(
            later.c.pupil_id == attendance.c.pupil_id, later.c.mark == there, later.c.day > attendance.c.day
        )
        old = (
            select(attendance.c.pupil_id, attendance.c.day)
            .where(attendance.c.day < before, or_(attendance.c.mark != there, attended_since.exists()))
            .limit(limit)
        )
        rows = tx.execute(old).all()
        for day in {row.day for row in rows}:
            pupil_ids = [row.pupil_id for row in rows if row.day == day]
            tx.execute(delete(attendance).where(attendance.c.day == day, attendance.c.pupil_id.in_(pupil_ids)))
        return len(rows)
