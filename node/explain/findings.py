"""What an explanation is made of: findings, each of a kind, with the values its sentence needs.

One enumeration per section, in the order in which the sections are shown. Every kind has a sentence in every language
(`node.wording`); the names and parameters of the kinds are what `--json` gives, and stay.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

Value = str | int | date
"""Codes and names, numbers to be counted, days."""


class FindingKind(enum.Enum):
    """A kind of finding; its class is the section it stands in."""

    @property
    def section(self) -> str:
        return type(self).__name__.upper()


class Answer(FindingKind):
    """The short answer, one of them first."""

    GAP = enum.auto()
    NO_GAP = enum.auto()


class Why(FindingKind):
    """What makes the pupil a gap, and what keeps the pupil from being one."""

    # A gap by what rows show …
    LEFT_ENDED = enum.auto()
    LEFT_VANISHED = enum.auto()
    LEFT_CANCELLED = enum.auto()
    LATER_ROW_TOO_LATE = enum.auto()
    LAST_YEAR_ENDED_EARLY = enum.auto()
    # … or by what people stated.
    GONE = enum.auto()
    NO_SHOW = enum.auto()
    NOT_PLACED = enum.auto()
    WITHDRAWAL_WAITS = enum.auto()
    LOOKED_FOR_SINCE = enum.auto()
    URGENT_BY_REASON = enum.auto()
    URGENT_BY_WORD = enum.auto()
    POSTPONED = enum.auto()
    NOT_POSTPONED = enum.auto()
    # An end of duty that explains nothing.
    DUTY_ENDED_AFTERWARDS = enum.auto()
    DUTY_ENDED_LONG_BEFORE = enum.auto()
    EMIGRATION_TOO_LATE = enum.auto()
    REVIEW_PASSED = enum.auto()
    # No gap.
    NEVER_HERE = enum.auto()
    BEGINS_LATER = enum.auto()
    NOTHING_COUNTS = enum.auto()
    TAKEN_BACK = enum.auto()
    IN_FORCE = enum.auto()
    BRIDGED = enum.auto()
    HELD = enum.auto()
    NOT_SHOWN = enum.auto()
    UNKNOWN_FORM = enum.auto()
    BEFORE_BASELINE = enum.auto()
    LATER_ROW = enum.auto()
    FOUND = enum.auto()
    BACK = enum.auto()
    PLACED = enum.auto()
    WORD_WAITS = enum.auto()
    DUTY_DECEASED = enum.auto()
    DUTY_EMIGRATED = enum.auto()
    DUTY_COMPLETED = enum.auto()
    DUTY_DECIDED = enum.auto()


class Rows(FindingKind):
    """What each school system says."""

    IN_FORCE = enum.auto()
    ENDED = enum.auto()
    LATER = enum.auto()
    NOT_COUNTED = enum.auto()
    UPPER_SECONDARY = enum.auto()
    UNKNOWN_FORM = enum.auto()
    VOID = enum.auto()
    VOID_ENDS = enum.auto()
    FORMER = enum.auto()
    STATUS = enum.auto()
    NONE = enum.auto()


class Said(FindingKind):
    """What people stated; one kind per word that can be said."""

    REASON = enum.auto()
    PLANNED_START = enum.auto()
    URGENT = enum.auto()
    NOT_PLACED = enum.auto()
    NO_SHOW = enum.auto()
    GONE = enum.auto()
    FOUND = enum.auto()
    MET = enum.auto()
    AFFIRM = enum.auto()
    HELD = enum.auto()
    HOLD_OVER = enum.auto()
    DUTY_ENDED = enum.auto()


class Presences(FindingKind):
    """When the pupil is held to have been in school here."""

    IN_FORCE = enum.auto()
    IN_FORCE_LONG = enum.auto()
    ENDED = enum.auto()
    ENDED_LONG = enum.auto()
    SEEN = enum.auto()
    NONE = enum.auto()


class Sent(FindingKind):
    """What was and is to be told the registry."""

    UNLINKABLE = enum.auto()
    PROTECTED = enum.auto()
    RENUMBERED = enum.auto()
    NO_MOVER = enum.auto()
    NOTHING_YET = enum.auto()
    WAITING = enum.auto()
    SENT = enum.auto()
    ACKNOWLEDGED = enum.auto()
    PARKED = enum.auto()
    SUPERSEDED = enum.auto()


class Heard(FindingKind):
    """What the registry told."""

    OPENED = enum.auto()
    ANSWERED = enum.auto()
    REOPENED = enum.auto()
    LINKED = enum.auto()
    LEAD = enum.auto()
    CONFIRM = enum.auto()
    OVERLAP = enum.auto()
    RELEASED = enum.auto()
    ENDED = enum.auto()
    VOIDED = enum.auto()
    OTHER = enum.auto()
    NOTHING = enum.auto()
    NO_CLOSE = enum.auto()
    UNREACHED = enum.auto()


class Case(FindingKind):
    """How each gap stands, and what its case file begins with."""

    NOT_MADE = enum.auto()
    WATCH = enum.auto()
    OVERDUE = enum.auto()
    OPEN = enum.auto()
    ANSWERED = enum.auto()
    ENDED = enum.auto()
    VOID = enum.auto()
    LEADS = enum.auto()
    LINKED = enum.auto()
    COVERAGE_INCOMPLETE = enum.auto()
    STEP_POPULATION_REGISTER = enum.auto()
    STEP_HOME_MUNICIPALITY = enum.auto()


class Next(FindingKind):
    """The next day that matters, and what happens then."""

    DUE = enum.auto()
    SHOWS = enum.auto()
    HELD_RELEASED = enum.auto()
    ROW_BEGINS = enum.auto()
    ROW_ENDS = enum.auto()
    REVIEW = enum.auto()
    SYNC = enum.auto()
    NOTHING = enum.auto()


SECTIONS: tuple[type[FindingKind], ...] = (Answer, Why, Next, Case, Rows, Said, Presences, Sent, Heard)


_KINDS = {(kind.section, kind.name): kind for section in SECTIONS for kind in section}


def kind_named(section: str, name: str) -> FindingKind:
    """The kind with this name in this section; KeyError where there is none."""
    return _KINDS[section, name]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. Its parameters name units, codes and days, never the pupil."""

    kind: FindingKind
    parameters: Mapping[str, Value]


def finding(kind: FindingKind, /, **parameters: Value) -> Finding:
    return Finding(kind, parameters)
