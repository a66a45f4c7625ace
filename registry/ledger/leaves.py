"""What the leaf of a batch is made of. Pure.

    leaf          = H(0x00 ‖ 1 ‖ salt ‖ batch_digest ‖ stored_digest)
    batch_digest  = what the member signed (federation.rules.canonical)
    stored_digest = SHA-256("upprop/v1/stored" ‖ answer_digest ‖ claim_digest ‖ count ‖ hash of each row)
    row           = SHA-256("upprop/v1/row" ‖ salt ‖ ref ‖ version ‖ content digest)

A row is one signal that was put in place. Each has a salt of its own, so that its content can be deleted and its hash
be kept: the stored digest can be derived from the hashes for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from federation.rules.canonical import joined, number
from federation.rules.merkle import Frontier

_STORED = b"upprop/v1/stored"
_ROW = b"upprop/v1/row"


@dataclass(frozen=True, slots=True)
class Leaf:
    """The leaf of a batch, and the committed tree it was found in."""

    index: int
    salt: bytes = field(repr=False)
    stored_digest: bytes
    head: Frontier


@dataclass(frozen=True, slots=True)
class Receipt:
    """That a batch is in the ledger: its leaf, and a signed checkpoint of a tree that holds it."""

    leaf: Leaf
    checkpoint: bytes


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """One version that was put in place: its handle's `ref`, the version and its content digest."""

    ref: bytes = field(repr=False)
    version: int
    content_digest: bytes = field(repr=False)


def row_hash(salt: bytes, row: StoredSignal) -> bytes:
    return hashlib.sha256(_ROW + salt + row.ref + number(row.version) + row.content_digest).digest()


def stored_digest(answer_digest: bytes, claim_digest: bytes, rows: Iterable[bytes]) -> bytes:
    """Over the answer that was kept, the signature and the hashes of the rows, in their order: 32 bytes."""
    hashes = list(rows)
    return hashlib.sha256(_STORED + answer_digest + claim_digest + number(len(hashes)) + b"".join(hashes)).digest()


def claim_digest(signature: bytes, signer: bytes) -> bytes:
    """Over the signature that came with the batch and the public key it holds under."""
    return hashlib.sha256(joined([signature, signer])).digest()


def answer_digest(batch_digest: bytes, answer: str) -> bytes:
    """Over a row of `batches`: the digest by which the same batch is known again, and the answer as it is kept."""
    return hashlib.sha256(batch_digest + answer.encode()).digest()
