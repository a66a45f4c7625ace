"""One sync of the node, from what changed to what the registry has to say (design §4).

    may we send? → restate → pseudonymise → is it somebody we lost → submit → report the roster → fetch notices
    → handle them → open what nothing was heard of → roll call → look at the ledger → look how far a drill has come

Invariants: no transaction is open across a network call; each step is a transaction of its own and finds its work in
the store, so that a restart between any two changes nothing; what one step cannot finish keeps none of the others from
running and is said in a plain sentence. One sync runs at a time.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

import msgspec

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor, DescriptorStore
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from federation.rules.vocabulary import (
    BATCH_ID_BYTES,
    MAX_BATCH,
    ROSTER_STEP,
    Disposition,
    DispositionKind,
    MemberId,
    Policy,
    Signal,
)
from node.casework.opening import WITHHOLDING, Casework, is_late
from node.casework.silence import SilenceMetrics
from node.drill.drilling import Drilling
from node.gaps import Judge
from node.ledger.alarms import Alarms, sentences
from node.ledger.sending import Outgoing, Sending
from node.ledger.watching import LedgerReport, LedgerWatch
from node.links import Links, Page
from node.outbox import Version, narrowed
from node.pseudonymise import Pseudonymiser
from node.recovery.attaching import Attaching
from node.recovery.guard import BEHIND, Guard
from node.recovery.recovering import Order, Recovering
from node.recovery.stated import RecoveryReport
from node.restating import Restated, Restating
from node.roll_call.calling import RollCall
from node.store import Transaction
from node.store.gaps import Gaps
from node.store.imports import Imports
from node.store.notices import Notices
from node.store.outbox import Batch, Outbox, referenced, standing
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupils
from node.store.recovery import Recoveries
from node.store.sayings import Sayings
from node.store.sealing import Sealer
from node.streaming import relayed

MAX_ROUNDS = 3
"""A second round restates what lost its epoch on the way; a third would mean that the descriptor changed again."""

_REFUSED_AS_A_WHOLE = frozenset(
    {Code.EPOCH_UNKNOWN, Code.BATCH_REUSED, Code.BATCH_TOO_LARGE, Code.REQUEST_INVALID, Code.SIGNAL_MALFORMED}
)
"""After these the registry has taken nothing of the batch and will not take it as it is."""

# None of them counts signals or notices: an operator does not learn how many children are missed.
BATCH_SUBMITTED = Event("batch_submitted", ("parked",))
SIGNALS_PARKED = Event("signals_parked", ("code",), Level.WARNING)
STORE_BEHIND = Event("store_behind_registry", ("of",), Level.ERROR)
REGISTRY_SILENT = Event("registry_silent_case_files_opened", (), Level.WARNING)
REGISTRY_LATE = Event("registry_closes_no_day", ("closed_on",), Level.ERROR)
REGISTRY_WITHHOLDS = Event("registry_withholds_states", (), Level.ERROR)
STEP_FAILED = Event("sync_step_failed", ("step", "code"), Level.WARNING)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """Work done so far in one step, for a progress bar."""

    step: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did. `waiting`: versions still to be sent; `problems`: why, in plain sentences."""

    submitted: int = 0
    parked: int = 0
    waiting: int = 0
    notices: int = 0
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Sync:
    """One run: what it works by, and what it has to report."""

    descriptor: Descriptor
    today: date
    judge: Judge
    expired: bool = False
    behind: bool = False
    """The registry knows more than this store, or could not be asked whether it does."""
    late: bool = False
    """The registry answers, and has not closed the last school day."""
    closed_on: date | None = None
    submitted: int = 0
    notices: int = 0
    problems: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        if sentence not in self.problems:
            self.problems.append(sentence)


class Pipeline:
    """The node's daily work. `policy` turns the descriptor's policy into the one this node works by."""

    def __init__(
        self,
        *,
        database: Database,
        sealer: Sealer,
        descriptors: DescriptorStore,
        member: MemberId,
        links: Links,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        log: Log,
        drilling: Drilling,
        silence: SilenceMetrics,
        roll_call: RollCall,
        sending: Sending,
        watch: LedgerWatch,
        alarms: Alarms,
        policy: Callable[[Policy], Policy] = lambda policy: policy,
    ) -> None:
        self._database = database
        self._descriptors = descriptors
        self._member = member
        self._links = links
        self._clock = clock
        self._random_bytes = random_bytes
        self._log = log
        self._drilling = drilling
        self._roll_call = roll_call
        self._sending = sending
        self._watch = watch
        self._alarms = alarms
        self._policy = policy
        self._pupils = Pupils(sealer)
        self._imports = Imports(sealer)
        self._outbox = Outbox(sealer)
        self._pseudonyms = Pseudonyms(sealer)
        self._notices = Notices()
        self._gaps = Gaps(self._pupils)
        self._casework = Casework(self._gaps, self._notices, self._outbox)
        self._silence = silence
        self._pseudonymiser = Pseudonymiser(
            database,
            self._pupils,
            self._outbox,
            self._pseudonyms,
            clock,
            random_bytes,
            log,
            lambda: descriptors.last().quota(member).day,
        )
        self._restating = Restating(
            database,
            self._pupils,
            Sayings(sealer),
            self._imports,
            self._outbox,
            self._pseudonyms,
            self._notices,
            self._gaps,
            random_bytes,
        )
        self._guard = Guard(database, Recoveries(sealer), Attaching(sealer, random_bytes))
        self._recovering = Recovering(database, sealer, self._pseudonymiser, random_bytes, log)
        self._one_at_a_time = threading.Lock()

    def sync(self, *, notices_only: bool = False) -> Iterator[Progress | SyncReport]:
        """Yields progress and, last, the report. `notices_only` sends nothing: it restates, fetches and handles.

        Where the descriptor has expired, or the registry knows more than this store, nothing is sent, but what the node
        knows by itself opens its case files all the same. Raises UppropError where it cannot work at all: no descriptor
        was ever in force, the store is busy.
        """
        with self._one_at_a_time:
            run = self._begin()
            run.behind = not run.expired and not self._may_send(run)
            notices_only = notices_only or run.expired or run.behind
            for _ in range(MAX_ROUNDS):
                yield from self._restate(run)
                if notices_only:
                    break
                yield from self._pseudonymise(run)
                if self._attach(run):
                    continue
                if run.behind or not (yield from self._submit(run)):
                    break
            if not (notices_only or run.behind):
                self._report_roster(run)
            heard = yield from self._fetch_notices(run)
            self._handle_notices(run)
            self._open_unheard(run)
            if not (run.expired or run.behind) and (yield from self._call_roll(run, sends=not notices_only)):
                # Whom a list calls is stated, or asked about, without waiting for the next sync.
                yield from self._restate(run)
            if not run.expired:
                self._look_at_ledger(run)
            self._drilling.carry_on(heard=heard)
            yield self._report(run)

    def verify_ledger(self) -> Iterator[Progress | LedgerReport]:
        """Hold all that was ever sent against the registry's ledger and what stands there: progress, last the report.

        Sends nothing.
        """
        with self._one_at_a_time:
            run = self._begin()
            if run.expired:
                yield LedgerReport(problems=tuple(run.problems))
                return
            report = yield from relayed(self._watch.verify(run.descriptor, self._links), lambda each: Progress(*each))
            yield replace(report, problems=(*run.problems, *report.problems))

    def recover(self) -> Iterator[Progress | RecoveryReport]:
        """Take up again what the registry knows of this member: yields progress and, last, the report.

        Sends nothing. Raises UppropError: INPUT_REFUSED before an import, PEER_UNREACHABLE and the like.
        """
        with self._one_at_a_time:
            run = self._begin()
            run.behind = True
            yield from self._restate(run)
            # First: what was told of the gaps that are handed back.
            if not (yield from self._fetch_notices(run)):
                raise UppropError(Code.PEER_UNREACHABLE, " ".join(run.problems))
            self._handle_notices(run)
            report = yield from relayed(self._recovering.run(self._order(run)), lambda each: Progress(*each))
            yield replace(report, problems=(*run.problems, *report.problems))

    def attach_number(self, number: str) -> str:
        """Give a typed number to the nameless pupil who bears it; returns the id under which the pupil is listed."""
        with self._one_at_a_time:
            return self._recovering.attach_number(number, self._order(self._begin()))

    def foreseeing(self) -> Callable[[Transaction], Iterator[Restated]]:
        """A look at a transaction that is not kept: what the next sync would make of each pupil, were it kept."""
        run = self._begin()
        return functools.partial(
            self._restating.foresee,
            today=run.today,
            judge=run.judge,
            epochs=[epoch.epoch for epoch in run.descriptor.epochs],
            rules_digest=self._rules_digest(run),
        )

    # -- steps ------------------------------------------------------------------------------------------------------

    def _begin(self) -> _Sync:
        problems = []
        try:
            descriptor, expired = self._descriptors.current(), False
        except UppropError as error:
            if error.code is not Code.DESCRIPTOR_EXPIRED:
                raise
            # Its policy and calendar are still the best there are to judge by; no party is spoken to under it.
            descriptor, expired = self._descriptors.last(), True
            problems.append(error.sentence)
        refusal = self._descriptors.refusal()
        if refusal is not None:
            problems.append(f"The descriptor that lies in place now is not taken up. {refusal.sentence}")
        judge = Judge(self._member, self._policy(descriptor.policy), descriptor.calendar(self._member))
        return _Sync(descriptor, self._clock.today(), judge, expired, problems=problems)

    def _order(self, run: _Sync) -> Order:
        return Order(run.descriptor.epochs, run.today, run.judge, self._links)

    def _may_send(self, run: _Sync) -> bool:
        """Whether the registry knows nothing of us that this store does not."""
        try:
            if self._guard.lets_send(self._links.registry):
                return True
        except UppropError as error:
            self._failed(run, "recovery", error)
        else:
            run.say(BEHIND)
        return False

    def _attach(self, run: _Sync) -> bool:
        """Whether pupils with something to send turned out to be nameless ones, of whom something was said before."""
        try:
            return bool(self._recovering.attach_waiting(self._order(run)))
        except UppropError as error:
            self._failed(run, "recovery", error)
            # Nothing more can be sent now; what waits for a name must not be sent under another handle.
            run.behind = True
            return False

    def _restate(self, run: _Sync) -> Generator[Progress, None, None]:
        epochs = [epoch.epoch for epoch in run.descriptor.epochs]
        steps = self._restating.run(run.today, run.judge, epochs, self._rules_digest(run))
        yield from _named("restate", steps)

    def _rules_digest(self, run: _Sync) -> bytes:
        """Changes when the authority changes the policy or this member's calendar."""
        calendar = run.descriptor.calendars[run.descriptor.member(self._member).calendar]
        return hashlib.sha256(msgspec.json.encode((run.judge.policy, calendar))).digest()

    def _pseudonymise(self, run: _Sync) -> Generator[Progress, None, None]:
        outcome = yield from _named(
            "pseudonymise", self._pseudonymiser.run(run.descriptor.epochs, self._links.evaluators)
        )
        for problem in outcome.problems:
            run.say(problem)

    def _submit(self, run: _Sync) -> Generator[Progress, None, bool]:
        """Send all that can be sent; returns whether something has to be restated first and sent then."""
        total = self._database.view("node_outbox_counts", self._outbox.counts).waiting
        done, again = 0, False
        self._ask_for_receipts(run)
        while True:
            outgoing, given_up = self._database.run(
                "node_batch", functools.partial(self._next_outgoing, run.descriptor)
            )
            again = again or given_up
            if outgoing is None:
                return again
            yield Progress("submit", done, max(total, done))
            try:
                answer = self._sending.submit(outgoing, self._links.registry())
            except UppropError as error:
                self._refused(run, outgoing, error)
                return False
            parked = self._sending.settle(outgoing, answer, run.descriptor, run.today)
            done += len(outgoing.signals)
            run.submitted += len(outgoing.signals)
            self._log(BATCH_SUBMITTED, parked=bool(parked))
            self._look_into(run, answer.dispositions)
            yield Progress("submit", done, max(total, done))

    def _ask_for_receipts(self, run: _Sync) -> None:
        """Send again what was answered without a sound receipt."""
        for batch in self._database.view("node_batches_owed", self._outbox.owed):
            bind = functools.partial(self._outgoing, batch, run.descriptor)
            outgoing = self._database.run("node_batch_again", bind)
            try:
                answer = self._sending.submit(outgoing, self._links.registry())
            except UppropError as error:
                self._refused(run, outgoing, error)
                return
            self._sending.settle(outgoing, answer, run.descriptor, run.today)

    def _refused(self, run: _Sync, outgoing: Outgoing, error: UppropError) -> None:
        self._failed(run, "submit", error)
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

    def _look_into(self, run: _Sync, dispositions: Sequence[Disposition]) -> None:
        for code in sorted(
            {
                answer.code or answer.kind.value
                for answer in dispositions
                if answer.kind in (DispositionKind.CONFLICT, DispositionKind.REJECTED)
            }
        ):
            self._log(SIGNALS_PARKED, code=code)
        stale = sum(answer.kind is DispositionKind.STALE for answer in dispositions)
        if stale:
            # Batches go out in the order of versions, so only a store that was set back is overtaken by its own past.
            self._log(STORE_BEHIND, of="signals")
            run.say(
                f"Of {stale} of our signals the registry knows newer versions than this node has made: "
                "this store seems to be an older copy. What it says now of these pupils does not count there."
            )
            self._guard.doubt()

    def _report_roster(self, run: _Sync) -> None:
        """State the newest import, once all that it shows has been said."""
        as_of, roster = self._database.view("node_roster", self._roster)
        if as_of is None:
            return
        try:
            self._links.registry().report_roster(as_of, roster)
        except UppropError as error:
            self._failed(run, "roster", error)
            return
        self._database.run("node_roster_taken", functools.partial(self._notices.roster_taken, as_of=as_of))

    def _roster(self, tx: Transaction) -> tuple[date | None, int]:
        """As-of and size of a roster to be reported; no as-of where there is nothing to report."""
        as_of = self._imports.current_as_of(tx)
        reported = self._notices.state(tx).roster_reported_as_of
        if as_of is None or (reported is not None and as_of <= reported) or self._outbox.counts(tx).waiting:
            return None, 0
        return as_of, (self._pupils.roster(tx) + ROSTER_STEP // 2) // ROSTER_STEP * ROSTER_STEP

    def _fetch_notices(self, run: _Sync) -> Generator[Progress, None, bool]:
        """Make all notices there are durable; returns whether that was possible."""
        more, kept = True, 0
        while more:
            cursor = self._database.view("node_notice_cursor", self._notices.state).cursor
            try:
                registry = self._links.registry()
                page = registry.list_notices(cursor)
            except UppropError as error:
                self._failed(run, "notices", error)
                record = functools.partial(self._notices.record_fetch, day=run.today, succeeded=False)
                self._database.run("node_fetch_failed", record)
                return False
            run.late, run.closed_on = is_late(page.closed_on, run.today, run.judge.calendar), page.closed_on
            kept += self._database.run("node_notices_keep", functools.partial(self._keep, page, run))
            if page.through > cursor:
                try:
                    registry.acknowledge(page.through)
                except UppropError as error:
                    # The cursor is durable: a later acknowledgement covers these notices too.
                    self._failed(run, "acknowledge", error)
            more = page.more
            yield Progress("notices", kept, kept)
        return True

    def _keep(self, page: Page, run: _Sync, tx: Transaction) -> int:
        # A registry that closes no day tells as little as one that is not there.
        self._notices.record_fetch(tx, run.today, succeeded=not run.late)
        return self._notices.keep(tx, page.notices, page.through, page.closed_on)

    def _handle_notices(self, run: _Sync) -> None:
        more, unmatched = True, 0
        while more:
            handled = self._database.run("node_notices_handle", self._casework.handle_notices)
            run.notices += handled.number
            unmatched += handled.unmatched
            more = handled.more
        if unmatched and not run.behind:
            self._guard.doubt()
            self._log(STORE_BEHIND, of="notices")
            run.say(
                f"The registry told of {unmatched} openings that this node does not know: its store seems to be an "
                "older copy. Look into them with the registry's operator."
            )

    def _open_unheard(self, run: _Sync) -> None:
        look = functools.partial(self._casework.open_unheard, today=run.today, calendar=run.judge.calendar)
        unheard = self._database.run("node_open_unheard", look)
        if unheard.opened:
            self._log(REGISTRY_SILENT)
        if run.late and unheard.failed_day is not None:
            self._log(REGISTRY_LATE, closed_on=run.closed_on)
            run.say(
                f"The registry answers, but the newest day it has closed is {run.closed_on or 'none at all'}: it "
                "judges no gaps. Those past due get their case files here. Turn to its operator."
            )
        if unheard.withheld:
            self._log(REGISTRY_WITHHOLDS)
            run.say(WITHHOLDING)
        self._silence.show(late=run.late and unheard.failed_day is not None, withholds=unheard.withheld)

    def _call_roll(self, run: _Sync, *, sends: bool) -> Generator[Progress, None, bool]:
        """The roll call's step; returns whether other pupils are called than before."""
        try:
            return (
                yield from _named("roll call", self._roll_call.run(run.descriptor, run.today, self._links, sends=sends))
            )
        except UppropError as error:
            self._failed(run, "roll call", error)
            return False

    def _look_at_ledger(self, run: _Sync) -> None:
        """Whether the registry's ledger holds what it held, and what was sent since."""
        for sentence in self._watch.look(run.descriptor, self._links):
            run.say(sentence)

    def _failed(self, run: _Sync, step: str, error: UppropError) -> None:
        run.say(error.sentence)
        self._log(STEP_FAILED, step=step, code=error.code)

    def _report(self, run: _Sync) -> SyncReport:
        for sentence in sentences(self._alarms.standing()):
            run.say(sentence)
        counts = self._database.view("node_outbox_counts", self._outbox.counts)
        if counts.parked:
            run.say(
                f"The registry did not take {counts.parked} of our signals: they are parked, and what they say does "
                "not count there. The gaps of these pupils are watched here all the same."
            )
        return SyncReport(run.submitted, counts.parked, counts.waiting, run.notices, tuple(run.problems))


def _named(step: str, steps: Generator[tuple[int, int], None, T]) -> Generator[Progress, None, T]:
    """The progress of a step under its name; passes its result on."""
    return (yield from relayed(steps, lambda each: Progress(step, *each)))
