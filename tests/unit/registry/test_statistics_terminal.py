"""Figures on a terminal: no number without its interval, no silence as a number, nothing cut off."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from federation.web.i18n import Language
from registry.statistics.catalogue import Measure
from registry.statistics.cube import Axis, Cell, Cube, Disclosure, Drawn
from registry.statistics.reading import Level, NamedCode
from registry.statistics.terminal import WORDS, Screen, figure, may_be_none, shown, sparkline

WIDE = Screen()
PLAIN = Screen(unicode=False)
DRAWN = Drawn("2026", date(2027, 2, 14), "standard", "OpenDP 0.16.0", 100_000_000, 250_000_000, 2026, 2.24, 4)


def _cube(axes: tuple[Axis, ...], cells: list[Cell]) -> Cube:
    measures = Axis("ContentsCode", "measure", tuple(NamedCode(each, each) for each in Measure))
    values: list[int | None] = []
    status: dict[int, str] = {}
    for cell in cells:
        for value in (cell.value, cell.low, cell.high, cell.unclipped):
            if value is None:
                status[len(values)] = cell.status
            values.append(value)
    disclosure = Disclosure("discrete Gaussian", Level.PUBLIC, (DRAWN,), {"..": "too few", ":": "silent"})
    moment = datetime(2027, 2, 14, tzinfo=UTC)
    return Cube(
        "t", "A table", "s", moment, (*axes, measures), tuple(values), status, "children", ("A note.",), disclosure
    )


def _axis(name: str, *codes: str) -> Axis:
    return Axis(name, name.lower(), tuple(NamedCode(code, f"name of {code}") for code in codes))


def _of(value: int) -> Cell:
    return Cell(value, max(0, value - 4), value + 4, value)


FEW, SILENT = Cell(status=".."), Cell(status=":")


@pytest.mark.parametrize(
    ("cell", "screen", "written"),
    [
        (Cell(12, 8, 16, 12), WIDE, "12 (8–16)"),
        (Cell(12, 8, 16, 12), PLAIN, "12 (8-16)"),
        (Cell(3, 0, 7, 3), WIDE, "3 (0–7)*"),
        (Cell(0, 0, 4, -2), WIDE, "0 (0–4)*"),
        (Cell(12), WIDE, "12"),
        (Cell(unclipped=-2), WIDE, "-2"),
        (FEW, WIDE, ".."),
        (SILENT, WIDE, ":"),
        (Cell(), WIDE, "-"),
    ],
)
def test_a_figure_is_written_with_its_interval_or_its_mark(cell: Cell, screen: Screen, written: str) -> None:
    assert figure(cell, screen) == written


def test_what_has_no_value_may_not_be_called_nothing() -> None:
    assert [may_be_none(each) for each in (FEW, SILENT, Cell(5), _of(4), _of(5))] == [False, False, False, True, False]


def test_a_sparkline_goes_from_nothing_to_the_highest() -> None:
    cells = [_of(0), _of(50), _of(100), FEW, SILENT]
    assert sparkline(cells, WIDE) == "▁▄█··"
    assert sparkline(cells, PLAIN) == "_-#??"
    assert sparkline([_of(0), Cell(0, 0, 3, -3)], WIDE) == "▁▁"
    assert sparkline([FEW], WIDE) == "·"


def test_rows_are_places_and_columns_are_periods() -> None:
    cube = _cube((_axis("Region", "01", "0180"), _axis("Tid", "2025", "2026")), [_of(10), _of(20), FEW, SILENT])
    lines = list(shown(cube, Language.ENGLISH, WIDE))
    assert lines[2].split() == ["region", "2025", "2026", "Over", "time"]
    assert lines[3] == "01 name of 01      10 (6–14)  20 (16–24)  ▄█"
    assert lines[4].split()[-3:] == ["..", ":", "··"]
    assert ".. too few" in lines
    assert ":  silent" in lines
    assert lines[-1] == "- A note."


@pytest.mark.parametrize("width", [20, 40, 55, 70, 200])
def test_whole_periods_are_left_out_and_the_newest_stay(width: int) -> None:
    periods = [f"2026M{month:02d}" for month in range(1, 13)]
    cube = _cube((_axis("Region", "01"), _axis("Tid", *periods)), [_of(100 + month) for month in range(12)])
    lines = list(shown(cube, Language.SWEDISH, Screen(width)))
    heads = lines[2].split()[1:-2]
    assert heads
    assert heads == periods[-len(heads) :]
    assert all(f"{100 + month} ({96 + month}–{104 + month})" in lines[3] for month in range(12 - len(heads), 12))
    assert lines[3].endswith(sparkline([_of(100 + month) for month in range(12)], WIDE))
    assert any(f"{len(heads)} av 12" in line for line in lines) == (len(heads) < 12)
    # Where one period alone is too wide it is shown whole all the same.
    assert len(lines[3]) <= width or len(heads) == 1


def test_without_other_dimensions_periods_stand_below_each_other() -> None:
    cube = _cube((_axis("Tid", "2026M01", "2026M02"),), [_of(10), _of(20)])
    lines = list(shown(cube, Language.ENGLISH, WIDE))
    assert lines[3].split() == ["name", "of", "2026M01", "10", "(6–14)"]
    assert "Over time: 2026M01 ▄█ 2026M02" in lines


def test_one_cell_is_a_table_too() -> None:
    lines = list(shown(_cube((_axis("Tid", "2026"),), [FEW]), Language.ENGLISH, WIDE))
    assert lines[3].split() == ["name", "of", "2026", ".."]
    assert not any("Over time" in line for line in lines)


def test_both_languages_have_the_same_words() -> None:
    assert WORDS[Language.SWEDISH].keys() == WORDS[Language.ENGLISH].keys()
