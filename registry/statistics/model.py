"""What is counted and what is released, as values. Pure: nothing here reads a clock, a store or the network.

Invariants
    - A `Child` bears no name and no id: what is left of a child-year is the cell it falls into.
    - A release is a whole: its tables were drawn in one moment and are never changed, nor is its record.
    - The values of a table stand in the order of its cells: row by row over its dimensions, the last one moving first.
      They hold their noise, are not clipped, and add up to the total that stands beside them.

In the store a `Record` is `statistics_releases.record`, `Values` are `statistics_tables.authority_values` and
`public_values`, and the codes of a table's dimensions are `statistics_tables.dimensions`; all as JSON.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NewType

from registry.statistics.catalogue import TABLES, DimensionId, ReleaseKind, TableId, leaf_codes

ReleaseId = NewType("ReleaseId", str)
"""`2026-09`, `2026` or `2026-closed`."""

_LAST_YEAR = 9_997
"""Of whose children the last release falls due on a day that a date can name."""

Cell = tuple[str, ...]
"""One code for each dimension of a table, in its order; empty for a table of one cell."""


@dataclass(frozen=True, slots=True)
class Child:
    """One child of one year, as it is counted: what its first case was on the day it opened, and how long it lasted.

    `municipality` has four digits; `days` is a code of `catalogue.Days`.
    """

    month: int
    municipality: str
    kind: str
    age: str
    sex: str
    days: str


@dataclass(frozen=True, slots=True)
class Scale:
    """The noise of one table.

    Of what the table costs, `nano_rho`, its cells are drawn at `cells_nano_rho`, and its total, where it is drawn by
    itself too, at `total_nano_rho`. Sigmas are the scales of these draws, before levels were fitted to each other, and
    of what is further added to each cell for the public. Half-widths are whole numbers of children: the value shown is
    at most so far from the true one, in 95 of 100 cells.
    """

    nano_rho: int
    cells_nano_rho: int
    total_nano_rho: int | None
    sigma: float
    total_sigma: float | None
    public_sigma: float
    half_width: int
    total_half_width: int
    public_half_width: int
    public_total_half_width: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Who had reported by the last day that a release speaks of, `through`. Decided without looking at any child.

    A municipality is silent where no member of its own was current: neither itself, nor an operator of its schools.
    """

    through: date
    current_members: int
    silent_members: tuple[str, ...] = ()
    silent_municipalities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """How a release was drawn: `profile` is that of its year, `library` the one that drew, with its version."""

    mechanism: str
    library: str
    profile: str
    coverage: Coverage
    scales: Mapping[TableId, Scale]


@dataclass(frozen=True, slots=True)
class Values:
    """The cells of one table, noise included, and their total."""

    leaves: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ReleasedTable:
    """`dimensions` hold the codes of the cells as they were on the day of the draw, totals left out."""

    table_id: TableId
    dimensions: Mapping[DimensionId, tuple[str, ...]]
    authority: Values
    public: Values

    def cells(self) -> tuple[Cell, ...]:
        """The cells that `Values.leaves` are of, in the same order."""
        return tuple(itertools.product(*self.dimensions.values()))


@dataclass(frozen=True, slots=True)
class Period:
    """What a release is about: a month, or a year's children."""

    kind: ReleaseKind
    year: int
    month: int | None = None

    def __post_init__(self) -> None:
        assert (self.month is not None) == (self.kind is ReleaseKind.MONTH)

    @property
    def release_id(self) -> ReleaseId:
        return ReleaseId(f"{self.text}-closed" if self.kind is ReleaseKind.CLOSED else self.text)

    @property
    def text(self) -> str:
        """`2026-09` or `2026`."""
        return f"{self.year:04d}" if self.month is None else f"{self.year:04d}-{self.month:02d}"

    @property
    def tables(self) -> tuple[TableId, ...]:
        """The tables that its release holds."""
        return tuple(table.table_id for table in TABLES.values() if table.released_with is self.kind)


@dataclass(frozen=True, slots=True)
class Release:
    """One release as it stands. `drawn_on` is the business date, `drawn_at` the system's time."""

    period: Period
    drawn_on: date
    drawn_at: datetime
    record: Record

    @property
    def release_id(self) -> ReleaseId:
        return self.period.release_id


@dataclass(frozen=True, slots=True)
class Spend:
    """One sum of a year's budget that is spent, of a table or of a further question of a reader."""

    spend_id: str
    year: int
    nano_rho: int
    spent_at: datetime
    reader: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What the privacy of one year's children may be spent on, in nano-rho, and what of it is."""

    year: int
    profile: str
    cap_nano_rho: int
    spent_nano_rho: int


def dimensions(table: TableId) -> dict[DimensionId, tuple[str, ...]]:
    """The dimensions of a table's cells with their codes as they are now."""
    return {dimension: leaf_codes(TABLES[table], dimension) for dimension in TABLES[table].leaves}


def parse_release_id(text: str) -> Period:
    """The period that a release id names. Raises ValueError."""
    year, _, rest = text.partition("-")
    if not (len(year) == 4 and year.isascii() and year.isdigit() and 1 <= int(year) <= _LAST_YEAR):
        raise ValueError("no year")
    if text == year:
        return Period(ReleaseKind.YEAR, int(year))
    if rest == "closed":
        return Period(ReleaseKind.CLOSED, int(year))
    if len(rest) == 2 and rest.isascii() and rest.isdigit() and 1 <= int(rest) <= 12:
        return Period(ReleaseKind.MONTH, int(year), int(rest))
    raise ValueError("no month")
