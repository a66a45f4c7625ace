"""A case file as values. Pure.

Invariants
    - A case file has exactly one responsible at every moment: a role, or a person in that role.
    - `revision` counts its changes: whoever changes it says which one they saw, and is told where it has moved on.
    - Its classification and its responsible stay at the node; of it the registry is told status, day and outcome.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date
from typing import NewType

from federation.rules.vocabulary import CaseOutcome, CaseStatus, GapState, Handle
from node.casework.actor import Role

FileId = NewType("FileId", bytes)
"""16 random bytes; in addresses of pages as 32 hexadecimal digits. It names no person."""

FILE_ID_BYTES = 16


class Classification(enum.StrEnum):
    """What the matter turned out to be; stays at the node."""

    ADMIN_LAG = "ADMIN_LAG"
    PROBLEMATIC_ABSENCE = "PROBLEMATIC_ABSENCE"
    MISSING_UNREACHABLE = "MISSING_UNREACHABLE"
    IN_SWEDEN_NOT_ENROLLED = "IN_SWEDEN_NOT_ENROLLED"
    MOVED_ABROAD_UNREGISTERED = "MOVED_ABROAD_UNREGISTERED"
    HELD_ABROAD_SUSPECTED = "HELD_ABROAD_SUSPECTED"
    HELD_ABROAD_CONFIRMED = "HELD_ABROAD_CONFIRMED"
    CUSTODY_ABDUCTION = "CUSTODY_ABDUCTION"
    LEFT_MIGRATION = "LEFT_MIGRATION"
    UNDETERMINED = "UNDETERMINED"


class Absence(enum.StrEnum):
    """From the first day told apart, with what decided it."""

    UNDECIDED = "UNDECIDED"
    PROBLEMATIC = "PROBLEMATIC"
    """Known where the pupil is, but not in school."""
    MISSING = "MISSING"
    """Not known where the pupil is, or the family cannot be reached."""


class OpenedFor(enum.StrEnum):
    """What a case file was opened for."""

    GAP = "GAP"
    WORRY = "WORRY"
    """By hand, before any withdrawal."""
    ABSENCE = "ABSENCE"
    """Out of the triage of attendance."""
    NOT_PLACED = "NOT_PLACED"
    """Out of the list of residents."""


@dataclass(frozen=True, slots=True)
class GapName:
    """The gap that a case file is about: one opening of one handle."""

    handle: Handle = field(repr=False)
    number: int


@dataclass(frozen=True, slots=True)
class Responsible:
    """The one responsible: a role, and the person in it once one has taken the case file."""

    role: Role
    person_id: str = field(default="", repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """`reference` (`2026-00017`) is what people call it by in mail and on paper: year and a number, no person.

    `pupil_id` is None once its identity was shredded. `suspended_until` stands with SUSPENDED, `outcome` and
    `closed_on` with CLOSED. `protected`: by its own mark, or by that of its pupil. `absence_why` and `responsible` are
    kept sealed.
    """

    file_id: FileId
    reference: str
    pupil_id: bytes | None = field(repr=False)
    gap: GapName | None
    opened_for: OpenedFor
    opened_on: date
    protected: bool
    status: CaseStatus
    status_since: date
    responsible: Responsible
    suspended_until: date | None = None
    outcome: CaseOutcome | None = None
    classification: Classification = Classification.UNDETERMINED
    absence: Absence = Absence.UNDECIDED
    absence_why: str = field(default="", repr=False)
    closed_on: date | None = None
    shredded_on: date | None = None
    gap_state: GapState | None = None
    """Of which the journal tells last."""
    revision: int = 1
