"""The aggregate "saying": what named persons stated about pupils.

States: WAITING → STANDING (a second person agreed) or REFUSED; a saying that needs no second person begins as
STANDING. Moved by `review` alone. Only STANDING ones are part of a pupil's history.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from node.model import Saying
from node.store.schema import sayings
from node.store.sealing import Sealer


class SayingState(enum.StrEnum):
    WAITING = "WAITING"
    STANDING = "STANDING"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Said:
    """A saying with the persons behind it. `word` is what was said: a `What`, or an act on identity."""

    saying_id: int
    pupil_id: bytes
    content: SayingContent
    said_on: date
    state: SayingState

    def __repr__(self) -> str:
        return f"Said(saying_id={self.saying_id})"


@dataclass(frozen=True, slots=True)
class SayingContent:
    """The sealed part."""

    saying: Saying
    said_by: str
    reviewed_by: str | None = None

    def __repr__(self) -> str:
        return "SayingContent()"


class Sayings:
    """What was said. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def add(self, tx: Connection, pupil_id: bytes, content: SayingContent, state: SayingState) -> int:
        """Keep a saying; returns its id."""
        # The id is part of what the content is sealed to, and the database alone gives it.
        row = {"pupil_id": pupil_id, "sealed_content": b"", "said_on": content.saying.said_on, "state": state.value}
        saying_id: int = tx.execute(insert(sayings).values(row).returning(sayings.c.saying_id)).scalar_one()
        self._write(tx, saying_id, content, state)
        return saying_id

    def load(self, tx: Connection, saying_id: int) -> Said | None:
        row = tx.execute(select(sayings).where(sayings.c.saying_id == saying_id)).one_or_none()
        return None if row is None else self._opened(row)

    def waiting(self, tx: Connection) -> tuple[Said, ...]:
        """Those that wait for a second person, oldest first."""
        query = select(sayings).where(sayings.c.state == SayingState.WAITING.value).order_by(sayings.c.saying_id)
        return tuple(self._opened(row) for row in tx.execute(query))

    def review(self, tx: Connection, saying_id: int, content: SayingContent, state: SayingState) -> None:
        """Write the second person's word."""
        self._write(tx, saying_id, content, state)

    def standing(self, tx: Connection, pupil_ids: Iterable[bytes]) -> dict[bytes, tuple[Saying, ...]]:
        """pupil_id → the sayings that count in its history, oldest first; pupils without any are left out."""
        found: dict[bytes, list[Saying]] = {}
        ids = list(pupil_ids)
        for start in range(0, len(ids), 500):
            query = (
                select(sayings)
                .where(sayings.c.pupil_id.in_(ids[start : start + 500]), sayings.c.state == SayingState.STANDING.value)
                .order_by(sayings.c.saying_id)
            )
            for row in tx.execute(query):
                said = self._opened(row)
                found.setdefault(said.pupil_id, []).append(said.content.saying)
        return {pupil_id: tuple(said) for pupil_id, said in found.items()}

    def spoken_of(self, tx: Connection) -> tuple[bytes, ...]:
        """The pupils of whom anything stands."""
        query = select(sayings.c.pupil_id).where(sayings.c.state == SayingState.STANDING.value).distinct()
        return tuple(tx.execute(query).scalars())

    def _write(self, tx: Connection, saying_id: int, content: SayingContent, state: SayingState) -> None:
        sealed = self._sealer.seal("sayings", _row_id(saying_id), "sealed_content", _encode(content))
        tx.execute(
            update(sayings).where(sayings.c.saying_id == saying_id).values(sealed_content=sealed, state=state.value)
        )

    def _opened(self, row: Any) -> Said:
        plain = self._sealer.open("sayings", _row_id(row.saying_id), "sealed_content", row.sealed_content)
        return Said(row.saying_id, row.pupil_id, _decode(plain), row.said_on, SayingState(row.state))


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SayingContent).decode


def _row_id(saying_id: int) -> bytes:
    return saying_id.to_bytes(8, "big")
