"""A municipality's own figures: case files month by month, and those that are open now. Pure.

Invariant: what a person may not see is not counted for them, here as on the board.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from federation.rules.vocabulary import CaseStatus
from node.casework.actor import Actor, sees
from node.casework.files.model import Classification

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Counted:
    """One case file, as far as figures know of it."""

    opened_on: date
    closed_on: date | None
    status: CaseStatus
    classification: Classification
    protected: bool


@dataclass(frozen=True, slots=True)
class Month:
    """`first` is its first day; `open` those not yet closed at its end, or today."""

    first: date
    opened: int
    closed: int
    open: int


@dataclass(frozen=True, slots=True)
class Figures:
    """`months` oldest first, the last one that of today; the rest of what is open today."""

    months: tuple[Month, ...]
    open: int
    by_status: Mapping[CaseStatus, int]
    by_classification: Mapping[Classification, int]


def since(today: date) -> date:
    """The first day of the months that are counted."""
    return _month(today, MONTHS - 1)


def figures(files: Iterable[Counted], actor: Actor, today: date) -> Figures:
    """What this person may know of."""
    seen = [file for file in files if sees(actor, protected=file.protected)]
    starts = [_month(today, back) for back in reversed(range(MONTHS))]
    months = []
    for first, following in zip(starts, [*starts[1:], date.max], strict=True):
        months.append(
            Month(
                first,
                sum(first <= file.opened_on < following for file in seen),
                sum(file.closed_on is not None and first <= file.closed_on < following for file in seen),
                sum(file.opened_on < following and (file.closed_on or date.max) >= following for file in seen),
            )
        )
    standing = [file for file in seen if file.closed_on is None]
    return Figures(
        tuple(months),
        len(standing),
        Counter(file.status for file in standing),
        Counter(file.classification for file in standing),
    )


def _month(today: date, back: int) -> date:
    """The first day of the month that was so many ago."""
    months = today.year * 12 + today.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)
