"""Whether the registry's ledger still holds all that it held: proofs asked for, checked, and what they show.

Invariants
    - A checkpoint is kept only once it was proved to continue the one before and those of all receipts since.
    - A registry that cannot be reached has shown nothing; one that answers and cannot prove has.
    - What is found names the leaves: those of our own exactly, those of others by the trees that still hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from federation import checkpoint as checkpoints
from federation.checkpoint import Checkpoint
from federation.errors import Code, UppropError
from federation.rules.merkle import ProofError, verify_consistency, verify_inclusion
from federation.rules.vocabulary import MAX_BATCH
from node.ledger.findings import Finding, Kind, with_evidence
from node.ledger.receipts import Held

T = TypeVar("T")

REFUSALS = frozenset(
    {
        Code.LEDGER_BROKEN,
        Code.LEDGER_PROOF_REFUSED,
        Code.LEDGER_CHECKPOINT_REFUSED,
        Code.REQUEST_INVALID,
        Code.INPUT_REFUSED,
        Code.INTERNAL,
    }
)
"""A registry that answers a sound question with one of these cannot prove what it must."""


class LedgerLink(Protocol):
    """The registry's ledger as it is asked; `node.ledger.uplink.LedgerLink`."""

    def checkpoint(self) -> bytes: ...
    def inclusion(self, size: int, indexes: Sequence[int]) -> tuple[tuple[bytes, ...], ...]: ...
    def consistency(self, first: int, second: int) -> tuple[bytes, ...]: ...


class NotProvedError(Exception):
    """The registry has answered, and what it answered does not hold."""


class Prover:
    """Asks the registry for proofs. `ledger_key` is the descriptor's (raw Ed25519)."""

    def __init__(self, link: LedgerLink, ledger_key: bytes) -> None:
        self._link = link
        self._ledger_key = ledger_key

    def newest(self) -> tuple[bytes, Checkpoint]:
        """The newest note. Raises NotProvedError, or UppropError where the registry cannot be asked."""
        note = self._asked(self._link.checkpoint)
        try:
            return note, checkpoints.verify(note, self._ledger_key)
        except UppropError as error:
            raise NotProvedError from error

    def continues(self, earlier: Checkpoint, later: Checkpoint) -> None:
        """The later tree begins with the earlier one. Raises as `newest`."""
        path: tuple[bytes, ...] = ()
        if 0 < earlier.size < later.size:
            path = self._asked(lambda: self._link.consistency(earlier.size, later.size))
        try:
            verify_consistency(earlier.size, earlier.root, later.size, later.root, path)
        except ProofError as error:
            raise NotProvedError from error

    def leaves(self, held: Sequence[Held], tree: Checkpoint) -> Iterator[Finding]:
        """What is not where its receipt says, of at most 1 000 leaves that lie within a tree."""
        if len(held) > MAX_BATCH:
            raise ValueError("too many leaves for one question")
        indexes = [each.receipt.leaf_index for each in held]
        try:
            paths = self._asked(lambda: self._link.inclusion(tree.size, indexes)) if held else ()
        except NotProvedError:
            # One leaf that cannot be read must not hide which one it is.
            if len(held) > 1:
                middle = len(held) // 2
                yield from self.leaves(held[:middle], tree)
                yield from self.leaves(held[middle:], tree)
                return
            paths = ((),)
        for each, path in zip(held, paths, strict=True):
            try:
                verify_inclusion(each.leaf, each.receipt.leaf_index, tree.size, path, tree.root)
            except ProofError:
                index = each.receipt.leaf_index
                yield with_evidence(Finding(Kind.LEAF_GONE, index, index), each.receipt.checkpoint)

    def _asked(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except UppropError as error:
            if error.code in REFUSALS:
                raise NotProvedError from error
            raise


def still_holds(prover: Prover, proved: Sequence[Checkpoint], newest: Checkpoint) -> int:
    """The size of the greatest of the trees that were proved before, by size, which the newest one still continues.

    Whatever changed lies beyond. A tree that continues one continues all that came before it, hence the bisection.
    """
    low, high = 0, len(proved)
    while low < high:
        middle = (low + high) // 2
        try:
            prover.continues(proved[middle], newest)
        except NotProvedError:
            high = middle
        else:
            low = middle + 1
    return proved[low - 1].size if low else 0
