"""Which cases are described to the registry.

Invariant: a gap is noted here once the registry has answered, and not before: what was lost on the way is said again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, and_, delete, func, insert, select

from federation.rules.vocabulary import GapState, Handle, NoticeKind
from node.identity import Route
from node.store.schema import gaps, notices, pupils
from node.store.schema_descriptions import case_descriptions

_EVER = (GapState.OPEN.value, GapState.ANSWERED.value, GapState.ENDED.value)
"""Not VOID: of what never was, nothing is told."""


@dataclass(frozen=True, slots=True)
class LedGap:
    """A gap that has led its case; `since` is the close that first said so."""

    handle: Handle
    number: int
    pupil_id: bytes
    since: date

    def __repr__(self) -> str:
        return "LedGap()"


class Descriptions:
    """The descriptions of the node. Every method works on the connection of the caller's transaction."""

    def missing(self, tx: Connection, since: date, limit: int) -> list[LedGap]:
        """The first of the gaps that lead a case from `since` on or later, are to be described and are not.

        Left out is who may not be told of, and whose number is not known: pupils who were handed back nameless are
        described once they have their names.
        """
        told = and_(notices.c.handle == gaps.c.handle, notices.c.opening_number == gaps.c.number)
        done = and_(case_descriptions.c.handle == gaps.c.handle, case_descriptions.c.number == gaps.c.number)
        first = func.min(notices.c.closed_on)
        query = (
            select(gaps.c.handle, gaps.c.number, gaps.c.pupil_id, first.label("since"))
            .join(notices, told)
            .join(pupils, pupils.c.pupil_id == gaps.c.pupil_id)
            .outerjoin(case_descriptions, done)
            .where(
                notices.c.kind == NoticeKind.LEAD.value,
                notices.c.handled,
                gaps.c.state.in_(_EVER),
                gaps.c.route == Route.REGISTRY.value,
                pupils.c.route == Route.REGISTRY.value,
                pupils.c.number_index.is_not(None),
                ~pupils.c.protected,
                ~pupils.c.drill,
                case_descriptions.c.handle.is_(None),
            )
            .group_by(gaps.c.handle, gaps.c.number, gaps.c.pupil_id)
            .having(first >= since)
            .order_by(gaps.c.handle, gaps.c.number)
            .limit(limit)
        )
        return [LedGap(Handle(row.handle), row.number, row.pupil_id, row.since) for row in tx.execute(query)]

    def add(self, tx: Connection, said: Iterable[tuple[Handle, int]], on: date) -> None:
        """Note what the registry has answered. Nothing else adds to it: one sync runs at a time."""
        rows = [{"handle": handle, "number": number, "described_on": on} for handle, number in said]
        if rows:
            tx.execute(insert(case_descriptions), rows)

    def forget(self, tx: Connection) -> None:
        """The registry was set back: what is still to be told of is told again."""
        tx.execute(delete(case_descriptions))
