"""Which cases are described to the registry.

Invariant: a gap is noted here once the registry has answered, and not before: what was lost on the way is said again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, and_, insert, select

from federation.rules.vocabulary import GapState, Handle
from node.identity import Route
from node.store.schema import gaps, pupils
from node.store.schema_descriptions import case_descriptions


@dataclass(frozen=True, slots=True)
class LedGap:
    """An open gap that leads its case; `told_on` is the close that said last that it is open."""

    handle: Handle
    number: int
    pupil_id: bytes
    told_on: date

    def __repr__(self) -> str:
        return "LedGap()"


class Descriptions:
    """The descriptions of the node. Every method works on the connection of the caller's transaction."""

    def missing(self, tx: Connection, limit: int) -> list[LedGap]:
        """The first of the gaps that are to be described and are not.

        Left out is who may not be told of, and whose number is not known: pupils who were handed back nameless are
        described once they have their names.
        """
        done = and_(case_descriptions.c.handle == gaps.c.handle, case_descriptions.c.number == gaps.c.number)
        query = (
            select(gaps.c.handle, gaps.c.number, gaps.c.pupil_id, gaps.c.verdict_on)
            .join(pupils, pupils.c.pupil_id == gaps.c.pupil_id)
            .outerjoin(case_descriptions, done)
            .where(
                gaps.c.state == GapState.OPEN.value,
                gaps.c.verdict == GapState.OPEN.value,
                gaps.c.lead,
                gaps.c.route == Route.REGISTRY.value,
                pupils.c.route == Route.REGISTRY.value,
                pupils.c.number_index.is_not(None),
                ~pupils.c.protected,
                ~pupils.c.drill,
                case_descriptions.c.handle.is_(None),
            )
            .order_by(gaps.c.handle, gaps.c.number)
            .limit(limit)
        )
        return [LedGap(Handle(row.handle), row.number, row.pupil_id, row.verdict_on) for row in tx.execute(query)]

    def add(self, tx: Connection, said: Iterable[tuple[Handle, int]], on: date) -> None:
        """Note what the registry has answered. Nothing else adds to it: one sync runs at a time."""
        rows = [{"handle": handle, "number": number, "described_on": on} for handle, number in said]
        if rows:
            tx.execute(insert(case_descriptions), rows)
