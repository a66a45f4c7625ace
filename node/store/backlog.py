"""What has not come through yet, by its age. Counts stand with the aggregates themselves."""

from __future__ import annotations

from datetime import date

from sqlalchemy import and_, func, select

from node.identity import Route
from node.store import Transaction
from node.store.outbox import VersionState
from node.store.schema import fetches, pupils, versions


def oldest_waiting(tx: Transaction) -> date | None:
    """The day on which the oldest of what `Outbox.counts` counts as waiting was made."""
    query = (
        select(func.min(versions.c.made_on))
        .join(pupils, pupils.c.pupil_id == versions.c.pupil_id)
        .where(
            versions.c.state.in_([VersionState.WAITING.value, VersionState.SENT.value]),
            and_(pupils.c.route == Route.REGISTRY.value, ~versions.c.repeats, ~pupils.c.drill),
        )
    )
    oldest: date | None = tx.execute(query).scalar()
    return oldest


def last_fetch(tx: Transaction) -> date | None:
    """The last business day on which the registry was asked for notices and answered; None before the first."""
    newest: date | None = tx.execute(select(func.max(fetches.c.day)).where(fetches.c.succeeded > 0)).scalar()
    return newest
