"""The aggregates "gap" and "case file": what the rules of `node.gaps` made of a pupil, kept.

State of a gap: WATCH → OPEN → ANSWERED | ENDED | VOID, and back to OPEN or WATCH when an answer or an end falls away;
moved by `node.gaps` alone, this module only keeps it. A case file is made in the transaction in which its gap is OPEN
for the first time, and stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, insert, or_, select, update

from federation.rules.vocabulary import GapState, Handle, Opening, OpeningKind, Urgency
from node.casework.files.model import GapName
from node.gaps import SECRET_ROUTES, Gap, OpenedBy
from node.identity import Identity, Route
from node.store.bulk import chunks
from node.store.pupils import Pupils
from node.store.schema import case_files, gaps, pupils


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One gap with the pupil it is about, as the control contract lists it."""

    person_id: str
    number: str
    name: str
    effective_date: date
    route: str
    kind: str
    urgency: str
    state: str
    state_since: date
    opened_on: date | None
    due_on: date
    lead: bool
    linked: bool
    coverage_incomplete: bool
    opened_by: str

    def __repr__(self) -> str:
        return f"CaseLine(route={self.route}, state={self.state})"


class Gaps:
    """The gaps of the node. Every method works on the connection of the caller's transaction."""

    def __init__(self, people: Pupils) -> None:
        self._pupils = people

    # -- finding ----------------------------------------------------------------------------------------------------

    def of_handles(self, tx: Connection, handles: Iterable[bytes]) -> dict[bytes, tuple[Gap, ...]]:
        """handle → its gaps by number; handles without any are left out."""
        found: dict[bytes, list[Gap]] = {}
        for chunk in chunks(handles):
            for row in tx.execute(_query().where(gaps.c.handle.in_(chunk)).order_by(gaps.c.number)):
                found.setdefault(row.handle, []).append(_opened(row))
        return {handle: tuple(of_handle) for handle, of_handle in found.items()}

    def to_ask_after_fetch(self, tx: Connection, today: date) -> tuple[Gap, ...]:
        """Gaps on which a fetch may have a bearing: past due and unheard of, or opened here against an old answer."""
        unheard = and_(gaps.c.stated, gaps.c.state == GapState.WATCH.value, gaps.c.due_on <= today)
        doubted = and_(
            gaps.c.state == GapState.OPEN.value,
            gaps.c.verdict.in_([GapState.ANSWERED.value, GapState.ENDED.value]),
        )
        query = _query().where(gaps.c.route == Route.REGISTRY.value, or_(unheard, doubted))
        return tuple(_opened(row) for row in tx.execute(query.order_by(gaps.c.handle, gaps.c.number)))

    def named(self, tx: Connection, names: Iterable[GapName]) -> dict[tuple[bytes, int], Gap]:
        """(handle, number) → gap, of those there are."""
        wanted = {(name.handle, name.number) for name in names}
        found = self.of_handles(tx, {handle for handle, _ in wanted})
        return {
            (gap.handle, gap.number): gap
            for each in found.values()
            for gap in each
            if (gap.handle, gap.number) in wanted
        }

    def watched(self, tx: Connection) -> tuple[tuple[bytes, Gap, bool], ...]:
        """(pupil id, gap, whether its pupil is the protected-identity role's) of stated gaps in WATCH, not drills'."""
        query = (
            _query()
            .add_columns(pupils.c.pupil_id, pupils.c.protected)
            .join(pupils, pupils.c.pupil_id == gaps.c.pupil_id)
            .where(gaps.c.state == GapState.WATCH.value, gaps.c.stated, ~pupils.c.drill)
            .order_by(gaps.c.due_on, gaps.c.handle, gaps.c.number)
        )
        return tuple((row.pupil_id, _opened(row), row.protected) for row in tx.execute(query))

    def any_withheld(self, tx: Connection) -> bool:
        """Whether a case file is open of a gap that the registry took and has said nothing about."""
        still = (gaps.c.state == GapState.OPEN.value, gaps.c.verdict.is_(None))
        query = _query().where(case_files.c.opened_by == OpenedBy.WITHHELD.value, *still)
        return tx.execute(query.limit(1)).first() is not None

    def list_cases(self, tx: Connection, *, protected: bool) -> tuple[CaseLine, ...]:
        """The open case files, those of drills left out.

        `protected`: those that the protected-identity role alone may see, as well.
        """
        return self._list(tx, gaps.c.state == GapState.OPEN.value, protected=protected)

    def list_gaps(self, tx: Connection, *, protected: bool) -> tuple[CaseLine, ...]:
        """Every gap that was ever open, with its newest state; those of drills left out."""
        return self._list(tx, gaps.c.opened_on.is_not(None), protected=protected)

    def _list(self, tx: Connection, which: ColumnElement[bool], *, protected: bool) -> tuple[CaseLine, ...]:
        query = _query().add_columns(pupils.c.protected).join(pupils, pupils.c.pupil_id == gaps.c.pupil_id)
        if not protected:
            query = query.where(~pupils.c.protected, gaps.c.route.not_in([route.value for route in SECRET_ROUTES]))
        rows = tx.execute(query.where(which, ~pupils.c.drill)).all()
        identities = self._pupils.identities(tx, (row.pupil_id for row in rows))
        lines = [_line(_opened(row), identities[row.pupil_id]) for row in rows]
        return tuple(sorted(lines, key=lambda line: (line.effective_date, line.person_id, line.state_since)))

    # -- writing ----------------------------------------------------------------------------------------------------

    def save(self, tx: Connection, changed: Sequence[tuple[bytes, Gap]]) -> None:
        """Write gaps, new or known, as (pupil_id, gap), and make the case files that have come to be."""
        known = _keys(tx, gaps, (gap.handle for _, gap in changed))
        new = [
            {"handle": gap.handle, "number": gap.number, "pupil_id": pupil_id, **_values(gap)}
            for pupil_id, gap in changed
            if (gap.handle, gap.number) not in known
        ]
        if new:
            tx.execute(insert(gaps), new)
        self.change(tx, [gap for _, gap in changed])

    def change(self, tx: Connection, changed: Sequence[Gap]) -> None:
        """Write known gaps anew, and make the case files that have come to be."""
        if not changed:
            return
        tx.execute(
            update(gaps).where(gaps.c.handle == bindparam("of_handle"), gaps.c.number == bindparam("of_number")),
            [{"of_handle": gap.handle, "of_number": gap.number, **_values(gap)} for gap in changed],
        )
        ever_open = {
            (gap.handle, gap.number): {"opened_on": gap.opened_on, "opened_by": gap.opened_by.value}
            for gap in changed
            if gap.opened_on is not None and gap.opened_by is not None
        }
        made = _keys(tx, case_files, (handle for handle, _ in ever_open))
        new = [
            {"handle": handle, "number": number, **file}
            for (handle, number), file in ever_open.items()
            if (handle, number) not in made
        ]
        if new:
            tx.execute(insert(case_files), new)


def _keys(tx: Connection, table: Table, handles: Iterable[bytes]) -> set[tuple[bytes, int]]:
    """(handle, number) of the rows of a table about these handles."""
    found: set[tuple[bytes, int]] = set()
    for chunk in chunks(handles):
        query = select(table.c.handle, table.c.number).where(table.c.handle.in_(chunk))
        found.update((row.handle, row.number) for row in tx.execute(query))
    return found


def _query() -> Any:
    return select(gaps, case_files.c.opened_by).outerjoin(
        case_files, and_(case_files.c.handle == gaps.c.handle, case_files.c.number == gaps.c.number)
    )


def _opened(row: Any) -> Gap:
    return Gap(
        handle=Handle(row.handle),
        opening=Opening(row.number, OpeningKind(row.kind), row.since, Urgency(row.urgency), row.planned_start),
        route=Route(row.route),
        stated=row.stated,
        due_on=row.due_on,
        said_on=row.said_on,
        state=GapState(row.state),
        state_since=row.state_since,
        opened_on=row.opened_on,
        opened_by=None if row.opened_by is None else OpenedBy(row.opened_by),
        verdict=None if row.verdict is None else GapState(row.verdict),
        verdict_on=row.verdict_on,
        case_id=row.case_id,
        lead=row.lead,
        linked=row.linked,
        coverage_incomplete=row.coverage_incomplete,
    )


def _values(gap: Gap) -> dict[str, Any]:
    return {
        "kind": gap.opening.kind.value,
        "since": gap.opening.since,
        "urgency": gap.opening.urgency.value,
        "planned_start": gap.opening.planned_start,
        "due_on": gap.due_on,
        "said_on": gap.said_on,
        "route": gap.route.value,
        "stated": gap.stated,
        "verdict": None if gap.verdict is None else gap.verdict.value,
        "verdict_on": gap.verdict_on,
        "state": gap.state.value,
        "state_since": gap.state_since,
        "opened_on": gap.opened_on,
        "case_id": gap.case_id,
        "lead": gap.lead,
        "linked": gap.linked,
        "coverage_incomplete": gap.coverage_incomplete,
    }


def _line(gap: Gap, identity: Identity) -> CaseLine:
    return CaseLine(
        person_id=identity.person_id,
        number="" if identity.number is None else identity.number.number,
        name=identity.name,
        effective_date=gap.opening.since,
        route=gap.route.value,
        kind=gap.opening.kind.value,
        urgency=gap.opening.urgency.value,
        state=gap.state.value,
        state_since=gap.state_since,
        opened_on=gap.opened_on,
        due_on=gap.due_on,
        lead=gap.lead,
        linked=gap.linked,
        coverage_incomplete=gap.coverage_incomplete,
        opened_by="" if gap.opened_by is None else gap.opened_by.value,
    )
