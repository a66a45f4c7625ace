"""An epoch's life at the registry: its key made, its begin and end told to members, its key and pairs taken away.

State of an epoch: keyed (`begin`) → begun (a close has seen a descriptor with it) → ended (a close has seen one without
it) → destroyed (`retire`: key, then pairs). Invariants
    - Nothing of an epoch is destroyed while the descriptor in force lists it, nor while a handle would lose by it whom
      it meets, unless its member was named as left behind.
    - That it is destroyed is durable, and in the ledger, before its key is; run again, it goes on where it stopped.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from federation.clock import Clock
from federation.database import Database, Isolation
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.observability import Log
from federation.rules.vocabulary import MemberId, NoticeKind
from privacy.registry_key import REGISTRY_KEY_BYTES
from registry.epochs.progress import Progress, in_the_way, progress
from registry.keys import PseudonymKeys
from registry.model import NoticeDraft
from registry.observability import EPOCH_DESTROYED, EPOCH_KEY_MADE
from registry.store import Transaction, epochs, ledger, members
from registry.store.epochs import Life
from registry.store.ledger import Entry, EntryKind

HANDLES_A_TRANSACTION = 5_000
"""Whose pairs go at once: well under a second, so that batches sent meanwhile do not wait long."""


KEYS_SECONDS = 600.0
"""How long a replica keeps in memory the key that another has destroyed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One epoch: `life` None before a close has seen it."""

    epoch: int
    listed: bool
    has_key: bool
    has_pairs: bool
    life: Life | None = None


def take_up(tx: Transaction, on: date, descriptor: Descriptor) -> list[NoticeDraft]:
    """Note which epochs the descriptor lists that it did not before, and which no more; returns what members are told.

    For the begin of a close. The first epochs of a federation are nobody's news.
    """
    known = epochs.lives(tx)
    listed = {epoch.epoch for epoch in descriptor.epochs}
    begun = sorted(epoch for epoch in listed if epoch not in known or known[epoch].ended_on is not None)
    ended = sorted(epoch for epoch, life in known.items() if epoch not in listed and life.ended_on is None)
    for epoch in begun:
        epochs.begin(tx, epoch, on)
    for epoch in ended:
        epochs.end(tx, epoch, on)
    ledger.note(tx, [_entry("begun", epoch) for epoch in begun] + [_entry("ended", epoch) for epoch in ended])
    if not known or not (begun or ended):
        return []
    return [NoticeDraft(member.member_id, NoticeKind.EPOCH) for member in descriptor.members]


class Epochs:
    """What the registry's operator does with epochs."""

    def __init__(
        self,
        database: Database,
        keys: PseudonymKeys,
        descriptors: Callable[[], Descriptor],
        clock: Clock,
        log: Log,
    ) -> None:
        self._database, self._keys, self._descriptors = database, keys, descriptors
        self._clock, self._log = clock, log

    def begin(self, epoch: int) -> Path:
        """Make the key of a new epoch; returns its file. Raises UppropError: INPUT_REFUSED, CONFIG_INVALID."""
        newest = max((each.epoch for each in self._descriptors().epochs), default=0)
        known = self._database.view("epochs_known", epochs.lives)
        if epoch <= max(newest, max(known, default=0)):
            raise UppropError(
                Code.INPUT_REFUSED,
                f"Epoch {epoch} is no new one. Number it {max(newest, max(known, default=0)) + 1}; a lost key of an "
                "epoch in force is restored from its own safe place, never made again.",
            )
        path = self._keys.make(epoch, secrets.token_bytes(REGISTRY_KEY_BYTES))
        self._database.run("epoch_key_made", lambda tx: ledger.note(tx, [_entry("keyed", epoch)]))
        self._log(EPOCH_KEY_MADE, epoch=epoch)
        return path

    def show(self) -> tuple[list[Shown], list[Progress]]:
        """Every epoch that is listed or was, and how far each member has come with those in force."""
        listed = {epoch.epoch for epoch in self._descriptors().epochs}

        def work(tx: Transaction) -> tuple[list[Shown], list[Progress]]:
            known = epochs.lives(tx)
            shown = [
                Shown(epoch, epoch in listed, self._keys.has(epoch), epochs.pairs(tx, epoch) > 0, known.get(epoch))
                for epoch in sorted(listed | known.keys())
            ]
            return shown, self._progress(tx, listed)

        return self._database.view("epochs_shown", work)

    def retire(
        self, epoch: int, left_behind: Collection[MemberId] = (), *, look_only: bool = False
    ) -> Iterator[tuple[int, int]]:
        """Destroy the key and the pairs of an epoch that is listed no more; yields (done, total) pairs.

        Where it only looks, nothing is changed. Raises UppropError(INPUT_REFUSED), saying what stands in the way.
        """
        listed = {each.epoch for each in self._descriptors().epochs}
        standing = listed - {epoch}
        known, total = self._database.view("epoch_known", lambda tx: (epochs.lives(tx), epochs.pairs(tx, epoch)))
        if epoch not in known and not total and not self._keys.has(epoch):
            raise UppropError(Code.INPUT_REFUSED, f"There is nothing of an epoch {epoch} here.")
        if not standing:
            raise UppropError(
                Code.INPUT_REFUSED, f"No epoch but {epoch} is in force. Begin another: upprop registry epoch begin."
            )
        if epoch not in known or known[epoch].destroyed_at is None:
            self._refuse_losses(epoch, standing, left_behind)
        if epoch in listed:
            raise UppropError(
                Code.INPUT_REFUSED,
                f"Every member is done, but the descriptor in force lists epoch {epoch}. Have the authority sign one "
                f"without it (upprop federation remove DRAFT --epoch {epoch}), put it in place everywhere, and run "
                "this again.",
            )
        if look_only:
            return
        self._database.run("epoch_destroyed", lambda tx: self._destroyed(tx, epoch, standing, left_behind))
        self._keys.destroy(epoch)
        self._log(EPOCH_DESTROYED, epoch=epoch, left_behind=", ".join(sorted(left_behind)))
        done = 0
        while removed := self._remove(epoch):
            done += removed
            yield done, max(total, done)
        self._database.run("epoch_pairs_gone", lambda tx: ledger.note(tx, [_entry("pairs gone", epoch)]))

    def forget_gone(self) -> None:
        """Forget keys that another replica has destroyed."""
        self._keys.forget_gone([epoch.epoch for epoch in self._descriptors().epochs])

    def _remove(self, epoch: int) -> int:
        return self._database.run(
            "epoch_pairs",
            lambda tx: epochs.remove_pairs(tx, epoch, HANDLES_A_TRANSACTION),
            isolation=Isolation.READ_COMMITTED,
        )

    def _refuse_losses(self, epoch: int, standing: Collection[int], left_behind: Collection[MemberId]) -> None:
        found = self._database.view("epoch_progress", lambda tx: self._progress(tx, standing))
        known = {each.member for each in found}
        if unknown := sorted(set(left_behind) - known):
            raise UppropError(Code.INPUT_REFUSED, f"There is no member {unknown[0]} to leave behind.")
        blocking = in_the_way(found, left_behind)
        if blocking:
            names = ", ".join(each.member + ("" if each.listed else " (no member any more)") for each in blocking)
            raise UppropError(
                Code.INPUT_REFUSED,
                f"Epoch {epoch} stays: not every pupil of {names} has the pseudonym of the newer epoch. A node adds it "
                "by itself: have its administrator take up the newest descriptor, run upprop node sync and look at "
                "upprop node status. What can no more be done (a member that has left; pupils whose number nobody "
                "knows) is given up by name, with --leave-behind: what was said of these pupils then meets nobody.",
            )

    def _destroyed(
        self, tx: Transaction, epoch: int, standing: Collection[int], left_behind: Collection[MemberId]
    ) -> None:
        life = epochs.lives(tx).get(epoch)
        if life is not None and life.destroyed_at is not None:
            return
        epochs.touch_left_behind(tx, epoch, standing)
        epochs.destroyed(tx, epoch, self._clock.today(), self._clock.now())
        ledger.note(tx, [_entry("destroyed", epoch, left_behind)])

    def _progress(self, tx: Transaction, standing: Collection[int]) -> list[Progress]:
        listed = [member.member_id for member in self._descriptors().members]
        handles = {member: (each.live, each.lacking) for member, each in epochs.handles(tx, standing).items()}
        return progress(listed, handles, members.last_contacts(tx))


def _entry(step: str, epoch: int, left_behind: Collection[MemberId] = ()) -> Entry:
    stated = {"epoch": epoch, "step": step, "left_behind": sorted(left_behind)}
    return Entry(EntryKind.EPOCH, msgspec.json.encode(stated))
