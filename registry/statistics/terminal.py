"""Figures on a terminal: values with their intervals, and how they went over time as a sparkline. Pure.

Invariants
    - No figure stands without its interval where the answer has one, and none is cut off: what does not fit is left
      out as whole periods, and the last line says so.
    - What is no number is a sign that the legend explains; it is never 0 nor blank.
    - What the terminal's encoding cannot show is written in plain letters.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from federation.web.i18n import Language
from registry.statistics.cube import Axis, Cell, Cube

_BLOCKS = "▁▂▃▄▅▆▇█"
_PLAIN_BLOCKS = "_.,-=+*#"
_MAY_BE_NONE = "*"
_NOTHING = "-"
_SEPARATOR = "  "

WORDS: Mapping[Language, Mapping[str, str]] = {
    Language.SWEDISH: {
        "course": "Över tid",
        "interval": "Inom parentes: 95 % intervall.",
        "may_be_none": "intervallet innehåller 0: det kan vara inget barn alls",
        "missing": "inte publicerat",
        "left_out": "De senaste {shown} av {all} perioder får plats; --format csv ger alla.",
        "own_scale": "Kurvan är per rad, från 0 till radens högsta värde; · är en period utan värde.",
    },
    Language.ENGLISH: {
        "course": "Over time",
        "interval": "In brackets: 95 % interval.",
        "may_be_none": "the interval includes 0: there may be no child at all",
        "missing": "not released",
        "left_out": "The newest {shown} of {all} periods fit; --format csv gives all.",
        "own_scale": "Each line has a scale of its own, from 0 to its highest value; · is a period without one.",
    },
}


@dataclass(frozen=True, slots=True)
class Screen:
    """What is written on: how many letters a line has (None: any number), and whether it takes all of Unicode."""

    width: int | None = None
    unicode: bool = True


def shown(cube: Cube, language: Language, screen: Screen) -> Iterator[str]:
    """The lines of a table, its legend and notes."""
    words = WORDS[language]
    time = next((axis for axis in cube.axes if axis.role == "time"), None)
    others = [axis for axis in cube.axes[:-1] if axis is not time]
    yield cube.label
    yield ""
    if time is None or not others:
        yield from _downwards(cube, time, words, screen)
    else:
        yield from _across(cube, time, others, words, screen)
    yield ""
    yield from _legend(cube, words)
    for note in cube.notes:
        yield f"- {note}"


def figure(cell: Cell, screen: Screen) -> str:
    """`12 (8–16)`, marked where the interval includes 0; the status where there is no value."""
    value = _value(cell)
    if value is None:
        return cell.status or _NOTHING
    mark = _MAY_BE_NONE if may_be_none(cell) else ""
    if cell.low is None or cell.high is None:
        return f"{value}{mark}"
    return f"{value} ({cell.low}{'–' if screen.unicode else '-'}{cell.high}){mark}"


def may_be_none(cell: Cell) -> bool:
    """The interval includes 0: perhaps there was no child at all."""
    return _value(cell) is not None and cell.low is not None and cell.low <= 0


def sparkline(cells: Sequence[Cell], screen: Screen) -> str:
    """One block a period, from 0 to the highest value; a dot where there is none."""
    blocks, nothing = (_BLOCKS, "·") if screen.unicode else (_PLAIN_BLOCKS, "?")
    values = [_value(cell) for cell in cells]
    top = max((value for value in values if value is not None), default=0)
    # Where nothing is above 0 every value is at the bottom.
    return "".join(
        nothing if value is None else blocks[max(0, value) * (len(blocks) - 1) // max(1, top)] for value in values
    )


def _value(cell: Cell) -> int | None:
    """The value shown or, where it alone was asked for, the one that was drawn."""
    return cell.unclipped if cell.value is None else cell.value


def _downwards(cube: Cube, time: Axis | None, words: Mapping[str, str], screen: Screen) -> Iterator[str]:
    """A line a period, where there is nothing else to tell lines apart by; or a line a cell without any time."""
    rows = [
        [*(axis.label_of(code) for axis, code in zip(cube.axes, key, strict=False)), figure(cell, screen)]
        for key, cell in cube.rows()
    ]
    heads = [axis.label for axis in cube.axes[:-1]]
    yield from _lines([*heads, cube.unit], rows, begin=len(heads), end=len(heads) + 1)
    if time is not None and len(rows) > 1:
        yield ""
        spark = sparkline([cell for _, cell in cube.rows()], screen)
        yield f"{words['course']}: {time.codes[0]} {spark} {time.codes[-1]}"


def _across(cube: Cube, time: Axis, others: Sequence[Axis], words: Mapping[str, str], screen: Screen) -> Iterator[str]:
    """A line for each crossing of the other dimensions, a column a period by its short code, the newest last."""
    place, periods, cells = cube.axes.index(time), time.categories, cube.cells()
    labels: list[list[str]] = []
    series: list[list[Cell]] = []
    for crossed in itertools.product(*(axis.categories for axis in others)):
        codes = tuple(each.code for each in crossed)
        labels.append([_named(axis, each.code, each.label) for axis, each in zip(others, crossed, strict=True)])
        series.append([cells[*codes[:place], period.code, *codes[place:]] for period in periods])
    written = [[figure(cell, screen) for cell in row] for row in series]
    heads = [axis.label for axis in others]
    several = len(periods) > 1
    taken = sum(max(map(len, column)) + len(_SEPARATOR) for column in zip(heads, *labels, strict=True))
    if several:
        taken += max(len(periods), len(words["course"]))
    widths = [
        max(len(period.code), *(len(row[column]) for row in written)) + len(_SEPARATOR)
        for column, period in enumerate(periods)
    ]
    fit = _fitting(widths, None if screen.width is None else screen.width - taken)
    sparks = [[sparkline(row, screen)] if several else [] for row in series]
    yield from _lines(
        [*heads, *(period.code for period in periods[-fit:]), *([words["course"]] if several else [])],
        [[*label, *row[-fit:], *spark] for label, row, spark in zip(labels, written, sparks, strict=True)],
        begin=len(heads),
        end=len(heads) + fit,
    )
    if several:
        yield ""
        yield words["own_scale"] if screen.unicode else words["own_scale"].replace("·", "?")
    if fit < len(periods):
        yield words["left_out"].format(shown=fit, all=len(periods))


def _named(axis: Axis, code: str, label: str) -> str:
    """Places with their code, by which they are asked for."""
    return f"{code} {label}" if axis.role == "geo" else label


def _fitting(widths: Sequence[int], room: int | None) -> int:
    """How many of the last columns fit; one at least."""
    if room is None:
        return len(widths)
    count = 0
    for width in reversed(widths):
        room -= width
        if room < 0:
            break
        count += 1
    return max(1, count)


def _lines(heads: Sequence[str], rows: Sequence[Sequence[str]], *, begin: int, end: int) -> Iterator[str]:
    """Columns of equal width; those from `begin` to before `end` are flush right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        padded = (
            text.rjust(width) if begin <= column < end else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield _SEPARATOR.join(padded).rstrip()


def _legend(cube: Cube, words: Mapping[str, str]) -> Iterator[str]:
    cells = [cell for _, cell in cube.rows()]
    if any(cell.low is not None for cell in cells):
        yield words["interval"]
    if any(map(may_be_none, cells)):
        yield f"{_MAY_BE_NONE}  {words['may_be_none']}"
    for status in sorted({cell.status for cell in cells if _value(cell) is None}):
        meaning = cube.disclosure.suppression.get(status) or words["missing"]
        yield f"{status or _NOTHING:<2} {meaning}"
