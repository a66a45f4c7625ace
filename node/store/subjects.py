"""The aggregate "subject request", and what the store holds of one pupil: found, counted, taken away.

State of a request: an export begins as DONE, and so does the erasure of a resident; that of a pupil PENDING → DONE
(nothing of the pupil is left), or → GIVEN_UP (the pupil came into a roster again before that). Moved by `end` alone.

Invariant: `shred` takes every row that a table with a pupil, a handle or a number's index has of the pupil
(`tests/store/node/test_subjects_store.py` holds that against the schema).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, update

from federation.database import Database
from federation.rules.vocabulary import GapState
from node.store import shredding
from node.store.chain import Chain
from node.store.outbox import BatchState, Outbox, VersionState
from node.store.pseudonyms import evaluations_naming
from node.store.schema import (
    batches,
    case_files,
    evaluations,
    gaps,
    notices,
    number_indexes,
    person_ids,
    pseudonyms,
    pupils,
    retired_handles,
    sayings,
    versions,
)
from node.store.schema_descriptions import case_descriptions
from node.store.schema_files import files
from node.store.schema_holds import holds
from node.store.schema_roll_call import roll_call_hits
from node.store.schema_sources import attendance, tasks
from node.store.schema_statuses import case_statements
from node.store.schema_subjects import subject_requests
from node.store.schema_systems import moved_pupils, records
from node.store.sealing import Sealer

BY_HANDLE: tuple[Table, ...] = (case_descriptions, case_files, case_statements, notices)
BY_NUMBER: tuple[Table, ...] = (pseudonyms,)
BY_PUPIL: tuple[Table, ...] = (
    gaps,
    versions,
    sayings,
    files,
    records,
    roll_call_hits,
    tasks,
    attendance,
    moved_pupils,
    holds,
    person_ids,
    retired_handles,
    number_indexes,
    pupils,
)
"""In this order no row is left that another needs."""

_UNANSWERED = (GapState.WATCH.value, GapState.OPEN.value)
_UNDER_WAY = frozenset({VersionState.WAITING.value, VersionState.SENT.value})
_OPEN_BATCHES = frozenset({BatchState.OPEN.value, BatchState.OWED.value})


class Kind(enum.StrEnum):
    EXPORT = "EXPORT"
    ERASURE = "ERASURE"


class State(enum.StrEnum):
    PENDING = "PENDING"
    DONE = "DONE"
    GIVEN_UP = "GIVEN_UP"


class _Content(msgspec.Struct, frozen=True):
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, without whom it is about."""

    request_id: int
    kind: Kind
    state: State
    asked_on: date
    ended_on: date | None
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An erasure that waits for the registry. `not_taken`: the code with which it refused the retraction."""

    request_id: int
    asked_on: date
    not_taken: str | None


class Subjects:
    """What data subjects asked for. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._outbox = Outbox(sealer)
        self._chain = Chain(sealer)

    # -- requests ---------------------------------------------------------------------------------------------------

    def exported(self, tx: Connection, by: str, on: date) -> None:
        self._add(tx, Kind.EXPORT, _Content(by), on, state=State.DONE.value, ended_on=on)

    def erased(self, tx: Connection, by: str, reason: str, on: date) -> int:
        """An erasure of somebody of whom nothing stands at the registry is done at once; returns its request_id."""
        return self._add(tx, Kind.ERASURE, _Content(by, reason), on, state=State.DONE.value, ended_on=on)

    def begin(self, tx: Connection, pupil_id: bytes, by: str, reason: str, on: date) -> int:
        """Begin the erasure of a pupil of whom none is pending; returns its request_id."""
        return self._add(tx, Kind.ERASURE, _Content(by, reason), on, state=State.PENDING.value, pupil_id=pupil_id)

    def pending(self, tx: Connection) -> dict[int, bytes]:
        """request_id → pupil_id of the erasures that are not done."""
        query = select(subject_requests.c.request_id, subject_requests.c.pupil_id).where(_PENDING)
        return {row.request_id: row.pupil_id for row in tx.execute(query.order_by(subject_requests.c.request_id))}

    def waiting(self, tx: Connection) -> tuple[Waiting, ...]:
        """The erasures that are not done, oldest first."""
        query = select(subject_requests).where(_PENDING).order_by(subject_requests.c.request_id)
        return tuple(
            Waiting(row.request_id, row.asked_on, next(iter(self.not_taken(tx, row.pupil_id).values()), None))
            for row in tx.execute(query).all()
        )

    def not_taken(self, tx: Connection, pupil_id: bytes) -> dict[bytes, str]:
        """handle → the registry's code, of those of the pupil whose newest version it refused."""
        newest = {made.version.signal.handle: made for made in self._outbox.made_of(tx, pupil_id)}
        return {
            handle: made.code or made.state.value
            for handle, made in newest.items()
            if made.state is VersionState.PARKED
        }

    def end(self, tx: Connection, request_id: int, state: State, on: date) -> None:
        """What was done stays, and no longer to whom."""
        row = update(subject_requests).where(subject_requests.c.request_id == request_id, _PENDING)
        tx.execute(row.values(state=state.value, ended_on=on, pupil_id=None))

    def all(self, tx: Connection) -> tuple[Request, ...]:
        """Every request, oldest first."""
        query = select(subject_requests).order_by(subject_requests.c.request_id)
        return tuple(self._opened(row) for row in tx.execute(query))

    def _add(self, tx: Connection, kind: Kind, content: _Content, on: date, **values: Any) -> int:
        row = {"kind": kind.value, "asked_on": on, "sealed_content": b"", **values}
        # The id is part of what the content is sealed to, and the database alone gives it.
        request_id = tx.execute(insert(subject_requests).values(row).returning(subject_requests.c.request_id)).scalar()
        assert request_id is not None
        sealed = self._sealer.seal(
            "subject_requests", _row_id(request_id), "sealed_content", msgspec.json.encode(content)
        )
        tx.execute(
            update(subject_requests).where(subject_requests.c.request_id == request_id).values(sealed_content=sealed)
        )
        return int(request_id)

    def _opened(self, row: Any) -> Request:
        plain = self._sealer.open("subject_requests", _row_id(row.request_id), "sealed_content", row.sealed_content)
        content = msgspec.json.decode(plain, type=_Content)
        kind, state = Kind(row.kind), State(row.state)
        return Request(row.request_id, kind, state, row.asked_on, row.ended_on, content.by, content.reason)

    # -- what there is of a pupil ------------------------------------------------------------------------------------

    def handles(self, tx: Connection, pupil_id: bytes) -> tuple[bytes, ...]:
        """Every handle that the pupil has or had, in a fixed order."""
        found: set[bytes] = set()
        for table in (pupils, retired_handles, versions, gaps):
            found.update(tx.scalars(select(table.c.handle).where(table.c.pupil_id == pupil_id)))
        return tuple(sorted(found))

    def systems(self, tx: Connection, pupil_id: bytes) -> tuple[str, ...]:
        """The school systems whose newest roster shows the pupil."""
        query = select(records.c.system).where(records.c.pupil_id == pupil_id).distinct().order_by(records.c.system)
        return tuple(tx.scalars(query))

    def unanswered(self, tx: Connection, pupil_id: bytes) -> bool:
        """Whether a gap of the pupil is watched or open."""
        query = select(gaps.c.handle).where(gaps.c.pupil_id == pupil_id, gaps.c.state.in_(_UNANSWERED))
        return tx.execute(query.limit(1)).first() is not None

    def rows(self, tx: Connection, pupil_id: bytes) -> dict[str, int]:
        """How many rows each table has of the pupil; tables without any are left out."""
        found = {}
        for table, which in self._rows(tx, pupil_id):
            number: int = tx.execute(select(func.count()).select_from(table).where(which)).scalar_one()
            if number:
                found[str(table.name)] = number
        return found

    def send_retractions(self, tx: Connection, pupil_id: bytes) -> None:
        """What waits of the pupil goes out whatever its route: it only takes back what was said before."""
        waiting = (versions.c.pupil_id == pupil_id, versions.c.state == VersionState.WAITING.value)
        tx.execute(update(versions).where(*waiting).values(repeats=True))

    def taken_back(self, tx: Connection, pupil_id: bytes) -> bool:
        """Whether nothing of the pupil stands at the registry or is under way to it.

        Nor may a batch that is still to be sent, or sent again for its receipt, have a part of the pupil in it.
        """
        query = (
            select(versions.c.handle, versions.c.state, versions.c.batch_id, batches.c.state.label("batch"))
            .outerjoin(batches, batches.c.batch_id == versions.c.batch_id)
            .where(versions.c.pupil_id == pupil_id)
            .order_by(versions.c.handle, versions.c.version)
            .add_columns(versions.c.version, versions.c.sealed_signal)
        )
        newest: dict[bytes, bool] = {}
        for row in tx.execute(query):
            if row.state in _UNDER_WAY or row.batch in _OPEN_BATCHES:
                return False
            # What was never in a batch, nor handed back by the registry, reached nobody.
            reached = row.batch_id is not None or row.state == VersionState.ACKNOWLEDGED.value
            if reached:
                taken = row.state == VersionState.ACKNOWLEDGED.value
                newest[row.handle] = taken and self._outbox.opened(row).signal.retracted
        return all(newest.values())

    def shred(self, tx: Connection, pupil_id: bytes, at: datetime) -> None:
        """Take away every row there is of the pupil; of its case files remains that there were such.

        The journal says that they were emptied, `at`.
        """
        indexes = list(tx.scalars(select(number_indexes.c.number_index).where(number_indexes.c.pupil_id == pupil_id)))
        # What is asked for the other numbers of such a request is asked anew.
        asked = evaluations_naming(tx, self._sealer, indexes)
        if asked:
            tx.execute(delete(evaluations).where(evaluations.c.request_id.in_(asked)))
        shredding.empty(tx, self.case_files(tx, pupil_id), self._chain, at)
        for table, which in self._rows(tx, pupil_id):
            if table is not files:
                tx.execute(delete(table).where(which))

    def case_files(self, tx: Connection, pupil_id: bytes, *, open_only: bool = False) -> tuple[bytes, ...]:
        """The ids of the pupil's case files."""
        query = select(files.c.file_id).where(files.c.pupil_id == pupil_id)
        return tuple(tx.scalars(query.where(files.c.closed_on.is_(None)) if open_only else query))

    def emptied(self, tx: Connection) -> frozenset[bytes]:
        """The ids of case files that are about nobody any more."""
        return frozenset(tx.scalars(select(files.c.file_id).where(files.c.shredded_on.is_not(None))))

    def strays(self, tx: Connection) -> tuple[bytes, ...]:
        """Handles that notices name and nothing else does."""
        of_pupil = select(pupils.c.handle).where(pupils.c.handle == notices.c.handle).exists()
        of_version = select(versions.c.handle).where(versions.c.handle == notices.c.handle).exists()
        query = select(notices.c.handle).where(notices.c.handle.is_not(None), ~of_pupil, ~of_version).distinct()
        return tuple(tx.scalars(query))

    def forget_notices(self, tx: Connection, handles: Sequence[bytes]) -> None:
        """Forget what the registry told of handles that are erased here."""
        tx.execute(delete(notices).where(notices.c.handle.in_(handles)))

    def _rows(self, tx: Connection, pupil_id: bytes) -> Sequence[tuple[Table, ColumnElement[bool]]]:
        handles = self.handles(tx, pupil_id)
        numbers = list(tx.scalars(select(number_indexes.c.number_index).where(number_indexes.c.pupil_id == pupil_id)))
        return [
            *((table, table.c.handle.in_(handles)) for table in BY_HANDLE),
            *((table, table.c.number_index.in_(numbers)) for table in BY_NUMBER),
            *((table, table.c.pupil_id == pupil_id) for table in BY_PUPIL),
        ]


def everyone(tx: Connection) -> dict[bytes, tuple[bytes, ...]]:
    """pupil_id → every handle of each pupil."""
    found: dict[bytes, set[bytes]] = {}
    for table in (pupils, retired_handles, versions, gaps):
        for row in tx.execute(select(table.c.pupil_id, table.c.handle)):
            found.setdefault(row.pupil_id, set()).add(row.handle)
    return {pupil_id: tuple(sorted(handles)) for pupil_id, handles in found.items()}


def scrub(database: Database) -> None:
    """Write over, in a SQLite file, what was deleted: rows are zeroed as they go (`secure_delete`), the log is cut off.

    PostgreSQL keeps deleted rows until its vacuum; they are sealed, and in no dump.
    """
    if not database.is_sqlite:
        return
    connection = database.engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()


_PENDING = subject_requests.c.state == State.PENDING.value


def _row_id(request_id: int) -> bytes:
    return request_id.to_bytes(8, "big")
