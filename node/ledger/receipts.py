"""What binds both sides to a batch: the member by its signature over the batch's digest, the registry by its receipt.

Invariants: key and digest of a batch are durable before it is sent for the first time and stay the same, so that a
batch that is sent again is the same leaf; a receipt is believed only for what it was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from federation import checkpoint as checkpoints
from federation.checkpoint import Checkpoint
from federation.errors import Code, UppropError
from federation.rules.canonical import (
    BATCH_KEY_BYTES,
    SALT_BYTES,
    batch_leaf,
    batch_signed_bytes,
    blinded_batch_digest,
)
from federation.rules.merkle import HASH_BYTES, leaf_hash
from federation.rules.vocabulary import MemberId, Signal


@dataclass(frozen=True, slots=True)
class Binding:
    """The 32 bytes under which the batch's pseudonyms stand in its digest, and that digest."""

    batch_key: bytes = field(repr=False)
    digest: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """What is sent with a batch: its key, and the member's signature (DER) over the digest."""

    batch_key: bytes = field(repr=False)
    signature: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The registry's word that a batch is in the ledger; `checkpoint` is a signed note."""

    leaf_index: int
    checkpoint: bytes
    salt: bytes = field(repr=False)
    stored_digest: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A receipt that held when it came: the leaf of a batch, and the tree it came with."""

    batch_id: bytes
    batch_digest: bytes
    receipt: Receipt
    tree: Checkpoint

    @property
    def leaf(self) -> bytes:
        """The hash of the batch's leaf."""
        return leaf_hash(batch_leaf(self.receipt.salt, self.batch_digest, self.receipt.stored_digest))


def bind(member: MemberId, batch_id: bytes, signals: Sequence[Signal], random_bytes: Callable[[int], bytes]) -> Binding:
    key = random_bytes(BATCH_KEY_BYTES)
    return Binding(key, blinded_batch_digest(member, batch_id, signals, key))


def signed(binding: Binding, sign: Callable[[bytes], bytes]) -> Signed:
    """`sign` is made at each attempt: by then the node may have another certificate."""
    return Signed(binding.batch_key, sign(batch_signed_bytes(binding.digest)))


def check(batch_id: bytes, binding: Binding, receipt: Receipt | None, ledger_key: bytes) -> Held:
    """The receipt of a batch, if it holds:

    1. there is one,
    2. the ledger's key has signed its checkpoint,
    3. the leaf lies within that tree, and can be computed.

    Raises UppropError: LEDGER_PROOF_REFUSED, LEDGER_CHECKPOINT_REFUSED.
    """
    if receipt is None:
        raise UppropError(Code.LEDGER_PROOF_REFUSED, "The registry took a batch and gave no receipt for it.")
    tree = checkpoints.verify(receipt.checkpoint, ledger_key)
    sound = len(receipt.salt) == SALT_BYTES and len(receipt.stored_digest) == HASH_BYTES
    if not sound or receipt.leaf_index >= tree.size:
        raise UppropError(
            Code.LEDGER_PROOF_REFUSED, "The registry gave a receipt whose leaf cannot be in the ledger it came with."
        )
    return Held(batch_id, binding.digest, receipt, tree)
