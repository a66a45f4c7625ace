"""The map of Sweden: which class each area is drawn in, and what the legend says. Pure but for the outlines' file.

Invariants
    - Colour follows what is shown alone: value, interval and status of the cell as the reader may see it.
    - What is no number has a pattern, never a colour of the scale: suppressed hatched, silent dotted.
    - A cell whose interval includes 0 stands apart from the scale: it may be nothing.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from registry.dashboard.cells import SILENT, SUPPRESSED, Cell

STEPS = 5
"""Colours of the scale; more can hardly be told apart on a map."""
_ROUND = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Outlines:
    """Paths of SVG by code in one system of coordinates, and the box (x, y, width, height) of each."""

    width: int
    height: int
    municipalities: Mapping[str, str]
    counties: Mapping[str, str]
    boxes: Mapping[str, tuple[int, int, int, int]]


@functools.cache
def outlines() -> Outlines:
    text = resources.files("registry.dashboard.geo").joinpath("outlines.json").read_text("utf-8")
    held = json.loads(text)
    return Outlines(
        held["width"],
        held["height"],
        held["municipalities"],
        held["counties"],
        {code: (box[0], box[1], box[2], box[3]) for code, box in held["boxes"].items()},
    )


@dataclass(frozen=True, slots=True)
class Inset:
    """A crowded region drawn larger beside the map: what of it is shown, and where."""

    key: str
    view: tuple[int, int, int, int]
    at: tuple[int, int, int, int]


INSETS = (
    Inset("stockholm", (1440, 4180, 300, 340), (40, 120, 880, 997)),
    Inset("goteborg", (60, 4900, 260, 290), (40, 1330, 580, 647)),
    Inset("malmo", (330, 5820, 230, 270), (1966, 5300, 600, 704)),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One colour of the scale: `low` to `high` children, both included; no `high` in the topmost."""

    low: int
    high: int | None


def scale(values: Iterable[int], steps: int = STEPS) -> tuple[Step, ...]:
    """Classes that begin at 1, 2, 5, 10, 20, 50, …: the first at or under the lowest value, the last open upwards.

    Each is about twice as wide as the one before it, since a few cities have many times what most places have.
    """
    positive = [value for value in values if value > 0]
    if not positive:
        return ()
    lows = [low for low in _lows() if low <= max(positive)]
    first = max(index for index, low in enumerate(lows) if low <= min(positive))
    lows = lows[first : first + steps]
    return tuple(
        Step(low, following - 1 if following is not None else None)
        for low, following in zip(lows, [*lows[1:], None], strict=True)
    )


def shade(cell: Cell, steps: Sequence[Step]) -> str:
    """The class that an area is drawn in: `step-1` …, `near-zero`, `suppressed`, `silent`, or `missing`."""
    if cell.value is None:
        return {SUPPRESSED: "suppressed", SILENT: "silent"}.get(cell.status, "missing")
    if cell.may_be_none:
        return "near-zero"
    return f"step-{step_of(cell.value, steps) + 1}"


def step_of(value: int, steps: Sequence[Step]) -> int:
    """The topmost step that begins at or under the value; the first for what lies under all."""
    return max((index for index, step in enumerate(steps) if step.low <= value), default=0)


def _lows() -> tuple[int, ...]:
    return tuple(factor * 10**power for power in range(7) for factor in _ROUND)


@dataclass(frozen=True, slots=True)
class Area:
    """One area on the page. `name`, `label` and `link` are the page's; `path` is SVG."""

    code: str
    name: str
    path: str
    shade: str
    label: str


def within(codes: Iterable[str], view: tuple[int, int, int, int]) -> frozenset[str]:
    """The areas whose boxes touch a view, so that an inset holds no path that it does not show."""
    left, top, width, height = view
    boxes = outlines().boxes
    return frozenset(
        code
        for code in codes
        if boxes[code][0] <= left + width
        and left <= boxes[code][0] + boxes[code][2]
        and boxes[code][1] <= top + height
        and top <= boxes[code][1] + boxes[code][3]
    )
