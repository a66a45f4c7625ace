"""The aggregate "record": what each school system says of each person in its newest roster.

A record stands from the delivery that brought it to the one that no longer shows it or shows it changed; moved by
`add`, `drop` and `give` alone. Its keyed digest tells without decryption that nothing has changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from node.records.person import PersonRecord, qualified
from node.store.bulk import chunks
from node.store.schema import pupils
from node.store.schema_systems import records, units
from node.store.sealing import Sealer

WRITE_AT_ONCE = 2_000
"""Records per statement, and per step through a whole roster."""


@dataclass(slots=True)
class KnownRecord:
    """A record of the roster before, as far as an unchanged one needs it; `seen`: the delivery shows it again."""

    pupil_id: bytes
    person: bytes
    enrolled: bool
    numbered: bool
    seen: bool = False


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to be kept. `person` is the keyed digest of its person's id, `packed` what `pack` makes of it."""

    record_index: bytes
    person: bytes
    pupil_id: bytes
    enrolled: bool
    numbered: bool
    packed: bytes


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as it stands, opened."""

    system: str
    record_index: bytes
    person: bytes
    pupil_id: bytes
    record: PersonRecord

    def __repr__(self) -> str:
        return f"StoredRecord(system={self.system})"


class Records:
    """The rosters of the node. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def record_index(self, system: str, packed: bytes) -> bytes:
        """The keyed digest of a packed record; equal records of two systems have unequal ones."""
        return self._sealer.index("record", system.encode() + b"\0" + packed)

    # -- finding ----------------------------------------------------------------------------------------------------

    def known(self, tx: Connection, system: str, persons: Collection[bytes] | None = None) -> dict[bytes, KnownRecord]:
        """record_index → record, of a system's roster; `persons`: of these persons alone."""
        columns = (
            records.c.record_index,
            records.c.pupil_id,
            records.c.person_index,
            records.c.enrolled,
            records.c.numbered,
        )
        query = select(*columns).where(records.c.system == system)
        queries = [query] if persons is None else [query.where(records.c.person_index.in_(c)) for c in chunks(persons)]
        return {row[0]: KnownRecord(*row[1:]) for query in queries for row in tx.execute(query)}

    def of_persons(
        self, tx: Connection, system: str, person_ids: Collection[str]
    ) -> dict[str, tuple[PersonRecord, ...]]:
        """The school system's id → what it says of that person; persons whom it does not have are left out."""
        asked = {self._sealer.index("person id", qualified(system, each).encode()): each for each in person_ids}
        found: dict[str, list[PersonRecord]] = {}
        for chunk in chunks(asked):
            query = select(records).where(records.c.system == system, records.c.person_index.in_(chunk))
            for stored in map(self._open, tx.execute(query)):
                found.setdefault(asked[stored.person], []).append(stored.record)
        return {person_id: tuple(of_person) for person_id, of_person in found.items()}

    def of_system(self, tx: Connection, system: str) -> Iterator[StoredRecord]:
        """All that a school system says."""
        query = select(records).where(records.c.system == system).execution_options(yield_per=WRITE_AT_ONCE)
        return map(self._open, tx.execute(query))

    def of_pupils(self, tx: Connection, pupil_ids: Iterable[bytes]) -> dict[bytes, tuple[StoredRecord, ...]]:
        """pupil_id → all that any school system says; pupils of whom none says anything are left out."""
        found: dict[bytes, list[StoredRecord]] = {}
        for stored in self.standing(tx, pupil_ids):
            found.setdefault(stored.pupil_id, []).append(stored)
        return {pupil_id: tuple(of_pupil) for pupil_id, of_pupil in found.items()}

    def standing(
        self, tx: Connection, pupil_ids: Iterable[bytes], system: str = "", leave_out: Container[bytes] = ()
    ) -> Iterator[StoredRecord]:
        """All that any school system says of these pupils, save the records of `system` that are left out."""
        for chunk in chunks(pupil_ids):
            for row in tx.execute(select(records).where(records.c.pupil_id.in_(chunk))):
                if row.system != system or row.record_index not in leave_out:
                    yield self._open(row)

    def without(self, tx: Connection) -> tuple[bytes, ...]:
        """Ids of live pupils of whom no record stands: those of a store from before records were kept."""
        query = select(pupils.c.pupil_id).where(pupils.c.live, pupils.c.pupil_id.not_in(select(records.c.pupil_id)))
        return tuple(tx.execute(query).scalars())

    def roster(self, tx: Connection, system: str, since: date) -> int:
        """Live pupils of a system, or of none yet, whose enrolment reached `since`."""
        of_system = select(records.c.pupil_id).where(records.c.system == system)
        of_none = pupils.c.pupil_id.not_in(select(records.c.pupil_id))
        query = (
            select(func.count())
            .select_from(pupils)
            .where(pupils.c.live, pupils.c.enrolled_until >= since, or_(pupils.c.pupil_id.in_(of_system), of_none))
        )
        return tx.execute(query).scalar_one()

    def units(self, tx: Connection) -> dict[str, str]:
        """Id → name of the school units that school systems have named."""
        found: dict[str, str] = {}
        for row in tx.execute(select(units)):
            plain = self._sealer.open("units", _unit_row(row.system, row.unit_index), "sealed_unit", row.sealed_unit)
            unit, name = _decode_unit(plain)
            found[unit] = name
        return found

    # -- writing ----------------------------------------------------------------------------------------------------

    def add(self, tx: Connection, system: str, new: Iterable[NewRecord]) -> None:
        pending = iter(new)
        while part := list(itertools.islice(pending, WRITE_AT_ONCE)):
            tx.execute(insert(records), [self._sealed(system, record) for record in part])

    def drop(self, tx: Connection, system: str, indexes: Iterable[bytes]) -> None:
        for chunk in chunks(indexes):
            tx.execute(delete(records).where(records.c.system == system, records.c.record_index.in_(chunk)))

    def give(self, tx: Connection, moved: Sequence[tuple[StoredRecord, bytes]]) -> None:
        """Records that turned out to be another pupil's."""
        if moved:
            tx.execute(
                update(records)
                .where(records.c.system == bindparam("of_system"), records.c.record_index == bindparam("of_record"))
                .values(pupil_id=bindparam("to_pupil")),
                [
                    {"of_system": record.system, "of_record": record.record_index, "to_pupil": pupil_id}
                    for record, pupil_id in moved
                ],
            )

    def name_units(self, tx: Connection, system: str, names: Mapping[str, str]) -> None:
        """Keep the names that a delivery gives school units; a delivery without names leaves the known ones."""
        for unit, name in names.items():
            index = self._sealer.index("unit", unit.encode())
            sealed = self._sealer.seal("units", _unit_row(system, index), "sealed_unit", _encode((unit, name)))
            tx.execute(delete(units).where(units.c.system == system, units.c.unit_index == index))
            tx.execute(insert(units).values(system=system, unit_index=index, sealed_unit=sealed))

    def _sealed(self, system: str, record: NewRecord) -> dict[str, Any]:
        row = _row(system, record.record_index)
        return {
            "system": system,
            "record_index": record.record_index,
            "person_index": record.person,
            "pupil_id": record.pupil_id,
            "enrolled": record.enrolled,
            "numbered": record.numbered,
            "sealed_record": self._sealer.seal("records", row, "sealed_record", record.packed),
        }

    def _open(self, row: Any) -> StoredRecord:
        packed = self._sealer.open("records", _row(row.system, row.record_index), "sealed_record", row.sealed_record)
        return StoredRecord(row.system, row.record_index, row.person_index, row.pupil_id, unpack(packed))


def pack(record: PersonRecord) -> bytes:
    """All that the record says, in one fixed form; its position in the delivery is no part of it."""
    return _encode(
        (
            record.person_id,
            record.number,
            record.given_name,
            record.family_name,
            record.birth_date,
            record.sex,
            record.status,
            record.marking,
            record.rows,
            record.row_ids,
        )
    )


_encode = msgspec.json.Encoder().encode
unpack = msgspec.json.Decoder(PersonRecord).decode
"""A record from what `pack` made of it; without its position."""
_decode_unit = msgspec.json.Decoder(tuple[str, str]).decode


def _row(system: str, record_index: bytes) -> bytes:
    return system.encode() + b"\0" + record_index


def _unit_row(system: str, unit_index: bytes) -> bytes:
    return system.encode() + b"\0" + unit_index
