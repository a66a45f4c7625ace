"""The aggregate "journal": entries chained one after the other over all case files, and who looked.

The chain: HMAC-SHA-256 under the record key over (chain of the row before, position, case file, instant, kind, SHA-256
of the sealed entry). Whoever changes, moves, adds or removes a row without the record key breaks it at that row; the
head tells of rows that are missing at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from node.casework.actor import Actor
from node.casework.files.model import FileId
from node.casework.journal.model import Entry, EntryKind, Flaw, View
from node.store.case_keys import CaseKeys, CaseShreddedError
from node.store.schema_journal import file_views, journal, journal_head
from node.store.sealing import Sealer

_FIRST = bytes(32)


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
        head = tx.execute(select(journal_head).with_for_update()).one()
        position: int = head.position + 1
        sealed = self._keys.seal(file_id, "journal", _name(position), "sealed_entry", plain)
        digest = hashlib.sha256(sealed).digest()
        link = self._link(head.chain_index, position, file_id, at, kind.value, digest)
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
        tx.execute(update(journal_head).values(position=position, chain_index=link))
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
        rows = tx.execute(select(journal).where(journal.c.file_id == file_id).order_by(journal.c.position))
        return tuple(self._entry(row) for row in rows)

    def views_of(self, tx: Connection, file_id: FileId) -> tuple[View, ...]:
        """Who looked at a case file, newest first."""
        query = select(file_views).where(file_views.c.file_id == file_id).order_by(file_views.c.view_id.desc())
        return tuple(self._view(row) for row in tx.execute(query))

    # -- verifying --------------------------------------------------------------------------------------------------

    def flaws(self, tx: Connection) -> Iterator[Flaw]:
        """Every row that is not as it was written, in the order of the positions; the head last."""
        chain, expected = _FIRST, 1
        for row in tx.execute(select(journal).order_by(journal.c.position)):
            if row.position != expected:
                yield Flaw(expected, "missing")
            link = self._link(chain, row.position, row.file_id, row.written_at, row.kind, row.entry_digest)
            if link != row.chain_index:
                yield Flaw(row.position, "changed")
            if row.sealed_entry is not None and hashlib.sha256(row.sealed_entry).digest() != row.entry_digest:
                yield Flaw(row.position, "entry")
            # By what stands: so each flaw is named once, and not every row after it.
            chain, expected = row.chain_index, row.position + 1
        head = tx.execute(select(journal_head)).one_or_none()
        if head is None or (head.position, head.chain_index) != (expected - 1, chain):
            yield Flaw(expected, "end")

    # -- rows -------------------------------------------------------------------------------------------------------

    def _link(
        self, before: bytes, position: int, file_id: bytes, at: datetime, kind: str, entry_digest: bytes
    ) -> bytes:
        micros = int(at.timestamp() * 1_000_000)
        parts = (before, _name(position), file_id, micros.to_bytes(8, "big"), kind.encode(), entry_digest)
        return self._sealer.index("journal", b"".join(len(part).to_bytes(2, "big") + part for part in parts))

    def _entry(self, row: Any) -> Entry:
        entry = Entry(row.position, FileId(row.file_id), row.written_at, EntryKind(row.kind))
        if row.sealed_entry is None:
            return entry
        try:
            plain = self._keys.open(entry.file_id, "journal", _name(row.position), "sealed_entry", row.sealed_entry)
        except CaseShreddedError:
            return entry
        told = msgspec.json.decode(plain)
        return Entry(
            entry.position, entry.file_id, entry.written_at, entry.kind, told["by"], told["by_id"], told["body"]
        )

    def _view(self, row: Any) -> View:
        plain = self._sealer.open("file_views", _name(row.view_id), "sealed_view", row.sealed_view)
        told = msgspec.json.decode(plain)
        return View(FileId(row.file_id), row.viewed_at, told["by"], told["by_id"], told["page"])


def _name(number: int) -> bytes:
    return number.to_bytes(8, "big")
