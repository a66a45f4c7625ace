"""Batches and the answers they were given, so that a batch that is sent again gets the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
from sqlalchemy import Connection, insert, select, update

from federation.rules.vocabulary import Disposition, MemberId
from registry.store.schema import batches

_decoder = msgspec.json.Decoder(tuple[Disposition, ...])


@dataclass(frozen=True, slots=True)
class Answered:
    """What a batch was answered; `leaf_index` names its leaf in the ledger, None where it has none."""

    digest: bytes
    answer: tuple[Disposition, ...]
    leaf_index: int | None


def find(tx: Connection, member: MemberId, batch_id: bytes) -> Answered | None:
    query = select(batches.c.digest, batches.c.answer, batches.c.leaf_index)
    row = tx.execute(query.where(batches.c.member == member, batches.c.batch_id == batch_id)).one_or_none()
    return None if row is None else Answered(row.digest, _decoder.decode(row.answer), row.leaf_index)


def encode(answer: Sequence[Disposition]) -> str:
    """An answer as it is kept."""
    return msgspec.json.encode(answer).decode()


def keep(
    tx: Connection,
    member: MemberId,
    batch_id: bytes,
    digest: bytes,
    answer: str,
    received_on: date,
    leaf_index: int | None,
) -> None:
    """Keep an answer (`encode`), so that the same batch gets it again."""
    tx.execute(
        insert(batches).values(
            member=member,
            batch_id=batch_id,
            digest=digest,
            answer=answer,
            received_on=received_on,
            leaf_index=leaf_index,
        )
    )


def put_in_leaf(tx: Connection, member: MemberId, batch_id: bytes, answer: str, leaf_index: int) -> None:
    """Name another leaf for a batch; the answer (`encode`) is the one that it was given."""
    own = (batches.c.member == member, batches.c.batch_id == batch_id)
    tx.execute(update(batches).where(*own).values(answer=answer, leaf_index=leaf_index))
