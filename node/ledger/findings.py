"""What is wrong with the ledger, and what the registry says that is not what was sent. Pure.

Invariants: only what was acknowledged is held against the registry; what it may have purged by the policy is missed by
nobody; what it changed always is. A finding names leaves, never a pupil, handle or pseudonym.
"""

from __future__ import annotations

import enum
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from federation.rules.canonical import content_digest
from federation.rules.vocabulary import Handle, Signal
from node.outbox import Version


class Kind(enum.StrEnum):
    """What was found. The first are about the tree, the others about what stands of the member's own signals."""

    NO_RECEIPT = "NO_RECEIPT"
    """A batch was answered without a receipt, or with one that does not hold."""
    SHRUNK = "SHRUNK"
    """The ledger ends before leaves that it had."""
    REWRITTEN = "REWRITTEN"
    """The ledger has other leaves in places where it had some."""
    LEAF_GONE = "LEAF_GONE"
    """The leaf of a batch of ours does not stand where its receipt says."""
    FORKED = "FORKED"
    """A witness has been shown another ledger than this node."""
    UNPROVED = "UNPROVED"
    """The registry refuses a proof that it must be able to give."""
    WITNESSES_LATE = "WITNESSES_LATE"
    """Most witnesses have not been shown the ledger for too long."""
    EDITED = "EDITED"
    """The registry states something else under a version of ours."""
    SET_BACK = "SET_BACK"
    """The registry states an older version than it has acknowledged."""
    MISSING = "MISSING"
    """The registry no longer states what it has acknowledged."""
    FOREIGN = "FOREIGN"
    """The registry states a version in our name that was never sent."""
    PSEUDONYM_LOST = "PSEUDONYM_LOST"
    """The registry no longer finds what we said by the pseudonym it was said under."""


OF_THE_TREE = frozenset({Kind.SHRUNK, Kind.REWRITTEN, Kind.LEAF_GONE, Kind.FORKED, Kind.UNPROVED})
"""After these the checkpoint that is kept leads nowhere: see `Alarms.acknowledge`."""


SET_BACK_TREE = frozenset({Kind.SHRUNK, Kind.REWRITTEN, Kind.LEAF_GONE})
"""Found anew, they ask whether the registry still has what it acknowledged."""

LOST = frozenset({Kind.MISSING, Kind.SET_BACK})
"""It has not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`first` and `last` are leaf indexes, None where none is known; `witness` an evaluator's index; `about` tells
    findings of one kind apart where the leaves do not; `evidence` are signed notes."""

    kind: Kind
    first: int | None = None
    last: int | None = None
    witness: int | None = None
    about: bytes = field(default=b"", repr=False)
    evidence: bytes = field(default=b"", repr=False)

    @property
    def subject(self) -> bytes:
        """32 bytes: equal for what was found before."""
        leaves = b"" if self.about else f"{self.first} {self.last}".encode()
        return hashlib.sha256(f"{self.kind.value} {self.witness} ".encode() + leaves + self.about).digest()


@dataclass(frozen=True, slots=True)
class Sent:
    """What was made under one handle: versions that may have reached the registry, by number.

    `acknowledged`: the newest that the registry has taken, 0 where it has taken none; `uncertain`: those that it did
    not take as they are, or that were given up after they may have been sent.
    """

    versions: Mapping[int, Version]
    acknowledged: int
    uncertain: AbstractSet[int]
    leaf_indexes: Mapping[int, int]

    @property
    def newest(self) -> Version | None:
        """The newest that was acknowledged."""
        return self.versions.get(self.acknowledged)

    @property
    def leaf_index(self) -> int | None:
        """The leaf by which the newest acknowledged version was sent; None where it came without one."""
        return self.leaf_indexes.get(self.acknowledged)


@dataclass(frozen=True, slots=True)
class Flaw:
    """One handle of which the registry says something else. Flaws of one kind and leaf become one finding.

    `said` is the digest of what it says instead; empty where it says nothing.
    """

    kind: Kind
    leaf_index: int | None
    handle: Handle = field(repr=False)
    version: int
    said: bytes = field(default=b"", repr=False)


def compare(
    sent: Mapping[Handle, Sent],
    stated: Mapping[Handle, Signal],
    lasting: AbstractSet[Handle],
    epochs: AbstractSet[int],
) -> list[Flaw]:
    """What the registry states of some handles against what was sent under them.

    `stated` has pseudonyms by their epochs alone; `epochs` are those that stand; `lasting` are handles that must not be
    absent (`standing.must_stand`).
    """
    flaws = []
    for handle in sorted(sent.keys() | stated.keys()):
        own, said = sent.get(handle), stated.get(handle)
        if own is None:
            assert said is not None
            flaws.append(Flaw(Kind.FOREIGN, None, handle, said.version, content_digest(said)))
        elif said is None:
            if handle in lasting:
                flaws.append(Flaw(Kind.MISSING, own.leaf_index, handle, own.acknowledged))
        elif said.version < own.acknowledged:
            flaws.append(Flaw(Kind.SET_BACK, own.leaf_index, handle, own.acknowledged, content_digest(said)))
        elif said.version in own.uncertain:
            # That its content is another is known and shown already.
            continue
        elif said.version not in own.versions:
            flaws.append(Flaw(Kind.FOREIGN, None, handle, said.version, content_digest(said)))
        elif not _agree(own.versions[said.version], said, epochs):
            leaf_index = own.leaf_indexes.get(said.version)
            flaws.append(Flaw(Kind.EDITED, leaf_index, handle, said.version, content_digest(said)))
    return flaws


def _agree(own: Version, said: Signal, epochs: AbstractSet[int]) -> bool:
    mine = own.signal
    if (mine.presences, mine.opening, mine.duty_ended, mine.retracted) != (
        said.presences,
        said.opening,
        said.duty_ended,
        said.retracted,
    ):
        return False
    # One that is lacking is found by asking for it; one too many would let somebody else's pupil answer.
    carried = Counter(ref.epoch for ref in own.carries)
    borne = Counter(pseudonym.epoch for pseudonym in said.pseudonyms if pseudonym.epoch in epochs)
    return borne <= carried


def gathered(flaws: Iterable[Flaw]) -> tuple[Finding, ...]:
    """One finding for all flaws of a kind in a leaf."""
    by_leaf: dict[tuple[Kind, int | None], list[Flaw]] = {}
    for flaw in flaws:
        by_leaf.setdefault((flaw.kind, flaw.leaf_index), []).append(flaw)
    return tuple(
        Finding(kind, index, index, about=_digest(found))
        for (kind, index), found in sorted(by_leaf.items(), key=lambda item: (item[0][1] or 0, item[0][0]))
    )


def _digest(flaws: Sequence[Flaw]) -> bytes:
    named = sorted(flaw.handle + flaw.version.to_bytes(8, "big") + flaw.said for flaw in flaws)
    return hashlib.sha256(b"".join(named)).digest()


def with_evidence(finding: Finding, *notes: bytes) -> Finding:
    return replace(finding, evidence=b"\n".join(notes))
