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
from node.store.bulk import chunks
from node.store.schema import case_files, pupils
from node.store.schema_files import files
from node.store.schema_journal import attachments, file_views, journal

ROWS = 500


def empty(tx: Connection, file_ids: Iterable[bytes], on: date | None = None) -> None:
    """Empty case files; `on` is the day that stands for it, that of the close where left out.

    One that is open, in a copy from before its close, is closed: nobody could work it.
    """
    for ids in chunks(file_ids):
        tx.execute(update(journal).where(journal.c.file_id.in_(ids)).values(sealed_entry=None))
        emptied = update(attachments).where(attachments.c.file_id.in_(ids))
        tx.execute(emptied.values(sealed_name=None, sealed_content=None))
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
                sealed_content=None,
                status=CaseStatus.CLOSED.value,
                outcome=func.coalesce(files.c.outcome, CaseOutcome.DATA_ERROR.value),
                suspended_until=None,
                closed_on=closed_on,
                shredded_on=closed_on if on is None else on,
            )
        )


def due(tx: Connection, closed_before: date) -> tuple[tuple[FileId, bytes | None], ...]:
    """(case file, its pupil) of those closed before a day and not emptied, the oldest first."""
    query = select(files.c.file_id, files.c.pupil_id).where(
        files.c.closed_on < closed_before, files.c.shredded_on.is_(None)
    )
    rows = tx.execute(query.order_by(files.c.closed_on, files.c.file_id)).all()
    return tuple((FileId(row.file_id), row.pupil_id) for row in rows)


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
