"""Time series with interval bands, and bars with intervals, as the numbers that SVG wants. Pure.

Templates draw them; colours are style sheets' alone. A chart is made in two widths (`WIDE`, `NARROW`), of which the
style sheet shows one, so that text keeps its size on a narrow screen.

Invariants
    - The axis begins at 0 and reaches above every interval: nothing is cut off, nothing looks larger than it is.
    - A period without a value breaks line and band; it is never drawn as 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from registry.dashboard.cells import Cell

TICKS = 5
_FACTORS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Frame:
    """Size of a drawing and the room that axes take, in user units (CSS pixels at full size)."""

    name: str
    width: int
    height: int
    left: int = 46
    right: int = 14
    top: int = 14
    bottom: int = 44
    label_every: int = 44
    """Room that one label of the time axis needs."""

    @property
    def inner_width(self) -> int:
        return self.width - self.left - self.right

    @property
    def inner_height(self) -> int:
        return self.height - self.top - self.bottom


WIDE = Frame("wide", 760, 300)
NARROW = Frame("narrow", 340, 260, left=38, right=8)


@dataclass(frozen=True, slots=True)
class Point:
    """A period, what it is called on the axis (and on a second line, where not empty) and in full, and its cell."""

    code: str
    short: str
    second: str
    label: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class Mark:
    """A value drawn: its place, and what a pointer on it is told."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid or a label of an axis."""

    at: float
    text: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A time series: bands and lines as paths (one a run of periods with values), gaps as (x, width, status)."""

    frame: Frame
    bands: tuple[str, ...]
    lines: tuple[str, ...]
    marks: tuple[Mark, ...]
    gaps: tuple[tuple[float, float, str], ...]
    values: tuple[Tick, ...]
    times: tuple[Tick, ...]


def step_of(top: int, ticks: int = TICKS) -> int:
    """The smallest of 1, 2, 5, 10, 20, … of which at most `ticks` reach `top`."""
    power = 1
    while True:
        for factor in _FACTORS:
            if factor * power * ticks >= top:
                return factor * power
        power *= 10


def axis(top: int, ticks: int = TICKS) -> tuple[int, ...]:
    """0 and upwards in round steps, the last not under `top`."""
    step = step_of(max(top, 1), ticks)
    return tuple(range(0, -(-max(top, 1) // step) * step + 1, step))


def series(points: Sequence[Point], frame: Frame, describe: dict[str, str]) -> Series:
    """The drawing of some periods in order; `describe` holds the sentence of each mark by the period's code."""
    bounds = [bounds for point in points if (bounds := point.cell.bounds) is not None]
    levels = axis(max((high for _, high in bounds), default=1))
    step = frame.inner_width / max(len(points), 1)

    def x(index: int) -> float:
        return round(frame.left + (index + 0.5) * step, 1)

    def y(value: int) -> float:
        return round(frame.top + frame.inner_height * (1 - value / levels[-1]), 1)

    bands: list[str] = []
    lines: list[str] = []
    for run in _runs(points):
        upper = [(x(index), y(points[index].cell.bounds[1])) for index in run]  # type: ignore[index]
        lower = [(x(index), y(points[index].cell.bounds[0])) for index in run]  # type: ignore[index]
        if len(run) == 1:
            half = min(step / 2, 4)
            upper = [(upper[0][0] - half, upper[0][1]), (upper[0][0] + half, upper[0][1])]
            lower = [(lower[0][0] - half, lower[0][1]), (lower[0][0] + half, lower[0][1])]
        bands.append(_polygon([*upper, *reversed(lower)]))
        lines.append(_line([(x(index), y(points[index].cell.value or 0)) for index in run]))
    stride = max(1, -(-len(points) * frame.label_every // frame.inner_width))
    return Series(
        frame,
        tuple(bands),
        tuple(lines),
        tuple(
            Mark(x(index), y(point.cell.value), describe[point.code])
            for index, point in enumerate(points)
            if point.cell.value is not None
        ),
        tuple(
            (round(x(index) - step / 2, 1), round(step, 1), point.cell.status)
            for index, point in enumerate(points)
            if point.cell.value is None
        ),
        tuple(Tick(y(level), str(level)) for level in levels),
        tuple(
            Tick(x(index), "" if index % stride else point.short, point.second)
            for index, point in enumerate(points)
            if index % stride == 0 or point.second
        ),
    )


def _runs(points: Sequence[Point]) -> Iterator[list[int]]:
    for has_value, run in itertools.groupby(range(len(points)), lambda index: points[index].cell.value is not None):
        if has_value:
            yield list(run)


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _polygon(points: Sequence[tuple[float, float]]) -> str:
    return _line(points) + "Z"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a table: its length and its interval in per cent of the longest, 0–100."""

    share: float
    low: float
    high: float


def bars(cells: Sequence[Cell]) -> tuple[Bar | None, ...]:
    """Bars on one scale from 0 to the highest end of an interval; None where no value is shown."""
    top = max((bounds[1] for cell in cells if (bounds := cell.bounds) is not None), default=0) or 1
    return tuple(
        None
        if (bounds := cell.bounds) is None or cell.value is None
        else Bar(*(round(100 * value / top, 2) for value in (cell.value, *bounds)))
        for cell in cells
    )
