"""The aggregate "journal": entries, chained over all case files (`node.store.chain`), and who looked.

What an entry says is sealed under the key of its case file; that somebody looked, under the record key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from node.casework.actor import Actor
from node.casework.files.model import FileId
from node.casework.journal.model import BODY_KEYS, Entry, EntryKind, Flaw, View
from node.store.case_keys import CaseKeys, CaseShreddedError
from node.store.chain import Chain, name, positions_of, rows_at
from node.store.schema_journal import file_views, journal
from node.store.sealing import Sealer, SealError


class Journal:
    """The journal of a node. Every method works on the connection of the caller's transaction."""

    def __init__(self, keys: CaseKeys, sealer: Sealer) -> None:
        self._keys, self._sealer = keys, sealer
        self._chain = Chain(sealer)

    # -- writing ----------------------------------------------------------------------------------------------------

    def append(
        self, tx: Connection, file_id: FileId, actor: Actor, kind: EntryKind, body: Mapping[str, Any], at: datetime
    ) -> int:
        """Write an entry and return its position. Raises CaseShreddedError where the case file has no key any more, and
        ValueError for a body of which no reader could be told what it means.

        Last in its transaction, or nearly: from here on no other entry is written until it ends.
        """
        if unknown := body.keys() - BODY_KEYS:
            raise ValueError(f"keys of a journal entry that have no words: {sorted(unknown)}")
        plain = msgspec.json.encode({"by": actor.name, "by_id": actor.person_id, "body": body})
        position = self._chain.next_position(tx)
        sealed = self._keys.seal(file_id, "journal", name(position), "sealed_entry", plain)
        self._chain.add(tx, position, file_id, at, kind, sealed)
        return position

    def viewed(self, tx: Connection, file_id: FileId, actor: Actor, page: str, at: datetime) -> None:
        """Note that somebody looks at a case file."""
        row = {"file_id": file_id, "viewed_at": at, "works_cases": actor.works_cases, "sealed_view": b""}
        view_id = tx.execute(insert(file_views).values(row).returning(file_views.c.view_id)).scalar_one()
        plain = msgspec.json.encode({"by": actor.name, "by_id": actor.person_id, "page": page})
        sealed = self._sealer.seal("file_views", name(view_id), "sealed_view", plain)
        tx.execute(update(file_views).where(file_views.c.view_id == view_id).values(sealed_view=sealed))

    # -- reading ----------------------------------------------------------------------------------------------------

    def of_form(self, tx: Connection, file_id: FileId, form_id: str, *kinds: EntryKind) -> Entry | None:
        """What a form has written before, for it was sent twice; None for one that is new, or has no id."""
        for entry in self.of_file(tx, file_id) if form_id else ():
            if entry.kind in kinds and entry.body is not None and entry.body.get("form") == form_id:
                return entry
        return None

    def of_file(self, tx: Connection, file_id: FileId) -> tuple[Entry, ...]:
        """The entries of a case file, oldest first; without author and body where it was shredded."""
        return tuple(self._entry(row) for _, row in rows_at(tx, positions_of(tx, file_id)) if row is not None)

    def attached(self, tx: Connection) -> tuple[Entry, ...]:
        """The entries that tell of attachments, as far as they can be read, of all case files."""
        query = select(journal.c.position).where(journal.c.kind == EntryKind.ATTACHMENT.value)
        positions = tuple(tx.scalars(query.order_by(journal.c.position)))
        entries = (self._entry(row) for _, row in rows_at(tx, positions) if row is not None)
        return tuple(entry for entry in entries if entry.body is not None)

    def views_of(self, tx: Connection, file_id: FileId) -> tuple[View, ...]:
        """Who looked at a case file, newest first."""
        query = select(file_views).where(file_views.c.file_id == file_id).order_by(file_views.c.view_id.desc())
        return tuple(self._view(row) for row in tx.execute(query))

    # -- verifying --------------------------------------------------------------------------------------------------

    def flaws_of(self, tx: Connection, file_id: FileId) -> tuple[Flaw, ...]:
        """What is not as it was written of one case file; of all, `node.casework.journal.verifying` tells."""
        return self._chain.flaws_of(tx, file_id)

    # -- rows -------------------------------------------------------------------------------------------------------

    def _entry(self, row: Any) -> Entry:
        kind = EntryKind(row.kind) if row.kind in _KINDS else EntryKind.OTHER
        entry = Entry(row.position, FileId(row.file_id), row.written_at, kind)
        if row.sealed_entry is None:
            return entry
        try:
            plain = self._keys.open(entry.file_id, "journal", name(row.position), "sealed_entry", row.sealed_entry)
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
        plain = self._sealer.open("file_views", name(row.view_id), "sealed_view", row.sealed_view)
        told = msgspec.json.decode(plain)
        return View(FileId(row.file_id), row.viewed_at, told["by"], told["by_id"], told["page"])


_KINDS = frozenset(kind.value for kind in EntryKind)
