"""The Merkle tree of RFC 9162 section 2.1: hashes, the two proofs, and who checks them. Pure.

Invariants
    - A leaf and a node never hash alike: one byte tells them apart.
    - A verifier recomputes roots; it raises and never answers yes or no. Every path has exactly one length, so nothing
      can be added to a proof, left out of it or reordered.
    - Whoever makes a proof reads hashes of complete subtrees alone, at most 2·log₂(size) of them.

A complete subtree is named (level, index): it covers the leaves from index·2^level on, 2^level of them.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without leaves."""

MAX_SIZE = 2**63 - 1
"""What the stores' integers hold."""

Fetch = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree (level, index)."""


class ProofFlaw(enum.StrEnum):
    """Why a proof is refused."""

    INDEX_BEYOND_TREE = "the leaf's index lies beyond the tree"
    HASH_LENGTH = "a hash is not of 32 bytes"
    PATH_TOO_SHORT = "the path ends too early"
    PATH_TOO_LONG = "the path has more hashes than it needs"
    ROOT_DIFFERS = "the path leads to another root"
    SIZE_SHRUNK = "the later tree is smaller than the earlier"
    FIRST_ROOT_DIFFERS = "the path does not lead to the earlier root"
    SECOND_ROOT_DIFFERS = "the path does not lead to the later root"
    SAME_SIZE_OTHER_ROOT = "two trees of one size have different roots"


class ProofError(Exception):
    """A proof that does not hold."""

    def __init__(self, flaw: ProofFlaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree and its hash."""

    level: int
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """The complete subtrees that a tree of `size` leaves is made of, largest first: all that appending needs."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE or len(self.hashes) != self.size.bit_count():
            raise ValueError("a frontier has one hash for each bit of its size")

    def completed(self, leaf: bytes) -> list[Node]:
        """The leaf, by its hash, and every subtree that it completes when it is appended; lowest level first."""
        nodes, current, rest = [Node(0, self.size, leaf)], leaf, list(self.hashes)
        level, index = 0, self.size
        while index & 1:
            current = node_hash(rest.pop(), current)
            level, index = level + 1, index >> 1
            nodes.append(Node(level, index, current))
        return nodes

    def append(self, leaf: bytes) -> Frontier:
        """The frontier of the tree with one leaf more, given by its hash."""
        top = self.completed(leaf)[-1]
        return Frontier(self.size + 1, (*self.hashes[: len(self.hashes) - top.level], top.hash))

    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        *larger, root = self.hashes
        for left in reversed(larger):
            root = node_hash(left, root)
        return root

    @property
    def encoded(self) -> bytes:
        """The hashes, one after the other; `decode` needs the size beside them."""
        return b"".join(self.hashes)

    @classmethod
    def decode(cls, size: int, encoded: bytes) -> Frontier:
        """Raises ValueError for bytes that are no frontier of a tree of this size."""
        if len(encoded) % HASH_BYTES:
            raise ValueError("a frontier is made of whole hashes")
        places = range(0, len(encoded), HASH_BYTES)
        return cls(size, tuple(encoded[place : place + HASH_BYTES] for place in places))

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> Frontier:
        """The frontier of a whole tree, from the hashes of its leaves."""
        frontier = cls()
        for leaf in leaves:
            frontier = frontier.append(leaf)
        return frontier


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over the hashes of leaves."""
    return Frontier.of(leaves).root()


def frontier_at(size: int, fetch: Fetch) -> Frontier:
    """The frontier that a tree had when it was of this size."""
    hashes, done = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            hashes.append(fetch(level, done >> level))
            done += 1 << level
    return Frontier(size, tuple(hashes))


def inclusion_path(index: int, size: int, fetch: Fetch) -> list[bytes]:
    """PATH(index, D_size) of section 2.1.3.1. Raises ValueError for a leaf beyond the tree."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of that size")
    begin, end = 0, size
    path: list[bytes] = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_subtree(middle, end, fetch))
            end = middle
        else:
            path.append(_subtree(begin, middle, fetch))
            begin = middle
    return path[::-1]


def consistency_path(first: int, second: int, fetch: Fetch) -> list[bytes]:
    """PROOF(first, D_second) of section 2.1.4.1; empty from 0, which every tree continues, and to the same size.

    Raises ValueError where the second tree is smaller.
    """
    if not 0 <= first <= second:
        raise ValueError("a tree does not shrink")
    if first in (0, second):
        return []
    begin, end, whole = 0, second, True
    path: list[bytes] = []
    while first < end:
        middle = begin + _split(end - begin)
        if first <= middle:
            path.append(_subtree(middle, end, fetch))
            end = middle
        else:
            path.append(_subtree(begin, middle, fetch))
            begin, whole = middle, False
    if not whole:
        path.append(_subtree(begin, end, fetch))
    return path[::-1]


def needed(walk: Callable[[Fetch], object]) -> set[tuple[int, int]]:
    """The complete subtrees that making a proof will fetch, so that they can be read all at once."""
    named: set[tuple[int, int]] = set()

    def note(level: int, index: int) -> bytes:
        named.add((level, index))
        return EMPTY_ROOT

    walk(note)
    return named


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Section 2.1.3.2: the leaf with this hash stands at `index` in the tree of `size` with this root.

    Raises ProofError.
    """
    _check_lengths([leaf, root, *path])
    if not 0 <= index < size:
        raise ProofError(ProofFlaw.INDEX_BEYOND_TREE)
    fn, sn, current = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            raise ProofError(ProofFlaw.PATH_TOO_LONG)
        if fn & 1 or fn == sn:
            current = node_hash(sibling, current)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            current = node_hash(current, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofError(ProofFlaw.PATH_TOO_SHORT)
    if current != root:
        raise ProofError(ProofFlaw.ROOT_DIFFERS)


def verify_consistency(first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> None:
    """Section 2.1.4.2: the tree of size `second` begins with the tree of size `first`. Raises ProofError."""
    _check_lengths([first_root, second_root, *path])
    if not 0 <= first <= second:
        raise ProofError(ProofFlaw.SIZE_SHRUNK)
    if first == 0 and first_root != EMPTY_ROOT:
        raise ProofError(ProofFlaw.FIRST_ROOT_DIFFERS)
    if first in (0, second):
        if path:
            raise ProofError(ProofFlaw.PATH_TOO_LONG)
        if first == second and first_root != second_root:
            raise ProofError(ProofFlaw.SAME_SIZE_OTHER_ROOT)
        return
    # A first tree that is one complete subtree is itself where the path starts.
    hashes = iter([first_root, *path] if first & (first - 1) == 0 else path)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    start = next(hashes, None)
    if start is None:
        raise ProofError(ProofFlaw.PATH_TOO_SHORT)
    from_first = from_second = start
    for sibling in hashes:
        if sn == 0:
            raise ProofError(ProofFlaw.PATH_TOO_LONG)
        if fn & 1 or fn == sn:
            from_first, from_second = node_hash(sibling, from_first), node_hash(sibling, from_second)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            from_second = node_hash(from_second, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofError(ProofFlaw.PATH_TOO_SHORT)
    if from_first != first_root:
        raise ProofError(ProofFlaw.FIRST_ROOT_DIFFERS)
    if from_second != second_root:
        raise ProofError(ProofFlaw.SECOND_ROOT_DIFFERS)


def _check_lengths(hashes: Iterable[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofError(ProofFlaw.HASH_LENGTH)


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (≥ 2): where RFC 9162 parts a tree."""
    return 1 << (count - 1).bit_length() - 1


def _subtree(begin: int, end: int, fetch: Fetch) -> bytes:
    """The root over the leaves [begin, end), a range at which some tree is parted."""
    *larger, root = [fetch(level, index) for level, index in _complete(begin, end)]
    for left in reversed(larger):
        root = node_hash(left, root)
    return root


def _complete(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees that a range is made of, largest first; `begin` is a multiple of the first's leaves."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield level, begin >> level
        begin += 1 << level
