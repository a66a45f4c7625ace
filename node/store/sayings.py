"""The aggregate "saying": what named persons stated about pupils.

States: WAITING → STANDING (a second person agreed) or REFUSED; a saying that needs no second person begins as
STANDING. Moved by `settle` alone. Only STANDING ones are part of a pupil's history; acts on identity (a typing error, a
release) are kept as STANDING too, for who did them, and are no part of a history.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from node.model import Saying, What
from node.store.bulk import chunks
from node.store.schema import sayings
from node.store.sealing import Sealer


class SayingState(enum.StrEnum):
    WAITING = "WAITING"
    STANDING = "STANDING"
    REFUSED = "REFUSED"


class Act(enum.StrEnum):
    """What a person can decide about who a pupil is."""

    TYPING_ERROR = "TYPING_ERROR"
    """The number before was wrong: the pupil was never renumbered."""
    RELEASE = "RELEASE"
    """The protected identity has ended: the pupil may be matched again."""


@dataclass(frozen=True, slots=True)
class SayingContent:
    """What is sealed: the word (a `What` or an `Act`), the day it is about, and the persons behind it."""

    word: str
    on: date
    said_by: str
    reason: str | None = None
    review: date | None = None
    reviewed_by: str | None = None

    def __repr__(self) -> str:
        return f"SayingContent({self.word})"

    @property
    def what(self) -> What | None:
        """None for an act on identity."""
        return What(self.word) if self.word in What.__members__ else None


@dataclass(frozen=True, slots=True)
class Said:
    """A saying as stored."""

    saying_id: int
    pupil_id: bytes
    content: SayingContent
    said_on: date
    state: SayingState

    def __repr__(self) -> str:
        return f"Said(saying_id={self.saying_id})"


class Sayings:
    """What was said. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def add(self, tx: Connection, pupil_id: bytes, content: SayingContent, said_on: date, state: SayingState) -> int:
        """Keep a saying; returns its id."""
        # The id is part of what the content is sealed to, and the database alone gives it.
        row = {"pupil_id": pupil_id, "sealed_content": b"", "said_on": said_on, "state": state.value}
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

    def every(self, tx: Connection, pupil_id: bytes) -> tuple[Said, ...]:
        """All that was ever said of a pupil, acts on identity and what was refused too, oldest first."""
        query = select(sayings).where(sayings.c.pupil_id == pupil_id).order_by(sayings.c.saying_id)
        return tuple(self._opened(row) for row in tx.execute(query))

    def settle(self, tx: Connection, said: Said, reviewed_by: str, state: SayingState) -> None:
        """Write the second person's word."""
        self._write(tx, said.saying_id, replace(said.content, reviewed_by=reviewed_by), state)

    def standing(self, tx: Connection, pupil_ids: Iterable[bytes]) -> dict[bytes, tuple[Saying, ...]]:
        """pupil_id → the sayings that count in its history, oldest first; pupils without any are left out."""
        return self._of(tx, pupil_ids, [SayingState.STANDING])

    def waiting_of(self, tx: Connection, pupil_ids: Iterable[bytes]) -> dict[bytes, tuple[Saying, ...]]:
        """pupil_id → what waits for a second person, oldest first; pupils without any are left out."""
        return self._of(tx, pupil_ids, [SayingState.WAITING])

    def standing_or_waiting(self, tx: Connection, pupil_ids: Iterable[bytes]) -> dict[bytes, tuple[Saying, ...]]:
        """Both, in the order they were said."""
        return self._of(tx, pupil_ids, [SayingState.STANDING, SayingState.WAITING])

    def _of(
        self, tx: Connection, pupil_ids: Iterable[bytes], states: Sequence[SayingState]
    ) -> dict[bytes, tuple[Saying, ...]]:
        found: dict[bytes, list[Saying]] = {}
        for chunk in chunks(pupil_ids):
            query = (
                select(sayings)
                .where(sayings.c.pupil_id.in_(chunk), sayings.c.state.in_([state.value for state in states]))
                .order_by(sayings.c.saying_id)
            )
            for row in tx.execute(query):
                said = self._opened(row)
                saying = _saying(said)
                if saying is not None:
                    found.setdefault(said.pupil_id, []).append(saying)
        return {pupil_id: tuple(said) for pupil_id, said in found.items()}

    def take_back(self, tx: Connection, pupil_id: bytes, said_by: str) -> None:
        """Forget what one who is no person (`said_by`) stated about a pupil."""
        query = select(sayings).where(sayings.c.pupil_id == pupil_id)
        theirs = [row.saying_id for row in tx.execute(query) if self._opened(row).content.said_by == said_by]
        for chunk in chunks(theirs):
            tx.execute(delete(sayings).where(sayings.c.saying_id.in_(chunk)))

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


def _saying(said: Said) -> Saying | None:
    """As a part of a history; None for an act on identity, which is none."""
    content = said.content
    if content.what is None:
        return None
    reviewed = said.state is SayingState.STANDING
    return Saying(content.what, content.on, said.said_on, content.reason, content.review, reviewed)


def _row_id(saying_id: int) -> bytes:
    return saying_id.to_bytes(8, "big")
