"""The aggregate "hold": a withdrawal that waits, and what the school system was told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, insert, select, update

from federation.rules.vocabulary import GapState
from node.casework.holds.model import Asked, Hold, HoldId, HoldState, ReleasedBy
from node.model import Reason
from node.store.schema import gaps, pupils
from node.store.schema_holds import holds
from node.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Untold:
    """A state that a school system is still to be told of."""

    hold_id: HoldId
    system: str
    state: HoldState
    state_since: date
    attempts: int


class Holds:
    """Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    # -- finding ----------------------------------------------------------------------------------------------------

    def load(self, tx: Connection, hold_id: HoldId) -> Hold | None:
        row = tx.execute(select(holds).where(holds.c.hold_id == hold_id)).one_or_none()
        return None if row is None else self._opened(row)

    def standing(self, tx: Connection) -> tuple[Hold, ...]:
        """Those that wait, oldest first."""
        rows = tx.execute(select(holds).where(holds.c.state == HoldState.HELD.value).order_by(holds.c.asked_on))
        return tuple(self._opened(row) for row in rows)

    def newest(self, tx: Connection, since: date) -> tuple[Hold, ...]:
        """All whose state has changed since a day, the newest first."""
        query = select(holds).where(holds.c.state_since >= since).order_by(holds.c.state_since.desc())
        return tuple(self._opened(row) for row in tx.execute(query))

    def not_made(self, tx: Connection, today: date) -> tuple[Hold, ...]:
        """Those that were let go and whose last day is over, of pupils whom a school lists on all the same.

        Not of those who are here anew: their withdrawal was made, or is of long ago.
        """
        over = and_(holds.c.state == HoldState.RELEASED.value, holds.c.last_day < today)
        listed = and_(pupils.c.live, ~pupils.c.in_roster, pupils.c.enrolled_until > holds.c.last_day)
        query = select(holds).join(pupils, pupils.c.pupil_id == holds.c.pupil_id).where(over, listed)
        return tuple(self._opened(row) for row in tx.execute(query.order_by(holds.c.last_day)))

    def of_pupil(self, tx: Connection, pupil_id: bytes) -> tuple[Hold, ...]:
        rows = tx.execute(select(holds).where(holds.c.pupil_id == pupil_id).order_by(holds.c.asked_on))
        return tuple(self._opened(row) for row in rows)

    def gap_states(self, tx: Connection, pupil_ids: list[bytes]) -> dict[bytes, GapState]:
        """pupil → the state of its newest stated gap."""
        query = select(gaps.c.pupil_id, gaps.c.state).where(gaps.c.pupil_id.in_(pupil_ids), gaps.c.stated)
        return {row.pupil_id: GapState(row.state) for row in tx.execute(query.order_by(gaps.c.number))}

    # -- writing ----------------------------------------------------------------------------------------------------

    def add(self, tx: Connection, hold: Hold) -> None:
        tx.execute(insert(holds).values(hold_id=hold.asked.hold_id, pupil_id=hold.pupil_id, **self._values(hold)))

    def change(self, tx: Connection, hold: Hold, now: datetime) -> None:
        """Write a hold anew; its school system is told from `now` on."""
        row = update(holds).where(holds.c.hold_id == hold.asked.hold_id)
        tx.execute(row.values(attempts=0, tell_at=now if hold.asked.system else None, **self._values(hold)))

    # -- telling school systems -------------------------------------------------------------------------------------

    def untold(self, tx: Connection, now: datetime) -> tuple[Untold, ...]:
        rows = tx.execute(select(holds).where(holds.c.tell_at <= now).order_by(holds.c.tell_at))
        return tuple(
            Untold(HoldId(row.hold_id), row.system, HoldState(row.state), row.state_since, row.attempts) for row in rows
        )

    def told(self, tx: Connection, untold: Untold) -> None:
        """The school system has taken this state; one that has moved on meanwhile is told anew."""
        row = update(holds).where(holds.c.hold_id == untold.hold_id, holds.c.state == untold.state.value)
        tx.execute(row.values(told=untold.state.value, tell_at=None))

    def tell_later(self, tx: Connection, untold: Untold, at: datetime | None) -> None:
        """Try again at an instant; None: never."""
        row = update(holds).where(holds.c.hold_id == untold.hold_id, holds.c.state == untold.state.value)
        tx.execute(row.values(attempts=untold.attempts + 1, tell_at=at))

    # -- rows -------------------------------------------------------------------------------------------------------

    def _values(self, hold: Hold) -> dict[str, Any]:
        told = {
            "reason": hold.asked.reason.value,
            "responsible": hold.asked.responsible,
            "note": hold.asked.note,
            "unit": hold.asked.unit,
            "decided_by": hold.decided_by,
            "decision": hold.decision,
        }
        return {
            "system": hold.asked.system,
            "last_day": hold.asked.last_day,
            "asked_on": hold.asked_on,
            "state": hold.state.value,
            "state_since": hold.state_since or hold.asked_on,
            "released_by": None if hold.released_by is None else hold.released_by.value,
            "sealed_content": self._sealer.seal(
                "holds", hold.asked.hold_id, "sealed_content", msgspec.json.encode(told)
            ),
        }

    def _opened(self, row: Any) -> Hold:
        told = msgspec.json.decode(self._sealer.open("holds", row.hold_id, "sealed_content", row.sealed_content))
        asked = Asked(
            HoldId(row.hold_id),
            row.last_day,
            Reason(told["reason"]),
            told["responsible"],
            row.system,
            told["note"],
            told["unit"],
        )
        return Hold(
            asked,
            row.pupil_id,
            row.asked_on,
            HoldState(row.state),
            row.state_since,
            None if row.released_by is None else ReleasedBy(row.released_by),
            told["decided_by"],
            told["decision"],
        )
