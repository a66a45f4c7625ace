"""`upprop node recover`: everything the registry knows of this member, back in the store (design §4, §7).

    list what we have said → hand it back, nameless → pseudonyms of the roster → whose they are → attach → agree

Invariants: nothing is sent; each step is a transaction of its own and finds its work in the store, so that a recovery
that is killed anywhere and run again ends the same; no transaction is open across a network call. Pupils on another
route than `registry` are not asked about: their numbers leave in no form.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import date

from federation.database import Database
from federation.descriptor import Epoch
from federation.errors import Code, UppropError
from federation.observability import Event, Log
from federation.rules.vocabulary import MAX_BATCH, Handle
from node.gaps import Judge
from node.links import Links
from node.outbox import PseudonymRef
from node.pseudonymise import Outcome, Pseudonymiser
from node.recovery.attaching import Attaching, Grounds
from node.recovery.guard import pages
from node.recovery.stated import RecoveryReport, StatedPage
from node.store import Transaction
from node.store.imports import Imports
from node.store.notices import Notices
from node.store.outbox import Outbox, referenced
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupils
from node.store.recovery import Recoveries
from node.store.sealing import Sealer
from privacy.identifiers import Sound, parse
from privacy.pseudonym import pupil_input

AT_ONCE = 200
"""Pupils per transaction: short enough that an import never waits long."""

# Without numbers of pupils, as every event of a node.
RECOVERY_ENDED = Event("recovery_ended", ("complete", "all_named"))
NUMBER_GIVEN = Event("recovery_number_given")


@dataclass(frozen=True, slots=True)
class Order:
    """What a recovery goes by: the standing epochs, today, how this member's gaps are judged, and the parties."""

    epochs: tuple[Epoch, ...]
    today: date
    judge: Judge
    links: Links

    @property
    def asked(self) -> int:
        """The epoch to ask under: the oldest, which every handle bears while it stands."""
        return min(epoch.epoch for epoch in self.epochs)


class Recovering:
    """Takes up again what the registry knows."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        pseudonymiser: Pseudonymiser,
        random_bytes: Callable[[int], bytes],
        log: Log,
    ) -> None:
        self._database = database
        self._pseudonymiser = pseudonymiser
        self._log = log
        self._pupils = Pupils(sealer)
        self._imports = Imports(sealer)
        self._outbox = Outbox(sealer)
        self._pseudonyms = Pseudonyms(sealer)
        self._notices = Notices()
        self._recoveries = Recoveries(sealer)
        self._attaching = Attaching(sealer, random_bytes)

    def run(self, order: Order) -> Generator[tuple[str, int, int], None, RecoveryReport]:
        """Yields (step, done, total) and returns the report.

        Raises UppropError: INPUT_REFUSED before the first import, PEER_UNREACHABLE and the like where the registry
        cannot be asked.
        """
        known = yield from self._hand_back(order)
        problems = yield from self._find_names(order)
        if not problems:
            yield from self._agree(order)
        report = self._database.view("node_recovered", functools.partial(self._report, known, problems))
        self._log(RECOVERY_ENDED, complete=report.complete, all_named=not report.nameless)
        return report

    def _report(self, known: int, problems: tuple[str, ...], tx: Transaction) -> RecoveryReport:
        handed_back = self._recoveries.handed_back(tx)
        return RecoveryReport(
            complete=not problems,
            known=known,
            nameless=len(self._recoveries.nameless(tx)),
            nameless_open=self._recoveries.nameless_open(tx),
            numbers_missing=sum(any(not ref.number_index for ref in version.carries) for version in handed_back),
            problems=problems,
        )

    # -- what we have said ------------------------------------------------------------------------------------------

    def _hand_back(self, order: Order) -> Generator[tuple[str, int, int], None, int]:
        live = 0
        for page in pages(order.links.registry()):
            self._database.run("node_hand_back", functools.partial(self._take_over, page, order))
            live += sum(not each.signal.retracted for each in page.stated)
            yield "hand_back", live, live
        return live

    def _take_over(self, page: StatedPage, order: Order, tx: Transaction) -> None:
        state = self._recoveries.state(tx)
        if not state.agreed:
            self._recoveries.behind(tx, page.first_contact, page.last_contact)
        if self._attaching.behind(tx, page.stated):
            self._attaching.hand_back(tx, page.stated, self._grounds(tx, order))

    def _grounds(self, tx: Transaction, order: Order) -> Grounds:
        grounds = self._attaching.grounds(tx, order.judge, order.today)
        if grounds is None:
            raise UppropError(
                Code.INPUT_REFUSED,
                "There is no roster yet. Import an export first: upprop node import FILE --as-of DATE. Where the last "
                "export from before the loss is still at hand, import that one first, then the newest.",
            )
        return grounds

    # -- whose it is ------------------------------------------------------------------------------------------------

    def _find_names(self, order: Order) -> Generator[tuple[str, int, int], None, tuple[str, ...]]:
        """Ask about the roster until every handle has found its pupil; returns why it could not go on."""
        look = functools.partial(self._recoveries.unspoken, to_ask=True)
        to_ask = self._database.view("node_unspoken", look) if self._any_nameless() else ()
        for start in range(0, len(to_ask), MAX_BATCH):
            yield "find_names", start, len(to_ask)
            chunk = to_ask[start : start + MAX_BATCH]
            refs = self._database.view("node_numbers_to_ask", functools.partial(self._references, chunk, order.asked))
            outcome = _result(self._pseudonymiser.compute(refs, order.epochs, order.links.evaluators))
            if self._database.view("node_pseudonyms_missing", functools.partial(self._pseudonyms.missing, wanted=refs)):
                return outcome.problems
            self._attach_borne(refs, order)
            if not self._any_nameless():
                break
        if to_ask:
            yield "find_names", len(to_ask), len(to_ask)
        return ()

    def _any_nameless(self) -> bool:
        return bool(self._database.view("node_nameless", self._recoveries.nameless))

    def _references(self, pupil_ids: Sequence[bytes], epoch: int, tx: Transaction) -> tuple[PseudonymRef, ...]:
        identities = self._pupils.identities(tx, pupil_ids).values()
        numbers = (self._pupils.number_index(number) for identity in identities for number in identity.numbers)
        return tuple(PseudonymRef(epoch, number) for number in dict.fromkeys(numbers))

    def _attach_borne(self, refs: Sequence[PseudonymRef], order: Order) -> int:
        """Ask whose these pseudonyms are, and attach; returns how many nameless pupils found their names."""
        borne = self._borne(refs, order)
        if not borne:
            return 0

        def work(tx: Transaction) -> int:
            return self._attaching.attach(tx, borne, self._grounds(tx, order))

        return self._database.run("node_attach", work)

    def _borne(self, refs: Sequence[PseudonymRef], order: Order) -> dict[Handle, list[PseudonymRef]]:
        """Our own live handles that bear these pseudonyms, as far as they have been computed."""
        values = self._database.view("node_pseudonyms_known", functools.partial(self._pseudonyms.values, wanted=refs))
        by_value = {value: ref for ref, value in values.items()}
        asked = tuple(by_value)
        borne: dict[Handle, list[PseudonymRef]] = {}
        for start in range(0, len(asked), MAX_BATCH):
            for pseudonym, handle in order.links.registry().find_handles(asked[start : start + MAX_BATCH]):
                borne.setdefault(handle, []).append(by_value[pseudonym])
        return borne

    def attach_waiting(self, order: Order) -> int:
        """Look whether pupils with something to send are nameless ones, who came back or got a number.

        Returns how many: they have to be restated before anything is sent.
        """

        def wanted(tx: Transaction) -> frozenset[PseudonymRef]:
            named = referenced(self._outbox.waiting(tx)) if self._recoveries.nameless(tx) else ()
            return frozenset(ref for ref in named if ref.epoch == order.asked)

        refs = self._database.view("node_waiting_references", wanted)
        return self._attach_borne(sorted(refs), order) if refs else 0

    def attach_number(self, text: str, order: Order) -> str:
        """Give a number, typed by a person who has the papers, to the nameless pupil who bears it; returns the id under
        which the pupil is listed.

        Raises UppropError: INPUT_REFUSED for what is no number or nobody's, NO_QUORUM and the like.
        """
        number = parse(text, order.today)
        if not isinstance(number, Sound):
            raise UppropError(Code.INPUT_REFUSED, "This is no national identity number. Write all twelve digits.")
        index = self._pupils.number_index(number)
        refs = (PseudonymRef(order.asked, index),)
        inputs = {index: pupil_input(number.number)}
        outcome = _result(self._pseudonymiser.compute(refs, order.epochs, order.links.evaluators, inputs))
        if self._database.view("node_pseudonyms_missing", functools.partial(self._pseudonyms.missing, wanted=refs)):
            raise UppropError(Code.NO_QUORUM, " ".join(outcome.problems))
        borne = self._borne(refs, order)

        def work(tx: Transaction) -> str | None:
            person_id = self._attaching.attach_number(tx, number, borne, self._grounds(tx, order)) if borne else None
            self._recoveries.forget_pseudonyms(tx, index)
            return person_id

        person_id = self._database.run("node_attach_number", work)
        if person_id is None:
            raise UppropError(
                Code.INPUT_REFUSED,
                "The registry has nothing of ours about this number that this node does not know by it. Nothing was "
                "changed. Check the number.",
            )
        self._log(NUMBER_GIVEN)
        return person_id

    # -- the end ----------------------------------------------------------------------------------------------------

    def _agree(self, order: Order) -> Generator[tuple[str, int, int], None, None]:
        look = functools.partial(self._recoveries.unspoken, to_ask=False)
        rest = self._database.view("node_unspoken", look)
        for start in range(0, len(rest), AT_ONCE):
            yield "remember", start, len(rest)
            chunk = rest[start : start + AT_ONCE]
            self._database.run("node_remember_baseline", functools.partial(self._remember, chunk, order))
        self._database.run("node_agree", self._end)
        yield "remember", len(rest), len(rest)

    def _remember(self, pupil_ids: Sequence[bytes], order: Order, tx: Transaction) -> None:
        self._attaching.remember_baseline(tx, pupil_ids, self._grounds(tx, order))

    def _end(self, tx: Transaction) -> None:
        state = self._recoveries.state(tx)
        if state.agreed:
            return
        self._recoveries.forget_unsent(tx)
        if state.last_contact is not None:
            self._notices.roster_taken(tx, state.last_contact)
        self._pupils.mark_all_dirty(tx)
        self._recoveries.agree(tx)


def _result(steps: Generator[tuple[int, int], None, Outcome]) -> Outcome:
    """What a computation comes to; its steps are too short to be shown."""
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            outcome: Outcome = finished.value
            return outcome
