"""One step of the node's sync: offer our own gaps, make the roster comparable, compare the day's list with it.

Invariants
    - Each list is compared once, whole, and replaces what the one before called.
    - What is asked of evaluators for the roll call comes after all that waits to be sent, and leaves half of each day's
      quota and a third of the year's to those who move.
    - Whom a list calls is known to this store, and to the person who is asked; no log, metric or report counts it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Generator, Sequence
from datetime import date

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor, Quota
from federation.errors import Code, UppropError
from federation.observability import Log
from federation.rules.calendar import SchoolCalendar
from federation.rules.roll_call import called_from
from federation.rules.vocabulary import MAX_BATCH, MemberId, Pseudonym
from node.links import Links
from node.outbox import PseudonymRef
from node.pseudonymise import EvaluatorWatch, Pseudonymiser
from node.roll_call.lists import MAX_PARTS, ListedPart, OwnGap, RollCallLink
from node.store import Transaction
from node.store.notices import Notices
from node.store.outbox import Outbox
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupils
from node.store.roll_call import Hits, RollCalls
from node.store.sealing import Sealer

NUMBERS_A_SYNC = 5_000
"""Some seconds of evaluators' work: a notice that is due meanwhile does not wait long."""

TRIES = 3
"""A list that is replaced while it is fetched is fetched again; a third time would mean a registry that plays games."""


class RollCall:
    """The node's side of the roll call. `descriptor` gives the newest there is, expired or not."""

    def __init__(
        self,
        *,
        database: Database,
        sealer: Sealer,
        member: MemberId,
        descriptor: Callable[[], Descriptor],
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        log: Log,
        watch: EvaluatorWatch | None = None,
    ) -> None:
        self._database = database
        self._member = member
        self._descriptor = descriptor
        self._outbox = Outbox(sealer)
        self._pseudonyms = Pseudonyms(sealer)
        self._notices = Notices()
        self._calls = RollCalls()
        self._pseudonymiser = Pseudonymiser(
            database,
            Pupils(sealer),
            self._outbox,
            self._pseudonyms,
            clock,
            random_bytes,
            log,
            lambda: descriptor().quota(member).day,
            watch,
        )

    def run(
        self, descriptor: Descriptor, today: date, links: Links, *, sends: bool
    ) -> Generator[tuple[int, int], None, bool]:
        """Yields (done, total); returns whether other pupils are called than before, who are to be restated then.

        `sends`: else nothing is offered and no evaluator is asked. Raises UppropError.
        """
        if not descriptor.policy.roll_call:
            return self._database.run("node_roll_call_off", self._forget)
        try:
            if sends:
                self._offer(descriptor.calendar(self._member), today, links)
                yield from self._make_comparable(descriptor, today, links)
            return self._compare(links)
        except UppropError as error:
            if error.code is Code.NOT_SUPPORTED:
                # The registry works by another descriptor than ours, for a while.
                return False
            raise

    def lines_in(self, tx: Transaction) -> dict[str, str]:
        """What `upprop node status` tells of it."""
        descriptor = self._descriptor()
        if not descriptor.policy.roll_call or not descriptor.epochs:
            return {}
        known, total = self._calls.progress(tx, _newest(descriptor))
        compared_on = self._calls.compared_on(tx)
        newest = "none compared yet" if compared_on is None else f"compared with the list of {compared_on}"
        return {"roll call": f"{known} of {total} numbers of the roster comparable, {newest}"}

    def _forget(self, tx: Transaction) -> bool:
        if self._calls.compared_on(tx) is None:
            return False
        return self._calls.stop(tx)

    # -- our own gaps -----------------------------------------------------------------------------------------------

    def _offer(self, calendar: SchoolCalendar, today: date, links: Links) -> None:
        """Offer what is called from today on, or was before: the registry keeps what it has."""
        own = self._database.view("node_roll_call_gaps", functools.partial(self._own, calendar, today))
        # One call at least: to whoever counts them, a member with a gap looks like one without.
        for start in range(0, max(1, len(own)), MAX_BATCH):
            links.roll_call().offer(own[start : start + MAX_BATCH])

    def _own(self, calendar: SchoolCalendar, today: date, tx: Transaction) -> list[OwnGap]:
        due = [
            (handle, number)
            for handle, number, due_on in self._calls.own_gaps(tx)
            if called_from(due_on, calendar) <= today
        ]
        newest = self._outbox.newest(tx, (handle for handle, _ in due))
        values = self._pseudonyms.values(tx, (ref for version in newest.values() for ref in version.carries))
        return [
            OwnGap(handle, number, borne)
            for handle, number in due
            if handle in newest and (borne := tuple(values[ref] for ref in newest[handle].carries if ref in values))
        ]

    # -- our roster -------------------------------------------------------------------------------------------------

    def _make_comparable(
        self, descriptor: Descriptor, today: date, links: Links
    ) -> Generator[tuple[int, int], None, None]:
        """Compute pseudonyms of the newest epoch for pupils of the roster, as many as may be asked for now."""
        reserve = functools.partial(self._reserve, _newest(descriptor), descriptor.quota(self._member), today)
        refs = self._database.run("node_roll_call_reserve", reserve)
        if not refs:
            return
        outcome = yield from self._pseudonymiser.compute(refs, descriptor.epochs, links.evaluators)
        if outcome.problems:
            # Else what was begun would stand before those who move the next time. The evaluators' operators see why.
            self._database.run("node_roll_call_give_up", functools.partial(self._give_up, refs))

    def _reserve(self, epoch: int, quota: Quota, today: date, tx: Transaction) -> tuple[PseudonymRef, ...]:
        """What is asked about now; counted as spent before anybody is asked."""
        if self._outbox.counts(tx).waiting:
            return ()
        free = min(
            quota.day // 2 - self._calls.spent(tx, today),
            quota.year * 2 // 3 - self._calls.spent(tx, date(today.year, 1, 1)),
            NUMBERS_A_SYNC,
        )
        if free <= 0:
            return ()
        refs = self._calls.missing(tx, epoch, free)
        if refs:
            self._calls.spend(tx, today, len(refs))
        return refs

    def _give_up(self, refs: Collection[PseudonymRef], tx: Transaction) -> None:
        ours = {ref.number_index for ref in refs}
        for evaluation in self._pseudonyms.under_way(tx):
            if ours.issuperset(evaluation.number_indexes):
                self._pseudonyms.drop(tx, evaluation)

    # -- what others call -------------------------------------------------------------------------------------------

    def _compare(self, links: Links) -> bool:
        closed_on, compared_on = self._database.view(
            "node_roll_call_state", lambda tx: (self._notices.state(tx).closed_on, self._calls.compared_on(tx))
        )
        if closed_on is None or closed_on == compared_on:
            return False
        fetched = _fetched(links.roll_call())
        if fetched is None:
            return False
        listed_on, called = fetched
        hits = self._database.view("node_roll_call_compare", functools.partial(self._hits, called))
        return self._database.run("node_roll_call_take", lambda tx: self._calls.take(tx, listed_on, hits))

    def _hits(self, called: Sequence[tuple[Pseudonym, date]], tx: Transaction) -> Hits:
        begins: dict[Pseudonym, set[date]] = {}
        for pseudonym, begun_since in called:
            begins.setdefault(pseudonym, set()).add(begun_since)
        hits: set[tuple[bytes, date]] = set()
        bearers = iter(self._calls.bearers(tx))
        while chunk := dict(itertools.islice(bearers, MAX_BATCH)):
            for ref, value in self._pseudonyms.values(tx, chunk).items():
                hits.update((chunk[ref], begun_since) for begun_since in begins.get(value, ()))
        return hits


def _fetched(link: RollCallLink) -> tuple[date, list[tuple[Pseudonym, date]]] | None:
    """The whole newest list, with the day of its close; None where there is none."""
    for _ in range(TRIES):
        first = link.part(0)
        if first.closed_on is None or not 0 < first.parts <= MAX_PARTS:
            return None
        called = list(first.called)
        for number in range(1, first.parts):
            part: ListedPart = link.part(number)
            if (part.closed_on, part.parts) != (first.closed_on, first.parts):
                break
            called += part.called
        else:
            return first.closed_on, called
    return None


def _newest(descriptor: Descriptor) -> int:
    return max(epoch.epoch for epoch in descriptor.epochs)
