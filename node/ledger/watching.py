"""The node's watch over the registry's ledger: a look in every sync, a verification of everything on its own schedule.

    look:    newest checkpoint → continues the one kept, and those of all receipts since → their leaves → kept
    verify:  witnesses asked → look → every leaf → the witnesses' ledger is ours → what stands of our signals

The witnesses are asked first: what they have seen cannot be newer than what the registry is then asked for.

Invariants: no transaction is open across a network call; what could not be asked is said and tried again, and is no
finding; what was found becomes an alarm, and the checkpoint kept stays what it was.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from federation import checkpoint as checkpoints
from federation.checkpoint import Checkpoint
from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import UppropError
from federation.observability import Log
from federation.rules.vocabulary import MAX_BATCH
from node.ledger.alarms import Alarms
from node.ledger.findings import LOST, SET_BACK_TREE, Finding, Kind, with_evidence
from node.ledger.observability import LEDGER_VERIFIED, LedgerMetrics
from node.ledger.proving import LedgerLink, NotProvedError, Prover, still_holds
from node.ledger.receipts import Held
from node.ledger.stating import RegistryLink, Stating
from node.store import Transaction
from node.store.ledger import Kept, Ledgers
from node.store.sealing import Sealer

VERIFY_SECONDS = 12 * 3_600.0
"""How often a running node verifies everything: a change is then known within the school day."""

WITNESS_PATIENCE = timedelta(hours=48)
"""How long a witness may not have been shown a ledger that grows by a leaf an hour."""


class WitnessLink(Protocol):
    """A witness as it is asked; `node.ledger.uplink.WitnessLink`."""

    @property
    def index(self) -> int: ...
    def witnessed(self) -> bytes: ...


class Links(Protocol):
    """The parties of the watch; `node.uplink.Uplink`."""

    def registry(self) -> RegistryLink: ...
    def ledger(self) -> LedgerLink: ...
    def witnesses(self) -> Sequence[WitnessLink]: ...


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What one witness has co-signed; no tree where it did not answer or has seen none."""

    witness: int
    tree: Checkpoint | None = None
    cosigned_at: datetime | None = None
    note: bytes = b""


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What a verification did. `compared`: handles whose signals were held against the registry's."""

    size: int | None = None
    receipts: int = 0
    compared: int = 0
    witnesses: tuple[Witnessed, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Watch:
    """One look or verification."""

    descriptor: Descriptor
    findings: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        if sentence not in self.problems:
            self.problems.append(sentence)


Steps = Generator[tuple[str, int, int], None, None]


class LedgerWatch:
    """Watches. The caller sees to it that nothing is sent meanwhile."""

    def __init__(
        self, database: Database, sealer: Sealer, alarms: Alarms, clock: Clock, metrics: LedgerMetrics, log: Log
    ) -> None:
        self._database = database
        self._alarms = alarms
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._ledgers = Ledgers(sealer)
        self._stating = Stating(database, sealer)
        self._lost = any(alarm.kind in SET_BACK_TREE | LOST for alarm in alarms.standing())

    def look(self, descriptor: Descriptor, links: Links) -> tuple[str, ...]:
        """The cheap check of every sync; returns what kept it from being made."""
        watch = _Watch(descriptor)
        self._look(watch, links)
        self._raise(watch)
        return tuple(watch.problems)

    @property
    def lost(self) -> bool:
        """Whether the registry may lack what it acknowledged, and nobody has looked since; at first, while an alarm of
        that kind stands."""
        return self._lost

    def looked_for(self) -> None:
        """What was lost has been looked for."""
        self._lost = False

    def verify(self, descriptor: Descriptor, links: Links) -> Generator[tuple[str, int, int], None, LedgerReport]:
        """All of it; yields (step, done, total) and returns the report. Findings are alarms by then."""
        if descriptor.ledger_key is None:
            return LedgerReport()
        watch = _Watch(descriptor)
        witnessed = yield from self._ask_witnesses(watch, links)
        newest = self._look(watch, links)
        receipts = 0
        if newest is not None:
            receipts = yield from self._prove_every_leaf(watch, newest, links)
            self._compare_witnesses(watch, witnessed, newest, links)
        compared = yield from self._stating.compare(watch.findings, watch.say, descriptor, links, self._clock.today())
        self._raise(watch)
        complete = newest is not None and not watch.problems
        if complete:
            now = self._clock.now()
            self._database.run("node_ledger_verified", lambda tx: self._ledgers.verified(tx, now))
        self.show_last()
        size = None if newest is None else newest.size
        self._log(LEDGER_VERIFIED, size=size, receipts=receipts, complete=complete)
        return LedgerReport(size, receipts, compared, witnessed, tuple(watch.problems))

    def kept(self) -> Kept | None:
        """The newest checkpoint that was proved."""
        return self._database.view("node_ledger_kept", self._ledgers.kept)

    def lines_in(self, tx: Transaction) -> dict[str, str]:
        """What the status says of it."""
        kept, standing = self._ledgers.kept(tx), self._alarms.number_in(tx)
        if kept is None:
            line = "not seen yet"
        else:
            at = "not yet" if kept.verified_at is None else f"{kept.verified_at:%Y-%m-%d %H:%M} UTC"
            line = f"{kept.tree.size} leaves, all verified {at}"
        return {"ledger": line, "alarms about the registry": str(standing)}

    def show_last(self) -> None:
        """Show in the metrics how far the watch has come: at start, and after each change."""
        kept = self.kept()
        if kept is not None:
            self._metrics.size.set(kept.tree.size)
            if kept.verified_at is not None:
                self._metrics.verified.set(kept.verified_at.timestamp())

    def _raise(self, watch: _Watch) -> None:
        raised = self._alarms.raise_all(watch.findings)
        found = any(finding.kind in LOST for finding in watch.findings)
        self._lost = self._lost or found or any(alarm.kind in SET_BACK_TREE for alarm in raised)

    # -- the registry's own ledger ----------------------------------------------------------------------------------

    def _look(self, watch: _Watch, links: Links) -> Checkpoint | None:
        """The newest checkpoint; None where there is none to be had, or none that can be believed."""
        if watch.descriptor.ledger_key is None:
            return None
        kept, new = self._database.view("node_ledger", self._to_prove)
        try:
            prover = Prover(links.ledger(), watch.descriptor.ledger_key)
            note, newest = prover.newest()
            found = self._flaws(prover, kept, new, note, newest)
        except NotProvedError:
            last = None if kept is None else kept.tree.size - 1
            watch.findings.append(Finding(Kind.UNPROVED, None, last))
            return None
        except UppropError as error:
            watch.say(error.sentence)
            return None
        watch.findings += found
        if not found and (new or kept is None or kept.tree != newest):
            advance = functools.partial(
                self._ledgers.advance, tree=newest, note=note, proved=new, now=self._clock.now()
            )
            self._database.run("node_ledger_advance", advance)
            self.show_last()
        return newest

    def _to_prove(self, tx: Transaction) -> tuple[Kept | None, tuple[Held, ...]]:
        return self._ledgers.kept(tx), self._ledgers.unproved(tx, MAX_BATCH)

    def _flaws(
        self, prover: Prover, kept: Kept | None, new: Sequence[Held], note: bytes, newest: Checkpoint
    ) -> list[Finding]:
        """What keeps the newest tree from continuing those before it."""
        before = [] if kept is None else [(kept.tree, kept.note)]
        before += [(held.tree, held.receipt.checkpoint) for held in new]
        greatest, its_note = max(before, key=lambda each: each[0].size, default=(newest, note))
        if greatest.size > newest.size:
            proved, holds = self._held_by(prover, newest.size + 1, newest)
            # What is left may have been changed as well.
            first = newest.size if holds == proved else holds
            # It grows on; what is raised once is what it had.
            found = Finding(Kind.SHRUNK, first, greatest.size - 1, about=str(greatest.size).encode())
            return [with_evidence(found, its_note, note)]
        for tree, its_note in dict(before).items():
            try:
                prover.continues(tree, newest)
            except NotProvedError:
                _, holds = self._held_by(prover, tree.size, newest)
                return [with_evidence(Finding(Kind.REWRITTEN, holds, tree.size - 1), its_note, note)]
        return list(prover.leaves(new, newest))

    def _held_by(self, prover: Prover, below: int, newest: Checkpoint) -> tuple[int, int]:
        """The size of the greatest tree below a size that was proved before, and that of the greatest which the newest
        one still continues."""
        proved = self._database.view("node_ledger_trees", functools.partial(self._ledgers.proved_trees, below=below))
        return proved[-1].size if proved else 0, still_holds(prover, proved, newest)

    def _prove_every_leaf(
        self, watch: _Watch, newest: Checkpoint, links: Links
    ) -> Generator[tuple[str, int, int], None, int]:
        """Every receipt there is, in the newest tree; returns how many."""
        assert watch.descriptor.ledger_key is not None
        prover = Prover(links.ledger(), watch.descriptor.ledger_key)
        total = self._database.view("node_receipts_count", self._ledgers.count)
        done, after = 0, -1
        while page := self._database.view(
            "node_receipts_page", functools.partial(self._ledgers.page, after=after, limit=MAX_BATCH)
        ):
            yield "ledger_leaves", done, total
            within = [held for held in page if held.receipt.leaf_index < newest.size]
            beyond = [held.receipt.leaf_index for held in page if held.receipt.leaf_index >= newest.size]
            watch.findings += (Finding(Kind.LEAF_GONE, index, index) for index in beyond)
            try:
                watch.findings += prover.leaves(within, newest)
            except UppropError as error:
                watch.say(error.sentence)
                return done
            done, after = done + len(page), page[-1].receipt.leaf_index
        yield "ledger_leaves", done, total
        return done

    # -- the witnesses ----------------------------------------------------------------------------------------------

    def _ask_witnesses(
        self, watch: _Watch, links: Links
    ) -> Generator[tuple[str, int, int], None, tuple[Witnessed, ...]]:
        found = []
        try:
            witnesses = links.witnesses()
        except UppropError as error:
            watch.say(error.sentence)
            return ()
        for place, witness in enumerate(witnesses):
            yield "ledger_witnesses", place, len(witnesses)
            try:
                found.append(self._believed(witness.index, witness.witnessed(), watch.descriptor))
            except UppropError as error:
                # One that is down contradicts nobody; the others are asked.
                watch.say(f"Witness {witness.index}: {error.sentence}")
                found.append(Witnessed(witness.index))
        return tuple(found)

    def _believed(self, index: int, note: bytes, descriptor: Descriptor) -> Witnessed:
        assert descriptor.ledger_key is not None
        if not note:
            return Witnessed(index)
        tree = checkpoints.verify(note, descriptor.ledger_key)
        at = checkpoints.verify_cosignatures(note, [descriptor.evaluator(index)]).get(index)
        # Without its own signature it vouches for nothing; the ledger's key has signed the tree all the same.
        return Witnessed(index, tree, at, note)

    def _compare_witnesses(
        self, watch: _Watch, witnessed: Sequence[Witnessed], newest: Checkpoint, links: Links
    ) -> None:
        """Whether each has seen the ledger that we have, and seen it lately."""
        assert watch.descriptor.ledger_key is not None
        prover = Prover(links.ledger(), watch.descriptor.ledger_key)
        agreed = self._database.view("node_witnesses", self._ledgers.agreed_sizes)
        kept = self.kept()
        asked, proved = [], {}
        for each in witnessed:
            parted = functools.partial(Finding, Kind.FORKED, witness=each.witness)
            try:
                if each.tree is None:
                    asked.append(each.witness)
                elif each.tree.size > newest.size:
                    found = parted(first=newest.size, last=each.tree.size - 1, about=b"shorter")
                    watch.findings.append(with_evidence(found, each.note))
                else:
                    prover.continues(each.tree, newest)
                    asked.append(each.witness)
                    proved[each.witness] = each.tree.size
                    if each.tree.size < agreed.get(each.witness, 0):
                        watch.say(
                            f"Witness {each.witness} has forgotten what it co-signed: its database was set back. Tell "
                            "the evaluator's operator and the authority."
                        )
            except NotProvedError:
                assert each.tree is not None
                # Both grow on; what is raised once is where they part.
                first = agreed.get(each.witness, 0)
                found = parted(first=first, last=each.tree.size - 1, about=str(first).encode())
                watch.findings.append(with_evidence(found, each.note, kept.note if kept else b""))
            except UppropError as error:
                watch.say(error.sentence)
        if kept is not None:
            self._look_for_late_ones(watch, asked, proved, newest)

    def _look_for_late_ones(
        self, watch: _Watch, asked: Sequence[int], proved: Mapping[int, int], newest: Checkpoint
    ) -> None:
        """Those that were not shown what there is: a registry that forks hides one branch from them.

        One that is down, or that a registry has not reached yet which was down itself, is late after days of it alone.
        """
        now = self._clock.now()
        agree = functools.partial(self._ledgers.agree, asked=asked, proved=proved, newest=newest.size, now=now)
        late = {
            witness: since
            for witness, since in self._database.run("node_witnesses_agree", agree).items()
            if now - since > WITNESS_PATIENCE
        }
        for witness, since in late.items():
            watch.say(
                f"Witness {witness} has not co-signed the registry's ledger since {since:%Y-%m-%d %H:%M} UTC or "
                "before. Tell the registry's operator and the evaluator's."
            )
        if 2 * len(late) > len(watch.descriptor.evaluators):
            about = max(late.values()).isoformat().encode()
            watch.findings.append(Finding(Kind.WITNESSES_LATE, None, newest.size - 1, about=about))
