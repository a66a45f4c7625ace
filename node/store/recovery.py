"""The aggregate "recovery": whether the registry knows more than this store, and what it handed back.

State: not agreed (a new store, a restored one, one found to be behind) → agreed. Moved by `agree` and `doubt`. A handle
that was handed back belongs to a *nameless* pupil, whose number nobody here knows, until it is attached to one who is
known; moved by `attach`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update

from federation.rules.vocabulary import GapState
from node.identity import Route
from node.outbox import Version
from node.store.bulk import chunks
from node.store.outbox import Outbox, VersionState
from node.store.pupils import Pupil
from node.store.schema import (
    case_files,
    gaps,
    number_indexes,
    pseudonyms,
    pupils,
    recovery,
    retired_handles,
    versions,
)
from node.store.schema_systems import imports
from node.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class RecoveryState:
    """What `schema.recovery` holds."""

    agreed: bool = False
    restored_as_of: date | None = None
    first_contact: date | None = None
    last_contact: date | None = None


class Recoveries:
    """What a recovery needs of the store. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._outbox = Outbox(sealer)

    # -- state ------------------------------------------------------------------------------------------------------

    def state(self, tx: Connection) -> RecoveryState:
        row = tx.execute(select(recovery)).first()
        if row is None:
            return RecoveryState()
        return RecoveryState(row.agreed, row.restored_as_of, row.first_contact, row.last_contact)

    def agree(self, tx: Connection) -> None:
        """The registry has nothing of this member that the store has not."""
        _set(tx, agreed=True)

    def doubt(self, tx: Connection) -> None:
        """The registry answered as it would a store that was set back."""
        _set(tx, agreed=False)

    def behind(self, tx: Connection, first_contact: date | None, last_contact: date | None) -> None:
        """What the registry had been told of imports when the store was found to be behind."""
        _set(tx, first_contact=first_contact, last_contact=last_contact)

    def first_import_since(self, tx: Connection) -> date | None:
        """The day of the first import since the store was begun or restored; None before it."""
        restored = select(func.max(recovery.c.restored_import)).scalar_subquery()
        query = select(func.min(imports.c.seen_on)).where(imports.c.import_id > func.coalesce(restored, 0))
        return tx.execute(query).scalar()

    def next_nameless(self, tx: Connection) -> int:
        """A number for one more nameless pupil, from 1."""
        number: int = (tx.execute(select(recovery.c.nameless)).scalar() or 0) + 1
        _set(tx, nameless=number)
        return number

    # -- finding ----------------------------------------------------------------------------------------------------

    def spoken(self, tx: Connection, handles: Iterable[bytes]) -> dict[bytes, int]:
        """handle → the highest version that may have reached the registry; handles without one are left out."""
        found: dict[bytes, int] = {}
        for chunk in chunks(handles):
            query = (
                select(versions.c.handle, func.max(versions.c.version))
                .where(versions.c.handle.in_(chunk), _may_have_reached())
                .group_by(versions.c.handle)
            )
            found.update({row[0]: row[1] for row in tx.execute(query)})
        return found

    def owners(self, tx: Connection, handles: Iterable[bytes]) -> dict[bytes, bytes]:
        """handle → pupil_id, of handles known here, retired ones too."""
        found: dict[bytes, bytes] = {}
        for chunk in chunks(handles):
            for table in (retired_handles, pupils):
                query = select(table.c.handle, table.c.pupil_id).where(table.c.handle.in_(chunk))
                found.update({row.handle: row.pupil_id for row in tx.execute(query)})
        return found

    def nameless(self, tx: Connection) -> dict[bytes, bytes]:
        """handle → pupil_id of the nameless pupils."""
        query = select(pupils.c.handle, pupils.c.pupil_id).where(*_is_nameless())
        return {row.handle: row.pupil_id for row in tx.execute(query)}

    def nameless_open(self, tx: Connection) -> int:
        """How many nameless pupils have an open gap."""
        query = (
            select(func.count(gaps.c.pupil_id.distinct()))
            .select_from(gaps.join(pupils, pupils.c.pupil_id == gaps.c.pupil_id))
            .where(gaps.c.state == GapState.OPEN.value, *_is_nameless())
        )
        return tx.execute(query).scalar_one()

    def handed_back(self, tx: Connection) -> tuple[Version, ...]:
        """The newest version of every handle of a pupil with a number, where the registry handed it back."""
        query = (
            select(versions.c.handle)
            .join(pupils, pupils.c.handle == versions.c.handle)
            .where(
                versions.c.state == VersionState.ACKNOWLEDGED.value,
                versions.c.batch_id.is_(None),
                pupils.c.number_index.is_not(None),
            )
        )
        return tuple(self._outbox.newest(tx, tx.execute(query).scalars()).values())

    def unspoken(self, tx: Connection, *, to_ask: bool) -> tuple[bytes, ...]:
        """Ids of pupils of whom nothing reached the registry under their handle, those with something to say first.

        `to_ask`: only those who may be asked about, which needs a number and the route `registry`.
        """
        reached = select(versions.c.handle).where(_may_have_reached())
        waiting = select(versions.c.pupil_id).where(versions.c.state == VersionState.WAITING.value)
        query = select(pupils.c.pupil_id).where(~pupils.c.drill, pupils.c.handle.not_in(reached))
        if to_ask:
            query = query.where(pupils.c.number_index.is_not(None), pupils.c.route == Route.REGISTRY.value)
        order = pupils.c.pupil_id.in_(waiting).desc()
        return tuple(tx.execute(query.order_by(order, pupils.c.pupil_id)).scalars())

    # -- writing ----------------------------------------------------------------------------------------------------

    def hand_back(self, tx: Connection, newest: Sequence[tuple[bytes, Version]], on: date) -> None:
        """Keep versions as (pupil_id, version) that the registry has; what waits below them is overtaken."""
        for pupil_id, version in newest:
            handle, number = version.signal.handle, version.signal.version
            tx.execute(delete(versions).where(versions.c.handle == handle, versions.c.version == number))
            self._outbox.add(tx, [(pupil_id, version)], on)
            tx.execute(
                update(versions)
                .where(versions.c.handle == handle, versions.c.version == number)
                .values(state=VersionState.ACKNOWLEDGED.value)
            )
            tx.execute(
                update(versions)
                .where(
                    versions.c.handle == handle,
                    versions.c.version < number,
                    versions.c.state.in_([VersionState.WAITING.value, VersionState.SENT.value]),
                )
                .values(state=VersionState.SUPERSEDED.value)
            )

    def forget_handle(self, tx: Connection, handle: bytes) -> None:
        """Drop all that was made under a handle of which nothing reached the registry."""
        for table in (versions, case_files, gaps):
            tx.execute(delete(table).where(table.c.handle == handle))

    def forget_gap(self, tx: Connection, handle: bytes, number: int) -> None:
        """Drop a gap without a case file."""
        tx.execute(delete(gaps).where(gaps.c.handle == handle, gaps.c.number == number))

    def take_handle(self, tx: Connection, pupil: Pupil, handle: bytes, retired_on: date | None) -> None:
        """Give a pupil the handle of another one, now merged into it; the one before is retired if something was said
        under it (`retired_on`), and forgotten otherwise."""
        tx.execute(delete(retired_handles).where(retired_handles.c.handle == handle))
        if retired_on is None:
            self.forget_handle(tx, pupil.handle)
        else:
            tx.execute(
                insert(retired_handles).values(handle=pupil.handle, pupil_id=pupil.pupil_id, retired_on=retired_on)
            )
        tx.execute(update(pupils).where(pupils.c.pupil_id == pupil.pupil_id).values(handle=handle, dirty=True))

    def forget_pseudonyms(self, tx: Connection, number_index: bytes) -> None:
        """Drop what was computed of a number that is no pupil's."""
        owned = select(number_indexes.c.number_index)
        tx.execute(
            delete(pseudonyms).where(pseudonyms.c.number_index == number_index, pseudonyms.c.number_index.not_in(owned))
        )

    def forget_unsent(self, tx: Connection) -> None:
        """Drop what was made while half of its grounds were missing and was never sent; all is stated anew."""
        drills = select(pupils.c.pupil_id).where(pupils.c.drill)
        tx.execute(
            delete(versions).where(
                versions.c.state == VersionState.WAITING.value,
                versions.c.batch_id.is_(None),
                versions.c.pupil_id.not_in(drills),
            )
        )


def _may_have_reached() -> ColumnElement[bool]:
    settled = [VersionState.SENT.value, VersionState.ACKNOWLEDGED.value, VersionState.PARKED.value]
    return or_(versions.c.batch_id.is_not(None), versions.c.state.in_(settled))


def _is_nameless() -> tuple[ColumnElement[bool], ...]:
    """Without a number though something was said of the pupil: nobody says anything without one."""
    said = select(versions.c.handle)
    return pupils.c.number_index.is_(None), ~pupils.c.drill, pupils.c.handle.in_(said)


def _set(tx: Connection, **values: Any) -> None:
    if not tx.execute(update(recovery).values(values)).rowcount:
        tx.execute(insert(recovery).values(id=1, **values))


def set_restored(tx: Connection) -> None:
    """Note that this store was restored from a copy, and what the newest import in it is."""
    newest = tx.execute(select(func.max(imports.c.import_id), func.max(imports.c.seen_on))).one()
    _set(tx, agreed=False, restored_import=newest[0], restored_as_of=newest[1])
