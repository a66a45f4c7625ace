"""Takes in what members send: batches of signals, and word of their newest import.

Invariants
    - A batch's answer is committed with what it took; the same batch gets the same answer for as long as
      retention keeps it.
    - Reads and writes rows of the sending member alone: neither content, size nor time of an answer depends on others.
    - A pseudonym as it was sent ends here: only its keyed form goes on, into digests too.
    - A signed batch has exactly one leaf in the ledger, committed with it, whatever became of its signals (another, if
      it comes again once retention has emptied that one); an unsigned one, which only a federation without a ledger
      sends, is noted in the hour's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from federation.database import Database, Isolation
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.observability import Log
from federation.rules.canonical import content_digest
from federation.rules.matching import SILENT_DAYS
from federation.rules.vocabulary import Disposition, DispositionKind, MemberId, Signal
from registry.dispositions import batch_digest, judge
from registry.keys import PseudonymKeys
from registry.ledger import contents, leaves
from registry.ledger.claims import SignedBatch
from registry.ledger.leaves import Leaf, StoredSignal
from registry.model import PURGED_DIGEST, KeyedSignal, Ref, Rejection, Standing, ref_of
from registry.observability import EPOCH_WITHOUT_KEY, RegistryMetrics
from registry.store import Transaction, batches, closes, ledger, members, openings, signals


@dataclass(frozen=True, slots=True)
class Taken:
    """One disposition per signal, in order, and the batch's leaf in the ledger where it has one."""

    answer: tuple[Disposition, ...]
    leaf: Leaf | None = None


class Intake:
    """Takes what members send: batches of signals, and word of their newest import."""

    def __init__(
        self,
        database: Database,
        keys: PseudonymKeys,
        descriptors: Callable[[], Descriptor],
        metrics: RegistryMetrics,
        log: Log,
    ) -> None:
        self._database, self._keys, self._descriptors = database, keys, descriptors
        self._metrics, self._log = metrics, log

    def submit(
        self,
        member: MemberId,
        batch_id: bytes,
        batch: Sequence[Signal | Rejection],
        received_on: date,
        caller_serial: int,
        signed: SignedBatch | None = None,
    ) -> Taken:
        """Take a batch in; durable when this returns.

        Raises UppropError: BATCH_UNSIGNED in a federation with a ledger; EPOCH_UNKNOWN where the fault may be the
        registry's, so that nothing is parked for it, or where no signal of the batch names a known epoch; BATCH_REUSED
        where the id came before with other content.
        """
        if signed is None and self._descriptors().ledger_key is not None:
            raise UppropError(
                Code.BATCH_UNSIGNED, "The federation keeps a ledger: sign the batch. An older node is to be upgraded."
            )
        keyed = self._keyed(member, batch, caller_serial)
        digest = batch_digest(keyed)

        def work(tx: Transaction) -> tuple[Taken, bool]:
            members.lock(tx, member)
            before = batches.find(tx, member, batch_id)
            if before is not None:
                if before.digest != digest:
                    raise UppropError(
                        Code.BATCH_REUSED, "This batch id came before with other content. Send it under a new id."
                    )
                leaf = None if before.leaf_index is None else ledger.leaf_of(tx, before.leaf_index)
                if leaf is None and signed is not None:
                    # Retention has emptied it since; whoever never had the receipt is given one of another leaf.
                    kept = batches.encode(before.answer)
                    leaf = ledger.append_batch(tx, member, batch_id, signed, leaves.answer_digest(digest, kept), [])
                    batches.put_in_leaf(tx, member, batch_id, kept, leaf.index)
                return Taken(before.answer, leaf), False
            standing = signals.standing(tx, {entry.ref for entry in keyed if isinstance(entry, KeyedSignal)})
            answer, accepted = judge(keyed, standing)
            signals.write(tx, member, accepted, standing.keys())
            openings.received(tx, member, _stated(keyed, answer, standing), received_on)
            rows = [StoredSignal(entry.ref, entry.signal.version, entry.content_digest) for entry in accepted]
            kept = batches.encode(answer)
            leaf = None
            if signed is None:
                ledger.note(tx, map(contents.of_signal, rows))
            else:
                leaf = ledger.append_batch(tx, member, batch_id, signed, leaves.answer_digest(digest, kept), rows)
            batches.keep(tx, member, batch_id, digest, kept, received_on, None if leaf is None else leaf.index)
            return Taken(answer, leaf), True

        # The member's row is locked before anything is read, so each statement may see the newest rows.
        taken, first_time = self._database.run("submit_signals", work, isolation=Isolation.READ_COMMITTED)
        if first_time:
            for kind, count in Counter(disposition.kind for disposition in taken.answer).items():
                self._metrics.signals.add(kind.value, count)
        return taken

    def _keyed(
        self, member: MemberId, batch: Sequence[Signal | Rejection], caller_serial: int
    ) -> list[KeyedSignal | Rejection]:
        """The batch with the registry's own pseudonyms in place of the member's, which end here."""
        known = self._known_epochs(caller_serial, batch)
        keyed: list[KeyedSignal | Rejection] = []
        for entry in batch:
            if isinstance(entry, Rejection):
                keyed.append(entry)
            elif any(pseudonym.epoch not in known for pseudonym in entry.pseudonyms):
                bare = tuple(replace(pseudonym, value=b"") for pseudonym in entry.pseudonyms)
                keyed.append(Rejection(Code.EPOCH_UNKNOWN.value, content_digest(replace(entry, pseudonyms=bare))))
            else:
                # A retraction leaves a version and nothing to meet by.
                pseudonyms = () if entry.retracted else self._keys.keyed_of(member, entry)
                own = Signal(
                    entry.handle,
                    entry.version,
                    pseudonyms,
                    entry.presences,
                    entry.opening,
                    entry.duty_ended,
                    retracted=entry.retracted,
                    drill=entry.drill,
                )
                keyed.append(KeyedSignal(ref_of(member, entry.handle), own, content_digest(own)))
        return keyed

    def _known_epochs(self, caller_serial: int, batch: Sequence[Signal | Rejection]) -> set[int]:
        descriptor = self._descriptors()
        listed = {epoch.epoch for epoch in descriptor.epochs}
        stated = [entry for entry in batch if isinstance(entry, Signal)]
        named = {pseudonym.epoch for entry in stated for pseudonym in entry.pseudonyms}
        for epoch in sorted(named & listed):
            if not self._keys.has(epoch):
                self._log(EPOCH_WITHOUT_KEY, epoch=epoch)
                raise UppropError(
                    Code.EPOCH_UNKNOWN,
                    f"The registry has no key of epoch {epoch} yet. Keep the batch and send it later.",
                )
        if named - listed and caller_serial > descriptor.serial:
            raise UppropError(
                Code.EPOCH_UNKNOWN, "The registry works by an older descriptor. Keep the batch and send it later."
            )
        if stated and all(any(pseudonym.epoch not in listed for pseudonym in entry.pseudonyms) for entry in stated):
            raise UppropError(
                Code.EPOCH_UNKNOWN, "The descriptor names none of the batch's epochs. Fetch the newest descriptor."
            )
        return named & listed

    def report_roster(self, member: MemberId, as_of: date, roster: int, today: date) -> None:
        """Note the member's newest import; an older one than the newest known changes nothing.

        Raises UppropError(DATE_SKEW) for an import dated more than a day ahead.
        """
        if as_of > today + timedelta(days=1):
            raise UppropError(Code.DATE_SKEW, "The import is dated more than a day ahead. Check the as-of date.")

        def work(tx: Transaction) -> None:
            before = members.lock(tx, member)
            if before is not None and as_of < before:
                return
            members.report(tx, member, as_of, roster)
            close = closes.newest(tx, finished=False)
            if before is None or (close is not None and (close.closed_on - before).days > SILENT_DAYS):
                # A silence is over: what this member has may now answer gaps that it did not answer while silent.
                signals.touch_member(tx, member)

        self._database.run("report_roster", work, isolation=Isolation.READ_COMMITTED)


def _stated(
    keyed: Sequence[KeyedSignal | Rejection], answer: Sequence[Disposition], standing: Mapping[Ref, Standing]
) -> list[KeyedSignal]:
    """What of a batch was said, though a higher version stood or came with it: an opening counts in whatever order.

    What retention has taken away is over, and is not looked at again for a version that comes late.
    """
    purged = {ref for ref, stands in standing.items() if stands.content_digest == PURGED_DIGEST}
    return [
        entry
        for entry, disposition in zip(keyed, answer, strict=True)
        if isinstance(entry, KeyedSignal)
        and (
            disposition.kind is DispositionKind.ACCEPTED
            or (disposition.kind is DispositionKind.STALE and entry.ref not in purged)
        )
    ]
