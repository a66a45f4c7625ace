"""Cells out of an answer of the registry, found by their codes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from registry.dashboard.cells import NOTHING, Cell
from registry.statistics import jsonstat
from registry.statistics.catalogue import DimensionId, Measure

CONTENTS = str(DimensionId.CONTENTS)
MEASURES = (str(Measure.CHILDREN), str(Measure.LOW), str(Measure.HIGH))
"""What pages ask of each cell."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The answer's dimensions (contents left out) in order, and its cells by one code of each."""

    dimensions: tuple[str, ...]
    cells: Mapping[tuple[str, ...], Cell]

    def cell(self, **codes: str) -> Cell:
        """`cell(Region="0180", Tid="2025")`; `NOTHING` where the answer holds no such cell."""
        return self.cells.get(tuple(codes.get(name, "") for name in self.dimensions), NOTHING)


EMPTY = Figures((), {})


def parse(content: bytes) -> Figures:
    """Of JSON-stat. Raises UppropError(NOT_SUPPORTED)."""
    cube = jsonstat.parse(content)
    return Figures(
        tuple(axis.name for axis in cube.axes[:-1]),
        {key: Cell(cell.value, cell.low, cell.high, cell.status) for key, cell in cube.rows()},
    )
