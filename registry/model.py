"""What the registry knows, as values. Nothing here reads a clock, a store or the network.

Invariants
    - A pseudonym in a value of this module is the registry's own (HMAC under the epoch's registry key), never the one a
      member sent.
    - `ref` names a (member, handle) in one column; it is derived, so that a batch needs no look-up to be written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NewType

from federation.rules.matching import Answer
from federation.rules.vocabulary import (
    CaseOutcome,
    CaseStatus,
    DutyEnded,
    GapState,
    Handle,
    MemberId,
    NoticeKind,
    Opening,
    OpeningKind,
    Presence,
    Signal,
)

Ref = NewType("Ref", bytes)
"""Names one member's handle within the registry: 16 bytes."""

REF_BYTES = 16
CASE_ID_BYTES = 16

PURGED_DIGEST = bytes(32)
"""In place of the digest of what a handle said, once retention has taken that away."""


def ref_of(member: MemberId, handle: Handle) -> Ref:
    """The name of a member's handle: SHA-256 over both, cut to 16 bytes.

    Derived rather than counted: a batch can be written in one pass, and no database sequence stands behind it. A member
    that searched for two colliding handles of its own would harm its own two pupils alone.
    """
    return Ref(hashlib.sha256(member.encode() + b"\x00" + handle).digest()[:REF_BYTES])


@dataclass(frozen=True, slots=True)
class Rejection:
    """A signal that is not taken. `digest` stands for its content without the pseudonyms, 32 bytes."""

    code: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class KeyedSignal:
    """A signal as the registry keeps it: pseudonyms keyed, and the digest of its content with the keyed ones."""

    ref: Ref
    signal: Signal
    content_digest: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of one handle: the version that counts, its content digest, and whether it is a drill's."""

    version: int
    content_digest: bytes
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """The part of a signal that the rules read, beside its name, version and pseudonyms."""

    presences: tuple[Presence, ...] = ()
    opening: Opening | None = None
    duty_ended: DutyEnded | None = None


@dataclass(frozen=True, slots=True, order=True)
class GapKey:
    """Names one gap: one opening of one member about one handle."""

    member: MemberId
    handle: Handle
    number: int

    def __repr__(self) -> str:
        return f"GapKey(member={self.member!r}, number={self.number})"


Asked = tuple[GapKey, MemberId, Handle]
"""A gap and the other member's handle about which that member was asked to confirm."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap as it stood at the last close that looked at it.

    `state_since` is the close that began the unbroken run of `state`; `told` what the member was last told (None:
    nothing yet); `linked` and `leads` what it was told of the case while the gap is open; `recheck_on` the next day on
    which it may differ without new facts.
    """

    key: GapKey
    opening: Opening
    state: GapState
    state_since: date
    due_on: date
    answer: Answer | None = None
    told: GapState | None = None
    case_id: bytes | None = field(default=None, repr=False)
    linked: bool = False
    leads: bool = False
    coverage_incomplete: bool = False
    recheck_on: date | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """The linked open gaps of one child, or of one test pupil (`drill`). Open while `closed_on` is None.

    `names` holds the random name under which each member knows the case: two members that compare theirs learn no more
    than the notices tell them. `child_year_id` is random, and one for all cases of a child that opened in one year.
    """

    case_id: bytes = field(repr=False)
    lead: MemberId
    opened_on: date
    closed_on: date | None = None
    names: Mapping[MemberId, bytes] = field(default_factory=dict, repr=False)
    drill: bool = False
    child_year_id: bytes = field(repr=False, kw_only=True)
    handed_to: MemberId | None = None
    """Who leads by a hand-over, for as long as it works its gap."""
    lead_since: date | None = None
    """The close that made the present lead lead. None: one before this was kept."""


@dataclass(frozen=True, slots=True)
class CaseStated:
    """What a member says of the case file of one of its gaps. `until` with SUSPENDED, `outcome` with CLOSED."""

    status: CaseStatus
    until: date | None = None
    outcome: CaseOutcome | None = None
    offers_lead: bool = False
    takes_lead: bool = False

    def rests(self, today: date) -> bool:
        """Whether the case file is closed or suspended: then it leads no case."""
        suspended = self.status is CaseStatus.SUSPENDED and (self.until is None or self.until > today)
        return suspended or self.status is CaseStatus.CLOSED


@dataclass(frozen=True, slots=True)
class CaseStatement:
    """One version of it, as a member states it about its gap (handle, number)."""

    handle: Handle = field(repr=False)
    number: int
    version: int
    stated: CaseStated


@dataclass(frozen=True, slots=True)
class FirstOpening:
    """A case on the day it opened: who led it then, and the kind of the opening by which that member did."""

    case_id: bytes = field(repr=False)
    opened_on: date
    lead: MemberId
    kind: OpeningKind


@dataclass(frozen=True, slots=True)
class CaseDescription:
    """What a lead says of the child of a gap, as codes of `statistics.catalogue`; None: it does not know."""

    handle: Handle = field(repr=False)
    number: int
    age_band: str | None = field(default=None, repr=False)
    sex: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """A notice before it has its numbers; one that is about no pupil has no handle."""

    member: MemberId
    kind: NoticeKind
    handle: Handle | None = field(default=None, repr=False)
    opening_number: int | None = None
    case_name: bytes | None = field(default=None, repr=False)
    coverage_incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Contacts:
    """As-of of the first and of the newest import that a member reported; None where it is not known."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """As-of of the newest import that a member reported, and its pupils in steps of 50."""

    last_contact: date
    roster: int


@dataclass(frozen=True, slots=True)
class Stated:
    """What stands of one handle. Its pseudonyms have epochs and empty values; `openings`: all that a close has seen."""

    signal: Signal
    openings: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class CloseReport:
    """What one run of a close did. `failed` groups could not be evaluated and stay dirty."""

    closed_on: date
    groups: int = 0
    changes: int = 0
    notices: int = 0
    failed: int = 0

    def plus(self, other: CloseReport) -> CloseReport:
        return CloseReport(
            self.closed_on,
            self.groups + other.groups,
            self.changes + other.changes,
            self.notices + other.notices,
            self.failed + other.failed,
        )
