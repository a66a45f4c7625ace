"""The aggregate "case file": one for each gap that was ever open, and those that people open by hand.

State: `node.casework.files.rules`, which alone moves it; this module keeps it. Who is responsible by name, and what
decided on the absence, are sealed under the case file's own key.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, false, func, insert, or_, select, update

from federation.rules.vocabulary import CaseOutcome, CaseStatus, GapState, Handle
from node.casework.actor import Role
from node.casework.files.model import (
    FILE_ID_BYTES,
    Absence,
    CaseFile,
    Classification,
    FileId,
    GapName,
    OpenedFor,
    Responsible,
)
from node.gaps import SECRET_ROUTES
from node.store.bulk import chunks
from node.store.case_keys import CaseKeys, CaseShreddedError
from node.store.schema import case_files, gaps, pupils
from node.store.schema_files import files
from node.store.schema_journal import journal_head


class StaleRevisionError(Exception):
    """Somebody else has changed the case file since it was seen. Names no case file."""


def new_file_id() -> FileId:
    return FileId(secrets.token_bytes(FILE_ID_BYTES))


class Files:
    """The case files of the node. Every method works on the connection of the caller's transaction."""

    def __init__(self, keys: CaseKeys) -> None:
        self._keys = keys

    # -- finding ----------------------------------------------------------------------------------------------------

    def load(self, tx: Connection, file_id: FileId, *, lock: bool = False) -> CaseFile | None:
        query = _query().where(files.c.file_id == file_id)
        row = tx.execute(query.with_for_update(of=files) if lock else query).one_or_none()
        return None if row is None else self._opened(row)

    def by_reference(self, tx: Connection, reference: str) -> FileId | None:
        """The id of the case file that people call by this reference."""
        found = tx.execute(select(files.c.file_id).where(files.c.reference == reference)).scalar()
        return None if found is None else FileId(found)

    def references(self, tx: Connection, file_ids: Iterable[FileId]) -> dict[FileId, str]:
        """case file → its reference."""
        found: dict[FileId, str] = {}
        for chunk in chunks(file_ids):
            for row in tx.execute(select(files.c.file_id, files.c.reference).where(files.c.file_id.in_(chunk))):
                found[FileId(row.file_id)] = row.reference
        return found

    def of_gap(self, tx: Connection, gap: GapName) -> CaseFile | None:
        query = _query().where(files.c.handle == gap.handle, files.c.number == gap.number)
        row = tx.execute(query).one_or_none()
        return None if row is None else self._opened(row)

    def of_pupils(self, tx: Connection, pupil_ids: Iterable[bytes]) -> dict[bytes, tuple[CaseFile, ...]]:
        """pupil id → its case files, oldest first; pupils without any are left out."""
        found: dict[bytes, list[CaseFile]] = {}
        for chunk in chunks(pupil_ids):
            query = _query().where(files.c.pupil_id.in_(chunk)).order_by(files.c.opened_on, files.c.reference)
            for row in tx.execute(query):
                found.setdefault(row.pupil_id, []).append(self._opened(row))
        return {pupil_id: tuple(each) for pupil_id, each in found.items()}

    def open(self, tx: Connection) -> tuple[CaseFile, ...]:
        """All that are not closed, suspended ones too, oldest first."""
        query = _query().where(files.c.closed_on.is_(None)).order_by(files.c.opened_on, files.c.reference)
        return tuple(self._opened(row) for row in tx.execute(query))

    def lately(self, tx: Connection, limit: int) -> tuple[CaseFile, ...]:
        """Those whose status was set last, closed or not; shredded ones left out."""
        query = _query().where(files.c.shredded_on.is_(None)).order_by(files.c.status_since.desc(), files.c.reference)
        return tuple(self._opened(row) for row in tx.execute(query.limit(limit)))

    def gaps_without(self, tx: Connection) -> tuple[tuple[bytes, GapName, date, bool], ...]:
        """(pupil id, gap, opened on, whether its pupil is the protected role's) of gaps once open without a file."""
        query = (
            select(gaps.c.pupil_id, gaps.c.handle, gaps.c.number, gaps.c.route, case_files.c.opened_on)
            .add_columns(pupils.c.protected)
            .join(case_files, and_(case_files.c.handle == gaps.c.handle, case_files.c.number == gaps.c.number))
            .join(pupils, pupils.c.pupil_id == gaps.c.pupil_id)
            .outerjoin(files, and_(files.c.handle == gaps.c.handle, files.c.number == gaps.c.number))
            .where(files.c.file_id.is_(None), ~case_files.c.shredded, ~pupils.c.drill)
            .order_by(case_files.c.opened_on, gaps.c.handle, gaps.c.number)
        )
        return tuple(
            (
                row.pupil_id,
                GapName(Handle(row.handle), row.number),
                row.opened_on,
                row.protected or row.route in _SECRET,
            )
            for row in tx.execute(query)
        )

    def moved_gaps(self, tx: Connection) -> tuple[tuple[CaseFile, GapState, date], ...]:
        """(case file, state of its gap, since when) where the journal does not tell of that state yet."""
        query = (
            _query()
            .add_columns(gaps.c.state, gaps.c.state_since)
            .where(gaps.c.state.is_not(None), or_(files.c.gap_state.is_(None), files.c.gap_state != gaps.c.state))
            .where(files.c.shredded_on.is_(None))
            .order_by(files.c.opened_on, files.c.reference)
        )
        return tuple((self._opened(row), GapState(row.state), row.state_since) for row in tx.execute(query))

    def rested(self, tx: Connection, today: date) -> tuple[CaseFile, ...]:
        """Suspended case files whose day has come."""
        query = _query().where(files.c.suspended_until <= today).order_by(files.c.suspended_until, files.c.reference)
        return tuple(self._opened(row) for row in tx.execute(query))

    def newly_protected(self, tx: Connection) -> tuple[FileId, ...]:
        """Case files that bear no mark of their own, though their pupil is the protected role's by now."""
        rows = tx.execute(_query().where(~files.c.protected, files.c.shredded_on.is_(None), PUPIL_PROTECTED))
        return tuple(FileId(row.file_id) for row in rows)

    def marked(self, tx: Connection, file_id: FileId) -> bool:
        """Whether the case file bears the mark itself."""
        return bool(tx.execute(select(files.c.protected).where(files.c.file_id == file_id)).scalar())

    def next_reference(self, tx: Connection, year: int) -> str:
        """`2026-00017`: the next number of a year."""
        # Whoever opens one takes turns here: the later of two begins anew and finds the first's.
        tx.execute(select(journal_head.c.id).with_for_update())
        like = files.c.reference.like(f"{year}-%")
        newest = tx.execute(select(func.max(files.c.reference)).where(like)).scalar()
        return f"{year}-{1 + (int(newest.partition('-')[2]) if newest else 0):05}"

    # -- writing ----------------------------------------------------------------------------------------------------

    def add(self, tx: Connection, file: CaseFile) -> None:
        """A new case file. Its key is durable before this transaction ends."""
        self._keys.begin(file.file_id)
        tx.execute(insert(files).values(file_id=file.file_id, **self._values(file)))

    def change(self, tx: Connection, file: CaseFile) -> CaseFile:
        """Write a case file anew and return it with its next revision.

        Raises StaleRevisionError where the stored one is not of the revision that `file` was made from.
        """
        after = replace(file, revision=file.revision + 1)
        changed = tx.execute(
            update(files)
            .where(files.c.file_id == file.file_id, files.c.revision == file.revision)
            .values(**self._values(after))
        )
        if changed.rowcount != 1:
            raise StaleRevisionError
        return after

    # -- rows -------------------------------------------------------------------------------------------------------

    def _values(self, file: CaseFile) -> dict[str, Any]:
        told = {
            "responsible_id": file.responsible.person_id,
            "responsible_name": file.responsible.name,
            "absence_why": file.absence_why,
        }
        sealed = None
        if any(told.values()):
            sealed = self._keys.seal(file.file_id, "files", file.file_id, "sealed_content", msgspec.json.encode(told))
        return {
            "reference": file.reference,
            "pupil_id": file.pupil_id,
            "handle": None if file.gap is None else file.gap.handle,
            "number": None if file.gap is None else file.gap.number,
            "opened_for": file.opened_for.value,
            "opened_on": file.opened_on,
            "protected": file.protected,
            "status": file.status.value,
            "status_since": file.status_since,
            "suspended_until": file.suspended_until,
            "outcome": None if file.outcome is None else file.outcome.value,
            "classification": file.classification.value,
            "absence": file.absence.value,
            "responsible_role": file.responsible.role.value,
            "sealed_content": sealed,
            "gap_state": None if file.gap_state is None else file.gap_state.value,
            "closed_on": file.closed_on,
            "shredded_on": file.shredded_on,
            "revision": file.revision,
        }

    def _opened(self, row: Any) -> CaseFile:
        told: dict[str, str] = {}
        if row.sealed_content is not None:
            try:
                plain = self._keys.open(FileId(row.file_id), "files", row.file_id, "sealed_content", row.sealed_content)
                told = msgspec.json.decode(plain)
            except CaseShreddedError:
                told = {}
        return CaseFile(
            file_id=FileId(row.file_id),
            reference=row.reference,
            pupil_id=row.pupil_id,
            gap=None if row.handle is None else GapName(Handle(row.handle), row.number),
            opened_for=OpenedFor(row.opened_for),
            opened_on=row.opened_on,
            protected=row.protected or bool(row.pupil_protected),
            status=CaseStatus(row.status),
            status_since=row.status_since,
            responsible=Responsible(
                Role(row.responsible_role), told.get("responsible_id", ""), told.get("responsible_name", "")
            ),
            suspended_until=row.suspended_until,
            outcome=None if row.outcome is None else CaseOutcome(row.outcome),
            classification=Classification(row.classification),
            absence=Absence(row.absence),
            absence_why=told.get("absence_why", ""),
            gap_state=None if row.gap_state is None else GapState(row.gap_state),
            closed_on=row.closed_on,
            shredded_on=row.shredded_on,
            revision=row.revision,
        )


_SECRET = tuple(route.value for route in SECRET_ROUTES)
PUPIL_PROTECTED = or_(
    func.coalesce(pupils.c.protected, false()),
    func.coalesce(pupils.c.route, "").in_(_SECRET),
    func.coalesce(gaps.c.route, "").in_(_SECRET),
)
"""Over `_query`."""


def _query() -> Any:
    return with_pupils(files, PUPIL_PROTECTED.label("pupil_protected"))


def with_pupils(*columns: Any) -> Any:
    """Case files with their pupil and their gap: a pupil that is protected by now makes them so at once."""
    return select(*columns).select_from(
        files.outerjoin(pupils, pupils.c.pupil_id == files.c.pupil_id).outerjoin(
            gaps, and_(gaps.c.handle == files.c.handle, gaps.c.number == files.c.number)
        )
    )


def ids(found: Sequence[CaseFile]) -> tuple[FileId, ...]:
    return tuple(file.file_id for file in found)
