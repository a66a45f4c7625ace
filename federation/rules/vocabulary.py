"""The words of the federation as values. Dates are plain dates in the federation's zone.

Two words of the contract are reserved in Python and are therefore spelt differently everywhere: `begins` (first day of
an interval; its end is `until`, the first day without) and `urgency` (the class of an opening).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date
from typing import NewType

MemberId = NewType("MemberId", str)
"""`0180` (a municipality) or `0180-5561234567` (an independent operator)."""

Handle = NewType("Handle", bytes)
"""A member's random name for one of its pupils: 16 bytes."""

HANDLE_BYTES = 16
NONCE_BYTES = 16
PSEUDONYM_BYTES = 32
BATCH_ID_BYTES = 16
REQUEST_ID_BYTES = 16
MAX_PSEUDONYMS = 4
MAX_PRESENCES = 8
MAX_BATCH = 1_000
"""Signals, elements or notices in one message."""

ROSTER_STEP = 50
"""Pupils; a roster is rounded to it, so that it does not tell of single arrivals and leavings."""


class OpeningKind(enum.StrEnum):
    LEFT = "LEFT"
    NOT_PLACED = "NOT_PLACED"
    HELD = "HELD"


class Urgency(enum.StrEnum):
    NORMAL = "NORMAL"
    IMMEDIATE = "IMMEDIATE"


class GapState(enum.StrEnum):
    """The state of a gap; `WATCH` and `OPEN` are the unanswered ones."""

    WATCH = "WATCH"
    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    ENDED = "ENDED"
    VOID = "VOID"


class CaseStatus(enum.StrEnum):
    """How far a member has come with its case file (design §6)."""

    NEW = "NEW"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    SCHOOL_ENQUIRY = "SCHOOL_ENQUIRY"
    CROSS_ENQUIRY = "CROSS_ENQUIRY"
    ESCALATED = "ESCALATED"
    ABROAD_FOLLOW_UP = "ABROAD_FOLLOW_UP"
    SUSPENDED = "SUSPENDED"
    REOPENED = "REOPENED"
    CLOSED = "CLOSED"


class CaseOutcome(enum.StrEnum):
    """With what a case file was closed."""

    ENROLLED_ELSEWHERE = "ENROLLED_ELSEWHERE"
    PLACED = "PLACED"
    NO_LONGER_DUE = "NO_LONGER_DUE"
    EMIGRATED = "EMIGRATED"
    RETURNED = "RETURNED"
    DECEASED = "DECEASED"
    DATA_ERROR = "DATA_ERROR"


class NoticeKind(enum.StrEnum):
    OPENED = "OPENED"
    ANSWERED = "ANSWERED"
    REOPENED = "REOPENED"
    LINKED = "LINKED"
    LEAD = "LEAD"
    CONFIRM = "CONFIRM"
    RELEASED = "RELEASED"
    DESCRIPTOR = "DESCRIPTOR"
    EPOCH = "EPOCH"
    ENDED = "ENDED"
    VOIDED = "VOIDED"
    OVERLAP = "OVERLAP"


class DispositionKind(enum.StrEnum):
    ACCEPTED = "ACCEPTED"
    DUPLICATE = "DUPLICATE"
    STALE = "STALE"
    CONFLICT = "CONFLICT"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True, order=True)
class Pseudonym:
    """One pseudonym of one epoch. `value` is 32 bytes and never shown."""

    epoch: int
    value: bytes

    def __repr__(self) -> str:
        return f"Pseudonym(epoch={self.epoch})"


@dataclass(frozen=True, slots=True)
class Presence:
    """A maximal interval [begins, until) in which a member has the pupil.

    `begins` is None when older than 13 months, `until` None while in force, `affirmed_on` the day the member first
    said (or, having said it ended, said again) that it is in force, `met_on` the latest day a person saw the pupil.
    """

    begins: date | None
    until: date | None = None
    affirmed_on: date | None = None
    met_on: date | None = None

    def in_force(self, day: date) -> bool:
        return (self.begins is None or self.begins <= day) and (self.until is None or self.until > day)


@dataclass(frozen=True, slots=True)
class Opening:
    """The pupil is accounted for nowhere the member knows of, since the day `since`."""

    number: int
    kind: OpeningKind
    since: date
    urgency: Urgency = Urgency.NORMAL
    planned_start: date | None = None


@dataclass(frozen=True, slots=True)
class DutyEnded:
    """The duty to attend school ended on the day `begins`; where `review` is given it must be looked at again then."""

    begins: date
    review: date | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """A versioned statement of a member about one handle; the highest version counts.

    `drill`: about a test pupil of the member's own invention; it meets drills of the same member alone.
    """

    handle: Handle
    version: int
    pseudonyms: tuple[Pseudonym, ...]
    presences: tuple[Presence, ...] = ()
    opening: Opening | None = None
    duty_ended: DutyEnded | None = None
    retracted: bool = False
    nonce: bytes = b""
    drill: bool = False

    def __repr__(self) -> str:
        # Handles name a pupil within a member: they stay out of tracebacks and logs.
        return f"Signal(version={self.version})"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the registry keeps what has served its purpose."""

    answered_pair_days: int = 60
    """After the answer: the gap and what it was answered by."""
    arrival_months: int = 13
    """A presence, and one that has answered a gap."""
    closed_case_days: int = 180
    """After its close a case loses the pseudonyms it was linked by."""
    unanswered_years: int = 13
    """An unanswered gap, where its member does not end it before: from six years of age to 18 years and 12 months."""
    notice_days: int = 400
    """A notice that its member has acknowledged."""
    answer_days: int = 90
    """The answer to a batch, for a member that never received it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The federation's policy values, from the descriptor. Units: school days unless said otherwise."""

    watch_school_days: int = 10
    silence_school_days: int = 5
    protected: str = "local"
    """`local`: nothing is said about a pupil with a protected identity; `same`: signals as for anyone."""
    upper_secondary: bool = False
    """Whether the voluntary upper secondary forms (GY, GYS, GYAN) count as presence too."""
    backdating_days: int = 0
    """A `since` further back from its first receipt than so many days counts as that day less these; 0: no limit."""
    answer_kept_days: int = 0
    """For so many days after an answer, a restated or further opening of that pupil is not matched anew; 0: it is."""
    monthly_openings: int = 0
    """Openings that a member may state in a month, or `monthly_openings_percent` of its roster; 0: no limit."""
    monthly_openings_percent: int = 0
    second_person: bool = False
    """Whether an opening made by hand waits for a second person's review."""
    overlap_school_days: int = 0
    """Both present at two members for more school days than these: the earlier is asked; 0: nobody is."""
    roll_call: bool = False
    """Whether the pseudonyms of gaps that are soon due are listed to all members."""
    statistics: str = "standard"
    """The privacy budget of a year's children in the statistics: `standard` or `strict` (registry/STATISTICS.md)."""
    retention: Retention = field(default_factory=Retention)


@dataclass(frozen=True, slots=True)
class Disposition:
    """The registry's answer to one signal; `code` (of the error catalogue) with REJECTED only."""

    kind: DispositionKind
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What the registry tells a member. `number` counts up by one per member."""

    number: int
    kind: NoticeKind
    closed_on: date
    handle: Handle | None = None
    opening_number: int | None = None
    case_id: bytes | None = None
    coverage_incomplete: bool = False

    def __repr__(self) -> str:
        return f"Notice(number={self.number}, kind={self.kind.value})"
