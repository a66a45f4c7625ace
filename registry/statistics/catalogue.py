"""What the authority may ask, whole: tables, dimensions and codes. Pure; nothing outside it is answered.

Invariants
    - A child is in one cell of each table and year: one period, one place, one class of each kind.
    - Municipality by month, age or sex is in no table: such a cell would be one child.
    - What all tables of a year cost adds up to the profile's cap (`privacy.budget`), the reserve included.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from registry.statistics.geography import NATION, geography

TOTAL = "TOT"
UNKNOWN = "US"
"""Not stated (uppgift saknas)."""


class ReleaseKind(enum.StrEnum):
    """`MONTH`: cases opened in a month. `YEAR`: in a year. `CLOSED`: how long the children of a year were missed."""

    MONTH = "MONTH"
    YEAR = "YEAR"
    CLOSED = "CLOSED"


class TableId(enum.StrEnum):
    """By these names tables are asked for."""

    NATION_MONTH = "nation-month"
    COUNTY_MONTH = "county-month"
    NATION_YEAR = "nation-year"
    MUNICIPALITY_YEAR = "municipality-year"
    CLOSED_COUNTY_YEAR = "closed-county-year"
    OWN_SELECTION = "own-selection"
    """A sum over places and months of the asker's own choice, out of the reserve."""


class DimensionId(enum.StrEnum):
    """Names of dimensions as tools of PxWeb know them."""

    REGION = "Region"
    KIND = "Art"
    AGE = "Alder"
    SEX = "Kon"
    DAYS = "Dagar"
    TIME = "Tid"
    CONTENTS = "ContentsCode"


class Measure(enum.StrEnum):
    """What the cells of `ContentsCode` hold: the value shown (≥ 0), its 95 % interval, the value as it was drawn."""

    CHILDREN = "CHILDREN"
    LOW = "CHILDREN_LO95"
    HIGH = "CHILDREN_HI95"
    UNCLIPPED = "CHILDREN_UNCLIPPED"


class AgeBand(enum.StrEnum):
    """By the age reached in the year of the opening."""

    YOUNGEST = "-9"
    MIDDLE = "10-12"
    OLDEST = "13-"


class Sex(enum.StrEnum):
    """Statistics Sweden's codes."""

    MALE = "1"
    FEMALE = "2"


class Days(enum.StrEnum):
    """Days from the first opening to the close of the last case, or `OPEN` 12 months after the year's end."""

    WEEK = "0-7"
    MONTH = "8-30"
    QUARTER = "31-90"
    HALF = "91-180"
    YEAR = "181-365"
    LONGER = "366-"
    OPEN = "OPEN"


KINDS = ("LEFT", "NOT_PLACED", "HELD")
AGES = (*AgeBand, UNKNOWN)
SEXES = (Sex.FEMALE, Sex.MALE, UNKNOWN)
DAYS = tuple(Days)


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what it is released with, and its dimensions in order, time and contents last.

    `leaves` are the dimensions whose crossed codes are the cells that a child is counted in, time left out; totals over
    them are sums. `with_totals`: the dimensions that have a total among their codes.
    """

    table_id: TableId
    released_with: ReleaseKind | None
    leaves: tuple[DimensionId, ...]
    with_totals: tuple[DimensionId, ...]


TABLES = {
    table.table_id: table
    for table in (
        Table(TableId.NATION_MONTH, ReleaseKind.MONTH, (), ()),
        Table(TableId.COUNTY_MONTH, ReleaseKind.MONTH, (DimensionId.REGION,), (DimensionId.REGION,)),
        Table(
            TableId.NATION_YEAR,
            ReleaseKind.YEAR,
            (DimensionId.KIND, DimensionId.AGE, DimensionId.SEX),
            (DimensionId.KIND, DimensionId.AGE, DimensionId.SEX),
        ),
        Table(TableId.MUNICIPALITY_YEAR, ReleaseKind.YEAR, (DimensionId.REGION,), (DimensionId.REGION,)),
        Table(
            TableId.CLOSED_COUNTY_YEAR,
            ReleaseKind.CLOSED,
            (DimensionId.REGION, DimensionId.DAYS),
            (DimensionId.REGION, DimensionId.DAYS),
        ),
        Table(TableId.OWN_SELECTION, None, (), ()),
    )
}


def leaf_codes(table: Table, dimension: DimensionId) -> tuple[str, ...]:
    """The codes of a dimension that a child can be counted under, in order; totals left out."""
    match dimension:
        case DimensionId.REGION if table.table_id is TableId.MUNICIPALITY_YEAR:
            return tuple(geography().municipalities)
        case DimensionId.REGION:
            return tuple(geography().counties)
        case DimensionId.KIND:
            return KINDS
        case DimensionId.AGE:
            return AGES
        case DimensionId.SEX:
            return SEXES
        case DimensionId.DAYS:
            return DAYS
        case _:
            raise KeyError(dimension)


def codes(table: Table, dimension: DimensionId) -> tuple[str, ...]:
    """All codes of a dimension but time and contents: totals first, the nation and counties of municipalities too."""
    leaves = leaf_codes(table, dimension)
    if dimension is not DimensionId.REGION:
        return (TOTAL, *leaves)
    between = tuple(geography().counties) if table.table_id is TableId.MUNICIPALITY_YEAR else ()
    return (NATION, *between, *leaves)
