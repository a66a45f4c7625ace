"""The aggregate "case statement": what the registry was told last of a case file, and whether it has taken it.

State of a statement: WAITING → taken; another version takes its place whenever the case file stands otherwise. Made by
`differing`, which compares what stands with what was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, insert, or_, select, update

from federation.rules.vocabulary import CaseOutcome, CaseStatus, Handle
from node.casework.files.model import FileId, GapName
from node.casework.statuses.model import Stated, Statement, Wishes
from node.gaps import SECRET_ROUTES
from node.identity import Route
from node.store.outbox import VersionState
from node.store.schema import gaps, pupils, versions
from node.store.schema_files import files
from node.store.schema_statuses import case_statements, lead_wishes


class CaseStatements:
    """Every method works on the connection of the caller's transaction."""

    def prepare(self, tx: Connection) -> None:
        """Make the next version of what stands otherwise than it was said."""
        for gap, stated, version in self._differing(tx):
            values = {
                "version": version + 1,
                "status": stated.status.value,
                "until": stated.until,
                "outcome": None if stated.outcome is None else stated.outcome.value,
                "offers_lead": stated.offers_lead,
                "takes_lead": stated.takes_lead,
                "taken": False,
            }
            if version:
                of_gap = and_(case_statements.c.handle == gap.handle, case_statements.c.number == gap.number)
                tx.execute(update(case_statements).where(of_gap).values(values))
            else:
                tx.execute(insert(case_statements).values(handle=gap.handle, number=gap.number, **values))

    def waiting(self, tx: Connection, limit: int) -> tuple[Statement, ...]:
        """What the registry has not taken yet."""
        of_file = and_(case_statements.c.handle == files.c.handle, case_statements.c.number == files.c.number)
        query = _of_gaps(select(case_statements)).join(case_statements, of_file)
        query = query.where(~case_statements.c.taken, *_TELLABLE)
        rows = tx.execute(query.order_by(case_statements.c.handle, case_statements.c.number).limit(limit))
        return tuple(Statement(_gap(row), row.version, _stated(row)) for row in rows)

    def taken(self, tx: Connection, said: Iterable[Statement]) -> None:
        """The registry has taken these versions; one that has moved on meanwhile waits on."""
        for each in said:
            of_gap = and_(case_statements.c.handle == each.gap.handle, case_statements.c.number == each.gap.number)
            tx.execute(
                update(case_statements).where(of_gap, case_statements.c.version == each.version).values(taken=True)
            )

    def outdo(self, tx: Connection, standing: Mapping[GapName, int]) -> None:
        """The registry holds these versions, with something else: what is to be said comes after them."""
        for gap, version in sorted(standing.items(), key=lambda item: (item[0].handle, item[0].number)):
            of_gap = and_(case_statements.c.handle == gap.handle, case_statements.c.number == gap.number)
            tx.execute(
                update(case_statements)
                .where(of_gap, case_statements.c.version <= version)
                .values(version=version + 1, taken=False)
            )

    def forget_taken(self, tx: Connection) -> None:
        tx.execute(update(case_statements).values(taken=False))

    def wishes(self, tx: Connection, file_id: FileId) -> Wishes:
        row = tx.execute(select(lead_wishes).where(lead_wishes.c.file_id == file_id)).one_or_none()
        return Wishes() if row is None else Wishes(row.offers, row.takes)

    def wish(self, tx: Connection, file_id: FileId, wishes: Wishes) -> None:
        values = {"offers": wishes.offers, "takes": wishes.takes}
        if tx.execute(select(lead_wishes.c.file_id).where(lead_wishes.c.file_id == file_id)).first() is None:
            tx.execute(insert(lead_wishes).values(file_id=file_id, **values))
        else:
            tx.execute(update(lead_wishes).where(lead_wishes.c.file_id == file_id).values(values))

    def led(self, tx: Connection, file_id: FileId) -> bool | None:
        """Whether this member leads the case; None where there is no other, or nothing may be said of the pupil."""
        query = _of_gaps(select(gaps.c.lead)).where(files.c.file_id == file_id, gaps.c.linked, *_TELLABLE)
        found: bool | None = tx.execute(query).scalar()
        return found

    def lead_changes(self, tx: Connection) -> tuple[tuple[FileId, bool], ...]:
        """(case file, whether this member leads) where that is otherwise than the journal tells."""
        query = (
            _of_gaps(select(files.c.file_id, gaps.c.lead))
            .outerjoin(lead_wishes, lead_wishes.c.file_id == files.c.file_id)
            .where(gaps.c.linked, files.c.shredded_on.is_(None))
            .where(or_(lead_wishes.c.leads.is_(None), lead_wishes.c.leads != gaps.c.lead))
            .order_by(files.c.file_id)
        )
        return tuple((FileId(row.file_id), row.lead) for row in tx.execute(query))

    def lead_told(self, tx: Connection, file_id: FileId, *, leads: bool) -> None:
        """The journal tells it. What was wished before has come about, or has no meaning any more."""
        self.wish(tx, file_id, Wishes())
        tx.execute(update(lead_wishes).where(lead_wishes.c.file_id == file_id).values(leads=leads))

    def _differing(self, tx: Connection) -> Sequence[tuple[GapName, Stated, int]]:
        """(gap, how its case file stands, version said last or 0), of gaps that the registry knows."""
        of_gap = and_(case_statements.c.handle == files.c.handle, case_statements.c.number == files.c.number)
        known = (
            select(versions.c.handle)
            .where(versions.c.handle == files.c.handle, versions.c.state == VersionState.ACKNOWLEDGED.value)
            .exists()
        )
        query = (
            _of_gaps(select(files.c.handle, files.c.number, files.c.status, files.c.suspended_until, files.c.outcome))
            .add_columns(lead_wishes.c.offers, lead_wishes.c.takes)
            .add_columns(case_statements.c.version, case_statements.c.status.label("said_status"))
            .add_columns(case_statements.c.until, case_statements.c.outcome.label("said_outcome"))
            .add_columns(case_statements.c.offers_lead, case_statements.c.takes_lead)
            .outerjoin(lead_wishes, lead_wishes.c.file_id == files.c.file_id)
            .outerjoin(case_statements, of_gap)
            .where(*_TELLABLE, known)
            .order_by(files.c.handle, files.c.number)
        )
        found = []
        for row in tx.execute(query):
            stands = Stated(
                CaseStatus(row.status),
                row.suspended_until,
                None if row.outcome is None else CaseOutcome(row.outcome),
                bool(row.offers),
                bool(row.takes),
            )
            if row.version is None and stands == _BEGINNING:
                # As every case file begins: there is nothing to say.
                continue
            said = None if row.version is None else _said(row)
            if said != stands:
                found.append((GapName(Handle(row.handle), row.number), stands, row.version or 0))
        return found


_TELLABLE = (
    gaps.c.route == Route.REGISTRY.value,
    ~pupils.c.drill,
    pupils.c.route.not_in([route.value for route in SECRET_ROUTES]),
    # Marked by hand, before any school system knows of it.
    or_(~files.c.protected, pupils.c.protected),
)
"""Over case files, their gaps and pupils: of whom the registry may be told."""

_BEGINNING = Stated(CaseStatus.NEW)


def _of_gaps(columns: Select[Any]) -> Select[Any]:
    """Case files with their gaps and pupils."""
    return columns.select_from(
        files.join(gaps, and_(gaps.c.handle == files.c.handle, gaps.c.number == files.c.number)).join(
            pupils, pupils.c.pupil_id == gaps.c.pupil_id
        )
    )


def _gap(row: Any) -> GapName:
    return GapName(Handle(row.handle), row.number)


def _stated(row: Any) -> Stated:
    outcome = None if row.outcome is None else CaseOutcome(row.outcome)
    return Stated(CaseStatus(row.status), row.until, outcome, row.offers_lead, row.takes_lead)


def _said(row: Any) -> Stated:
    outcome = None if row.said_outcome is None else CaseOutcome(row.said_outcome)
    return Stated(CaseStatus(row.said_status), row.until, outcome, row.offers_lead, row.takes_lead)
