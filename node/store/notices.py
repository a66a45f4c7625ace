"""The aggregate "notice": what the registry told this member, how far, and whether it could be asked.

State of a notice: kept (its number is part of the cursor, in the same transaction) → handled (its effect on gaps is
written, in the same transaction). Moved by `keep` and `mark_handled`. The number is the key: a notice that comes twice
is one notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from federation.rules.vocabulary import Handle, Notice, NoticeKind
from node.store.bulk import chunks
from node.store.schema import fetches, node_state, notices

_LOOK_BACK = 60
"""Fetches of so many past days are looked at for one on which all failed: longer than any break between two terms."""


@dataclass(frozen=True, slots=True)
class RegistryState:
    """How far the registry has been heard. `cursor` is the number of the last notice kept; dates are None before the
    first close, and the first roster taken."""

    cursor: int = 0
    closed_on: date | None = None
    roster_reported_as_of: date | None = None


class Notices:
    """The notices of the node. Every method works on the connection of the caller's transaction."""

    def state(self, tx: Connection) -> RegistryState:
        row = tx.execute(select(node_state)).first()
        if row is None:
            return RegistryState()
        return RegistryState(row.notice_cursor, row.closed_on, row.roster_reported_as_of)

    def rules_digest(self, tx: Connection) -> bytes | None:
        """The digest of the rules by which all pupils were last stated."""
        digest: bytes | None = tx.execute(select(node_state.c.rules_digest)).scalar()
        return digest

    def set_rules_digest(self, tx: Connection, digest: bytes) -> None:
        """All pupils are, or are marked to be, stated by these rules."""
        _set_state(tx, rules_digest=digest)

    def stated_epochs(self, tx: Connection) -> frozenset[int]:
        """The epochs under which all that was ever said was last stated."""
        text: str | None = tx.execute(select(node_state.c.stated_epochs)).scalar()
        return frozenset(map(int, text.split(","))) if text else frozenset()

    def set_stated_epochs(self, tx: Connection, epochs: Iterable[int]) -> None:
        """All that was said is stated, or is marked to be, under these epochs."""
        _set_state(tx, stated_epochs=",".join(map(str, sorted(epochs))))

    def newest_of_epochs(self, tx: Connection) -> date | None:
        """Day of the close that last told of a change of epochs."""
        query = select(func.max(notices.c.closed_on)).where(notices.c.kind == NoticeKind.EPOCH.value)
        return tx.execute(query).scalar()

    def keep(self, tx: Connection, page: Sequence[Notice], through: int, closed_on: date | None) -> int:
        """Make a page durable, with the cursor (`through`) and the newest close; returns how many were new."""
        state = self.state(tx)
        fresh = [notice for notice in page if notice.number > state.cursor]
        if fresh:
            tx.execute(insert(notices), [_values(notice) for notice in fresh])
        newest = max((day for day in (closed_on, state.closed_on) if day is not None), default=None)
        _set_state(tx, notice_cursor=max(through, state.cursor), closed_on=newest)
        return len(fresh)

    def to_handle(self, tx: Connection, limit: int) -> tuple[Notice, ...]:
        """Notices whose effect is not written yet, in the order of their numbers."""
        query = select(notices).where(~notices.c.handled).order_by(notices.c.number).limit(limit)
        return tuple(_opened(row) for row in tx.execute(query))

    def mark_handled(self, tx: Connection, numbers: Sequence[int]) -> None:
        """Their effect is written, in this transaction."""
        for chunk in chunks(numbers):
            tx.execute(update(notices).where(notices.c.number.in_(chunk)).values(handled=True))

    def asked(self, tx: Connection, kind: NoticeKind, since: date) -> dict[bytes, date]:
        """handle → day of the newest close at which the registry asked this about a pupil, since then."""
        query = (
            select(notices.c.handle, notices.c.closed_on)
            .where(notices.c.kind == kind.value, notices.c.closed_on >= since)
            .order_by(notices.c.number)
        )
        return {row.handle: row.closed_on for row in tx.execute(query)}

    def of_handles(self, tx: Connection, handles: Iterable[bytes]) -> tuple[Notice, ...]:
        """All that was told about these handles, in the order of the numbers."""
        found: list[Notice] = []
        for chunk in chunks(handles):
            query = select(notices).where(notices.c.handle.in_(chunk))
            found += [_opened(row) for row in tx.execute(query)]
        return tuple(sorted(found, key=lambda notice: notice.number))

    def roster_taken(self, tx: Connection, as_of: date) -> None:
        """The registry has taken the roster of the import of `as_of`."""
        _set_state(tx, roster_reported_as_of=as_of)

    def roster_forgotten(self, tx: Connection) -> None:
        """The registry was set back: the newest roster is reported again."""
        _set_state(tx, roster_reported_as_of=None)

    def record_fetch(self, tx: Connection, day: date, *, succeeded: bool) -> None:
        """One attempt to fetch notices on a business day."""
        done = tx.execute(
            update(fetches)
            .where(fetches.c.day == day)
            .values(tried=fetches.c.tried + 1, succeeded=fetches.c.succeeded + int(succeeded))
        ).rowcount
        if not done:
            tx.execute(insert(fetches).values(day=day, tried=1, succeeded=int(succeeded)))

    def failed_day(self, tx: Connection, today: date, is_school_day: Callable[[date], bool]) -> date | None:
        """The newest school day before `today` on which fetches were tried and all failed."""
        query = (
            select(fetches.c.day)
            .where(fetches.c.day < today, fetches.c.tried > 0, fetches.c.succeeded == 0)
            .order_by(fetches.c.day.desc())
            .limit(_LOOK_BACK)
        )
        return next((day for day in tx.execute(query).scalars() if is_school_day(day)), None)


def _set_state(tx: Connection, **values: Any) -> None:
    if not tx.execute(update(node_state).values(values)).rowcount:
        tx.execute(insert(node_state).values(id=1, **values))


def _values(notice: Notice) -> dict[str, Any]:
    return {
        "number": notice.number,
        "kind": notice.kind.value,
        "closed_on": notice.closed_on,
        "handle": notice.handle,
        "opening_number": notice.opening_number,
        "case_id": notice.case_id,
        "coverage_incomplete": notice.coverage_incomplete,
    }


def _opened(row: Any) -> Notice:
    return Notice(
        number=row.number,
        kind=NoticeKind(row.kind),
        closed_on=row.closed_on,
        handle=None if row.handle is None else Handle(row.handle),
        opening_number=row.opening_number,
        case_id=row.case_id,
        coverage_incomplete=row.coverage_incomplete,
    )
