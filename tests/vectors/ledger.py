"""Writes the ledger's negative vectors: one small file per flaw in `ledger/`, each with the step that must refuse it,
the flaw it must name, and why.

Run `python tests/vectors/ledger.py` to write them again; a test compares. Keys are fixed, so the same program gives the
same files.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import checkpoint
from federation.checkpoint import ORIGIN, Checkpoint, CheckpointFlaw
from federation.rules import merkle
from federation.rules.merkle import Frontier, ProofFlaw, leaf_hash

DIRECTORY = Path(__file__).with_name("ledger")
LEAVES, FIRST, INDEX = 21, 13, 6
AT = datetime(2026, 9, 1, 18, 0, tzinfo=UTC)
Vector = dict[str, Any]

OWN, OTHER, WITNESS = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))


class World:
    """A tree of 21 leaves, two sound proofs, and its checkpoint, signed and co-signed."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        frontier = Frontier()
        roots = [frontier.root()]
        for number in range(LEAVES):
            leaf = leaf_hash(bytes([number]))
            self.nodes.update(((node.level, node.index), node.hash) for node in frontier.completed(leaf))
            frontier = frontier.append(leaf)
            roots.append(frontier.root())
        self.roots = roots
        self.checkpoint = Checkpoint(LEAVES, roots[LEAVES])
        self.note = checkpoint.sign(self.checkpoint, OWN)

    def fetch(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def inclusion(self, **changes: Any) -> Vector:
        path = merkle.inclusion_path(INDEX, LEAVES, self.fetch)
        sound = {"leaf": leaf_hash(bytes([INDEX])), "index": INDEX, "size": LEAVES, "path": path}
        return _written({**sound, "root": self.roots[LEAVES], **changes})

    def consistency(self, **changes: Any) -> Vector:
        path = merkle.consistency_path(FIRST, LEAVES, self.fetch)
        sound = {"first": FIRST, "first_root": self.roots[FIRST], "second": LEAVES, "second_root": self.roots[LEAVES]}
        return _written({**sound, "path": path, **changes})

    def signed(self, text: str, key: Ed25519PrivateKey = OWN, name: str = ORIGIN) -> str:
        """A note over whatever text, with a signature that holds."""
        return f"{text}\n{_line(name, key, text)}"


def _line(name: str, key: Ed25519PrivateKey, text: str) -> str:
    # What `checkpoint.sign` makes, over a text that it would not make.
    whole = checkpoint.sign(Checkpoint(0, bytes(32)), key, name).decode()
    blob = base64.b64decode(whole.rsplit(" ", 1)[1])
    return f"— {name} {base64.b64encode(blob[:4] + key.sign(text.encode())).decode()}\n"


def _written(fields: Vector) -> Vector:
    def shown(value: Any) -> Any:
        if isinstance(value, list):
            return [shown(each) for each in value]
        return value.hex() if isinstance(value, bytes) else value

    return {name: shown(value) for name, value in fields.items()}


def flipped(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]


def inclusions(world: World) -> Iterator[tuple[str, ProofFlaw, str, Vector]]:
    path = merkle.inclusion_path(INDEX, LEAVES, world.fetch)
    swapped = [path[1], path[0], *path[2:]]
    made = world.inclusion
    yield "truncated", ProofFlaw.PATH_TOO_SHORT, "the last hash is left out", made(path=path[:-1])
    yield "empty", ProofFlaw.PATH_TOO_SHORT, "no hash at all", made(path=[])
    yield "extra-hash", ProofFlaw.PATH_TOO_LONG, "a hash more than the tree is high", made(path=[*path, bytes(32)])
    yield "swapped", ProofFlaw.ROOT_DIFFERS, "two hashes change places", made(path=swapped)
    yield "altered", ProofFlaw.ROOT_DIFFERS, "a bit of one hash", made(path=[flipped(path[0]), *path[1:]])
    yield "short-hash", ProofFlaw.HASH_LENGTH, "a hash of 31 bytes", made(path=[path[0][:-1], *path[1:]])
    yield "wrong-index", ProofFlaw.ROOT_DIFFERS, "the place of the neighbour", made(index=INDEX + 1)
    yield "index-beyond", ProofFlaw.INDEX_BEYOND_TREE, "the first place after the last leaf", made(index=LEAVES)
    yield "index-negative", ProofFlaw.INDEX_BEYOND_TREE, "a place before the first leaf", made(index=-1)
    yield "smaller-tree", ProofFlaw.PATH_TOO_LONG, "a tree of fewer levels", made(size=8)
    yield "larger-tree", ProofFlaw.PATH_TOO_SHORT, "a tree of more levels", made(size=64)
    yield "wrong-root", ProofFlaw.ROOT_DIFFERS, "the root of an earlier tree", made(root=world.roots[FIRST])
    yield "wrong-leaf", ProofFlaw.ROOT_DIFFERS, "another leaf in its place", made(leaf=leaf_hash(b"another"))
    node = merkle.node_hash(*(leaf_hash(bytes([number])) for number in (INDEX, INDEX + 1)))
    shorter = made(leaf=node, index=INDEX // 2, path=path[1:])
    yield "node-as-leaf", ProofFlaw.PATH_TOO_SHORT, "a node passed off as a leaf one level up", shorter


def consistencies(world: World) -> Iterator[tuple[str, ProofFlaw, str, Vector]]:
    path = merkle.consistency_path(FIRST, LEAVES, world.fetch)
    made = world.consistency
    yield "truncated", ProofFlaw.PATH_TOO_SHORT, "the last hash is left out", made(path=path[:-1])
    yield "empty", ProofFlaw.PATH_TOO_SHORT, "no hash at all", made(path=[])
    yield "extra-hash", ProofFlaw.PATH_TOO_LONG, "a hash more than the tree is high", made(path=[*path, bytes(32)])
    swapped = [path[1], path[0], *path[2:]]
    yield "swapped", ProofFlaw.FIRST_ROOT_DIFFERS, "two hashes change places", made(path=swapped)
    late = [*path[:-1], flipped(path[-1])]
    yield "altered", ProofFlaw.SECOND_ROOT_DIFFERS, "a bit of a hash that only the later tree has", made(path=late)
    yield "short-hash", ProofFlaw.HASH_LENGTH, "a hash of 31 bytes", made(path=[path[0][:-1], *path[1:]])
    fork = made(first_root=flipped(world.roots[FIRST]))
    yield "other-past", ProofFlaw.FIRST_ROOT_DIFFERS, "an earlier root that this tree never had", fork
    other = made(second_root=flipped(world.roots[LEAVES]))
    yield "other-present", ProofFlaw.SECOND_ROOT_DIFFERS, "a later root that this tree does not have", other
    shrunk = made(first=LEAVES, first_root=world.roots[LEAVES], second=FIRST, second_root=world.roots[FIRST])
    yield "size-shrunk", ProofFlaw.SIZE_SHRUNK, "the later tree is the smaller", shrunk
    forked = made(first=LEAVES, first_root=flipped(world.roots[LEAVES]), path=[])
    yield "same-size", ProofFlaw.SAME_SIZE_OTHER_ROOT, "two trees of one size", forked
    idle = made(first=LEAVES, first_root=world.roots[LEAVES])
    yield "same-size-with-path", ProofFlaw.PATH_TOO_LONG, "a proof where none is needed", idle
    begun = made(first=0, path=[])
    yield "from-nothing", ProofFlaw.FIRST_ROOT_DIFFERS, "an empty tree with a root of its own", begun


def notes(world: World) -> Iterator[tuple[str, CheckpointFlaw, str, Vector]]:
    text, note = world.checkpoint.text, world.note.decode()
    root = base64.b64encode(world.checkpoint.root).decode()

    def made(content: str) -> Vector:
        return {"note": content}

    yield "unsigned", CheckpointFlaw.NOT_A_NOTE, "the text alone", made(text)
    by_others = world.signed(text, WITNESS, "upprop/evaluator/1")
    yield "signed-by-others", CheckpointFlaw.UNSIGNED, "no signature of the ledger's name", made(by_others)
    yield "wrong-key", CheckpointFlaw.OTHER_KEY, "signed with a key that is not listed", made(world.signed(text, OTHER))
    grown = note.replace(f"\n{LEAVES}\n", f"\n{LEAVES + 1}\n")
    yield "size-changed", CheckpointFlaw.SIGNATURE_WRONG, "a size that was not signed", made(grown)
    other_root = note.replace(root, base64.b64encode(bytes(32)).decode())
    yield "root-changed", CheckpointFlaw.SIGNATURE_WRONG, "a root that was not signed", made(other_root)
    twice = note + _line(ORIGIN, OWN, text + "x")
    yield "second-signature-wrong", CheckpointFlaw.SIGNATURE_WRONG, "a sound signature and a wrong one", made(twice)
    elsewhere = world.signed(text.replace(ORIGIN, "upprop/other"))
    yield "other-origin", CheckpointFlaw.OTHER_ORIGIN, "the checkpoint of another log", made(elsewhere)
    zeros = world.signed(text.replace(f"\n{LEAVES}\n", f"\n0{LEAVES}\n"))
    yield "size-leading-zero", CheckpointFlaw.MALFORMED_SIZE, "one size, two texts", made(zeros)
    negative = world.signed(text.replace(f"\n{LEAVES}\n", "\n-1\n"))
    yield "size-negative", CheckpointFlaw.MALFORMED_SIZE, "no number of leaves", made(negative)
    huge = world.signed(text.replace(f"\n{LEAVES}\n", f"\n{2**63}\n"))
    yield "size-beyond", CheckpointFlaw.MALFORMED_SIZE, "more leaves than can be stored", made(huge)
    digits = world.signed(text.replace(f"\n{LEAVES}\n", "\n٢١\n"))
    yield "size-other-digits", CheckpointFlaw.MALFORMED_SIZE, "digits that are not ASCII", made(digits)
    yield (
        "root-malformed",
        CheckpointFlaw.MALFORMED_ROOT,
        "not base64",
        made(world.signed(text.replace(root, "*" * 44))),
    )
    short = base64.b64encode(bytes(31)).decode()
    yield "root-short", CheckpointFlaw.MALFORMED_ROOT, "31 bytes", made(world.signed(text.replace(root, short)))
    loose = root[:-2] + chr(ord(root[-2]) + 1) + "="
    yield (
        "root-loose-bits",
        CheckpointFlaw.MALFORMED_ROOT,
        "one root, two texts",
        made(world.signed(text.replace(root, loose))),
    )
    unpadded = world.signed(text.replace(root, root.rstrip("=")))
    yield "root-unpadded", CheckpointFlaw.MALFORMED_ROOT, "base64 without its end", made(unpadded)
    yield "extension-line", CheckpointFlaw.EXTENDED, "a line nobody here knows", made(world.signed(f"{text}more\n"))
    yield (
        "root-missing",
        CheckpointFlaw.NOT_A_NOTE,
        "origin and size alone",
        made(world.signed(text.replace(f"{root}\n", ""))),
    )
    yield "signature-malformed", CheckpointFlaw.MALFORMED_SIGNATURE, "not base64", made(f"{text}\n— {ORIGIN} ***\n")
    yield (
        "signature-short",
        CheckpointFlaw.MALFORMED_SIGNATURE,
        "a key id alone",
        made(f"{text}\n— {ORIGIN} AAAAAA==\n"),
    )
    hyphen = note.replace("— ", "- ")
    yield "hyphen-for-dash", CheckpointFlaw.MALFORMED_SIGNATURE, "a line that begins otherwise", made(hyphen)
    yield "text-after", CheckpointFlaw.MALFORMED_SIGNATURE, "something after the last signature", made(note + "more\n")
    yield "no-last-newline", CheckpointFlaw.NOT_A_NOTE, "cut off before its end", made(note[:-1])
    yield "too-long", CheckpointFlaw.NOT_A_NOTE, "longer than any note", made(note + note[len(text) + 1 :] * 200)


def cosignatures(world: World) -> Iterator[tuple[str, CheckpointFlaw, str, Vector]]:
    note = world.note.decode()
    line = checkpoint.cosign(world.note, 1, WITNESS, AT).decode()
    blob = base64.b64decode(line.rsplit(" ", 1)[1])
    later = blob[:4] + (int.from_bytes(blob[4:12]) + 3_600).to_bytes(8) + blob[12:]
    moved = f"— upprop/evaluator/1 {base64.b64encode(later).decode()}\n"
    yield "time-changed", CheckpointFlaw.COSIGNATURE_WRONG, "an hour that was not signed", {"note": note + moved}
    plain = base64.b64encode(blob[:4] + blob[4:12] + WITNESS.sign(world.checkpoint.text.encode())).decode()
    bare = f"— upprop/evaluator/1 {plain}\n"
    yield "without-time", CheckpointFlaw.COSIGNATURE_WRONG, "a signature over the text alone", {"note": note + bare}
    other = checkpoint.cosign(checkpoint.sign(Checkpoint(LEAVES, bytes(32)), OWN), 1, WITNESS, AT).decode()
    yield "of-another-root", CheckpointFlaw.COSIGNATURE_WRONG, "signed for another tree", {"note": note + other}
    cut = f"— upprop/evaluator/1 {base64.b64encode(blob[:40]).decode()}\n"
    yield "short", CheckpointFlaw.COSIGNATURE_WRONG, "half a signature", {"note": note + cut}


def vectors() -> Iterator[tuple[str, Vector]]:
    """File names and their content."""
    world = World()
    for step, made in (
        ("inclusion", inclusions(world)),
        ("consistency", consistencies(world)),
        ("checkpoint", notes(world)),
        ("cosignature", cosignatures(world)),
    ):
        for name, flaw, why, given in made:
            yield f"{step}-{name}.json", {"step": step, "flaw": flaw.name, "why": why, "given": given}


def text_of(vector: Vector) -> str:
    return json.dumps(vector, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    DIRECTORY.mkdir(exist_ok=True)
    for old in DIRECTORY.glob("*.json"):
        old.unlink()
    for name, vector in vectors():
        (DIRECTORY / name).write_text(text_of(vector), encoding="utf-8")


if __name__ == "__main__":
    main()
