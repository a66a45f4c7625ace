"""The aggregate "import": which exports were taken in, what was remarked, and the facts all statements rest on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from node.model import HeldLeavings, ImportFacts
from node.records.person import DEFAULT_SYSTEM, Remark, RemarkKind
from node.store.schema import node_state, recovery
from node.store.schema_systems import held_leavings, imports, mass_start_days, moved_pupils, rejected_rows
from node.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One accepted import. `file_digest` is the SHA-256 of what was delivered.

    `seen_on` is the day from which what it shows is known here: its as-of, or the day of another system's newer import.
    `retired`: with it the system's roster was taken away.
    """

    as_of: date
    seen_on: date
    received_at: datetime
    file_digest: bytes
    persons: int
    rows: int
    changed: int
    vanished: int
    rejected: int
    baseline: bool
    system: str = DEFAULT_SYSTEM
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """Leavings of one school unit that wait; `wait_school_days` must pass, or a person confirm them."""

    as_of: date
    unit: str
    pupils: int
    wait_school_days: int
    released_on: date | None = None
    system: str = DEFAULT_SYSTEM


class Imports:
    """The imports of the node. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def newest(self, tx: Connection, system: str | None = None) -> ImportRecord | None:
        """The newest import, or the newest of one school system."""
        query = select(imports).order_by(imports.c.as_of.desc(), imports.c.import_id.desc()).limit(1)
        row = tx.execute(query if system is None else query.where(imports.c.system == system)).first()
        return None if row is None else _opened(row)

    def newest_of_each(self, tx: Connection) -> dict[str, ImportRecord]:
        """School system → its newest import."""
        newest = select(func.max(imports.c.import_id)).group_by(imports.c.system)
        query = select(imports).where(imports.c.import_id.in_(newest)).order_by(imports.c.system)
        return {row.system: _opened(row) for row in tx.execute(query)}

    def current_as_of(self, tx: Connection) -> date | None:
        """The day up to which every school system has been heard; None before the baseline.

        The oldest of their newest: a system that has fallen silent makes its whole member silent, for nobody can tell
        which of its pupils are still there.
        """
        return min((record.as_of for record in self.newest_of_each(tx).values() if not record.retired), default=None)

    def newest_seen(self, tx: Connection) -> date | None:
        """The day up to which anything is known; None before the baseline."""
        return tx.execute(select(func.max(imports.c.seen_on))).scalar()

    def last_before(self, tx: Connection, system: str, day: date) -> date | None:
        """The day of the system's newest import before that of `day`; None where that is its first."""
        query = select(func.max(imports.c.seen_on)).where(imports.c.system == system, imports.c.seen_on < day)
        return tx.execute(query).scalar()

    def add(self, tx: Connection, record: ImportRecord, remarks: Sequence[Remark]) -> None:
        """Keep an import with its remarks; those of the system's earlier imports are old news and go."""
        earlier = select(imports.c.import_id).where(imports.c.system == record.system)
        tx.execute(delete(rejected_rows).where(rejected_rows.c.import_id.in_(earlier)))
        import_id = tx.execute(
            insert(imports)
            .values(
                as_of=record.as_of,
                seen_on=record.seen_on,
                received_at=record.received_at,
                file_digest=record.file_digest,
                persons=record.persons,
                rows=record.rows,
                changed=record.changed,
                vanished=record.vanished,
                rejected=record.rejected,
                baseline=record.baseline,
                system=record.system,
                retired=record.retired,
            )
            .returning(imports.c.import_id)
        ).scalar_one()
        if remarks:
            tx.execute(
                insert(rejected_rows),
                [
                    {
                        "import_id": import_id,
                        "position": position,
                        "kind": remark.kind.value,
                        "row": remark.row,
                        "field": remark.field,
                        "why": remark.why,
                    }
                    for position, remark in enumerate(remarks)
                ],
            )

    def remarks_of_newest(self, tx: Connection, system: str = DEFAULT_SYSTEM) -> tuple[Remark, ...]:
        """What was remarked on a system's newest import, in the order of what was delivered."""
        of_system = select(imports.c.import_id).where(imports.c.system == system)
        newest = of_system.order_by(imports.c.as_of.desc(), imports.c.import_id.desc()).limit(1)
        query = select(rejected_rows).where(rejected_rows.c.import_id == newest.scalar_subquery())
        return tuple(
            Remark(RemarkKind(row.kind), row.row, row.field, row.why)
            for row in tx.execute(query.order_by(rejected_rows.c.position))
        )

    def facts(self, tx: Connection) -> ImportFacts | None:
        """The facts of all imports so far; None before the baseline."""
        days = tuple(tx.execute(select(imports.c.seen_on).distinct().order_by(imports.c.seen_on)).scalars())
        if not days:
            return None
        begun = tx.execute(select(imports.c.seen_on).where(imports.c.baseline)).scalars().all()
        # A store that was lost began with an import that this one does not have.
        lost = tx.execute(select(recovery.c.first_contact)).scalar()
        baseline = days[0] if lost is None else min(days[0], lost)
        return ImportFacts(
            baseline=baseline,
            imports=tuple(sorted({baseline, *days})),
            mass_start_days=frozenset(tx.execute(select(mass_start_days.c.day)).scalars()),
            held=tuple(HeldLeavings(held.as_of, held.unit, held.released_on) for held in self.held(tx)),
            joined=frozenset(begun) - {days[0]},
        )

    def set_mass_start_days(self, tx: Connection, system: str, days: Sequence[date]) -> None:
        tx.execute(delete(mass_start_days).where(mass_start_days.c.system == system))
        if days:
            tx.execute(insert(mass_start_days), [{"system": system, "day": day} for day in days])

    def held(self, tx: Connection) -> tuple[Held, ...]:
        """All leavings that wait or waited, oldest first."""
        query = select(held_leavings).order_by(held_leavings.c.as_of, held_leavings.c.unit_index)
        return tuple(
            Held(
                row.as_of,
                self._sealer.open(
                    "held_leavings", _row_id(row.as_of, row.unit_index), "sealed_unit", row.sealed_unit
                ).decode(),
                row.pupils,
                row.wait_school_days,
                row.released_on,
                row.system,
            )
            for row in tx.execute(query)
        )

    def moved_on(self, tx: Connection, system: str, day: date, moved: Collection[bytes]) -> frozenset[bytes]:
        """Keep the pupils whose records ceased to cover the day on an import of this day; returns others of this day.

        A pupil that has been merged into another one since may be among them.
        """
        of_system = moved_pupils.c.system == system
        tx.execute(delete(moved_pupils).where(of_system, moved_pupils.c.seen_on < day))
        before = frozenset(tx.execute(select(moved_pupils.c.pupil_id).where(of_system)).scalars())
        fresh = [
            {"system": system, "pupil_id": pupil_id, "seen_on": day} for pupil_id in moved if pupil_id not in before
        ]
        if fresh:
            tx.execute(insert(moved_pupils), fresh)
        return before.difference(moved)

    def hold(self, tx: Connection, held: Held) -> None:
        """Let the leavings of one unit first seen on one import wait; the newer word counts."""
        index = self._sealer.index("unit", held.unit.encode())
        tx.execute(
            delete(held_leavings).where(held_leavings.c.as_of == held.as_of, held_leavings.c.unit_index == index)
        )
        row_id = _row_id(held.as_of, index)
        tx.execute(
            insert(held_leavings).values(
                as_of=held.as_of,
                unit_index=index,
                sealed_unit=self._sealer.seal("held_leavings", row_id, "sealed_unit", held.unit.encode()),
                pupils=held.pupils,
                wait_school_days=held.wait_school_days,
                released_on=held.released_on,
                system=held.system,
            )
        )

    def release(self, tx: Connection, held: Held, released_on: date) -> None:
        index = self._sealer.index("unit", held.unit.encode())
        tx.execute(
            update(held_leavings)
            .where(held_leavings.c.as_of == held.as_of, held_leavings.c.unit_index == index)
            .values(released_on=released_on)
        )

    def check_key(self, tx: Connection) -> bool:
        """Whether the record key is the one this store was begun with; the first call sets it."""
        index = self._sealer.index("key check", b"upprop")
        row = tx.execute(select(node_state.c.key_check_index)).first()
        if row is None:
            tx.execute(insert(node_state).values(id=1, key_check_index=index))
            return True
        if row.key_check_index is None:
            tx.execute(update(node_state).values(key_check_index=index))
            return True
        return bool(row.key_check_index == index)


def _opened(row: Any) -> ImportRecord:
    return ImportRecord(
        as_of=row.as_of,
        seen_on=row.seen_on,
        received_at=row.received_at,
        file_digest=row.file_digest,
        persons=row.persons,
        rows=row.rows,
        changed=row.changed,
        vanished=row.vanished,
        rejected=row.rejected,
        baseline=row.baseline,
        system=row.system,
        retired=row.retired,
    )


def _row_id(as_of: date, unit_index: bytes) -> bytes:
    return as_of.isoformat().encode() + unit_index
