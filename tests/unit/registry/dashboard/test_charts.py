"""What charts draw: nothing cut off, nothing made up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.dashboard.cells import SILENT, SUPPRESSED, Cell
from registry.dashboard.charts import NARROW, WIDE, Point, axis, bars, series

CELLS = st.one_of(
    st.sampled_from([Cell(None, status=SUPPRESSED), Cell(None, status=SILENT), Cell(None)]),
    st.builds(
        lambda value, half: Cell(value, max(0, value - half), value + half), st.integers(0, 5000), st.integers(0, 90)
    ),
)


def _points(cells: list[Cell]) -> list[Point]:
    return [
        Point(f"{2024 + index // 12}M{index % 12 + 1:02d}", "jan", "" if index % 12 else "2024", "", cell)
        for index, cell in enumerate(cells)
    ]


@pytest.mark.parametrize(
    ("top", "levels"),
    [(1, (0, 1)), (5, (0, 1, 2, 3, 4, 5)), (48, (0, 10, 20, 30, 40, 50)), (2360, (0, 500, 1000, 1500, 2000, 2500))],
)
def test_axes_begin_at_zero_and_go_in_round_steps(top: int, levels: tuple[int, ...]) -> None:
    assert axis(top) == levels


@settings(deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=60))
def test_every_interval_lies_within_the_frame(cells: list[Cell]) -> None:
    for frame in (WIDE, NARROW):
        points = _points(cells)
        drawn = series(points, frame, {point.code: "" for point in points})
        numbers = [float(each) for path in drawn.bands for each in path.strip("MZ").replace("L", " ").split()]
        assert all(frame.left <= x <= frame.width - frame.right for x in numbers[::2])
        assert all(frame.top <= y <= frame.height - frame.bottom for y in numbers[1::2])


@settings(deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=60))
def test_each_value_has_one_mark_and_all_else_is_a_gap(cells: list[Cell]) -> None:
    points = _points(cells)
    drawn = series(points, WIDE, {point.code: "" for point in points})
    assert len(drawn.marks) == sum(cell.value is not None for cell in cells)
    assert [status for _, _, status in drawn.gaps] == [cell.status for cell in cells if cell.value is None]


def test_a_silent_month_breaks_the_line() -> None:
    points = _points([Cell(4, 0, 8), Cell(None, status=SILENT), Cell(6, 2, 10)])
    drawn = series(points, WIDE, {point.code: "" for point in points})
    assert len(drawn.lines) == len(drawn.bands) == 2


def test_every_january_is_named_by_its_year_however_narrow_the_drawing() -> None:
    points = [
        Point(f"{year}M{month:02d}", "m", str(year) if month == 1 else "", "", Cell(1, 0, 2))
        for year in (2024, 2025, 2026)
        for month in range(1, 13)
    ]
    drawn = series(points[5:], NARROW, {point.code: "" for point in points})
    assert [tick.second for tick in drawn.times if tick.second] == ["2025", "2026"]


def test_bars_stand_on_one_scale_up_to_the_highest_end() -> None:
    longest, half, none = bars([Cell(8, 6, 10), Cell(5, 3, 7), Cell(None, status=SUPPRESSED)])
    assert longest is not None
    assert half is not None
    assert none is None
    assert (longest.share, longest.high, half.share, half.low) == (80, 100, 50, 30)
