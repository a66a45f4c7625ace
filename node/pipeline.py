"""One sync of the node, from what changed to what the registry has to say (design §4).

    may we send? → say again what the registry lost → restate → pseudonymise → is it somebody we lost → submit
    → report the roster → fetch notices → handle them → open what nothing was heard of → describe the cases we lead
    → state case files → carry contacts → roll call → look at the ledger → look how far a drill has come

Invariants: no transaction is open across a network call; each step is a transaction of its own and finds its work in
the store, so that a restart between any two changes nothing; what one step cannot finish keeps none of the others from
running and is said in a plain sentence. One sync runs at a time.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from datetime import date

import msgspec

from federation.clock import Clock
from federation.database import Database
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from federation.rules.vocabulary import ROSTER_STEP, MemberId, Policy
from node.casework.contact.exchanging import Exchange
from node.casework.files.filing import CaseFiles
from node.casework.holds.holding import Holding
from node.casework.opening import Casework
from node.casework.silence import SilenceMetrics
from node.casework.statuses.leading import Leading
from node.casework.statuses.telling import Telling
from node.casework.tasks.arrivals import Arrivals
from node.describing.telling import Describing
from node.drill.drilling import Drilling
from node.evaluators import Evaluators
from node.gaps import Judge
from node.hearing import Hearing
from node.ledger.alarms import Alarms, sentences
from node.ledger.sending import Sending
from node.ledger.watching import LedgerReport, LedgerWatch
from node.links import Links
from node.pseudonymise import Pseudonymiser
from node.recovery.attaching import Attaching
from node.recovery.guard import BEHIND, Guard
from node.recovery.recovering import Order, Recovering
from node.recovery.resending import SENT_AGAIN, Resending, Resent
from node.recovery.stated import RecoveryReport
from node.restating import Restated, Restating
from node.roll_call.calling import RollCall
from node.store import Transaction
from node.store.gaps import Gaps
from node.store.imports import Imports
from node.store.notices import Notices
from node.store.outbox import Outbox
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupils
from node.store.recovery import Recoveries
from node.store.sayings import Sayings
from node.store.sealing import Sealer
from node.store.tasks import Tasks
from node.streaming import relayed
from node.subject.erasing import Erasing
from node.submitting import Submitting
from node.sync import Progress, Sync, SyncReport, named

MAX_ROUNDS = 3
"""A second round restates what lost its epoch on the way; a third would mean that the descriptor changed again."""

SAID_AGAIN = Event("signals_said_again", (), Level.WARNING)


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
        evaluators: Evaluators,
        erasing: Erasing,
        case_files: CaseFiles,
        holding: Holding,
        exchange: Exchange,
        leading: Leading,
        policy: Callable[[Policy], Policy] = lambda policy: policy,
    ) -> None:
        self._database = database
        self._descriptors = descriptors
        self._member = member
        self._links = links
        self._clock = clock
        self._evaluators = evaluators
        self._erasing = erasing
        self._case_files = case_files
        self._holding = holding
        self._exchange = exchange
        self._leading = leading
        self._log = log
        self._drilling = drilling
        self._roll_call = roll_call
        self._watch = watch
        self._alarms = alarms
        self._policy = policy
        self._pupils = Pupils(sealer)
        self._imports = Imports(sealer)
        self._outbox = Outbox(sealer)
        self._pseudonyms = Pseudonyms(sealer)
        self._notices = Notices()
        self._gaps = Gaps(self._pupils)
        self._pseudonymiser = Pseudonymiser(
            database,
            self._pupils,
            self._outbox,
            self._pseudonyms,
            clock,
            random_bytes,
            log,
            lambda: descriptors.last().quota(member).day,
            evaluators,
        )
        self._describing = Describing(database, sealer)
        self._statuses = Telling(database)
        self._guard = Guard(database, Recoveries(sealer), Attaching(sealer, random_bytes))
        casework = Casework(self._gaps, self._notices, self._outbox)
        self._hearing = Hearing(database, self._notices, casework, self._guard, silence, log)
        self._submitting = Submitting(
            database, self._outbox, self._pseudonyms, sending, self._guard, clock, random_bytes
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
            Arrivals(Tasks(sealer)),
        )
        self._recovering = Recovering(database, sealer, self._pseudonymiser, random_bytes, log)
        self._resending = Resending(database, sealer)
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
            if self._watch.lost and not notices_only:
                self._send_again(run)
            for _ in range(MAX_ROUNDS):
                yield from self._restate(run)
                if notices_only:
                    break
                yield from self._pseudonymise(run)
                if self._attach(run):
                    continue
                if run.behind or not (yield from self._submitting.run(run, self._links)):
                    break
            if not (notices_only or run.behind):
                self._report_roster(run)
            heard = yield from self._hearing.fetch(run, self._links)
            self._hearing.handle(run)
            self._hearing.open_unheard(run)
            self._case_files.begin_missing()
            self._holding.follow(run.judge)
            self._case_files.follow()
            self._leading.follow()
            if heard and not (notices_only or run.behind):
                self._describe(run)
                self._tell_statuses(run)
                self._carry_contacts(run)
            self._erasing.carry_on()
            if not (run.expired or run.behind) and (yield from self._call_roll(run, sends=not notices_only)):
                # Whom a list calls is stated, or asked about, without waiting for the next sync.
                yield from self._restate(run)
            if not run.expired:
                self._look_at_ledger(run)
                self._evaluators.ask_unheard(self._links.evaluators)
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
            if not (yield from self._hearing.fetch(run, self._links)):
                raise UppropError(Code.PEER_UNREACHABLE, " ".join(run.problems))
            self._hearing.handle(run)
            report = yield from relayed(self._recovering.run(self._order(run)), lambda each: Progress(*each))
            yield replace(report, problems=(*run.problems, *report.problems))

    def resend(self) -> Resent:
        """Look for what the registry acknowledged and has no more; what is found waits for the next sync.

        Raises UppropError: DESCRIPTOR_EXPIRED, PEER_UNREACHABLE and the like; INPUT_REFUSED where this store is behind.
        """
        with self._one_at_a_time:
            run = self._begin()
            self._descriptors.current()
            found = self._resending.run(self._links.registry, run.today, run.judge.policy) if self._asked() else None
            if found is None:
                raise UppropError(Code.INPUT_REFUSED, BEHIND)
            self._watch.looked_for()
            return found

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

    def _begin(self) -> Sync:
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
        return Sync(descriptor, self._clock.today(), judge, self._log, expired, problems=problems)

    def _order(self, run: Sync) -> Order:
        return Order(run.descriptor.epochs, run.today, run.judge, self._links)

    def _may_send(self, run: Sync) -> bool:
        """Whether the registry knows nothing of us that this store does not."""
        try:
            if self._guard.lets_send(self._links.registry):
                return True
        except UppropError as error:
            run.failed("recovery", error)
        else:
            run.say(BEHIND)
        return False

    def _asked(self) -> bool:
        return self._guard.lets_send(self._links.registry)

    def _send_again(self, run: Sync) -> None:
        """The registry was found to have been set back: say again what it lacks."""
        try:
            found = self._resending.run(self._links.registry, run.today, run.judge.policy)
        except UppropError as error:
            run.failed("resend", error)
            return
        if found is not None:
            self._watch.looked_for()
            self._statuses.say_again()
            if found.again:
                self._log(SAID_AGAIN)
                run.say(SENT_AGAIN)

    def _attach(self, run: Sync) -> bool:
        """Whether pupils with something to send turned out to be nameless ones, of whom something was said before."""
        try:
            return bool(self._recovering.attach_waiting(self._order(run)))
        except UppropError as error:
            run.failed("recovery", error)
            # Nothing more can be sent now; what waits for a name must not be sent under another handle.
            run.behind = True
            return False

    def _restate(self, run: Sync) -> Generator[Progress, None, None]:
        epochs = [epoch.epoch for epoch in run.descriptor.epochs]
        steps = self._restating.run(run.today, run.judge, epochs, self._rules_digest(run))
        yield from named("restate", steps)

    def _rules_digest(self, run: Sync) -> bytes:
        """Changes when the authority changes the policy or this member's calendar."""
        calendar = run.descriptor.calendars[run.descriptor.member(self._member).calendar]
        return hashlib.sha256(msgspec.json.encode((run.judge.policy, calendar))).digest()

    def _pseudonymise(self, run: Sync) -> Generator[Progress, None, None]:
        outcome = yield from named(
            "pseudonymise", self._pseudonymiser.run(run.descriptor.epochs, self._links.evaluators)
        )
        for problem in outcome.problems:
            run.say(problem)

    def _report_roster(self, run: Sync) -> None:
        """State the newest import, once all that it shows has been said."""
        as_of, roster = self._database.view("node_roster", self._roster)
        if as_of is None:
            return
        try:
            self._links.registry().report_roster(as_of, roster)
        except UppropError as error:
            run.failed("roster", error)
            return
        self._database.run("node_roster_taken", functools.partial(self._notices.roster_taken, as_of=as_of))

    def _roster(self, tx: Transaction) -> tuple[date | None, int]:
        """As-of and size of a roster to be reported; no as-of where there is nothing to report."""
        as_of = self._imports.current_as_of(tx)
        reported = self._notices.state(tx).roster_reported_as_of
        if as_of is None or (reported is not None and as_of <= reported) or self._outbox.counts(tx).waiting:
            return None, 0
        return as_of, (self._pupils.roster(tx) + ROSTER_STEP // 2) // ROSTER_STEP * ROSTER_STEP

    def _describe(self, run: Sync) -> None:
        try:
            self._describing.run(run.today, self._links.describing())
        except UppropError as error:
            run.failed("describe", error)

    def _tell_statuses(self, run: Sync) -> None:
        try:
            self._statuses.run(self._links.casework())
        except UppropError as error:
            run.failed("case files", error)

    def _carry_contacts(self, run: Sync) -> None:
        try:
            for sentence in self._exchange.run(run.descriptor, self._links.contacts()):
                run.say(sentence)
        except UppropError as error:
            run.failed("contacts", error)

    def _call_roll(self, run: Sync, *, sends: bool) -> Generator[Progress, None, bool]:
        """The roll call's step; returns whether other pupils are called than before."""
        try:
            return (
                yield from named("roll call", self._roll_call.run(run.descriptor, run.today, self._links, sends=sends))
            )
        except UppropError as error:
            run.failed("roll call", error)
            return False

    def _look_at_ledger(self, run: Sync) -> None:
        """Whether the registry's ledger holds what it held, and what was sent since."""
        for sentence in self._watch.look(run.descriptor, self._links):
            run.say(sentence)

    def _report(self, run: Sync) -> SyncReport:
        for sentence in sentences(self._alarms.standing()):
            run.say(sentence)
        counts = self._database.view("node_outbox_counts", self._outbox.counts)
        if counts.parked:
            run.say(
                f"The registry did not take {counts.parked} of our signals: they are parked, and what they say does "
                "not count there. The gaps of these pupils are watched here all the same."
            )
        return SyncReport(run.submitted, counts.parked, counts.waiting, run.notices, tuple(run.problems))
