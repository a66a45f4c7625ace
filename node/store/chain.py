"""The chain of the journal: its rows one after the other over all case files, and whether each is as it was written.

HMAC-SHA-256 under the record key over (chain of the row before, position, case file, instant, kind, SHA-256 of the
sealed entry). Whoever changes, moves, adds or removes a row without the record key breaks it at that row. The head has
an HMAC of its own over (position, chain of the last row): nobody makes one for a shorter journal. A head that stood
there once fits the rows of its time; against that `node.casework.journal.verifying` keeps what it has seen.

A row that was shredded keeps its place: the chain holds the digest of what was sealed. That it was shredded stands in a
row of its own (SHREDDED, KEY_LOST); a content that is missing without one was taken away.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from node.casework.files.model import FileId
from node.casework.journal.model import EntryKind, Flaw, FlawKind
from node.store.bulk import chunks
from node.store.schema_files import files
from node.store.schema_journal import journal, journal_head
from node.store.sealing import Sealer

_FIRST = bytes(32)
_MOST = 1_000
"""Missing rows in a row that are named one by one."""

_EMPTYING = frozenset({EntryKind.SHREDDED.value, EntryKind.KEY_LOST.value})

_Before = tuple[bytes, ...]
"""The chain of the row before: as it stands, and as it should stand where that is another."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last row of a journal when it was looked at: its position and its chain; 0 of an empty one."""

    position: int
    chain: bytes


class Chain:
    """Under the record key. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    # -- writing ----------------------------------------------------------------------------------------------------

    def next_position(self, tx: Connection) -> int:
        """The position of the next row: nobody else takes one until this transaction ends."""
        return int(tx.execute(select(journal_head.c.position).with_for_update()).scalar_one()) + 1

    def add(
        self, tx: Connection, position: int, file_id: FileId, at: datetime, kind: EntryKind, sealed: bytes | None
    ) -> None:
        """Write the row at `next_position`."""
        digest = hashlib.sha256(sealed or b"").digest()
        # A row that was taken away keeps nobody from writing on: it is named all the same.
        before = self._chain_of(tx, position - 1) or _FIRST
        link = self._link(before, position, file_id, at.astimezone(UTC), kind.value, digest)
        tx.execute(
            insert(journal).values(
                position=position,
                file_id=file_id,
                written_at=at,
                kind=kind.value,
                sealed_entry=sealed,
                entry_digest=digest,
                chain_index=link,
            )
        )
        tx.execute(update(journal_head).values(position=position, chain_index=self._head(position, link)))

    # -- verifying --------------------------------------------------------------------------------------------------

    def flaws(self, tx: Connection) -> Iterator[Flaw]:
        """Every row that is not as it was written, in the order of the positions; the end last."""
        before: _Before | None = (_FIRST,)
        expected = 1
        for position, row in rows_at(tx, tuple(tx.scalars(select(journal.c.position).order_by(journal.c.position)))):
            if position != expected:
                before = None
                yield from (Flaw(each, FlawKind.MISSING) for each in range(expected, min(position, expected + _MOST)))
            found, before = self._held(tx, position, row, before)
            yield from found
            expected = position + 1
        head = tx.execute(select(journal_head)).one_or_none()
        last = before or (_FIRST,)
        if head is None or head.position != expected - 1 or not self._ends(head, last):
            yield Flaw(expected, FlawKind.END)
        elif expected == 1 and tx.execute(select(files.c.file_id).limit(1)).first() is not None:
            # There is no case file without an entry that it was opened.
            yield Flaw(expected, FlawKind.END)

    def flaws_of(self, tx: Connection, file_id: FileId) -> tuple[Flaw, ...]:
        """Those of one case file that its own rows and the rows before them tell of."""
        found: list[Flaw] = []
        for position, row in rows_at(tx, positions_of(tx, file_id)):
            found += self._held(tx, position, row, self._before(tx, position))[0]
        return tuple(found)

    def seen(self, tx: Connection) -> Seen:
        """The last row, to be held against a later journal."""
        row = tx.execute(select(journal.c.position, journal.c.chain_index).order_by(journal.c.position.desc())).first()
        return Seen(0, _FIRST) if row is None else Seen(row.position, row.chain_index)

    def holds(self, tx: Connection, seen: Seen) -> bool:
        """Whether a row that was seen stands as it did."""
        return self._chain_of(tx, seen.position) == seen.chain

    def _held(
        self, tx: Connection, position: int, row: Any, before: _Before | None
    ) -> tuple[list[Flaw], _Before | None]:
        """The flaws of a row, and what the next one may be chained to.

        That is what stands, or what should stand: so what is wrong is named once, and not in the row after it too.
        """
        try:
            fitting = {
                self._link(chain, position, row.file_id, row.written_at, row.kind, row.entry_digest)
                for chain in before or ()
            }
            file_id, sealed = FileId(bytes(row.file_id)), row.sealed_entry
            digest = None if sealed is None else hashlib.sha256(sealed).digest()
        except (AttributeError, TypeError):
            # A value of another type than any that is written; SQLite keeps such.
            return [Flaw(position, FlawKind.CHANGED)], None
        found = []
        if before is None:
            found.append(Flaw(position, FlawKind.UNPROVED, file_id))
        elif row.chain_index not in fitting:
            found.append(Flaw(position, FlawKind.CHANGED, file_id))
        if digest is None:
            if row.kind not in _EMPTYING and not was_emptied(tx, file_id, position):
                found.append(Flaw(position, FlawKind.EMPTIED, file_id))
        elif digest != row.entry_digest:
            found.append(Flaw(position, FlawKind.ENTRY, file_id))
        return found, (row.chain_index, *(fitting - {row.chain_index}))

    def _before(self, tx: Connection, position: int) -> _Before | None:
        """What the row at `position` may be chained to; None where the row before it is missing."""
        if position == 1:
            return (_FIRST,)
        for _, row in rows_at(tx, [position - 1]):
            chain = self._chain_of(tx, position - 2)
            return self._held(tx, position - 1, row, None if chain is None else (chain,))[1]
        return None

    def _ends(self, head: Any, last: _Before) -> bool:
        if head.position == 0:
            return bool(head.chain_index == _FIRST)
        return any(hmac.compare_digest(head.chain_index, self._head(head.position, chain)) for chain in last)

    def _chain_of(self, tx: Connection, position: int) -> bytes | None:
        """The chain of a row; None where it is not there."""
        if position == 0:
            return _FIRST
        found = tx.execute(select(journal.c.chain_index).where(journal.c.position == position)).scalar()
        return None if found is None else bytes(found)

    def _head(self, position: int, chain: bytes) -> bytes:
        return self._sealer.index("journal-head", name(position) + chain)

    def _link(
        self, before: bytes, position: int, file_id: bytes, at: datetime, kind: str, entry_digest: bytes
    ) -> bytes:
        parts = (before, name(position), file_id, at.isoformat().encode(), kind.encode(), entry_digest)
        return self._sealer.index("journal", b"".join(len(part).to_bytes(2, "big") + part for part in parts))


def positions_of(tx: Connection, file_id: FileId) -> Sequence[int]:
    """The positions of a case file's entries."""
    query = select(journal.c.position).where(journal.c.file_id == file_id).order_by(journal.c.position)
    return tuple(tx.scalars(query))


def was_emptied(tx: Connection, file_id: FileId, after: int) -> bool:
    """Whether a row after that position says so; of itself it is held by the chain as every row is."""
    query = select(journal.c.position).where(journal.c.file_id == file_id, journal.c.kind.in_(_EMPTYING))
    return tx.execute(query.where(journal.c.position > after).limit(1)).first() is not None


def was_shredded(tx: Connection, file_id: FileId) -> bool:
    query = select(journal.c.position).where(journal.c.file_id == file_id, journal.c.kind == EntryKind.SHREDDED.value)
    return tx.execute(query.limit(1)).first() is not None


def rows_at(tx: Connection, positions: Sequence[int]) -> Iterator[tuple[int, Any]]:
    """The rows that stand at these positions, in their order; None for one that cannot be read as what it is.

    Read in portions: what is said of the whole journal does not have to fit into memory at once.
    """
    for portion in chunks(positions):
        try:
            rows = tx.execute(select(journal).where(journal.c.position.in_(portion)).order_by(journal.c.position)).all()
            yield from ((row.position, row) for row in rows)
        except ValueError:
            for position in portion:
                try:
                    yield position, tx.execute(select(journal).where(journal.c.position == position)).one()
                except ValueError:
                    yield position, None


def end_rows(tx: Connection) -> Sequence[Any]:
    """What the database says of the journal's end, whether or not that is sound."""
    return tx.execute(select(journal_head)).all()


def name(number: int) -> bytes:
    """Of a row, for what is sealed in it."""
    return number.to_bytes(8, "big")
