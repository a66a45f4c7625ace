"""Batches and the answers they were given, so that a batch that is sent again gets the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
from sqlalchemy import Connection, delete, insert, select

from federation.rules.vocabulary import Disposition, MemberId
from registry.store.schema import batches

_decoder = msgspec.json.Decoder(tuple[Disposition, ...])


@dataclass(frozen=True, slots=True)
class Answered:
    digest: bytes
    answer: tuple[Disposition, ...]


def find(tx: Connection, member: MemberId, batch_id: bytes) -> Answered | None:
    query = select(batches.c.digest, batches.c.answer)
    row = tx.execute(query.where(batches.c.member == member, batches.c.batch_id == batch_id)).one_or_none()
    return None if row is None else Answered(row.digest, _decoder.decode(row.answer))


def keep(
    tx: Connection, member: MemberId, batch_id: bytes, digest: bytes, answer: Sequence[Disposition], received_on: date
) -> None:
    tx.execute(
        insert(batches).values(
            member=member,
            batch_id=batch_id,
            digest=digest,
            answer=msgspec.json.encode(answer).decode(),
            received_on=received_on,
        )
    )


def forget(tx: Connection, before: date) -> None:
    """Drop answers given before a day. A batch sent again later is judged anew, which versions make harmless."""
    tx.execute(delete(batches).where(batches.c.received_on < before))
