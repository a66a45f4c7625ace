"""Bars of opened and closed case files month by month, as the numbers that SVG wants. Pure.

The axis begins at 0 and its ticks are whole numbers. The same figures stand in a table beside it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from node.casework.files.counting import Month

WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 40, 10, 14, 34
GAP = 0.3
"""Of a month's room, between its bars and the next month's."""
TICKS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Label:
    month: Month
    x: float


@dataclass(frozen=True, slots=True)
class Chart:
    bars: tuple[Bar, ...]
    labels: tuple[Label, ...]
    ticks: tuple[tuple[int, float], ...]
    """(number, y)."""


def chart(months: Sequence[Month]) -> Chart:
    step = _step(max(1, *(max(month.opened, month.closed) for month in months)))
    top = step * TICKS
    high, room = HEIGHT - TOP - BOTTOM, (WIDTH - LEFT - RIGHT) / len(months)
    wide = room * (1 - GAP) / 2
    bars, labels = [], []
    for place, month in enumerate(months):
        x = LEFT + place * room + room * GAP / 2
        for nth, (kind, count) in enumerate((("opened", month.opened), ("closed", month.closed))):
            tall = high * count / top
            bars.append(
                Bar(kind, round(x + nth * wide, 1), round(TOP + high - tall, 1), round(wide, 1), round(tall, 1))
            )
        labels.append(Label(month, round(x + wide, 1)))
    ticks = tuple((nth * step, round(TOP + high - high * nth / TICKS, 1)) for nth in range(TICKS + 1))
    return Chart(tuple(bars), tuple(labels), ticks)


def _step(most: int) -> int:
    """1, 2, 5, 10, 20, … so that TICKS of them hold `most`."""
    for power in itertools.count():
        for factor in (1, 2, 5):
            step = int(factor * 10**power)
            if step * TICKS >= most:
                return step
    raise AssertionError("unreachable")
