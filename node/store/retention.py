"""What a node keeps no longer of its talk with the registry. Whatever a case file is made of is left alone.

Invariant: each function takes at most `ROWS` rows in one transaction and returns how many it took.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, CursorResult, Delete, Select, Table, delete, select

from federation.rules.vocabulary import GapState
from node.store.outbox import BatchState, VersionState
from node.store.schema import batches, fetches, gaps, notices, pseudonyms, versions
from node.store.schema_contact import contact_messages, contact_requests, contacts
from node.store.schema_files import files
from node.store.schema_ledger import receipts

ROWS = 500


def forget_notices(tx: Connection, before: date) -> int:
    """Notices of closes before a day whose effect is written, but for those of gaps that are open."""
    open_gap = select(gaps.c.handle).where(
        gaps.c.handle == notices.c.handle,
        gaps.c.number == notices.c.opening_number,
        gaps.c.state == GapState.OPEN.value,
    )
    old = select(notices.c.number).where(notices.c.closed_on < before, notices.c.handled, ~open_gap.exists())
    return _taken(tx, delete(notices).where(notices.c.number.in_(old.order_by(notices.c.number).limit(ROWS))))


def forget_fetches(tx: Connection, before: date) -> int:
    return _taken(tx, delete(fetches).where(fetches.c.day < before))


def forget_versions(tx: Connection, before: date) -> int:
    """Versions made before a day that a later one which the registry took stands in place of."""
    later = versions.alias("later")
    replaced = (
        select(later.c.handle)
        .where(
            later.c.handle == versions.c.handle,
            later.c.version > versions.c.version,
            later.c.state == VersionState.ACKNOWLEDGED.value,
        )
        .exists()
    )
    over = versions.c.state.in_([VersionState.ACKNOWLEDGED.value, VersionState.SUPERSEDED.value])
    old = select(versions.c.handle, versions.c.version).where(versions.c.made_on < before, over, replaced)
    return _taken_by_key(tx, versions, old)


def forget_receipts(tx: Connection, before: date) -> int:
    """Receipts of batches answered before a day."""
    old = select(batches.c.batch_id).where(batches.c.answered_on < before)
    return _taken(tx, delete(receipts).where(receipts.c.batch_id.in_(old.limit(ROWS))))


def forget_batches(tx: Connection, before: date) -> int:
    """Batches answered before a day of which nothing else speaks."""
    of_version = select(versions.c.batch_id).where(versions.c.batch_id == batches.c.batch_id).exists()
    of_receipt = select(receipts.c.batch_id).where(receipts.c.batch_id == batches.c.batch_id).exists()
    old = select(batches.c.batch_id).where(
        batches.c.state == BatchState.DONE.value, batches.c.answered_on < before, ~of_version, ~of_receipt
    )
    return _taken(tx, delete(batches).where(batches.c.batch_id.in_(old.limit(ROWS))))


def forget_pseudonyms(tx: Connection, standing: Collection[int]) -> int:
    """Pseudonyms of epochs that are over: older than those that stand."""
    old = select(pseudonyms.c.number_index, pseudonyms.c.epoch).where(pseudonyms.c.epoch < min(standing))
    return _taken_by_key(tx, pseudonyms, old)


def forget_contacts(tx: Connection) -> int:
    """Contacts of case files whose identity was shredded: nothing of them can be read any more."""
    gone = select(files.c.file_id).where(files.c.shredded_on.is_not(None))
    of_gone = select(contacts.c.contact_id).where(contacts.c.file_id.in_(gone)).order_by(contacts.c.contact_id)
    some = list(tx.scalars(of_gone.limit(ROWS)))
    tx.execute(delete(contact_messages).where(contact_messages.c.contact_id.in_(some)))
    taken = _taken(tx, delete(contacts).where(contacts.c.contact_id.in_(some)))
    requests = select(contact_requests.c.request_id).where(contact_requests.c.file_id.in_(gone)).limit(ROWS)
    return max(taken, _taken(tx, delete(contact_requests).where(contact_requests.c.request_id.in_(requests))))


def _taken(tx: Connection, statement: Delete) -> int:
    done: CursorResult[tuple[()]] = tx.execute(statement)
    return done.rowcount


def _taken_by_key(tx: Connection, table: Table, old: Select[tuple[bytes, int]]) -> int:
    columns = table.primary_key.columns.values()
    rows = tx.execute(old.limit(ROWS)).all()
    for row in rows:
        tx.execute(delete(table).where(*(column == value for column, value in zip(columns, row, strict=True))))
    return len(rows)
