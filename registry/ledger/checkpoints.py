"""The checkpoints that the registry signs, and the newest of them, kept outside the database.

Invariants
    - Only a tree that has been committed is signed: a checkpoint of one that was rolled back would be a lie for ever.
    - The newest checkpoint stands in the data directory too, written at most every `KEEP_SECONDS` and when the registry
      stops: a database that was set back, or whose beginning was changed, does not lead on to it. Then nothing is
      signed any more: a registry that went on would show its members two histories.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import checkpoint, files
from federation.checkpoint import Checkpoint, CheckpointError, CheckpointFlaw
from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.merkle import MAX_SIZE, Frontier, frontier_at, needed
from registry.ledger.leaves import Leaf, Receipt
from registry.store import Transaction, ledger

NEWEST_NAME = "ledger.checkpoint"
RESTORED_NAME = "ledger.restored"
"""The note of the tree of a copy that was restored: what witnesses are to go on from."""

KEEP_SECONDS = 10.0
"""A backup from before the last seconds is none that anybody restores."""


class Checkpoints:
    """Signs the tree as it stands. Safe to use from several threads."""

    def __init__(
        self, database: Database, key: Ed25519PrivateKey, data_dir: Path, monotonic: Callable[[], float]
    ) -> None:
        self._database, self._key, self._path = database, key, data_dir / NEWEST_NAME
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._newest: Checkpoint | None = None
        self._kept_at: float | None = None
        self._kept_size = -1

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def check(self) -> None:
        """Raises UppropError(LEDGER_BROKEN) unless the database leads on to the newest checkpoint that was kept."""
        kept = self.kept()
        if kept is None:
            return
        head = self._database.view("ledger_head", lambda tx: head_at(tx, kept.size))
        if head is None or head.root() != kept.root:
            raise UppropError(
                Code.LEDGER_BROKEN,
                f"The database does not lead on to the checkpoint of {kept.size} leaves that was signed here: it was "
                "set back or changed. Find out what is wrong (upprop ledger verify) and restore the newest copy. To "
                "go on from an older one all the same: upprop registry restore FILE --replace --set-back, which says "
                "what is lost by it and whom to tell. Members and witnesses will raise the alarm.",
            )

    def kept(self) -> Checkpoint | None:
        """The newest checkpoint in the data directory. Raises UppropError as `read_newest`."""
        return read_newest(self._path.parent, self.public_key)

    def sign(self, head: Frontier) -> bytes:
        """The signed note of a tree that has been committed."""
        stated = Checkpoint(head.size, head.root())
        note = checkpoint.sign(stated, self._key)
        with self._lock:
            if self._newest is None or stated.size > self._newest.size:
                self._newest = stated
            now = self._monotonic()
            if self._kept_at is None or now - self._kept_at >= KEEP_SECONDS:
                self._keep()
                self._kept_at = now
        return note

    def receipt(self, leaf: Leaf) -> Receipt:
        return Receipt(leaf, self.sign(leaf.head))

    def newest(self) -> tuple[Frontier, bytes]:
        """The tree as it stands, and its checkpoint with the cosignatures there are."""
        head, lines = self._database.view("ledger_head", _cosigned_head)
        return head, checkpoint.with_cosignatures(self.sign(head), lines)

    def size(self) -> int:
        """How many leaves the ledger has."""
        return self._database.view("ledger_head", ledger.head).size

    def keep(self) -> None:
        """Put the newest checkpoint on the disk now."""
        with self._lock:
            self._keep()

    def _keep(self) -> None:
        if self._newest is not None and self._newest.size > self._kept_size:
            files.replace(self._path, checkpoint.sign(self._newest, self._key))
            self._kept_size = self._newest.size


def read_newest(data_dir: Path, public_key: bytes) -> Checkpoint | None:
    """The newest checkpoint that a registry kept in its data directory, None where there is none.

    Raises UppropError: CONFIG_INVALID for one of another ledger key, LEDGER_CHECKPOINT_REFUSED for one that does not
    hold.
    """
    path = data_dir / NEWEST_NAME
    try:
        note = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UppropError(Code.CONFIG_INVALID, f"The checkpoint {path} cannot be read: {error.strerror}.") from error
    try:
        return checkpoint.verify(note, public_key)
    except CheckpointError as error:
        if error.flaw is not CheckpointFlaw.OTHER_KEY:
            raise
        raise UppropError(
            Code.CONFIG_INVALID,
            f"The checkpoint {path} was signed with another ledger key than the one in force. Where the key was "
            "exchanged on purpose, move it away: members and witnesses go on from what they have seen. Otherwise "
            "restore the right key.",
        ) from error


def head_at(tx: Transaction, size: int) -> Frontier | None:
    """The tree as it was at a size; None where it has never been so large, or lacks a node."""
    if not 0 <= size <= min(ledger.head(tx).size, MAX_SIZE):
        return None
    hashes = ledger.nodes(tx, needed(lambda fetch: frontier_at(size, fetch)))
    try:
        return frontier_at(size, lambda level, index: hashes[level, index])
    except KeyError:
        return None


def _cosigned_head(tx: Transaction) -> tuple[Frontier, list[bytes]]:
    head = ledger.head(tx)
    return head, ledger.cosignatures(tx, head.size)
