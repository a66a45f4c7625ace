"""Fetching all the pages of a run, each durable before the next is asked for.

    organisations → deletedEntities → persons → checked as a whole

Invariants
    - No transaction is open across a network call; a page and the token of the next become durable together.
    - What a school system says of changes is believed only as far as it holds together: where a filter is not kept to,
      or a person is both deleted and changed, everyone has to be asked for.
    - Persons without an enrolment, of whom this system has shown none before (staff, guardians), are not kept; nor is,
      of pupils, what no import reads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec

from federation.database import Database
from federation.errors import Code, UppropError
from node.records.ss12000_api.api import Api, Given, PageTokenError, UnsupportedError
from node.records.ss12000_api.delivery import Fetched
from node.records.ss12000_api.pages import List, PageError, deleted_ids, glimpse, names, needed, pack
from node.store import Transaction
from node.store.fetches import EndlessError, Fetch, Fetches, Reached
from node.store.records import Records
from node.store.sealing import Sealer

MAX_PAGES = 100_000
MAX_ELEMENTS = 5_000_000
"""Of one list: more people than any school system has."""
MAX_EMPTY_PAGES = 100
"""In a row."""

ENROLLED = "relationship.entity.type"
CHANGED = "meta.modified.after"

Counted = Callable[[int], None]
"""Called with the persons fetched so far."""


class Anew(Exception):  # noqa: N818 - not an error: the run has to be begun anew
    """`everyone`: and everyone asked for."""

    def __init__(self, why: str, *, everyone: bool) -> None:
        super().__init__(why)
        self.why = why
        self.everyone = everyone


class UnusableError(UppropError):
    """What was fetched cannot be gone on with: the next run begins anew."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run and whom it asks, for how many persons at once."""

    fetch: Fetch
    api: Api
    limit: int
    counted: Counted


class Gathering:
    """Fetches runs to their end."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._fetches = Fetches(sealer)
        self._records = Records(sealer)

    def gather(self, run: Run, *, accept_empty: bool) -> None:
        """Fetch what the run lacks. Raises Anew, UnusableError, UppropError."""
        limit = {"limit": str(run.limit)}
        with contextlib.suppress(UnsupportedError):
            # Names of school units are for people to read: nothing depends on them.
            self._walk(run, List.ORGANISATIONS, [limit, {}])
        if run.fetch.since is None:
            enrolled = {ENROLLED: "enrolment"}
            try:
                self._walk(run, List.PERSONS, [limit | enrolled, enrolled, limit, {}])
            except UnsupportedError as error:
                raise error.as_failure(List.PERSONS) from None
        else:
            since = {"after": _rfc3339(run.fetch.since)}
            changed = {CHANGED: _rfc3339(run.fetch.since)}
            try:
                # First who is deleted, then who has changed: whoever is both was there after being deleted.
                self._walk(run, List.DELETED, [limit | since, since])
                self._walk(run, List.PERSONS, [limit | changed, changed])
            except UnsupportedError:
                raise Anew("changes cannot be asked for", everyone=True) from None
        self._check(run.fetch, accept_empty=accept_empty)

    def delivery(self, fetch: Fetch) -> Fetched:
        """What a run has brought."""

        def pages(which: List) -> Iterator[bytes]:
            count = self._reached(fetch, which).pages
            return (self._page(fetch, which, position) for position in range(1, count + 1))

        return Fetched(pages, whole=fetch.whole)

    def _walk(self, run: Run, which: List, ways: list[dict[str, str]]) -> None:
        """Fetch a list from where it stands to its end."""
        reached = self._reached(run.fetch, which)
        empty = 0
        while True:
            if which is List.PERSONS:
                run.counted(reached.elements)
            if reached.ended:
                return
            if reached.token is None:
                given = run.api.first(which, ways, misread=ENROLLED)
            else:
                try:
                    given = run.api.next(which, reached.token)
                except PageTokenError:
                    raise Anew("a page token is not known", everyone=run.fetch.whole) from None
            reached = self._keep(run.fetch, which, given)
            empty = 0 if given.page.elements else empty + 1
            if empty > MAX_EMPTY_PAGES or reached.pages > MAX_PAGES or reached.elements > MAX_ELEMENTS:
                raise _endless(which)

    def _keep(self, fetch: Fetch, which: List, given: Given) -> Reached:
        """Make a page durable."""
        elements = given.page.elements
        try:
            if which is List.ORGANISATIONS:
                packed = pack(names(elements))
            elif which is List.DELETED:
                packed = pack(deleted_ids(elements))
            else:
                packed = pack(self._of_pupils(fetch, elements))
        except PageError as error:
            raise UppropError(
                Code.EXPORT_UNREADABLE,
                f"The school system's answer to /{which} is not understood: {error}. Nothing was changed. Ask its "
                "supplier.",
            ) from None
        # A page of one may come again, where somebody was put in before it; a larger one does not to the byte.
        told_apart = b"".join(map(bytes, elements)) if len(elements) > 1 else None

        def work(tx: Transaction) -> Reached:
            if given.date is not None:
                self._fetches.heard(tx, fetch, given.date)
            return self._fetches.add_page(
                tx, fetch, which, packed=packed, given=len(elements), content=told_apart, token=given.page.token
            )

        try:
            return self._database.run("fetch_page", work)
        except EndlessError:
            raise _endless(which) from None

    def _of_pupils(self, fetch: Fetch, elements: Collection[msgspec.Raw]) -> list[msgspec.Raw]:
        """What is kept of a page of persons."""
        seen = [(element, glimpse(element)) for element in elements]
        if fetch.since is not None:
            since = fetch.since.replace(microsecond=0)
            if any(
                person is not None and person.modified is not None and person.modified < since for _, person in seen
            ):
                raise Anew("the filter for changes is not kept to", everyone=True)
        asked = {person.person_id for _, person in seen if person is not None and not person.enrolled}
        known: Collection[str] = ()
        if asked:
            known = self._database.view("fetch_known", lambda tx: self._records.of_persons(tx, fetch.system, asked))
        kept = (each for each, person in seen if person is None or person.enrolled or person.person_id in known)
        return [needed(element) for element in kept]

    def _check(self, fetch: Fetch, *, accept_empty: bool) -> None:
        """What only shows once all is there."""
        delivery = self.delivery(fetch)
        if not fetch.whole:
            if not delivery.persons().keys().isdisjoint(delivery.gone):
                raise Anew("a person is both deleted and changed", everyone=True)
        elif delivery.empty and not accept_empty:
            raise UnusableError(
                Code.EXPORT_SHRUNK,
                "The school system shows nobody who is enrolled. Nothing was changed. Ask its supplier whether the "
                "token may read enrolments.",
            )

    def _reached(self, fetch: Fetch, which: List) -> Reached:
        return self._database.view("fetch_reached", lambda tx: self._fetches.reached(tx, fetch, which))

    def _page(self, fetch: Fetch, which: List, position: int) -> bytes:
        return self._database.view("fetch_read", lambda tx: self._fetches.page(tx, fetch, which, position))


def _rfc3339(instant: datetime) -> str:
    return instant.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _endless(which: List) -> UnusableError:
    return UnusableError(
        Code.EXPORT_UNREADABLE,
        f"The school system's pages of /{which} do not come to an end. Nothing was changed. Ask its supplier: its "
        "pageToken does not move on.",
    )
