"""What is said of a case file to the registry, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from federation.rules.vocabulary import CaseOutcome, CaseStatus
from node.casework.files.model import GapName


@dataclass(frozen=True, slots=True)
class Stated:
    """How a case file stands. `until` with SUSPENDED, `outcome` with CLOSED."""

    status: CaseStatus
    until: date | None = None
    outcome: CaseOutcome | None = None
    offers_lead: bool = False
    takes_lead: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """One version of it, about the gap that names it."""

    gap: GapName = field(repr=False)
    version: int
    stated: Stated


@dataclass(frozen=True, slots=True)
class Wishes:
    """What this member would have of the lead: hand it over, or take it."""

    offers: bool = False
    takes: bool = False
