"""The aggregate "version": all that was and is to be said, and the batches it travels in.

State of a version: WAITING → SENT (it is in a batch that stays the same until its answer is written) → ACKNOWLEDGED or
PARKED; SENT → WAITING when its batch is dissolved; ACKNOWLEDGED → WAITING where the registry has lost it; WAITING →
SUPERSEDED when an epoch it names, or its handle, was retired before it could be sent. Moved by `Outbox` alone. A
version whose pupil is not on the route `registry` waits unseen: it is not sent, nor counted; but one that only repeats
what was said before, under another epoch, is sent.

State of a batch: OPEN → DONE once its answer is written; or → OWED until a sound receipt has come too.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, func, insert, or_, select, update

from federation.rules.vocabulary import Disposition, DispositionKind, Handle
from node.identity import Route
from node.outbox import PseudonymRef, Version
from node.store.bulk import chunks
from node.store.schema import batches, pupils, versions
from node.store.sealing import Sealer


class VersionState(enum.StrEnum):
    WAITING = "WAITING"
    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    PARKED = "PARKED"
    SUPERSEDED = "SUPERSEDED"


class BatchState(enum.StrEnum):
    OPEN = "OPEN"
    OWED = "OWED"
    """Answered, but without a sound receipt: sent again, unchanged, until there is one."""
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sent, and sent again unchanged, under one id (16 bytes) until its answer is written."""

    batch_id: bytes
    versions: tuple[Version, ...]

    def __repr__(self) -> str:
        return f"Batch(versions={len(self.versions)})"


@dataclass(frozen=True, slots=True)
class Parked:
    """A version the registry did not take. `code` is of the error catalogue, or CONFLICT."""

    pupil_id: bytes
    version: int
    code: str
    made_on: date


@dataclass(frozen=True, slots=True)
class Made:
    """A version and what has become of it; `code` of a parked one."""

    version: Version
    state: VersionState
    code: str | None
    made_on: date


@dataclass(frozen=True, slots=True)
class Counts:
    waiting: int
    parked: int


class Outbox:
    """What was made and what waits. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    # -- making -----------------------------------------------------------------------------------------------------

    def newest(self, tx: Connection, handles: Iterable[bytes]) -> dict[bytes, Version]:
        """handle → its newest version, whatever its state."""
        found: dict[bytes, Version] = {}
        for chunk in chunks(handles):
            top = (
                select(versions.c.handle, func.max(versions.c.version).label("version"))
                .where(versions.c.handle.in_(chunk))
                .group_by(versions.c.handle)
                .subquery()
            )
            query = select(versions).join(
                top, and_(versions.c.handle == top.c.handle, versions.c.version == top.c.version)
            )
            found.update({row.handle: self.opened(row) for row in tx.execute(query)})
        return found

    def add(self, tx: Connection, made: Sequence[tuple[bytes, Version]], made_on: date) -> None:
        """Keep new versions as (pupil_id, version)."""
        if not made:
            return
        tx.execute(
            insert(versions),
            [
                {
                    "handle": version.signal.handle,
                    "version": version.signal.version,
                    "pupil_id": pupil_id,
                    "sealed_signal": self._sealer.seal(
                        "versions",
                        _row_id(version.signal.handle, version.signal.version),
                        "sealed_signal",
                        _encode(version),
                    ),
                    "state": VersionState.WAITING.value,
                    "made_on": made_on,
                    "repeats": version.repeats,
                }
                for pupil_id, version in made
            ],
        )

    def said(self, tx: Connection, handles: Iterable[bytes]) -> dict[bytes, Version]:
        """handle → the newest version that the registry has, may have, or is about to be sent whatever the route."""
        found: dict[bytes, Version] = {}
        for chunk in chunks(handles):
            query = select(versions).where(versions.c.handle.in_(chunk), _SAID).order_by(versions.c.version)
            found.update({row.handle: self.opened(row) for row in tx.execute(query)})
        return found

    def mark_spoken(self, tx: Connection) -> None:
        """Whoever was ever spoken of is to be stated anew: other epochs stand.

        Drills are left out: one that is over needs none, and one under way ends under the epochs that it began with.
        """
        spoken = pupils.c.pupil_id.in_(select(versions.c.pupil_id))
        tx.execute(update(pupils).where(spoken, ~pupils.c.drill).values(dirty=True))

    def narrow(self, tx: Connection, version: Version) -> None:
        """A waiting version goes out with fewer pseudonyms, overtaking those before it; its pupil is stated anew."""
        sealed = self._sealer.seal(
            "versions", _row_id(version.signal.handle, version.signal.version), "sealed_signal", _encode(version)
        )
        tx.execute(update(versions).where(*_is(version)).values(sealed_signal=sealed))
        self.overtake(tx, version)
        owner = select(versions.c.pupil_id).where(*_is(version))
        tx.execute(update(pupils).where(pupils.c.pupil_id.in_(owner)).values(dirty=True))

    def overtake(self, tx: Connection, version: Version) -> None:
        """Give up what waits under the handle from before a version: the highest counts."""
        older = (versions.c.handle == version.signal.handle, versions.c.version < version.signal.version)
        waiting = versions.c.state == VersionState.WAITING.value
        tx.execute(update(versions).where(*older, waiting).values(state=VersionState.SUPERSEDED.value))

    # -- sending ----------------------------------------------------------------------------------------------------

    def waiting(self, tx: Connection) -> Iterator[Version]:
        """What is to be sent and in no batch yet, in the order of versions."""
        query = (
            select(versions)
            .join(pupils, pupils.c.pupil_id == versions.c.pupil_id)
            .where(versions.c.state == VersionState.WAITING.value, _SENT_AT_ALL)
            # Handles are random: within one version number the order tells nothing.
            .order_by(versions.c.version, versions.c.handle)
        )
        for row in tx.execute(query):
            yield self.opened(row)

    def open_batch(self, tx: Connection) -> Batch | None:
        """The batch whose answer is not written yet: to be sent, or sent and its answer lost.

        Dissolved where a pupil in it has left the route `registry` meanwhile: from then on nothing is said of it, and
        what the registry may have taken already it will call a duplicate.
        """
        query = (
            select(batches.c.batch_id).where(batches.c.state == BatchState.OPEN.value).order_by(batches.c.created_at)
        )
        for batch_id in tx.execute(query).scalars().all():
            rows = tx.execute(
                select(versions, pupils.c.route)
                .join(pupils, pupils.c.pupil_id == versions.c.pupil_id)
                .where(versions.c.batch_id == batch_id, versions.c.state == VersionState.SENT.value)
                .order_by(versions.c.version, versions.c.handle)
            ).all()
            if rows and all(row.repeats or row.route == Route.REGISTRY.value for row in rows):
                return Batch(batch_id, tuple(self.opened(row) for row in rows))
            self.dissolve(tx, batch_id)
        return None

    def make_batch(self, tx: Connection, batch_id: bytes, content: Sequence[Version], now: datetime) -> Batch:
        """Bind waiting versions to a batch id. To be called only while no batch is open."""
        tx.execute(insert(batches).values(batch_id=batch_id, state=BatchState.OPEN.value, created_at=now))
        for version in content:
            tx.execute(
                update(versions)
                .where(*_is(version), versions.c.state == VersionState.WAITING.value)
                .values(state=VersionState.SENT.value, batch_id=batch_id)
            )
        ordered = sorted(content, key=lambda version: (version.signal.version, version.signal.handle))
        return Batch(batch_id, tuple(ordered))

    def owed(self, tx: Connection) -> tuple[Batch, ...]:
        """Batches that were answered without a sound receipt, as they were sent.

        One of whose pupils one has left the route `registry` is not sent again.
        """
        found = []
        query = select(batches.c.batch_id).where(batches.c.state == BatchState.OWED.value)
        for batch_id in tx.execute(query.order_by(batches.c.created_at)).scalars().all():
            rows = tx.execute(
                select(versions, pupils.c.route)
                .join(pupils, pupils.c.pupil_id == versions.c.pupil_id)
                .where(versions.c.batch_id == batch_id)
                .order_by(versions.c.version, versions.c.handle)
            ).all()
            if rows and all(row.repeats or row.route == Route.REGISTRY.value for row in rows):
                found.append(Batch(batch_id, tuple(self.opened(row) for row in rows)))
        return tuple(found)

    def taken(self, tx: Connection, handles: Iterable[bytes]) -> dict[bytes, date]:
        """handle → the day on which the registry took its newest version; one that it has not taken is left out."""
        found: dict[bytes, date] = {}
        columns = (versions.c.handle, versions.c.state, batches.c.answered_on)
        for chunk in chunks(handles):
            query = select(*columns).outerjoin(batches, batches.c.batch_id == versions.c.batch_id)
            for row in tx.execute(query.where(versions.c.handle.in_(chunk)).order_by(versions.c.version)):
                found.pop(row.handle, None)
                if row.state == VersionState.ACKNOWLEDGED.value and row.answered_on is not None:
                    found[row.handle] = row.answered_on
        return found

    def settle(
        self, tx: Connection, batch: Batch, dispositions: Sequence[Disposition], on: date, *, receipted: bool = True
    ) -> int:
        """Write the answer to a batch, given on a day; returns how many versions were parked. Twice changes nothing."""
        parked = 0
        for version, disposition in zip(batch.versions, dispositions, strict=True):
            values: dict[str, Any] = {"state": VersionState.ACKNOWLEDGED.value, "code": None}
            if disposition.kind in (DispositionKind.CONFLICT, DispositionKind.REJECTED):
                values = {"state": VersionState.PARKED.value, "code": disposition.code or disposition.kind.value}
            changed = tx.execute(
                update(versions)
                .where(
                    *_is(version),
                    versions.c.batch_id == batch.batch_id,
                    versions.c.state == VersionState.SENT.value,
                )
                .values(values)
            )
            if values["state"] == VersionState.PARKED.value:
                parked += changed.rowcount
        state = BatchState.DONE if receipted else BatchState.OWED
        done = update(batches).where(batches.c.batch_id == batch.batch_id)
        tx.execute(done.values(state=state.value, answered_on=func.coalesce(batches.c.answered_on, on)))
        return parked

    def dissolve(self, tx: Connection, batch_id: bytes) -> None:
        """Give the versions of a batch back; they go out again in another one.

        They keep its id until then: it tells that they may have reached the registry.
        """
        tx.execute(
            update(versions)
            .where(versions.c.batch_id == batch_id, versions.c.state == VersionState.SENT.value)
            .values(state=VersionState.WAITING.value)
        )
        tx.execute(update(batches).where(batches.c.batch_id == batch_id).values(state=BatchState.DONE.value))

    def supersede(self, tx: Connection, retired: Sequence[Version]) -> None:
        """Give up waiting versions that name an epoch which stands no more; their pupils are stated anew."""
        for version in retired:
            tx.execute(
                update(versions)
                .where(*_is(version), versions.c.state == VersionState.WAITING.value)
                .values(state=VersionState.SUPERSEDED.value)
            )
        for chunk in chunks(version.signal.handle for version in retired):
            owners = select(versions.c.pupil_id).where(versions.c.handle.in_(chunk))
            tx.execute(update(pupils).where(pupils.c.pupil_id.in_(owners)).values(dirty=True))

    def withdraw(self, tx: Connection, handles: Iterable[bytes]) -> frozenset[bytes]:
        """Give up what waits under retired handles; returns those under which something may have been said.

        What was never in a batch, nor handed back by the registry, cannot have reached anybody, and must not once the
        handle is retired.
        """
        spoken: set[bytes] = set()
        for chunk in chunks(handles):
            for row in tx.execute(select(versions).where(versions.c.handle.in_(chunk))).all():
                if row.batch_id is not None or row.state == VersionState.ACKNOWLEDGED.value:
                    spoken.add(row.handle)
                if row.state == VersionState.WAITING.value and not self.opened(row).signal.retracted:
                    tx.execute(
                        update(versions)
                        .where(versions.c.handle == row.handle, versions.c.version == row.version)
                        .values(state=VersionState.SUPERSEDED.value)
                    )
        return frozenset(spoken)

    def send_again(self, tx: Connection, beyond: Mapping[Handle, int]) -> tuple[int, int]:
        """Let acknowledged versions wait again: of each handle those beyond the one that the registry has (0: none).

        Returns how many, and how many of pupils of whom, or under a number under which, nothing can be said.
        """
        again = withheld = 0
        for chunk in chunks(beyond):
            query = (
                select(versions, pupils.c.route)
                .join(pupils, pupils.c.pupil_id == versions.c.pupil_id)
                .where(versions.c.handle.in_(chunk), versions.c.state == VersionState.ACKNOWLEDGED.value)
            )
            for row in tx.execute(query).all():
                if row.version <= beyond[row.handle]:
                    continue
                version = self.opened(row)
                named = all(ref.number_index for ref in version.carries)
                if not named or not (row.repeats or row.route == Route.REGISTRY.value):
                    withheld += 1
                    continue
                # The batch that it was in stays with it: what holds that it may have reached the registry still holds.
                tx.execute(update(versions).where(*_is(version)).values(state=VersionState.WAITING.value))
                again += 1
        return again, withheld

    # -- looking ----------------------------------------------------------------------------------------------------

    def counts(self, tx: Connection) -> Counts:
        """What waits and what is parked; what only repeats under another epoch is not waited for.

        A drill's is left out: it holds up nothing, and says so itself.
        """
        query = (
            select(versions.c.state, func.count().label("number"))
            .join(pupils, pupils.c.pupil_id == versions.c.pupil_id)
            .where(
                or_(_WAITED_FOR, versions.c.state == VersionState.PARKED.value),
                pupils.c.route == Route.REGISTRY.value,
                ~pupils.c.drill,
            )
            .group_by(versions.c.state)
        )
        by_state: Mapping[str, int] = {row.state: row.number for row in tx.execute(query)}
        return Counts(
            waiting=by_state.get(VersionState.WAITING.value, 0) + by_state.get(VersionState.SENT.value, 0),
            parked=by_state.get(VersionState.PARKED.value, 0),
        )

    def oldest(self, tx: Connection) -> date | None:
        """The day on which the oldest version was made of those that `counts` finds waiting."""
        query = select(func.min(versions.c.made_on)).join(pupils, pupils.c.pupil_id == versions.c.pupil_id)
        query = query.where(_WAITED_FOR, pupils.c.route == Route.REGISTRY.value, ~pupils.c.drill)
        oldest: date | None = tx.execute(query).scalar_one()
        return oldest

    def parked(self, tx: Connection) -> tuple[Parked, ...]:
        """What the registry did not take, oldest first; a drill's is left out."""
        query = (
            select(versions.c.pupil_id, versions.c.version, versions.c.code, versions.c.made_on)
            .join(pupils, pupils.c.pupil_id == versions.c.pupil_id)
            .where(versions.c.state == VersionState.PARKED.value, ~pupils.c.drill)
            .order_by(versions.c.made_on, versions.c.handle, versions.c.version)
        )
        return tuple(Parked(row.pupil_id, row.version, row.code, row.made_on) for row in tx.execute(query))

    def made(self, tx: Connection, handle: bytes) -> tuple[Made, ...]:
        """All that was made under one handle, oldest first."""
        return self._made(tx, versions.c.handle == handle)

    def made_of(self, tx: Connection, pupil_id: bytes) -> tuple[Made, ...]:
        """All that was made of one pupil under whatever handle, oldest first."""
        return self._made(tx, versions.c.pupil_id == pupil_id)

    def _made(self, tx: Connection, which: Any) -> tuple[Made, ...]:
        query = select(versions).where(which).order_by(versions.c.made_on, versions.c.version)
        return tuple(
            Made(self.opened(row), VersionState(row.state), row.code, row.made_on) for row in tx.execute(query)
        )

    def opened(self, row: Any) -> Version:
        """The version of a row of `versions`."""
        version = _decode(
            self._sealer.open("versions", _row_id(row.handle, row.version), "sealed_signal", row.sealed_signal)
        )
        # What was given up carries nothing: the same statement under the standing epochs is then a new version.
        return replace(version, carries=()) if row.state == VersionState.SUPERSEDED.value else version


_WAITED_FOR = and_(versions.c.state.in_([VersionState.WAITING.value, VersionState.SENT.value]), ~versions.c.repeats)
"""What is new and not acknowledged."""

_SENT_AT_ALL = or_(pupils.c.route == Route.REGISTRY.value, versions.c.repeats)
"""Of a pupil on another route nothing is said anew."""

_SAID = or_(
    versions.c.state.in_([VersionState.ACKNOWLEDGED.value, VersionState.SENT.value]),
    and_(versions.c.state == VersionState.WAITING.value, or_(versions.c.batch_id.is_not(None), versions.c.repeats)),
)
"""What the registry has, may have, or is about to be sent whatever the route."""


def standing(version: Version, epochs: AbstractSet[int]) -> bool:
    """Whether every epoch that a version names stands; a registry refuses a batch that names another one."""
    return all(ref.epoch in epochs for ref in version.carries)


def referenced(content: Iterable[Version]) -> frozenset[PseudonymRef]:
    """The pseudonyms that versions need before they can be sent."""
    return frozenset(ref for version in content for ref in version.carries)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Version).decode


def _is(version: Version) -> tuple[Any, Any]:
    return versions.c.handle == version.signal.handle, versions.c.version == version.signal.version


def _row_id(handle: bytes, version: int) -> bytes:
    return handle + version.to_bytes(4, "big")
