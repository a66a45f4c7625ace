"""The Merkle tree against RFC 9162's own definitions, written out here once more, and against its published example."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.rules import merkle
from federation.rules.merkle import EMPTY_ROOT, Frontier, ProofError, ProofFlaw, leaf_hash

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "certificate_transparency_merkle.json").read_text(encoding="utf-8")
)
LARGEST = 70
TREES = st.lists(st.binary(max_size=3), min_size=1, max_size=LARGEST)


# -- section 2.1 as it is written: recursive, over lists of data ------------------------------------------------------


def mth(data: Sequence[bytes]) -> bytes:
    if not data:
        return hashlib.sha256().digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = _k(len(data))
    return hashlib.sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def path(m: int, data: Sequence[bytes]) -> list[bytes]:
    if len(data) == 1:
        return []
    k = _k(len(data))
    return [*path(m, data[:k]), mth(data[k:])] if m < k else [*path(m - k, data[k:]), mth(data[:k])]


def proof(m: int, data: Sequence[bytes]) -> list[bytes]:
    return _subproof(m, data, b=True)


def _subproof(m: int, data: Sequence[bytes], *, b: bool) -> list[bytes]:
    if m == len(data):
        return [] if b else [mth(data)]
    k = _k(len(data))
    if m <= k:
        return [*_subproof(m, data[:k], b=b), mth(data[k:])]
    return [*_subproof(m - k, data[k:], b=False), mth(data[:k])]


def _k(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


class Stored:
    """A tree as a store keeps it: every complete subtree, and a frontier."""

    def __init__(self, data: Sequence[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.reads = 0
        self.frontier = Frontier()
        for each in data:
            leaf = leaf_hash(each)
            self.nodes.update(((node.level, node.index), node.hash) for node in self.frontier.completed(leaf))
            self.frontier = self.frontier.append(leaf)

    def fetch(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self.nodes[level, index]


@pytest.mark.parametrize("size", range(9))
def test_the_published_tree_has_the_published_roots(size: int) -> None:
    data = [bytes.fromhex(each) for each in VECTORS["leaves"]][:size]
    assert Stored(data).frontier.root().hex() == VECTORS["roots"][size] == mth(data).hex()


def test_the_published_proofs_are_made_and_hold() -> None:
    data = [bytes.fromhex(each) for each in VECTORS["leaves"]]
    roots = [bytes.fromhex(each) for each in VECTORS["roots"]]
    tree = Stored(data)
    for case in VECTORS["inclusion"]:
        index, size, stated = case["index"], case["size"], [bytes.fromhex(each) for each in case["path"]]
        assert merkle.inclusion_path(index, size, tree.fetch) == stated == path(index, data[:size])
        merkle.verify_inclusion(leaf_hash(data[index]), index, size, stated, roots[size])
    for case in VECTORS["consistency"]:
        first, second, stated = case["first"], case["second"], [bytes.fromhex(each) for each in case["path"]]
        assert merkle.consistency_path(first, second, tree.fetch) == stated == proof(first, data[:second])
        merkle.verify_consistency(first, roots[first], second, roots[second], stated)


def test_every_proof_in_every_small_tree_is_the_rfcs_and_holds() -> None:
    data = [bytes([number]) for number in range(LARGEST)]
    roots = [mth(data[:size]) for size in range(LARGEST + 1)]
    tree = Stored(data)
    for size in range(1, LARGEST + 1):
        assert merkle.frontier_at(size, tree.fetch).root() == roots[size]
        for index in range(size):
            made = merkle.inclusion_path(index, size, tree.fetch)
            assert made == path(index, data[:size])
            merkle.verify_inclusion(leaf_hash(data[index]), index, size, made, roots[size])
            made = merkle.consistency_path(index + 1, size, tree.fetch)
            assert made == proof(index + 1, data[:size])
            merkle.verify_consistency(index + 1, roots[index + 1], size, roots[size], made)
        merkle.verify_consistency(0, EMPTY_ROOT, size, roots[size], [])


@given(TREES, st.data())
@settings(max_examples=150, deadline=None)
def test_a_changed_inclusion_proof_never_holds(data: list[bytes], draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, len(data) - 1))
    tree = Stored(data)
    made, root, leaf = merkle.inclusion_path(index, len(data), tree.fetch), mth(data), leaf_hash(data[index])
    for change in _changes(made, draw):
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf, index, len(data), change, root)
    with pytest.raises(ProofError) as refused:
        merkle.verify_inclusion(leaf, index, len(data), made, _flipped(root))
    assert refused.value.flaw is ProofFlaw.ROOT_DIFFERS
    with pytest.raises(ProofError):
        merkle.verify_inclusion(_flipped(leaf), index, len(data), made, root)
    # Leaves may be equal; then so are some paths.
    other = draw.draw(st.integers(0, len(data) + 3))
    if other >= len(data) or path(other, data) != made or leaf_hash(data[other]) != leaf:
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf, other, len(data), made, root)


@given(TREES, st.data())
@settings(max_examples=150, deadline=None)
def test_a_changed_consistency_proof_never_holds(data: list[bytes], draw: st.DataObject) -> None:
    first, second = draw.draw(st.integers(1, len(data))), len(data)
    tree, first_root, root = Stored(data), mth(data[:first]), mth(data)
    made = merkle.consistency_path(first, second, tree.fetch)
    for change in _changes(made, draw):
        with pytest.raises(ProofError):
            merkle.verify_consistency(first, first_root, second, root, change)
    with pytest.raises(ProofError):
        merkle.verify_consistency(first, _flipped(first_root), second, root, made)
    with pytest.raises(ProofError):
        merkle.verify_consistency(first, first_root, second, _flipped(root), made)
    if first < second:
        with pytest.raises(ProofError) as refused:
            merkle.verify_consistency(second, root, first, first_root, made)
        assert refused.value.flaw is ProofFlaw.SIZE_SHRUNK


@given(TREES, st.data())
@settings(max_examples=100, deadline=None)
def test_a_history_that_was_rewritten_has_no_consistency_proof(data: list[bytes], draw: st.DataObject) -> None:
    first = draw.draw(st.integers(1, len(data)))
    changed = list(data)
    changed[draw.draw(st.integers(0, first - 1))] += b"changed"
    made = merkle.consistency_path(first, len(data), Stored(changed).fetch)
    with pytest.raises(ProofError):
        merkle.verify_consistency(first, mth(data[:first]), len(data), mth(changed), made)


@given(TREES)
@settings(max_examples=50, deadline=None)
def test_a_frontier_that_was_kept_goes_on_as_if_it_had_not_been(data: list[bytes]) -> None:
    frontier = Frontier()
    for size, each in enumerate(data, start=1):
        frontier = Frontier.decode(frontier.size, frontier.encoded).append(leaf_hash(each))
        assert frontier.root() == mth(data[:size])


@pytest.mark.parametrize(("size", "encoded"), [(1, b""), (0, bytes(32)), (3, bytes(32)), (2, bytes(31)), (-1, b"")])
def test_bytes_that_are_no_frontier_are_refused(size: int, encoded: bytes) -> None:
    with pytest.raises(ValueError, match="frontier"):
        Frontier.decode(size, encoded)


def test_a_proof_reads_no_more_than_two_hashes_a_level() -> None:
    size = 100_003
    reads = 0

    def fetch(level: int, index: int) -> bytes:
        nonlocal reads
        reads += 1
        assert (index + 1) << level <= size, "only complete subtrees are stored"
        return bytes(32)

    makers = [functools.partial(merkle.inclusion_path, index, size, fetch) for index in (0, 77, size - 1)]
    makers += [functools.partial(merkle.consistency_path, first, size, fetch) for first in (1, 65_536, 99_999)]
    for make in makers:
        reads = 0
        make()
        assert reads <= 2 * size.bit_length()


def test_what_a_proof_needs_can_be_asked_beforehand() -> None:
    tree = Stored([bytes([number]) for number in range(21)])
    named = merkle.needed(lambda fetch: merkle.inclusion_path(7, 21, fetch))
    found = {place: tree.nodes[place] for place in named}
    made = merkle.inclusion_path(7, 21, lambda level, index: found[level, index])
    assert made == merkle.inclusion_path(7, 21, tree.fetch)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 3)])
def test_there_is_no_path_to_a_leaf_beyond_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion_path(index, size, lambda _level, _index: bytes(32))


def _changes(made: list[bytes], draw: st.DataObject) -> list[list[bytes]]:
    """The proof with a hash left out, added, doubled, altered, cut short, or with two swapped."""
    changes = [[*made, bytes(32)], [bytes(32), *made]]
    if made:
        place = draw.draw(st.integers(0, len(made) - 1))
        changes += [
            made[:place] + made[place + 1 :],
            [*made[:place], made[place], *made[place:]],
            [*made[:place], _flipped(made[place]), *made[place + 1 :]],
            [*made[:place], made[place][:-1], *made[place + 1 :]],
        ]
    if len(made) > 1:
        first, second = draw.draw(st.sampled_from([(a, b) for b in range(len(made)) for a in range(b)]))
        swapped = list(made)
        swapped[first], swapped[second] = made[second], made[first]
        if swapped != made:
            changes.append(swapped)
    return changes


def _flipped(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]
