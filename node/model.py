"""What a node knows of one pupil, as values without identity: no number, no name, no person id stands here.

Invariant: `History` grows only by appending observations and sayings, and its calls come and go with the registry's
list; everything a node says follows from it, from the facts about its imports and from a date.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from datetime import date

from federation.rules.vocabulary import DutyEnded, Opening, OpeningKind, Presence, Urgency

UNMARKED = "Ingen"
"""SS 12000 `securityMarking` of a person without protected identity."""


class Status(enum.StrEnum):
    """SS 12000 `personStatus`."""

    ACTIVE = "Aktiv"
    EMIGRATED = "Utvandrad"
    DECEASED = "Avliden"


@dataclass(frozen=True, slots=True)
class Row:
    """One enrolment as an export shows it. `start` and `end` are both inclusive.

    `unit` is the school system's id of the school unit; `form` the SS 12000 school type; `start` is None where the
    export gives none: then the row stands for "is in the export".
    """

    unit: str
    form: str
    start: date | None = None
    end: date | None = None
    cancelled: bool = False
    school_year: int | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """How the pupil stood in the export of `as_of`; kept only where it differs from the observation before.

    `rows` is None where the person was not in that export; status and marking are then those last seen.
    """

    as_of: date
    rows: tuple[Row, ...] | None
    status: str = Status.ACTIVE
    marking: str = UNMARKED


class What(enum.StrEnum):
    """What a named person can state that exports lack."""

    REASON = "REASON"
    """Why the pupil left: `reason` is a code of `Reason`."""
    PLANNED_START = "PLANNED_START"
    """`on` is the first school day elsewhere that the family has told."""
    URGENT = "URGENT"
    NOT_PLACED = "NOT_PLACED"
    """Resident of school age since `on`, no place here, none known elsewhere."""
    NO_SHOW = "NO_SHOW"
    """The presence that holds `on` never came to be."""
    GONE = "GONE"
    """Gone though enrolled: `on` is the last day attended."""
    FOUND = "FOUND"
    """Accounted for since `on`: back in school here, or known to be elsewhere."""
    MET = "MET"
    """Seen in school on `on`."""
    AFFIRM = "AFFIRM"
    """On `on` a person made sure that the presence is in force."""
    HELD = "HELD"
    """A withdrawal is asked for and waits; `on` is the first day without the school. Said by a hold alone."""
    HOLD_OVER = "HOLD_OVER"
    """The hold was taken back: the pupil stays. Said by a hold alone."""
    DUTY_ENDED = "DUTY_ENDED"
    """Decided abroad or alternative fulfilment from `on`; to be looked at again on `review`."""


SAID_BY_HOLDS = frozenset({What.HELD, What.HOLD_OVER})
"""Nobody states these by hand: `node.casework.holds` does."""

HAND_MADE_OPENINGS = frozenset({What.NOT_PLACED, What.NO_SHOW, What.GONE})
"""These make an opening that no imported row shows: by the policy's `second_person` they are not sent until a second
person has reviewed them."""


class Reason(enum.StrEnum):
    """Why a pupil left, as far as a person could tell. The first two make the opening immediate."""

    UNKNOWN_WHEREABOUTS = "unknown-whereabouts"
    ABROAD_UNDECIDED = "abroad-undecided"
    MOVED = "moved"
    OTHER_SCHOOL = "other-school"
    OTHER = "other"


IMMEDIATE_REASONS = frozenset({Reason.UNKNOWN_WHEREABOUTS, Reason.ABROAD_UNDECIDED})


@dataclass(frozen=True, slots=True)
class Saying:
    """What a named person stated on `said_on` about the day `on`. `reviewed`: no second person is waited for."""

    what: What
    on: date
    said_on: date
    reason: str | None = None
    review: date | None = None
    reviewed: bool = False

    @property
    def counts(self) -> bool:
        return self.reviewed or self.what not in HAND_MADE_OPENINGS


def makes_immediate(saying: Saying) -> bool:
    """Whether it makes the class of an opening IMMEDIATE (design §5, Movers only)."""
    return saying.what is What.URGENT or (saying.what is What.REASON and saying.reason in IMMEDIATE_REASONS)


@dataclass(frozen=True, slots=True)
class Call:
    """The roll call of `called_on` asked for the pupil: somebody whose pupil it was, since `begun_since`, looks."""

    called_on: date
    begun_since: date


@dataclass(frozen=True, slots=True)
class History:
    """All that imports and people have shown of one pupil, oldest first; `calls`: those that ask, or were answered."""

    observations: tuple[Observation, ...] = ()
    sayings: tuple[Saying, ...] = ()
    calls: tuple[Call, ...] = ()

    def as_if_reviewed(self) -> History:
        """The history in which a second person has agreed to all that waits."""
        return replace(self, sayings=tuple(replace(saying, reviewed=True) for saying in self.sayings))


@dataclass(frozen=True, slots=True)
class HeldLeavings:
    """More than ten pupils and a fifth of `unit` left on the import of `as_of`: their leavings wait.

    `released_on` is the as-of of the import that still said so after the waiting time, or the day a person confirmed
    them; None while they wait.
    """

    as_of: date
    unit: str
    released_on: date | None = None


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """What the statements of all pupils rest on beside their own histories.

    `baseline` is the as-of of the first import, `imports` the as-of dates of all imports in ascending order,
    `mass_start_days` the days on which over a third of a baseline's roster starts, `joined` the days on which further
    school systems were imported for the first time: the baseline of the pupils whom they brought.
    """

    baseline: date
    imports: tuple[date, ...]
    mass_start_days: frozenset[date] = frozenset()
    held: tuple[HeldLeavings, ...] = field(default=())
    joined: frozenset[date] = frozenset()

    def of(self, history: History) -> ImportFacts:
        """The facts as they stand for one pupil."""
        first = history.observations[0].as_of if history.observations else self.baseline
        return replace(self, baseline=first) if first in self.joined else self


@dataclass(frozen=True, slots=True)
class OpeningStated:
    """An opening before it has its number."""

    kind: OpeningKind
    since: date
    urgency: Urgency = Urgency.NORMAL
    planned_start: date | None = None

    def numbered(self, number: int) -> Opening:
        return Opening(number, self.kind, self.since, self.urgency, self.planned_start)


@dataclass(frozen=True, slots=True)
class Statement:
    """What the member can say about one pupil today.

    `moves`: it is to be sent (movers only). `in_force`: the pupil is on the roster. `doubted`: calls of a pupil who is
    here since before the leaver's own begin, which a person has to look into. `recheck_on`: the first later day on
    which the statement may differ though nothing new is imported or said; None if there is none.
    """

    presences: tuple[Presence, ...] = ()
    opening: OpeningStated | None = None
    duty_ended: DutyEnded | None = None
    moves: bool = False
    in_force: bool = False
    doubted: tuple[Call, ...] = ()
    recheck_on: date | None = None
    leaving_units: frozenset[str] = frozenset()
    """School units of the rows whose end is the leaving; empty without one. Local: for finding bulk leavings."""
    unknown_forms: frozenset[str] = frozenset()
    """School types the rows carry that no rule knows. Local: for the import report."""
