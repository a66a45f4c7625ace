"""A bar for each classification, as the numbers that SVG wants. Pure. The same figures stand in a table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 760
LABELS = 330
"""Room for the names, left of the bars."""
NUMBERS = 50
"""Room for the numbers, right of them."""
ROW, BAR = 30, 20


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    number: int
    y: float
    text_y: float
    width: float
    number_x: float


@dataclass(frozen=True, slots=True)
class Chart:
    height: int
    bars: tuple[Bar, ...]


def chart(numbers: Sequence[tuple[str, int]]) -> Chart:
    """The longest bar takes all the room there is; the axis begins at 0."""
    most = max((number for _, number in numbers), default=1)
    bars = []
    for place, (label, number) in enumerate(numbers):
        width = round((WIDTH - LABELS - NUMBERS) * number / most, 1)
        top = place * ROW + (ROW - BAR) / 2
        bars.append(Bar(label, number, top, top + BAR * 0.72, width, LABELS + width + 8))
    return Chart(max(1, len(bars)) * ROW, tuple(bars))
