"""The aggregate "journal": entries chained one after the other over all case files, and who looked.

The chain: HMAC-SHA-256 under the record key over (chain of the row before, position, case file, instant, kind, SHA-256
of the sealed entry). Whoever changes, moves, adds or removes a row without the record key breaks it at that row. The
head holds an HMAC of its own over (position, chain of the last row): nobody makes one for a shorter journal. A head
that stood there once fits the rows of its time; against that `node.casework.journal.verifying` keeps what it has seen.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from node.casework.actor import Actor
from node.casework.files.model import FileId
from node.casework.journal.model import Entry, EntryKind, Flaw, FlawKind, View
from node.store.bulk import chunks
from node.store.case_keys import CaseKeys, CaseShreddedError
from node.store.schema_files import files
from node.store.schema_journal import file_views, journal, journal_head
from node.store.sealing import Sealer, SealError

_FIRST = bytes(32)
_MOST = 1_000
"""Missing rows in a row that are named one by one."""

_Before = tuple[bytes, ...]
"""The chain of the row before: as it stands, and as it should stand where that is another."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last row of a journal when it was looked at: its position and its chain; 0 of an empty one."""

    position: int
    chain: bytes


class Journal:
    """The journal of a node. Every method works on the connection of the caller's transaction."""

    def __init__(self, keys: CaseKeys, sealer: Sealer) -> None:
        self._keys, self._sealer = keys, sealer

    # -- writing ----------------------------------------------------------------------------------------------------

    def append(
        self, tx: Connection, file_id: FileId, actor: Actor, kind: EntryKind, body: Mapping[str, Any], at: datetime
    ) -> int:
        """Write an entry and return its position. Raises CaseShreddedError where the case file has no key any more.

        Last in its transaction, or nearly: from here on no other entry is written until it ends.
        """
        plain = msgspec.json.encode({"by": actor.name, "by_id": actor.person_id, "body": body})
        position: int = tx.execute(select(journal_head.c.position).with_for_update()).scalar_one() + 1
        sealed = self._keys.seal(file_id, "journal", _name(position), "sealed_entry", plain)
        digest = hashlib.sha256(sealed).digest()
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
        return position

    def viewed(self, tx: Connection, file_id: FileId, actor: Actor, page: str, at: datetime) -> None:
        """Note that somebody looks at a case file."""
        view_id = tx.execute(
            insert(file_views).values(file_id=file_id, viewed_at=at, sealed_view=b"").returning(file_views.c.view_id)
        ).scalar_one()
        plain = msgspec.json.encode({"by": actor.name, "by_id": actor.person_id, "page": page})
        sealed = self._sealer.seal("file_views", _name(view_id), "sealed_view", plain)
        tx.execute(update(file_views).where(file_views.c.view_id == view_id).values(sealed_view=sealed))

    # -- reading ----------------------------------------------------------------------------------------------------

    def of_file(self, tx: Connection, file_id: FileId) -> tuple[Entry, ...]:
        """The entries of a case file, oldest first; without author and body where it was shredded."""
        return tuple(self._entry(row) for _, row in _rows(tx, _of(tx, file_id)) if row is not None)

    def views_of(self, tx: Connection, file_id: FileId) -> tuple[View, ...]:
        """Who looked at a case file, newest first."""
        query = select(file_views).where(file_views.c.file_id == file_id).order_by(file_views.c.view_id.desc())
        return tuple(self._view(row) for row in tx.execute(query))

    # -- verifying --------------------------------------------------------------------------------------------------

    def flaws(self, tx: Connection) -> Iterator[Flaw]:
        """Every row that is not as it was written, in the order of the positions; the end last."""
        before: _Before | None = (_FIRST,)
        expected = 1
        for position, row in _rows(tx, tuple(tx.scalars(select(journal.c.position).order_by(journal.c.position)))):
            if position != expected:
                before = None
                yield from (Flaw(each, FlawKind.MISSING) for each in range(expected, min(position, expected + _MOST)))
            found, before = self._held(position, row, before)
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
        for position, row in _rows(tx, _of(tx, file_id)):
            found += self._held(position, row, self._before(tx, position))[0]
        return tuple(found)

    def seen(self, tx: Connection) -> Seen:
        """The last row, to be held against a later journal."""
        row = tx.execute(select(journal.c.position, journal.c.chain_index).order_by(journal.c.position.desc())).first()
        return Seen(0, _FIRST) if row is None else Seen(row.position, row.chain_index)

    def holds(self, tx: Connection, seen: Seen) -> bool:
        """Whether a row that was seen stands as it did."""
        return self._chain_of(tx, seen.position) == seen.chain

    def _held(self, position: int, row: Any, before: _Before | None) -> tuple[list[Flaw], _Before | None]:
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
            if self._keys.known(file_id):
                found.append(Flaw(position, FlawKind.EMPTIED, file_id))
        elif digest != row.entry_digest:
            found.append(Flaw(position, FlawKind.ENTRY, file_id))
        return found, (row.chain_index, *(fitting - {row.chain_index}))

    def _before(self, tx: Connection, position: int) -> _Before | None:
        """What the row at `position` may be chained to; None where the row before it is missing."""
        if position == 1:
            return (_FIRST,)
        for _, row in _rows(tx, [position - 1]):
            chain = self._chain_of(tx, position - 2)
            return self._held(position - 1, row, None if chain is None else (chain,))[1]
        return None

    def _ends(self, head: Any, last: _Before) -> bool:
        if head.position == 0:
            return bool(head.chain_index == _FIRST)
        return any(hmac.compare_digest(head.chain_index, self._head(head.position, chain)) for chain in last)

    # -- rows -------------------------------------------------------------------------------------------------------

    def _chain_of(self, tx: Connection, position: int) -> bytes | None:
        """The chain of a row; None where it is not there."""
        if position == 0:
            return _FIRST
        found = tx.execute(select(journal.c.chain_index).where(journal.c.position == position)).scalar()
        return None if found is None else bytes(found)

    def _head(self, position: int, chain: bytes) -> bytes:
        return self._sealer.index("journal-head", _name(position) + chain)

    def _link(
        self, before: bytes, position: int, file_id: bytes, at: datetime, kind: str, entry_digest: bytes
    ) -> bytes:
        parts = (before, _name(position), file_id, at.isoformat().encode(), kind.encode(), entry_digest)
        return self._sealer.index("journal", b"".join(len(part).to_bytes(2, "big") + part for part in parts))

    def _entry(self, row: Any) -> Entry:
        kind = EntryKind(row.kind) if row.kind in _KINDS else EntryKind.OTHER
        entry = Entry(row.position, FileId(row.file_id), row.written_at, kind)
        if row.sealed_entry is None:
            return entry
        try:
            plain = self._keys.open(entry.file_id, "journal", _name(row.position), "sealed_entry", row.sealed_entry)
        except CaseShreddedError:
            return entry
        except SealError:
            # The others of the case file are read all the same.
            return replace(entry, damaged=True)
        told = msgspec.json.decode(plain)
        return Entry(
            entry.position, entry.file_id, entry.written_at, entry.kind, told["by"], told["by_id"], told["body"]
        )

    def _view(self, row: Any) -> View:
        plain = self._sealer.open("file_views", _name(row.view_id), "sealed_view", row.sealed_view)
        told = msgspec.json.decode(plain)
        return View(FileId(row.file_id), row.viewed_at, told["by"], told["by_id"], told["page"])


_KINDS = frozenset(kind.value for kind in EntryKind)


def _of(tx: Connection, file_id: FileId) -> Sequence[int]:
    """The positions of a case file's entries."""
    query = select(journal.c.position).where(journal.c.file_id == file_id).order_by(journal.c.position)
    return tuple(tx.scalars(query))


def _rows(tx: Connection, positions: Sequence[int]) -> Iterator[tuple[int, Any]]:
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


def _name(number: int) -> bytes:
    return number.to_bytes(8, "big")
