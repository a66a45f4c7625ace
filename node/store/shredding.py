"""What is taken away of a case file when its time has come: what it says, and whom it is about.

What stays names nobody: that there was one, what it was classified as, how it ended, and the chain of its journal. Its
key is destroyed by whoever calls this, after this is durable (`node.store.case_keys`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, func, select, update

from federation.rules.vocabulary import CaseOutcome, CaseStatus
from node.casework.files.model import FileId
from node.casework.journal.model import EntryKind
from node.store.bulk import chunks
from node.store.chain import Chain, was_shredded
from node.store.schema import case_files, pupils
from node.store.schema_contact import contact_messages, contact_requests, contacts
from node.store.schema_files import files
from node.store.schema_journal import attachments, file_views, journal

ROWS = 500


def empty(tx: Connection, file_ids: Iterable[bytes], chain: Chain, at: datetime, on: date | None = None) -> None:
    """Empty case files; `on` is the day that stands for it, that of the close where left out.

    The journal says that it was done, `at`. One that is open, in a copy from before its close, is closed: nobody could
    work it.
    """
    file_ids = list(file_ids)
    _empty(tx, file_ids)
    for ids in chunks(file_ids):
        # Its gap stands as long as the pupil, and must not be given a case file anew.
        gap = and_(files.c.handle == case_files.c.handle, files.c.number == case_files.c.number)
        tx.execute(update(case_files).where(exists().where(gap, files.c.file_id.in_(ids))).values(shredded=True))
        closed_on = func.coalesce(files.c.closed_on, files.c.status_since)
        tx.execute(
            update(files)
            .where(files.c.file_id.in_(ids))
            .values(
                pupil_id=None,
                handle=None,
                number=None,
                status=CaseStatus.CLOSED.value,
                outcome=func.coalesce(files.c.outcome, CaseOutcome.DATA_ERROR.value),
                suspended_until=None,
                closed_on=closed_on,
                shredded_on=closed_on if on is None else on,
            )
        )
    for file_id in file_ids:
        if not was_shredded(tx, FileId(file_id)):
            chain.add(tx, chain.next_position(tx), FileId(file_id), at, EntryKind.SHREDDED, None)


def lose(tx: Connection, file_ids: Iterable[bytes], chain: Chain, at: datetime) -> None:
    """Take away what nobody can open any more, because the keys of these case files were lost; they are worked on.

    The journal says so, `at`. Their new keys are there before.
    """
    file_ids = list(file_ids)
    _empty(tx, file_ids)
    for file_id in file_ids:
        chain.add(tx, chain.next_position(tx), FileId(file_id), at, EntryKind.KEY_LOST, None)


def _empty(tx: Connection, file_ids: Iterable[bytes]) -> None:
    """All that is sealed under the keys of case files."""
    for ids in chunks(file_ids):
        tx.execute(update(journal).where(journal.c.file_id.in_(ids)).values(sealed_entry=None))
        emptied = update(attachments).where(attachments.c.file_id.in_(ids))
        tx.execute(emptied.values(sealed_name=None, sealed_content=None))
        tx.execute(update(files).where(files.c.file_id.in_(ids)).values(sealed_content=None))
        theirs = select(contacts.c.contact_id).where(contacts.c.file_id.in_(ids))
        tx.execute(delete(contact_messages).where(contact_messages.c.contact_id.in_(theirs)))
        tx.execute(delete(contacts).where(contacts.c.file_id.in_(ids)))
        tx.execute(delete(contact_requests).where(contact_requests.c.file_id.in_(ids)))


def kept(tx: Connection) -> frozenset[FileId]:
    """The ids of the case files that were not shredded: of each the key is needed."""
    return frozenset(FileId(each) for each in tx.scalars(select(files.c.file_id).where(files.c.shredded_on.is_(None))))


def due(tx: Connection, closed_before: date) -> tuple[FileId, ...]:
    """Those closed before a day and not emptied, the oldest first."""
    query = select(files.c.file_id).where(files.c.closed_on < closed_before, files.c.shredded_on.is_(None))
    return tuple(FileId(each) for each in tx.scalars(query.order_by(files.c.closed_on, files.c.file_id)))


def pupil_of(tx: Connection, file_id: FileId) -> bytes | None:
    return tx.execute(select(files.c.pupil_id).where(files.c.file_id == file_id)).scalar()


def has_others(tx: Connection, pupil_id: bytes) -> bool:
    """Whether a case file of the pupil still says something."""
    return tx.execute(select(files.c.file_id).where(files.c.pupil_id == pupil_id).limit(1)).first() is not None


def is_live(tx: Connection, pupil_id: bytes) -> bool:
    """Whether the pupil stands in the newest roster of some school system."""
    return bool(tx.execute(select(pupils.c.live).where(pupils.c.pupil_id == pupil_id)).scalar())


def forget_views(tx: Connection, before: datetime) -> int:
    """Take away a portion of the log of views from before an instant; returns how many rows."""
    old = select(file_views.c.view_id).where(file_views.c.viewed_at < before).limit(ROWS)
    done: Any = tx.execute(delete(file_views).where(file_views.c.view_id.in_(old)))
    return int(done.rowcount)
