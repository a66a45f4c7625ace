"""The yearly report as values. Pure.

Invariants
    - A report names nobody and holds no text that somebody wrote; it can be made again after case files were shredded,
      and says the same.
    - What a person may not see is not counted for them: `with_protected` says whether protected identities are in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from federation.rules.vocabulary import CaseOutcome
from node.casework.files.model import Absence, Classification, OpenedFor
from node.casework.routines.model import CountsAs


@dataclass(frozen=True, slots=True)
class CountedStep:
    """A step of a checklist. `lapsed_on`: its routine ended, or its case file was closed, with or without it done."""

    routine: str
    counts_as: CountsAs | None
    begun_on: date
    due_on: date | None
    done_on: date | None
    lapsed_on: date | None


@dataclass(frozen=True, slots=True)
class CountedFile:
    """A case file as it stands now."""

    opened_for: OpenedFor
    opened_on: date
    closed_on: date | None
    outcome: CaseOutcome | None
    classification: Classification
    absence: Absence
    protected: bool
    steps: tuple[CountedStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Days:
    """How long something took, in school days; None where nothing was counted."""

    counted: int
    median: int | None
    longest: int | None


@dataclass(frozen=True, slots=True)
class FirstContact:
    """Of case files opened in the year: from the opening until the step of the first contact was done."""

    taken: Days
    in_time: int
    """Within `FIRST_CONTACT_SCHOOL_DAYS`."""
    waiting: int
    """Open, and nobody contacted yet."""
    closed_without: int


@dataclass(frozen=True, slots=True)
class Kept:
    """Steps that were due in the year, up to yesterday, and those of this kind done in it."""

    due: int
    in_time: int
    late: int
    undone: int
    done: int
    """Whenever they were due."""


@dataclass(frozen=True, slots=True)
class Report:
    """`outcomes`: what was worked in the year, by classification and outcome; None: not closed by its end. Of a year
    that is not over, `until` is today."""

    year: int
    until: date
    with_protected: bool
    worked: int
    opened: int
    closed: int
    open: int
    outcomes: Mapping[tuple[Classification, CaseOutcome | None], int]
    opened_for: Mapping[OpenedFor, int]
    absence: Mapping[Absence, int]
    first_contact: FirstContact
    closing: Days
    steps: Kept
    by_routine: Mapping[str, Kept]
    worry_reports: Kept
    worry_files: int
    """Case files in which a worry was reported in the year."""
    follow_ups: Kept
