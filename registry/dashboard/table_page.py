"""The list of tables, and the page of each: choices, time series, rows, files.

A field of the form holds a code, `*` for all codes, or `list:` and the name of a code list. What it does not send is
chosen so that the page says something at once: see `_default`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from starlette.responses import Response

from registry.dashboard.drawing import draw, rows
from registry.dashboard.formatting import heading, month_of
from registry.dashboard.visit import ALL, REGION, TIME, BadChoiceError, Visit, codes_of, times
from registry.statistics.catalogue import TOTAL, DimensionId
from registry.statistics.geography import NATION, geography
from registry.statistics.reading import Dimension, Selection, TableInfo

MAX_ROWS = 1000
"""More are of no use to a reader and are in the files."""
FEWEST_DRAWN = 3
LIST = "list:"


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class OptionGroup:
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One field of the form."""

    name: str
    label: str
    groups: tuple[OptionGroup, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a field holds, and the codes that it stands for, in the dimension's order (periods: newest first)."""

    dimension: Dimension
    value: str
    codes: tuple[str, ...]

    @property
    def selection(self) -> Selection:
        return Selection(self.dimension.name, self.codes)

    def label(self, code: str) -> str:
        return next((each.label for each in self.dimension.codes if each.code == code), code)


def show_list(visit: Visit) -> Response:
    tables = [
        {
            "id": table.summary.table_id,
            "label": table.summary.label,
            "description": table.summary.description,
            "first": table.summary.first_period,
            "last": table.summary.last_period,
            "updated": table.summary.updated,
            "exports": visit.exports(table, []),
        }
        for table in visit.tables()
    ]
    return visit.show("tables.html", title=visit.words("tables.title"), tables=tables)


def show(visit: Visit, table_id: str) -> Response:
    table = visit.table(table_id)
    chosen = [_chosen(visit, table, dimension) for dimension in table.dimensions if dimension.role != "metric"]
    released = bool(times(table))
    selections = [each.selection for each in chosen]
    found = visit.figures(table_id, selections) if released else None
    # Periods move slowest: the newest first, whole.
    order = sorted(range(len(chosen)), key=lambda place: chosen[place].dimension.name != TIME)
    keys = [
        tuple(key[order.index(place)] for place in range(len(chosen)))
        for key in itertools.product(*(chosen[place].codes for place in order))
    ]
    names = [each.dimension.name for each in chosen]
    cells = [(key, found.cell(**dict(zip(names, key, strict=True)))) for key in keys] if found is not None else []
    varied = [place for place in order if len(chosen[place].codes) > 1] or order[:1]
    caption = _caption(visit, chosen, varied)
    shown = cells[:MAX_ROWS]
    only_time = all(chosen[place].dimension.name == TIME for place in varied)
    return visit.show(
        "table.html",
        title=table.summary.label,
        table={
            "id": table_id,
            "label": table.summary.label,
            "description": table.summary.description,
            "first": table.summary.first_period,
            "updated": table.summary.updated,
            "unit": table.unit,
            "mechanism": table.mechanism,
            "nano_rho": table.nano_rho,
            "notes": table.notes,
        },
        choices=[_choice(visit, each) for each in chosen],
        series=draw(
            [(key[names.index(TIME)], cell) for key, cell in reversed(cells)], caption, visit.words, visit.formats
        )
        if only_time and len(cells) >= FEWEST_DRAWN
        else None,
        caption=caption,
        columns=[heading(chosen[place].dimension.label) for place in varied],
        rows=rows(
            [(tuple(_head(visit, chosen[place], key[place]) for place in varied), cell) for key, cell in shown],
            [any(_is_total(chosen[place], key[place]) for place in varied) for key, _ in shown],
        ),
        count=len(cells),
        exports=visit.exports(table, selections),
    )


def _chosen(visit: Visit, table: TableInfo, dimension: Dimension) -> Chosen:
    codes = tuple(reversed(times(table))) if dimension.name == TIME else codes_of(dimension)
    value = visit.field(dimension.name)
    if value is None:
        value = _default(table, dimension, codes)
    if value == ALL:
        return Chosen(dimension, value, codes)
    if value.startswith(LIST):
        code_list = dimension.code_list(value.removeprefix(LIST))
        if code_list is None:
            raise BadChoiceError
        return Chosen(dimension, value, tuple(code for code in codes if code in code_list.codes))
    if value not in codes:
        raise BadChoiceError
    return Chosen(dimension, value, (value,))


def _default(table: TableInfo, dimension: Dimension, codes: tuple[str, ...]) -> str:
    """By month: every month of the country. By year: the newest year, by county where there are so many places."""
    by_month = month_of(table.summary.last_period or "") is not None
    match dimension.name:
        case _ if not codes:
            return ALL
        case str(name) if name == TIME:
            return ALL if by_month or len(table.dimensions) == 2 else codes[0]
        case str(name) if name == REGION:
            counties = frozenset(geography().counties)
            lists = (each for each in dimension.code_lists if frozenset(each.codes) - {NATION} == counties)
            of_counties = next(lists, None)
            if len(codes) > len(counties) + 1 and of_counties is not None:
                return LIST + of_counties.code_list_id
            return NATION if NATION in codes else ALL
        case DimensionId.KIND if TOTAL in codes:
            return TOTAL
        case _:
            return ALL


def _choice(visit: Visit, chosen: Chosen) -> Choice:
    dimension = chosen.dimension

    def option(value: str, label: str) -> Option:
        return Option(value, label, value == chosen.value)

    whole = [option(ALL, visit.words("table.all"))]
    whole += [option(LIST + each.code_list_id, each.label) for each in dimension.code_lists]
    labels = {each.code: _label(visit, chosen, each.code) for each in dimension.codes}
    ordered = sorted(labels, reverse=True) if dimension.name == TIME else list(labels)
    codes = tuple(option(code, labels[code]) for code in ordered)
    if not dimension.code_lists:
        return Choice(dimension.name, heading(dimension.label), (OptionGroup("", (*whole, *codes)),))
    return Choice(
        dimension.name,
        heading(dimension.label),
        (
            OptionGroup(visit.words("table.lists"), tuple(whole)),
            OptionGroup(visit.words("table.codes"), codes),
        ),
    )


def _label(visit: Visit, chosen: Chosen, code: str) -> str:
    return visit.formats.period(code) if chosen.dimension.name == TIME else chosen.label(code)


def _head(visit: Visit, chosen: Chosen, code: str) -> tuple[str, str]:
    is_place = chosen.dimension.name == REGION and code != NATION
    return _label(visit, chosen, code), visit.link("place", code=code) if is_place else ""


def _is_total(chosen: Chosen, code: str) -> bool:
    """Whether other rows are parts of this one."""
    if code in (TOTAL, NATION):
        return len(chosen.codes) > 1
    return chosen.dimension.name == REGION and len(code) == 2 and any(len(each) == 4 for each in chosen.codes)


def _caption(visit: Visit, chosen: list[Chosen], varied: list[int]) -> str:
    """What is counted, and every choice that no column states."""
    fixed = [
        _label(visit, each, each.codes[0]) if each.codes[0] != TOTAL else ""
        for place, each in enumerate(chosen)
        if place not in varied and each.codes
    ]
    return ", ".join([visit.words("word.children_long"), *(label for label in fixed if label)])
