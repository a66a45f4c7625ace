"""From counts to released values: noise for each level, levels fitted to each other, further noise for the public.

Pure but for the noise, which is passed in.

Invariants
    - Each count is drawn once, at what its table costs; everything after that hangs on noisy values alone.
    - The tables of one release are of the same children and add up to one total (`privacy.fitting`).
    - What the public gets is made of what the authority gets, with noise of the same size on top: it costs nothing
      more.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from privacy import accuracy, disclosure
from privacy.accuracy import Shape, Shapes
from privacy.budget import Price, Profile
from privacy.fitting import Fitted, Level, fit
from registry.statistics.catalogue import TableId
from registry.statistics.model import Period, ReleasedTable, Scale, Values, dimensions

Counts = Mapping[TableId, Sequence[int]]
"""Table → how many children are in each of its cells."""


class Noise(Protocol):
    """What draws: `privacy.noise`."""

    MECHANISM: str

    def library(self) -> str:
        """What draws, with its version."""
        ...

    def gaussian(self, values: Sequence[int], nano_rho: int) -> list[int]:
        """Each value with noise of its own, all together at this price."""
        ...

    def sigma(self, nano_rho: int) -> float:
        """The scale of the noise at a price."""
        ...


def draw(counts: Counts, profile: Profile, noise: Noise) -> list[ReleasedTable]:
    """Draw the tables of one release."""
    prices = {table: profile.tables[table] for table in counts}
    costs = [cost for price in prices.values() for cost in price.parts]
    levels = [part for table, price in prices.items() for part in _parts(counts[table], price)]
    authority = fit([Level(tuple(noise.gaussian(part, cost)), cost) for part, cost in zip(levels, costs, strict=True)])
    public = disclosure.further_noise(authority, costs, noise.gaussian)
    places = _places(prices)
    return [
        ReleasedTable(table, dimensions(table), _values(authority, places[table]), _values(public, places[table]))
        for table in counts
    ]


def scales(period: Period, profile: Profile, noise: Noise) -> dict[TableId, Scale]:
    """The noise of each table of a release. It hangs on the profile alone."""
    prices = {table: profile.tables[table] for table in period.tables}
    shapes = tuple(
        Shape(len(part), cost)
        for table, price in prices.items()
        for cost, part in zip(price.parts, _parts([0] * _size(table), price), strict=True)
    )
    return {table: _scale(prices[table], place, shapes, noise) for table, place in _places(prices).items()}


def _scale(price: Price, place: int, shapes: Shapes, noise: Noise) -> Scale:
    sigma = noise.sigma(price.cells)
    cells = shapes[place].cells

    half_width = functools.partial(accuracy.half_width, shapes, place)
    return Scale(
        nano_rho=price.nano_rho,
        cells_nano_rho=price.cells,
        total_nano_rho=price.total,
        sigma=sigma,
        total_sigma=None if price.total is None else noise.sigma(price.total),
        public_sigma=sigma,
        half_width=half_width(1),
        total_half_width=half_width(cells),
        public_half_width=half_width(1, times=disclosure.PUBLIC_TIMES, alpha=disclosure.PUBLIC_ALPHA),
        public_total_half_width=half_width(cells, times=disclosure.PUBLIC_TIMES),
    )


def _size(table: TableId) -> int:
    return math.prod(map(len, dimensions(table).values()))


def _parts(cells: Sequence[int], price: Price) -> list[Sequence[int]]:
    """What is drawn of a table, one for each part of its price: its cells, and its total where that is drawn too."""
    return [cells] if price.total is None else [cells, [sum(cells)]]


def _places(prices: Mapping[TableId, Price]) -> dict[TableId, int]:
    """Where the cells of each table are among the levels."""
    places, at = {}, 0
    for table, price in prices.items():
        places[table], at = at, at + len(price.parts)
    return places


def _values(fitted: Fitted, place: int) -> Values:
    return Values(fitted.levels[place], fitted.total)
