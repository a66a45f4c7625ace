"""The aggregate "pupil": identity, history, handle, route, and the indexes by which it is found.

State of a pupil's handle: made with the pupil → (typing error, or merged into another pupil) → retired. Moved by
`replace_handle` and `merge`; a retired handle stays in `retired_handles` so that its retraction is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from node.identity import Identity, Route
from node.model import Observation
from node.store.bulk import chunks
from node.store.schema import gaps, number_indexes, person_ids, pupils, retired_handles, sayings, versions
from node.store.schema_files import files
from node.store.schema_holds import holds
from node.store.schema_sources import tasks
from node.store.schema_subjects import subject_requests
from node.store.schema_systems import records
from node.store.sealing import Sealer
from privacy.identifiers import NumberKind, Sound

PUPIL_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Pupil:
    """One pupil as stored. `observations` oldest first; `live`: in the newest roster of some school system."""

    pupil_id: bytes
    handle: bytes
    identity: Identity
    observations: tuple[Observation, ...]
    route: Route
    protected: bool = False
    live: bool = False
    enrolled_until: date | None = None
    recheck_on: date | None = None
    dirty: bool = True
    in_roster: bool = False

    def __repr__(self) -> str:
        return f"Pupil(route={self.route.value})"


class Pupils:
    """The pupils of the node. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    # -- finding ----------------------------------------------------------------------------------------------------

    def number_index(self, number: Sound) -> bytes:
        """A drill's number is indexed apart from pupils': neither import nor word finds a drill by it."""
        purpose = "drill number" if number.kind is NumberKind.DRILL else "number"
        return self._sealer.index(purpose, number.number.encode())

    def person_index(self, person_id: str) -> bytes:
        """Of a qualified id."""
        return self._sealer.index("person id", person_id.encode())

    def by_numbers(self, tx: Connection, indexes: Iterable[bytes]) -> dict[bytes, bytes]:
        """number_index → pupil_id, of those known (as current or earlier numbers)."""
        return _lookup(tx, number_indexes.c.number_index, number_indexes.c.pupil_id, indexes)

    def by_person_ids(self, tx: Connection, indexes: Iterable[bytes]) -> dict[bytes, bytes]:
        """person_index → pupil_id, of those known."""
        return _lookup(tx, person_ids.c.person_index, person_ids.c.pupil_id, indexes)

    def by_handle(self, tx: Connection, handle: bytes) -> bytes | None:
        """The pupil of a handle, be it current or retired."""
        for table in (pupils, retired_handles):
            found: bytes | None = tx.execute(select(table.c.pupil_id).where(table.c.handle == handle)).scalar()
            if found is not None:
                return found
        return None

    def load(self, tx: Connection, pupil_id: bytes) -> Pupil:
        """One pupil, opened; KeyError if there is none."""
        return self.load_all(tx, [pupil_id])[pupil_id]

    def load_all(self, tx: Connection, pupil_ids: Iterable[bytes]) -> dict[bytes, Pupil]:
        """Pupils by id, opened."""
        found: dict[bytes, Pupil] = {}
        for chunk in chunks(pupil_ids):
            for row in tx.execute(select(pupils).where(pupils.c.pupil_id.in_(chunk))):
                found[row.pupil_id] = self._opened(row)
        return found

    def identities(self, tx: Connection, pupil_ids: Iterable[bytes]) -> dict[bytes, Identity]:
        """Identities by pupil id, without opening the histories."""
        found: dict[bytes, Identity] = {}
        for chunk in chunks(pupil_ids):
            query = select(pupils.c.pupil_id, pupils.c.sealed_identity).where(pupils.c.pupil_id.in_(chunk))
            for row in tx.execute(query):
                found[row.pupil_id] = self._identity(row.pupil_id, row.sealed_identity)
        return found

    def to_restate(self, tx: Connection, today: date) -> tuple[bytes, ...]:
        """Ids of the pupils whose statement may have changed: new input, or a day that has come.

        Of one who is being erased nothing more is said.
        """
        erased = select(subject_requests.c.pupil_id).where(subject_requests.c.pupil_id.is_not(None))
        due = or_(pupils.c.dirty, pupils.c.recheck_on <= today)
        query = select(pupils.c.pupil_id).where(due, pupils.c.pupil_id.not_in(erased))
        return tuple(tx.execute(query).scalars())

    def enrolled_since(self, tx: Connection, pupil_ids: Iterable[bytes], since: date) -> int:
        """How many of these live pupils are enrolled up to `since` or later."""
        total = 0
        for chunk in chunks(pupil_ids):
            query = (
                select(func.count())
                .select_from(pupils)
                .where(pupils.c.pupil_id.in_(chunk), pupils.c.live, pupils.c.enrolled_until >= since)
            )
            total += tx.execute(query).scalar_one()
        return total

    def retired(self, tx: Connection, pupil_ids: Iterable[bytes]) -> dict[bytes, bytes]:
        """retired handle → pupil_id, of the pupils asked for."""
        found: dict[bytes, bytes] = {}
        for chunk in chunks(pupil_ids):
            query = select(retired_handles.c.handle, retired_handles.c.pupil_id).where(
                retired_handles.c.pupil_id.in_(chunk)
            )
            found.update({row.handle: row.pupil_id for row in tx.execute(query)})
        return found

    def on_roster(self, tx: Connection) -> tuple[bytes, ...]:
        """Ids of the pupils with a presence in force, drills left out."""
        query = select(pupils.c.pupil_id).where(pupils.c.in_roster, ~pupils.c.drill)
        return tuple(tx.execute(query.order_by(pupils.c.pupil_id)).scalars())

    def roster(self, tx: Connection) -> int:
        """Pupils with a presence in force, those of the protected-identity role and of drills left out."""
        counted = (pupils.c.in_roster, ~pupils.c.protected, ~pupils.c.drill)
        query = select(func.count()).select_from(pupils).where(*counted)
        return tx.execute(query).scalar_one()

    # -- writing ----------------------------------------------------------------------------------------------------

    def add(self, tx: Connection, new: Sequence[Pupil]) -> None:
        """Insert pupils with their numbers and ids."""
        if not new:
            return
        tx.execute(insert(pupils), [self._sealed(pupil) for pupil in new])
        self._claim_numbers(tx, new)
        self._claim_person_ids(tx, new)

    def change(self, tx: Connection, changed: Sequence[Pupil]) -> None:
        """Write pupils anew, with the numbers and ids they have gained or lost."""
        if not changed:
            return
        tx.execute(
            update(pupils).where(pupils.c.pupil_id == bindparam("key")),
            [{"key": pupil.pupil_id, **_without_key(self._sealed(pupil))} for pupil in changed],
        )
        for chunk in chunks(pupil.pupil_id for pupil in changed):
            tx.execute(delete(number_indexes).where(number_indexes.c.pupil_id.in_(chunk)))
        self._claim_numbers(tx, changed)
        self._claim_person_ids(tx, changed)

    def mark_dirty(self, tx: Connection, pupil_ids: Iterable[bytes]) -> None:
        for chunk in chunks(pupil_ids):
            tx.execute(update(pupils).where(pupils.c.pupil_id.in_(chunk)).values(dirty=True))

    def mark_all_dirty(self, tx: Connection) -> None:
        """Facts that every statement rests on have changed (a release of held leavings, a new policy or calendar)."""
        tx.execute(update(pupils).values(dirty=True))

    def restated(self, tx: Connection, rows: Mapping[bytes, tuple[date | None, bool]]) -> None:
        """pupil_id → (recheck_on, in_roster) of statements just made; clears the mark of new input."""
        if not rows:
            return
        tx.execute(
            update(pupils)
            .where(pupils.c.pupil_id == bindparam("key"))
            .values(dirty=False, recheck_on=bindparam("recheck"), in_roster=bindparam("roster")),
            [
                {"key": pupil_id, "recheck": recheck_on, "roster": in_roster}
                for pupil_id, (recheck_on, in_roster) in rows.items()
            ],
        )

    def replace_handle(self, tx: Connection, pupil: Pupil, handle: bytes, today: date) -> None:
        """Retire the pupil's handle, whose retraction is then said, and give it another."""
        tx.execute(insert(retired_handles).values(handle=pupil.handle, pupil_id=pupil.pupil_id, retired_on=today))
        tx.execute(
            update(pupils).where(pupils.c.pupil_id == pupil.pupil_id).values(handle=handle, dirty=True, recheck_on=None)
        )

    def merge(self, tx: Connection, source: Pupil, into: bytes, today: date) -> None:
        """Two pupils turned out to be one: all that hangs on `source` goes to `into`, and its handle is retired."""
        for table in (
            number_indexes,
            person_ids,
            records,
            sayings,
            versions,
            gaps,
            retired_handles,
            tasks,
            files,
            holds,
        ):
            tx.execute(update(table).where(table.c.pupil_id == source.pupil_id).values(pupil_id=into))
        tx.execute(insert(retired_handles).values(handle=source.handle, pupil_id=into, retired_on=today))
        tx.execute(delete(pupils).where(pupils.c.pupil_id == source.pupil_id))

    def _claim_numbers(self, tx: Connection, owners: Sequence[Pupil]) -> None:
        rows = [
            {"number_index": self.number_index(number), "pupil_id": pupil.pupil_id}
            for pupil in owners
            for number in pupil.identity.numbers
        ]
        if rows:
            tx.execute(insert(number_indexes), rows)

    def _claim_person_ids(self, tx: Connection, owners: Sequence[Pupil]) -> None:
        # An id that the school system gave to another pupil follows the newest export.
        claims = {
            self.person_index(person_id): pupil.pupil_id for pupil in owners for person_id in pupil.identity.person_ids
        }
        for chunk in chunks(claims):
            tx.execute(delete(person_ids).where(person_ids.c.person_index.in_(chunk)))
        if claims:
            tx.execute(
                insert(person_ids),
                [{"person_index": index, "pupil_id": pupil_id} for index, pupil_id in claims.items()],
            )

    # -- rows -------------------------------------------------------------------------------------------------------

    def _opened(self, row: Any) -> Pupil:
        return Pupil(
            pupil_id=row.pupil_id,
            handle=row.handle,
            identity=self._identity(row.pupil_id, row.sealed_identity),
            observations=_decode_observations(
                self._sealer.open("pupils", row.pupil_id, "sealed_history", row.sealed_history)
            ),
            route=Route(row.route),
            protected=row.protected,
            live=row.live,
            enrolled_until=row.enrolled_until,
            recheck_on=row.recheck_on,
            dirty=row.dirty,
            in_roster=row.in_roster,
        )

    def _identity(self, pupil_id: bytes, sealed: bytes) -> Identity:
        return _decode_identity(self._sealer.open("pupils", pupil_id, "sealed_identity", sealed))

    def _seal(self, pupil: Pupil, column: str, value: Any) -> bytes:
        return self._sealer.seal("pupils", pupil.pupil_id, column, _encode(value))

    def _sealed(self, pupil: Pupil) -> dict[str, Any]:
        number = pupil.identity.number
        return {
            "pupil_id": pupil.pupil_id,
            "handle": pupil.handle,
            "number_index": None if number is None else self.number_index(number),
            "sealed_identity": self._seal(pupil, "sealed_identity", pupil.identity),
            "sealed_history": self._seal(pupil, "sealed_history", pupil.observations),
            "live": pupil.live,
            "enrolled_until": pupil.enrolled_until,
            "route": pupil.route.value,
            "protected": pupil.protected,
            "recheck_on": pupil.recheck_on,
            "dirty": pupil.dirty,
            "in_roster": pupil.in_roster,
            "drill": pupil.identity.drill,
        }


_encode = msgspec.json.Encoder().encode
_decode_identity = msgspec.json.Decoder(Identity).decode
_decode_observations = msgspec.json.Decoder(tuple[Observation, ...]).decode


def _without_key(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "pupil_id"}


def _lookup(tx: Connection, key: Any, value: Any, keys: Iterable[bytes]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for chunk in chunks(keys):
        found.update({row[0]: row[1] for row in tx.execute(select(key, value).where(key.in_(chunk)))})
    return found
