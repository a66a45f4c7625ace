"""The page of a county or a municipality: its figures over time."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from registry.dashboard import maps
from registry.dashboard.cells import SILENT, Cell
from registry.dashboard.drawing import draw, rows
from registry.dashboard.formatting import heading
from registry.dashboard.visit import REGION, TIME, NoSuchPageError, Visit, codes_of, times
from registry.statistics.catalogue import TOTAL, DimensionId, TableId
from registry.statistics.geography import county_of, geography
from registry.statistics.reading import Selection

DAYS = str(DimensionId.DAYS)
FEWEST_DRAWN = 3
"""Fewer periods are no series: their table says it all."""


def show(visit: Visit, code: str) -> Response:
    places = geography()
    if code not in places.counties and code not in places.municipalities:
        raise NoSuchPageError
    is_county = code in places.counties
    name = visit.place_name(code)
    years = _over_time(visit, TableId.MUNICIPALITY_YEAR, code, "years", visit.words("word.year"))
    parts = [years]
    if is_county:
        parts += [
            _over_time(visit, TableId.COUNTY_MONTH, code, "months", visit.words("word.month")),
            _municipalities(visit, code),
            _days(visit, code),
        ]
    county = county_of(code)
    steps = [(visit.words("nav.start"), visit.link("start"))]
    if not is_county:
        steps.append((places.counties[county], visit.link("place", code=county)))
    return visit.show(
        "place.html",
        title=name,
        steps=[*steps, (name, "")],
        place={
            "name": name,
            "lead": visit.words("place.lead_county", count=len(_of_county(code)), code=code)
            if is_county
            else visit.words("place.lead_municipality", county=places.counties[county], code=code),
            "county": None if is_county else {"code": county, "name": places.counties[county]},
        },
        parts=[part for part in parts if part is not None],
        silent_years=_silent_years(years),
        where=_where(code, is_county),
    )


def _over_time(visit: Visit, table_id: TableId, code: str, name: str, column: str) -> dict[str, Any] | None:
    """The place's periods, newest first in the table."""
    table = visit.table(table_id)
    periods = times(table)
    if not periods:
        return None
    chosen = [Selection(REGION, (code,)), Selection(TIME, periods)]
    found = visit.figures(table_id, chosen)
    cells = [(period, found.cell(**{REGION: code, TIME: period})) for period in periods]
    caption = visit.words(f"place.{name}_caption", name=visit.place_name(code))
    return {
        "name": name,
        "heading": visit.words(f"place.{name}"),
        "caption": caption,
        "column": column,
        "series": draw(cells, caption, visit.words, visit.formats) if len(cells) >= FEWEST_DRAWN else None,
        "rows": rows([(((visit.formats.period(period), ""),), cell) for period, cell in reversed(cells)]),
        "cells": cells,
        "exports": visit.exports(table, chosen),
    }


def _municipalities(visit: Visit, county: str) -> dict[str, Any] | None:
    table = visit.table(TableId.MUNICIPALITY_YEAR)
    periods = times(table)
    if not periods:
        return None
    codes, year = _of_county(county), periods[-1]
    chosen = [Selection(REGION, codes), Selection(TIME, (year,))]
    found = visit.figures(TableId.MUNICIPALITY_YEAR, chosen)
    return {
        "name": "municipalities",
        "heading": visit.words("place.municipalities", year=year),
        "caption": visit.words("place.municipalities_caption", name=visit.place_name(county), year=year),
        "column": visit.words("word.municipality"),
        "series": None,
        "rows": rows(
            [
                (((visit.place_name(code), visit.link("place", code=code)),), found.cell(**{REGION: code, TIME: year}))
                for code in codes
            ]
        ),
        "exports": visit.exports(table, chosen),
    }


def _days(visit: Visit, county: str) -> dict[str, Any] | None:
    table = visit.table(TableId.CLOSED_COUNTY_YEAR)
    periods, days = times(table), table.dimension(DAYS)
    if not periods or days is None:
        return None
    year = periods[-1]
    chosen = [Selection(REGION, (county,)), Selection(DAYS, codes_of(days)), Selection(TIME, (year,))]
    found = visit.figures(TableId.CLOSED_COUNTY_YEAR, chosen)
    return {
        "name": "days",
        "heading": visit.words("place.days", year=year),
        "caption": visit.words("place.days_caption", name=visit.place_name(county), year=year),
        "column": heading(days.label),
        "series": None,
        "rows": rows(
            [(((each.label, ""),), found.cell(**{REGION: county, DAYS: each.code, TIME: year})) for each in days.codes],
            [each.code == TOTAL for each in days.codes],
        ),
        "exports": visit.exports(table, chosen),
    }


def _of_county(county: str) -> tuple[str, ...]:
    return tuple(code for code in geography().municipalities if county_of(code) == county)


def _silent_years(years: dict[str, Any] | None) -> str:
    cells: list[tuple[str, Cell]] = years["cells"] if years is not None else []
    return ", ".join(period for period, cell in cells if cell.status == SILENT)


def _where(code: str, is_county: bool) -> dict[str, Any]:
    drawn = maps.outlines()
    return {
        "width": drawn.width,
        "height": drawn.height,
        "counties": tuple(drawn.counties.values()),
        "here": (drawn.counties if is_county else drawn.municipalities)[code],
    }
