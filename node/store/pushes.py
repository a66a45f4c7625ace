"""The aggregate "push": requests that were taken, with their answers, and whole rosters that have come in part.

A part of a roster stands until its roster is taken or another one begins; of each school system one roster stands at
most. A request that was taken is remembered for `REMEMBERED`; one repeated later is refused for its old as-of, or says
what is known already.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from node.store.schema_systems import pushes, roster_parts
from node.store.sealing import Sealer

REMEMBERED = timedelta(days=60)
"""Longer than any school system tries again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that was taken. `digest` is the SHA-256 of its content, `answer` holds no personal data."""

    request_id: bytes
    digest: bytes
    answer: bytes


@dataclass(frozen=True, slots=True)
class StagedPart:
    """One of `parts` parts of a roster; `part` counts from 1. `answer` is what its request is answered in the end."""

    roster_id: bytes
    part: int
    parts: int
    as_of: date
    request_id: bytes
    digest: bytes
    answer: bytes


class Pushes:
    """What school systems pushed. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    # -- requests ---------------------------------------------------------------------------------------------------

    def taken(self, tx: Connection, system: str, request_id: bytes) -> Taken | None:
        query = select(pushes).where(pushes.c.system == system, pushes.c.request_id == request_id)
        row = tx.execute(query).one_or_none()
        return None if row is None else Taken(row.request_id, row.digest, row.answer)

    def keep(self, tx: Connection, system: str, taken: Taken, received_at: datetime) -> None:
        """Remember a request that was taken, and forget those of long ago."""
        tx.execute(delete(pushes).where(pushes.c.received_at < received_at - REMEMBERED))
        tx.execute(
            insert(pushes).values(
                system=system,
                request_id=taken.request_id,
                digest=taken.digest,
                answer=taken.answer,
                received_at=received_at,
            )
        )

    # -- rosters in parts -------------------------------------------------------------------------------------------

    def staged(self, tx: Connection, system: str) -> tuple[StagedPart, ...]:
        """The parts of the roster that stands, in order; without their persons."""
        columns = (getattr(roster_parts.c, field) for field in StagedPart.__dataclass_fields__)
        query = select(*columns).where(roster_parts.c.system == system).order_by(roster_parts.c.part)
        return tuple(StagedPart(*row) for row in tx.execute(query))

    def stage(self, tx: Connection, system: str, part: StagedPart, persons: bytes) -> None:
        """Keep a part, in place of what came as that part before."""
        of_system = roster_parts.c.system == system
        tx.execute(delete(roster_parts).where(of_system, roster_parts.c.part == part.part))
        tx.execute(
            insert(roster_parts).values(
                system=system,
                part=part.part,
                roster_id=part.roster_id,
                parts=part.parts,
                as_of=part.as_of,
                request_id=part.request_id,
                digest=part.digest,
                answer=part.answer,
                sealed_persons=self._sealer.seal("roster_parts", _row(system, part.part), "sealed_persons", persons),
            )
        )

    def persons(self, tx: Connection, system: str, part: int) -> bytes:
        """The persons of a part, as they were staged."""
        query = select(roster_parts.c.sealed_persons).where(
            roster_parts.c.system == system, roster_parts.c.part == part
        )
        sealed = tx.execute(query).scalar_one()
        return self._sealer.open("roster_parts", _row(system, part), "sealed_persons", sealed)

    def unstage(self, tx: Connection, system: str) -> None:
        """Drop the roster that stands in part."""
        tx.execute(delete(roster_parts).where(roster_parts.c.system == system))


def _row(system: str, part: int) -> bytes:
    return system.encode() + b"\0" + part.to_bytes(4, "big")
