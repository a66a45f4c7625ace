"""What one release says of one table: the value of any combination of codes, its interval, or why there is none. Pure.

Invariants
    - Every sum is the sum of the cells as they were released; nothing is counted or drawn.
    - Silence is decided by coverage alone, and goes before everything else; suppression by the noisy value alone.
    - An interval holds for what it stands beside: a sum of many cells has a wider one than a cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from privacy import accuracy, disclosure
from registry.statistics.catalogue import TOTAL, DimensionId, TableId
from registry.statistics.cube import SILENT, SUPPRESSED, Cell
from registry.statistics.geography import NATION, county_of, geography
from registry.statistics.model import Cell as CellKey
from registry.statistics.model import Record, Release, ReleasedTable, Scale, dimensions
from registry.statistics.reading import Level


@dataclass(frozen=True, slots=True)
class Held:
    """A table as it stands in one release."""

    release: Release
    table: ReleasedTable
    _positions: Mapping[DimensionId, Mapping[str, tuple[int, ...]]] = field(init=False, repr=False, compare=False)
    _silent: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        positions = {dimension: _positions(dimension, codes) for dimension, codes in self.table.dimensions.items()}
        object.__setattr__(self, "_positions", positions)
        object.__setattr__(self, "_silent", silent_regions(self.release.record.coverage.silent_municipalities))

    @property
    def scale(self) -> Scale:
        return self.release.record.scales[self.table.table_id]

    def cell(self, key: CellKey, level: Level) -> Cell:
        """The cell of these codes, one for each dimension of the table in its order, totals among them."""
        codes = dict(zip(self.table.dimensions, key, strict=True))
        places = self._places(codes)
        if codes.get(DimensionId.REGION, NATION) in self._silent or not places:
            return Cell(status=SILENT)
        values = self.table.authority if level is Level.AUTHORITY else self.table.public
        whole = len(places) == len(self.table.cells())
        drawn = values.total if whole else sum(values.leaves[place] for place in places)
        if level is Level.PUBLIC and disclosure.suppressed(drawn):
            return Cell(status=SUPPRESSED)
        low, high = disclosure.interval(drawn, self.half_width(len(places), level))
        return Cell(disclosure.shown(drawn), low, high, drawn)

    def half_width(self, cells: int, level: Level) -> int:
        """Of the interval of a sum over so many of the table's cells."""
        scale, public = self.scale, level is Level.PUBLIC
        one = scale.public_half_width if public else scale.half_width
        total = scale.public_total_half_width if public else scale.total_half_width
        leaves = len(self.table.cells())
        if cells == leaves:
            return total
        if cells == 1:
            return one
        shapes, level_of = _shapes(self.release.record, self.table.table_id)
        if public:
            return accuracy.half_width(
                shapes, level_of, cells, times=disclosure.PUBLIC_TIMES, alpha=disclosure.PUBLIC_ALPHA
            )
        return accuracy.half_width(shapes, level_of, cells)

    def sigma(self, level: Level) -> float:
        """Of the noise in one cell, before the tables were fitted to each other."""
        scale = self.scale
        return round(scale.sigma if level is Level.AUTHORITY else math.hypot(scale.sigma, scale.public_sigma), 4)

    def _places(self, codes: Mapping[DimensionId, str]) -> list[int]:
        """Which of the table's cells are in the combination, by their places."""
        places = [0]
        for dimension, code in codes.items():
            size = len(self.table.dimensions[dimension])
            within = self._positions[dimension].get(code, ())
            places = [place * size + position for place in places for position in within]
        return places


def _shapes(record: Record, table_id: TableId) -> tuple[accuracy.Shapes, int]:
    """What was fitted to each other in a release, and which of it the cells of a table are."""
    shapes: list[accuracy.Shape] = []
    place = 0
    for each, scale in record.scales.items():
        if each is table_id:
            place = len(shapes)
        shapes.append(accuracy.Shape(math.prod(map(len, dimensions(each).values())), scale.cells_nano_rho))
        if scale.total_nano_rho is not None:
            shapes.append(accuracy.Shape(1, scale.total_nano_rho))
    return tuple(shapes), place


def silent_regions(silent_municipalities: tuple[str, ...]) -> frozenset[str]:
    """Municipalities, counties and the nation of which nobody had reported."""
    silent = set(silent_municipalities)
    heard = [code for code in geography().municipalities if code not in silent]
    counties = geography().counties.keys() - {county_of(code) for code in heard}
    return frozenset(silent | counties | (set() if heard else {NATION}))


def _positions(dimension: DimensionId, codes: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Code, totals included → the places of the codes that it sums up."""
    positions: dict[str, tuple[int, ...]] = {code: (place,) for place, code in enumerate(codes)}
    everything = tuple(range(len(codes)))
    if dimension is not DimensionId.REGION:
        return {TOTAL: everything, **positions}
    for county in geography().counties.keys() - positions.keys():
        positions[county] = tuple(place for place, code in enumerate(codes) if county_of(code) == county)
    return {NATION: everything, **positions}
