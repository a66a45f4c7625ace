"""The one shape of an answer: dimensions, a value for every combination of their codes, and how it was protected. Pure.

All formats are written from it, and JSON-stat is read back into it: what a page shows is what the registry said.

Invariants
    - A value is there, or a status says why it is not: `..` too few to be shown, `:` nobody had reported. Absence is
      never zero.
    - Values stand row by row over the axes, the last one moving first; the contents are the last axis.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from registry.statistics.catalogue import DimensionId, Measure
from registry.statistics.reading import Level, NamedCode

SUPPRESSED = ".."
"""Stands where the public is shown no value."""

SILENT = ":"
"""Stands where nobody had reported; decided by coverage alone."""

ROLES = {DimensionId.REGION: "geo", DimensionId.TIME: "time", DimensionId.CONTENTS: "metric"}
"""Of the dimensions that JSON-stat has a role for."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension with those of its codes that were asked for."""

    name: str
    label: str
    categories: tuple[NamedCode, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(each.code for each in self.categories)

    @property
    def role(self) -> str:
        """`geo`, `time`, `metric`, or empty."""
        return ROLES.get(DimensionId(self.name), "") if self.name in set(DimensionId) else ""

    def label_of(self, code: str) -> str:
        """KeyError for a code that was not asked for."""
        for each in self.categories:
            if each.code == code:
                return each.label
        raise KeyError(code)


@dataclass(frozen=True, slots=True)
class Cell:
    """All contents of one combination of the other codes, in children; None where not asked for, or under a status.

    `value`, `low` and `high` are at least 0; `unclipped` is as it was drawn.
    """

    value: int | None = None
    low: int | None = None
    high: int | None = None
    unclipped: int | None = None
    status: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A release, or a further question, that cells come from. `sigma`: of one cell's noise, for the level shown.

    `half_width`: of the interval of a cell that is no sum. `silent`: municipalities nobody had reported of.
    """

    release_id: str
    drawn_on: date
    profile: str
    library: str
    nano_rho: int
    cap_nano_rho: int
    year: int
    sigma: float
    half_width: int
    current_members: int | None = None
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disclosure:
    """How the values were protected. `suppression` explains the marks; `selection` is what was summed, if anything."""

    mechanism: str
    level: Level
    drawn: tuple[Drawn, ...]
    suppression: Mapping[str, str]
    selection: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cube:
    """An answer. `status` says of the places of values that are None why they are; `unit` what a value counts."""

    table_id: str
    label: str
    source: str
    updated: datetime
    axes: tuple[Axis, ...]
    values: tuple[int | None, ...]
    status: Mapping[int, str]
    unit: str
    notes: tuple[str, ...]
    disclosure: Disclosure

    def __post_init__(self) -> None:
        if not self.axes or self.axes[-1].name != DimensionId.CONTENTS:
            raise ValueError("the contents are not the last axis")
        if len(self.values) != math.prod(self.size):
            raise ValueError("there are not as many values as combinations of codes")
        if any(not 0 <= place < len(self.values) or self.values[place] is not None for place in self.status):
            raise ValueError("a status stands where a value is")

    @property
    def size(self) -> tuple[int, ...]:
        return tuple(len(axis.categories) for axis in self.axes)

    def axis(self, name: str) -> Axis | None:
        return next((each for each in self.axes if each.name == name), None)

    def text(self, place: int) -> str:
        """The value at a place, or the mark that says why it is not there."""
        value = self.values[place]
        return self.status.get(place, "") if value is None else str(value)

    def rows(self) -> Iterator[tuple[tuple[str, ...], Cell]]:
        """The codes of all axes but the contents, in their order, and the cell; row by row."""
        measures = self.axes[-1].codes
        keys = itertools.product(*(axis.codes for axis in self.axes[:-1]))
        for number, key in enumerate(keys):
            begin = number * len(measures)
            by = dict(zip(measures, self.values[begin : begin + len(measures)], strict=True))
            yield (
                key,
                Cell(
                    by.get(Measure.CHILDREN),
                    by.get(Measure.LOW),
                    by.get(Measure.HIGH),
                    by.get(Measure.UNCLIPPED),
                    next(
                        (self.status[place] for place in range(begin, begin + len(measures)) if place in self.status),
                        "",
                    ),
                ),
            )

    def cells(self) -> dict[tuple[str, ...], Cell]:
        """Cell by the codes of all axes but the contents, in their order."""
        return dict(self.rows())
