"""The aggregate "fetch": runs against a school system's API, and the pages they have brought so far.

    begin → FETCHING —(add_page …)→ finish → FETCHED → take → TAKEN
            FETCHING, FETCHED → refuse → REFUSED;   begin again: all but TAKEN is forgotten

Invariants: a page and the token of the next one become durable together; pages live no longer than until they are
taken or refused; of the runs taken, each system keeps the newest, and the newest that asked for everyone.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from federation.errors import Code
from node.store.schema_systems import system_fetches as fetches
from node.store.schema_systems import system_pages
from node.store.sealing import Sealer


class FetchState(enum.StrEnum):
    FETCHING = "FETCHING"
    FETCHED = "FETCHED"
    TAKEN = "TAKEN"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Fetch:
    """A run. `since` is None where everyone is asked for; `source_index` tells addresses apart."""

    fetch_id: int
    system: str
    source_index: bytes = field(repr=False)
    as_of: date
    state: FetchState
    since: datetime | None
    next_since: datetime
    taken_at: datetime | None = None
    failure: Code | None = None
    failed_at: datetime | None = None

    @property
    def whole(self) -> bool:
        return self.since is None


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a list has been fetched: pages, elements, the next page's token. `ended`: there is none."""

    pages: int = 0
    elements: int = 0
    token: str | None = field(default=None, repr=False)

    @property
    def ended(self) -> bool:
        return self.pages > 0 and self.token is None


class EndlessError(Exception):
    """A page or a token came a second time: the pages go round. Names neither."""


class Fetches:
    """The runs of the node. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def source_index(self, address: str) -> bytes:
        return self._sealer.index("fetch source", address.encode())

    # -- finding ----------------------------------------------------------------------------------------------------

    def current(self, tx: Connection, system: str) -> Fetch | None:
        """The run that is not taken."""
        row = tx.execute(select(fetches).where(fetches.c.system == system, fetches.c.state != FetchState.TAKEN)).first()
        return None if row is None else _fetch(row)

    def last_taken(self, tx: Connection, system: str, *, whole: bool = False) -> Fetch | None:
        """The newest run that was taken; `whole`: that asked for everyone."""
        query = select(fetches).where(fetches.c.system == system, fetches.c.state == FetchState.TAKEN)
        if whole:
            query = query.where(fetches.c.since.is_(None))
        row = tx.execute(query.order_by(fetches.c.fetch_id.desc()).limit(1)).first()
        return None if row is None else _fetch(row)

    def systems(self, tx: Connection) -> tuple[str, ...]:
        """Names of the systems that were ever fetched from."""
        return tuple(tx.execute(select(fetches.c.system).distinct().order_by(fetches.c.system)).scalars())

    def reached(self, tx: Connection, fetch: Fetch, which: str) -> Reached:
        row = tx.execute(
            select(system_pages)
            .where(system_pages.c.fetch_id == fetch.fetch_id, system_pages.c.list == which)
            .order_by(system_pages.c.position.desc())
            .limit(1)
        ).first()
        if row is None:
            return Reached()
        token = None
        if row.sealed_token is not None:
            place = _place(fetch.fetch_id, which, row.position)
            token = self._sealer.open("system_pages", place, "sealed_token", row.sealed_token).decode()
        return Reached(row.position, row.elements, token)

    def pages(self, tx: Connection, fetch: Fetch, which: str) -> int:
        """How many there are."""
        query = select(func.count()).where(system_pages.c.fetch_id == fetch.fetch_id, system_pages.c.list == which)
        return tx.execute(query).scalar_one()

    def page(self, tx: Connection, fetch: Fetch, which: str, position: int) -> bytes:
        sealed = tx.execute(
            select(system_pages.c.sealed_page).where(
                system_pages.c.fetch_id == fetch.fetch_id,
                system_pages.c.list == which,
                system_pages.c.position == position,
            )
        ).scalar_one()
        return self._sealer.open("system_pages", _place(fetch.fetch_id, which, position), "sealed_page", sealed)

    # -- moving -----------------------------------------------------------------------------------------------------

    def begin(
        self, tx: Connection, system: str, source_index: bytes, as_of: date, since: datetime | None, now: datetime
    ) -> Fetch:
        """A new run; one that was not taken is forgotten."""
        self._forget(tx, self._ids(tx, system, taken=False))
        fetch_id = tx.execute(
            insert(fetches)
            .values(
                system=system,
                source_index=source_index,
                as_of=as_of,
                state=FetchState.FETCHING,
                since=since,
                next_since=now,
            )
            .returning(fetches.c.fetch_id)
        ).scalar_one()
        return Fetch(fetch_id, system, source_index, as_of, FetchState.FETCHING, since, now)

    def add_page(
        self,
        tx: Connection,
        fetch: Fetch,
        which: str,
        *,
        packed: bytes,
        given: int,
        content: bytes | None,
        token: str | None,
    ) -> Reached:
        """Keep the next page of a list: `packed` is what is kept of its `given` elements, `token` the next one's.

        `content` is all that was given, None where it may come again without harm. Raises EndlessError.
        """
        before = self.reached(tx, fetch, which)
        position = before.pages + 1
        place = _place(fetch.fetch_id, which, position)
        token_index = None if token is None else self._sealer.index("fetch token", token.encode())
        page_index = None if content is None else self._sealer.index("fetch page", content)
        self._refuse_repetition(tx, fetch, which, token_index, page_index)
        tx.execute(
            insert(system_pages).values(
                fetch_id=fetch.fetch_id,
                list=which,
                position=position,
                elements=before.elements + given,
                sealed_page=self._sealer.seal("system_pages", place, "sealed_page", packed),
                sealed_token=None
                if token is None
                else self._sealer.seal("system_pages", place, "sealed_token", token.encode()),
                token_index=token_index,
                page_index=page_index,
            )
        )
        return Reached(position, before.elements + given, token)

    def heard(self, tx: Connection, fetch: Fetch, date: datetime) -> None:
        """The school system's clock: the next run asks for changes from then on, if that is earlier."""
        tx.execute(
            update(fetches)
            .where(fetches.c.fetch_id == fetch.fetch_id, fetches.c.next_since > date)
            .values(next_since=date)
        )

    def finish(self, tx: Connection, fetch: Fetch) -> None:
        self._set(tx, fetch, state=FetchState.FETCHED, failure=None, failed_at=None)

    def take(self, tx: Connection, fetch: Fetch, now: datetime) -> None:
        """What it brought is imported: its pages are no longer needed."""
        self._set(tx, fetch, state=FetchState.TAKEN, taken_at=now, failure=None, failed_at=None)
        tx.execute(delete(system_pages).where(system_pages.c.fetch_id == fetch.fetch_id))
        whole = self.last_taken(tx, fetch.system, whole=True)
        kept = {fetch.fetch_id, fetch.fetch_id if whole is None else whole.fetch_id}
        self._forget(tx, [old for old in self._ids(tx, fetch.system, taken=True) if old not in kept])

    def fail(self, tx: Connection, fetch: Fetch, code: Code, now: datetime, *, refuse: bool) -> None:
        """An attempt failed; `refuse`: what was fetched cannot be gone on with."""
        self._set(tx, fetch, failure=code, failed_at=now)
        if refuse:
            self._set(tx, fetch, state=FetchState.REFUSED)
            tx.execute(delete(system_pages).where(system_pages.c.fetch_id == fetch.fetch_id))

    def _refuse_repetition(
        self, tx: Connection, fetch: Fetch, which: str, token_index: bytes | None, page_index: bytes | None
    ) -> None:
        same = [
            column == value
            for column, value in ((system_pages.c.token_index, token_index), (system_pages.c.page_index, page_index))
            if value is not None
        ]
        if (
            same
            and tx.execute(
                select(system_pages.c.position)
                .where(system_pages.c.fetch_id == fetch.fetch_id, system_pages.c.list == which, or_(*same))
                .limit(1)
            ).first()
        ):
            raise EndlessError

    def _ids(self, tx: Connection, system: str, *, taken: bool) -> Sequence[int]:
        state = fetches.c.state == FetchState.TAKEN if taken else fetches.c.state != FetchState.TAKEN
        return tx.execute(select(fetches.c.fetch_id).where(fetches.c.system == system, state)).scalars().all()

    def _forget(self, tx: Connection, fetch_ids: Sequence[int]) -> None:
        for table in (system_pages, fetches):
            tx.execute(delete(table).where(table.c.fetch_id.in_(fetch_ids)))

    def _set(self, tx: Connection, fetch: Fetch, **values: object) -> None:
        tx.execute(update(fetches).where(fetches.c.fetch_id == fetch.fetch_id).values(**values))


def _fetch(row: Row[tuple[object, ...]]) -> Fetch:
    return Fetch(
        row.fetch_id,
        row.system,
        row.source_index,
        row.as_of,
        FetchState(row.state),
        row.since,
        row.next_since,
        row.taken_at,
        None if row.failure is None else Code(row.failure),
        row.failed_at,
    )


def _place(fetch_id: int, which: str, position: int) -> bytes:
    return f"{fetch_id}/{which}/{position}".encode()
