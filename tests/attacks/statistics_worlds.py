"""Two worlds that differ in one child, counted and drawn by the code that releases: what attacks are played against."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from federation.rules.vocabulary import MemberId
from privacy import noise
from registry.statistics.calendar import Known, due, due_on
from registry.statistics.catalogue import ReleaseKind, TableId
from registry.statistics.counting import CaseRow, count, tally
from registry.statistics.model import Period

YEAR = 2026
MONTH = 9
CLOSED_ON = date(YEAR + 2, 6, 30)

Counts = dict[tuple[Period, TableId], list[int]]
"""What is counted in each table of each release, before any noise."""

_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class History:
    """One case of a child, and the days between which its gaps were void (never was), where there are such days."""

    opened_on: date
    lead: str
    closed_on: date | None = None
    void: tuple[date, date] | None = None
    kind: str = "LEFT"
    age: str | None = "13-"
    sex: str | None = "2"


def rows_of(*cases: History, on: date = date.max) -> list[CaseRow]:
    """The cases of one child as the store holds them on a day."""
    number = next(_ids)
    return [
        CaseRow(
            case_id=number.to_bytes(12, "big") + place.to_bytes(4, "big"),
            child_year_id=number.to_bytes(16, "big"),
            opened_on=each.opened_on,
            closed_on=None if each.closed_on is None or each.closed_on > on else each.closed_on,
            lead=MemberId(each.lead),
            kind=each.kind,
            age=each.age,
            sex=each.sex,
            gaps=1,
            void_gaps=int(each.void is not None and each.void[0] <= on < each.void[1]),
            counted_in=dict.fromkeys(ReleaseKind),
        )
        for place, each in enumerate(cases)
    ]


def periods() -> list[Period]:
    """All that is released of the year, in the order in which it falls due."""
    known = Known(date(YEAR, 1, 1), CLOSED_ON)
    return [period for period in due(known, CLOSED_ON, ()) if period.year == YEAR]


def counted(
    children: Iterable[Sequence[History]],
    count_rows: Callable[[list[CaseRow], Period], list[list[int]]] | None = None,
) -> Counts:
    """The year's releases one after the other, over what had opened by then.

    A child that is counted is marked, as it is in the store. `count_rows` counts in another way than releases do.
    """
    children = list(children)
    marked: dict[tuple[int, int], dict[ReleaseKind, str | None]] = {}
    found: Counts = {}
    for period in periods():
        day = due_on(period)
        rows: list[CaseRow] = []
        of: dict[bytes, tuple[int, int]] = {}
        for number, cases in enumerate(children):
            for place, row in enumerate(rows_of(*cases, on=day)):
                if row.opened_on > day or row.opened_on.year != period.year:
                    continue
                of[row.case_id] = (number, place)
                marks = marked.setdefault((number, place), dict.fromkeys(ReleaseKind))
                rows.append(replace(row, counted_in=dict(marks)))
        if count_rows is not None:
            tallies = count_rows(rows, period)
        else:
            release = count(rows, period, str)
            for case_id in release.case_ids:
                marked[of[case_id]][period.kind] = period.release_id
            tallies = [tally(release.children, table) for table in period.tables]
        found.update(zip(((period, table) for table in period.tables), tallies, strict=True))
    return found


def distances(one: Counts, other: Counts) -> dict[TableId, float]:
    """Table → how far apart the worlds are in all its releases together: Euclidean, as noise is made for."""
    squares: dict[TableId, int] = {}
    for (period, table), cells in one.items():
        squares[table] = squares.get(table, 0) + sum(
            (a - b) ** 2 for a, b in zip(cells, other[period, table], strict=True)
        )
    return {table: math.sqrt(total) for table, total in squares.items()}


def opened(month: int, day: int = 3, lead: str = "0180", *, lasting: int | None = 20, **more: object) -> History:
    on = date(YEAR, month, day)
    closed = None if lasting is None else on + timedelta(days=lasting)
    return History(on, lead, closed, **more)  # type: ignore[arg-type]  # fields of History


@dataclass(slots=True)
class Broken:
    """Noise as somebody may break it: `fails` says of a draw whether it is left without any."""

    fails: Callable[[Sequence[int]], bool]
    MECHANISM: str = "none"

    def library(self) -> str:
        return "none"

    def gaussian(self, values: Sequence[int], nano_rho: int) -> list[int]:
        return list(values) if self.fails(values) else noise.gaussian(values, nano_rho)

    def sigma(self, nano_rho: int) -> float:
        return noise.sigma(nano_rho)

    def half_width(self, scale: float) -> int:
        return noise.half_width(scale)
