"""From cases to cells: which children a release counts, and where. Pure.

Invariants
    - All cases of one child-year are one child. The first that ever was, by the day it opened, says when and where it
      is counted and as what; later ones only how long it lasted.
    - A child is counted once for each kind of release: not if any of its cases was counted before.
    - A case none of whose gaps ever was (all VOID) is as if it had not been; one that no gap names any more was, unless
      all gaps that are left of the child say otherwise: its gaps went over to another case.
    - A child adds 1 to one cell of each table, whatever its cases: that is what the noise is made for.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from federation.rules.vocabulary import MemberId
from registry.statistics.catalogue import UNKNOWN, Days, DimensionId, ReleaseKind, TableId
from registry.statistics.geography import county_of, geography
from registry.statistics.model import Cell, Child, Period, dimensions

_BANDS = (
    (7, Days.WEEK),
    (30, Days.MONTH),
    (90, Days.QUARTER),
    (180, Days.HALF),
    (365, Days.YEAR),
)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case of a child as the statistics keep it, and how many gaps name it. None: not stated, or open."""

    case_id: bytes
    child_year_id: bytes
    opened_on: date
    closed_on: date | None
    lead: MemberId
    kind: str
    age: str | None
    sex: str | None
    gaps: int
    void_gaps: int
    counted_in: Mapping[ReleaseKind, str | None]

    @property
    def was(self) -> bool:
        """Whether the child was missed: not all of its gaps were taken back as if they had never been."""
        return self.gaps == 0 or self.void_gaps < self.gaps

    def __repr__(self) -> str:
        return "CaseRow()"


@dataclass(frozen=True, slots=True)
class Counted:
    """The children that a release counts, and the cases that are theirs."""

    children: tuple[Child, ...]
    case_ids: tuple[bytes, ...]


def count(rows: Iterable[CaseRow], period: Period, municipality_of: Callable[[MemberId], str]) -> Counted:
    """Those children of the year's cases that the period's release counts.

    A child whose municipality has no code of Statistics Sweden has no cell, and is not counted.
    """
    of_child: dict[bytes, list[CaseRow]] = {}
    for row in rows:
        of_child.setdefault(row.child_year_id, []).append(row)
    children: list[Child] = []
    case_ids: list[bytes] = []
    for cases in of_child.values():
        been = [case for case in cases if case.was]
        if not been or _never_was(cases) or any(case.counted_in[period.kind] is not None for case in cases):
            continue
        child = _child(been, period.year, municipality_of)
        if child.municipality in geography().municipalities and period.month in (None, child.month):
            children.append(child)
            case_ids += (case.case_id for case in cases)
    return Counted(tuple(children), tuple(sorted(case_ids)))


def tally(children: Iterable[Child], table: TableId) -> list[int]:
    """How many children are in each cell of a table, in the order of its cells."""
    codes = dimensions(table)
    counted = Counter(cell_of(child, table) for child in children)
    return [counted[cell] for cell in itertools.product(*codes.values())]


def cell_of(child: Child, table: TableId) -> Cell:
    """The one cell of a table that a child is in."""
    return tuple(_code(child, table, dimension) for dimension in dimensions(table))


def _code(child: Child, table: TableId, dimension: DimensionId) -> str:
    match dimension:
        case DimensionId.REGION:
            return child.municipality if table is TableId.MUNICIPALITY_YEAR else county_of(child.municipality)
        case DimensionId.KIND:
            return child.kind
        case DimensionId.AGE:
            return child.age
        case DimensionId.SEX:
            return child.sex
        case DimensionId.DAYS:
            return child.days
        case _:
            raise KeyError(dimension)


def _never_was(cases: Sequence[CaseRow]) -> bool:
    """Whether there are gaps of the child, and all were taken back as if they had never been."""
    gaps = sum(case.gaps for case in cases)
    return gaps > 0 and gaps == sum(case.void_gaps for case in cases)


def _child(cases: list[CaseRow], year: int, municipality_of: Callable[[MemberId], str]) -> Child:
    first = min(cases, key=lambda case: (case.opened_on, case.case_id))
    return Child(
        month=first.opened_on.month,
        municipality=municipality_of(first.lead),
        kind=first.kind,
        age=first.age or UNKNOWN,
        sex=first.sex or UNKNOWN,
        days=_days(first.opened_on, [case.closed_on for case in cases], year),
    )


def _days(opened_on: date, closed: Iterable[date | None], year: int) -> Days:
    """The band of the days from the first opening to the last close, open 12 months after the year's end or not."""
    last = max(day or date.max for day in closed)
    if last > date(year + 1, 12, 31):
        return Days.OPEN
    lasted = (last - opened_on).days
    return next((band for most, band in _BANDS if lasted <= most), Days.LONGER)
