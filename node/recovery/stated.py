"""What the registry gives back of a member's own words, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from federation.rules.vocabulary import Opening, Signal


@dataclass(frozen=True, slots=True)
class Stated:
    """The newest version of one handle. Its pseudonyms have their epochs and empty values; `openings`: all it had."""

    signal: Signal
    openings: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True)
class StatedPage:
    """Handles in ascending order; as-of of the first and the newest import that the registry was told of."""

    stated: tuple[Stated, ...]
    more: bool
    first_contact: date | None = None
    last_contact: date | None = None


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """How far a recovery has come. `known` handles the registry has of this member, retracted ones left out; of them
    `nameless` ones are of pupils whose number is not known here, `nameless_open` with an open gap; `numbers_missing`
    are of pupils who have an earlier number that is not known here."""

    complete: bool
    known: int = 0
    nameless: int = 0
    nameless_open: int = 0
    numbers_missing: int = 0
    problems: tuple[str, ...] = field(default=())
