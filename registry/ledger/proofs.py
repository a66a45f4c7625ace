"""Proofs from the stored tree: hashes alone, whatever the leaves stand for.

Invariant: however many leaves are asked about, the hashes of complete subtrees they need are read together: at most
2·log₂(size) for each leaf, most of them shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.merkle import Fetch, consistency_path, inclusion_path, needed
from registry.store import Transaction, ledger

T = TypeVar("T")


class Proofs:
    """Proves what is in the tree, and that it only ever grew."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def inclusion(self, size: int, indexes: Sequence[int]) -> list[list[bytes]]:
        """A path for each leaf, in their order, to the root of the tree of a size.

        Raises UppropError: REQUEST_INVALID for a tree that has not been, or a leaf beyond it; LEDGER_BROKEN.
        """
        if any(index >= size for index in indexes):
            raise UppropError(Code.REQUEST_INVALID, "A leaf lies beyond the tree that was asked about.")
        return self._made(size, lambda fetch: [inclusion_path(index, size, fetch) for index in indexes])

    def consistency(self, first: int, second: int) -> list[bytes]:
        """That the tree of one size begins with that of another. Raises UppropError as above."""
        if first > second:
            raise UppropError(Code.REQUEST_INVALID, "The first tree is larger than the second; turn them round.")
        return self._made(second, lambda fetch: consistency_path(first, second, fetch))

    def _made(self, size: int, make: Callable[[Fetch], T]) -> T:
        def work(tx: Transaction) -> T:
            if size > ledger.head(tx).size:
                raise UppropError(Code.REQUEST_INVALID, "The ledger has not been so large yet. Ask for a checkpoint.")
            hashes = ledger.nodes(tx, needed(make))
            try:
                return make(lambda level, index: hashes[level, index])
            except KeyError as error:
                raise UppropError(
                    Code.LEDGER_BROKEN, "The registry's ledger lacks a part of its tree. Tell the authority."
                ) from error

        return self._database.view("ledger_proofs", work)
