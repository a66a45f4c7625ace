"""Which versions go out in which batch, and what becomes of a batch that was answered or refused (design §4).

Invariants
    - A batch and its id are durable before it is sent; until it is answered it is sent again as it is.
    - A version waits until each pseudonym that it carries is there. Where those of a newer epoch cannot be had now,
      what is new goes without them.
    - A batch that the registry refuses as a whole is dissolved, and its versions wait again.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.observability import Event, Level
from federation.rules.vocabulary import BATCH_ID_BYTES, MAX_BATCH, Disposition, DispositionKind, Signal
from node.ledger.sending import Outgoing, Sending
from node.links import Links
from node.outbox import Version, narrowed
from node.recovery.guard import Guard
from node.store import Transaction
from node.store.outbox import Batch, Outbox, referenced, standing
from node.store.pseudonyms import Pseudonyms
from node.sync import STORE_BEHIND, Progress, Sync

_REFUSED_AS_A_WHOLE = frozenset(
    {Code.EPOCH_UNKNOWN, Code.BATCH_REUSED, Code.BATCH_TOO_LARGE, Code.REQUEST_INVALID, Code.SIGNAL_MALFORMED}
)
"""After these the registry has taken nothing of the batch and will not take it as it is."""

# Neither counts signals: an operator does not learn how many children are missed.
BATCH_SUBMITTED = Event("batch_submitted", ("parked",))
SIGNALS_PARKED = Event("signals_parked", ("code",), Level.WARNING)


class Submitting:
    """The sync's step that sends signals."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        pseudonyms: Pseudonyms,
        sending: Sending,
        guard: Guard,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._pseudonyms = pseudonyms
        self._sending = sending
        self._guard = guard
        self._clock = clock
        self._random_bytes = random_bytes

    def run(self, run: Sync, links: Links) -> Generator[Progress, None, bool]:
        """Send all that can be sent; returns whether something has to be restated first and sent then."""
        total = self._database.view("node_outbox_counts", self._outbox.counts).waiting
        done, again = 0, False
        self._ask_for_receipts(run, links)
        while True:
            outgoing, given_up = self._database.run(
                "node_batch", functools.partial(self._next_outgoing, run.descriptor)
            )
            again = again or given_up
            if outgoing is None:
                return again
            yield Progress("submit", done, max(total, done))
            try:
                answer = self._sending.submit(outgoing, links.registry())
            except UppropError as error:
                self._refused(run, outgoing, error)
                return False
            parked = self._sending.settle(outgoing, answer, run.descriptor, run.today)
            done += len(outgoing.signals)
            run.submitted += len(outgoing.signals)
            run.log(BATCH_SUBMITTED, parked=bool(parked))
            self._look_into(run, answer.dispositions)
            yield Progress("submit", done, max(total, done))

    def _ask_for_receipts(self, run: Sync, links: Links) -> None:
        """Send again what was answered without a sound receipt."""
        for batch in self._database.view("node_batches_owed", self._outbox.owed):
            bind = functools.partial(self._outgoing, batch, run.descriptor)
            outgoing = self._database.run("node_batch_again", bind)
            try:
                answer = self._sending.submit(outgoing, links.registry())
            except UppropError as error:
                self._refused(run, outgoing, error)
                return
            self._sending.settle(outgoing, answer, run.descriptor, run.today)

    def _refused(self, run: Sync, outgoing: Outgoing, error: UppropError) -> None:
        run.failed("submit", error)
        if error.code in _REFUSED_AS_A_WHOLE:
            dissolve = functools.partial(self._outbox.dissolve, batch_id=outgoing.batch.batch_id)
            self._database.run("node_batch_dissolve", dissolve)

    def _next_outgoing(self, descriptor: Descriptor, tx: Transaction) -> tuple[Outgoing | None, bool]:
        """The batch to send, made and bound durably; and whether something was given up that has to be stated anew."""
        batch, given_up = self._next_batch(descriptor, tx)
        return None if batch is None else self._outgoing(batch, descriptor, tx), given_up

    def _outgoing(self, batch: Batch, descriptor: Descriptor, tx: Transaction) -> Outgoing:
        return self._sending.bound(tx, batch, self._signals(batch, tx), descriptor)

    def _next_batch(self, descriptor: Descriptor, tx: Transaction) -> tuple[Batch | None, bool]:
        batch = self._sending.open_batch(tx, descriptor)
        if batch is not None:
            return batch, False
        epochs = frozenset(epoch.epoch for epoch in descriptor.epochs)
        ready: list[Version] = []
        retired: list[Version] = []
        waiting = self._outbox.waiting(tx)
        while len(ready) < MAX_BATCH and (looked_at := list(itertools.islice(waiting, MAX_BATCH))):
            retired += [version for version in looked_at if not standing(version, epochs)]
            sendable = [version for version in looked_at if standing(version, epochs)]
            missing = set(self._pseudonyms.missing(tx, referenced(sendable)))
            ready += [version for version in sendable if missing.isdisjoint(version.carries)]
        self._outbox.supersede(tx, retired)
        ready = ready or self._narrowed(tx, sorted(epochs))
        if not ready:
            return None, bool(retired)
        batch_id = self._random_bytes(BATCH_ID_BYTES)
        return self._outbox.make_batch(tx, batch_id, ready[:MAX_BATCH], self._clock.now()), bool(retired)

    def _narrowed(self, tx: Transaction, epochs: Sequence[int]) -> list[Version]:
        """What is new about pupils whose pseudonyms of a newer epoch cannot be had now: it goes without these."""
        waiting = {version.signal.handle: version for version in self._outbox.waiting(tx) if len(epochs) > 1}
        missing = frozenset(self._pseudonyms.missing(tx, referenced(waiting.values())))
        said, today = self._outbox.said(tx, waiting), self._clock.today()
        found = [
            narrow
            for handle, version in waiting.items()
            if (narrow := narrowed(version, said.get(handle), missing=missing, epochs=epochs, today=today)) is not None
        ][:MAX_BATCH]
        for version in found:
            self._outbox.narrow(tx, version)
        return found

    def _signals(self, batch: Batch, tx: Transaction) -> tuple[Signal, ...]:
        """The batch as it is sent: each version with its pseudonyms, in the order it names them."""
        values = self._pseudonyms.values(tx, referenced(batch.versions))
        return tuple(
            replace(version.signal, pseudonyms=tuple(values[ref] for ref in version.carries))
            for version in batch.versions
        )

    def _look_into(self, run: Sync, dispositions: Sequence[Disposition]) -> None:
        for code in sorted(
            {
                answer.code or answer.kind.value
                for answer in dispositions
                if answer.kind in (DispositionKind.CONFLICT, DispositionKind.REJECTED)
            }
        ):
            run.log(SIGNALS_PARKED, code=code)
        stale = sum(answer.kind is DispositionKind.STALE for answer in dispositions)
        if stale:
            # Batches go out in the order of versions, so only a store that was set back is overtaken by its own past.
            run.log(STORE_BEHIND, of="signals")
            run.say(
                f"Of {stale} of our signals the registry knows newer versions than this node has made: "
                "this store seems to be an older copy. What it says now of these pupils does not count there."
            )
            self._guard.doubt()
