"""Case files as they are counted: no identity, and nothing that is sealed is opened."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, or_

from federation.rules.vocabulary import CaseStatus
from node.casework.files.counting import Counted
from node.casework.files.model import Classification
from node.store.files import PUPIL_PROTECTED, with_pupils
from node.store.schema_files import files


def counted(tx: Connection, since: date) -> tuple[Counted, ...]:
    """All that are open, and those that were opened or closed from `since` on."""
    query = (
        with_pupils(
            files.c.opened_on,
            files.c.closed_on,
            files.c.status,
            files.c.classification,
            or_(files.c.protected, PUPIL_PROTECTED).label("secret"),
        )
        .where(or_(files.c.closed_on.is_(None), files.c.closed_on >= since, files.c.opened_on >= since))
        .order_by(files.c.opened_on, files.c.reference)
    )
    return tuple(
        Counted(
            opened_on=row.opened_on,
            closed_on=row.closed_on,
            status=CaseStatus(row.status),
            classification=Classification(row.classification),
            protected=bool(row.secret),
        )
        for row in tx.execute(query)
    )
