"""Figures as the charts and rows of a page, with the words that go with them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from federation.web.i18n import Texts
from registry.dashboard.cells import SILENT, SUPPRESSED, Cell
from registry.dashboard.charts import NARROW, WIDE, Bar, Point, Series, bars, series
from registry.dashboard.formatting import Formats, month_of


@dataclass(frozen=True, slots=True)
class Drawn:
    """A time series in its widths; `what` it is of, and `summary` for who does not see it."""

    charts: tuple[Series, ...]
    what: str
    summary: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its headings with their links (empty where there is none), its cell, and the cell's bar."""

    heads: tuple[tuple[str, str], ...]
    cell: Cell
    bar: Bar | None


def sentence(name: str, cell: Cell, words: Texts, formats: Formats) -> str:
    """What is said of a cell to whoever points at it."""
    if cell.value is None:
        status = {SUPPRESSED: "suppressed", SILENT: "silent"}.get(cell.status, "missing")
        return words(f"word.cell_{status}", name=name)
    low, high = cell.bounds or (cell.value, cell.value)
    return words(
        "word.cell_near_zero" if cell.may_be_none else "word.cell",
        name=name,
        number=formats.whole(cell.value),
        low=formats.whole(low),
        high=formats.whole(high),
    )


def draw(cells: Sequence[tuple[str, Cell]], what: str, words: Texts, formats: Formats) -> Drawn:
    """Periods in order with their cells. Years stand under the first month of each, and under the first period."""
    points = [
        Point(code, *_short(code, index, cells, formats), formats.period(code), cell)
        for index, (code, cell) in enumerate(cells)
    ]
    described = {point.code: sentence(point.label, point.cell, words, formats) for point in points}
    return Drawn(
        tuple(series(points, frame, described) for frame in (WIDE, NARROW)),
        what,
        _summary(points, described, words),
    )


def _short(code: str, index: int, cells: Sequence[tuple[str, Cell]], formats: Formats) -> tuple[str, str]:
    if month_of(code) is None:
        return code, ""
    year = code[:4]
    first_of_year = index == 0 or not cells[index - 1][0].startswith(year)
    return formats.month_short(code), year if first_of_year else ""


def _summary(points: Sequence[Point], described: dict[str, str], words: Texts) -> str:
    first, last = points[0].label, points[-1].label
    with_value = [point for point in points if point.cell.value is not None]
    if not with_value:
        return words("table.chart_empty", first=first, last=last)
    high = max(with_value, key=lambda point: point.cell.value or 0)
    low = min(with_value, key=lambda point: point.cell.value or 0)
    return words("table.chart_summary", first=first, last=last, high=described[high.code], low=described[low.code])


def rows(
    cells: Sequence[tuple[tuple[tuple[str, str], ...], Cell]], totals: Sequence[bool] | None = None
) -> tuple[Row, ...]:
    """Rows with bars on one scale. Rows that are totals of others have none: beside them the others would vanish."""
    are_totals = totals if totals is not None and not all(totals) else [False] * len(cells)
    measured = iter(bars([cell for (_, cell), total in zip(cells, are_totals, strict=True) if not total]))
    return tuple(
        Row(heads, cell, None if total else next(measured))
        for (heads, cell), total in zip(cells, are_totals, strict=True)
    )
