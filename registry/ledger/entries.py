"""What the ledger holds beside batches: entries, folded into one leaf an hour. Pure.

Every entry is a leaf of the hour's subtree, under a salt of its own: whoever is shown one entry with its salt and path
learns nothing of the others, and an entry whose content and salt are deleted leaves a hash that tells nothing.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field

from federation.rules.canonical import SALT_BYTES
from federation.rules.merkle import leaf_hash

SUBJECT_BYTES = 16


class EntryKind(enum.StrEnum):
    """What an entry tells of. Kinds are added at the end: the place is part of the hash."""

    TRANSITION = "TRANSITION"
    """A gap as it was written; subject: the handle's `ref`."""
    CASE = "CASE"
    """A case as it was written; subject: its id."""
    NOTICE = "NOTICE"
    """A notice that was given; subject: the handle's `ref`."""
    CLOSE = "CLOSE"
    """A close that ended."""
    DESCRIPTOR = "DESCRIPTOR"
    """A descriptor that was taken up."""
    EPOCH = "EPOCH"
    """A step of an epoch's life."""
    QUOTA = "QUOTA"
    """What an evaluator reported of its quotas."""
    PURGE = "PURGE"
    """What was deleted, by leaf index and position; never deleted itself."""
    RELEASE = "RELEASE"
    """What an operator released by hand, or let in."""
    SIGNAL = "SIGNAL"
    """A stored signal that the registry itself changed, without its member's word; subject: its `ref`."""


_PLACE = {kind: place for place, kind in enumerate(EntryKind, start=1)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that changed. `subject` (16 bytes) names what it is about where that may be purged one day."""

    kind: EntryKind
    content: bytes = field(repr=False)
    subject: bytes | None = field(default=None, repr=False)


def entry_hash(salt: bytes, entry: Entry) -> bytes:
    """The hash of the entry's leaf in the hour's subtree."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt is {SALT_BYTES} bytes")
    subject = entry.subject or b""
    stated = hashlib.sha256(bytes([len(subject)]) + subject + entry.content).digest()
    return leaf_hash(bytes([_PLACE[entry.kind]]) + salt + stated)
