"""The start page: the newest numbers, the map with its table, and the country month by month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from registry.dashboard import maps
from registry.dashboard.cells import Cell
from registry.dashboard.drawing import Drawn, draw, sentence
from registry.dashboard.figures import Figures
from registry.dashboard.visit import REGION, TIME, BadChoiceError, Visit, times
from registry.statistics.catalogue import TableId
from registry.statistics.geography import NATION, county_of, geography
from registry.statistics.reading import Selection

COUNTY, MUNICIPALITY = "county", "municipality"
TREND_MONTHS = 36


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the map's table."""

    code: str
    name: str
    cell: Cell
    shade: str


@dataclass(frozen=True, slots=True)
class Group:
    """A county with its municipalities; of the map of counties one group without a name."""

    code: str
    name: str
    cell: Cell
    rows: tuple[Entry, ...]


def show(visit: Visit) -> Response:
    by_year = visit.table(TableId.MUNICIPALITY_YEAR)
    years = times(by_year)
    months = times(visit.table(TableId.NATION_MONTH))
    year = visit.field("year") or (years[-1] if years else "")
    level = visit.field("level") or MUNICIPALITY
    if level not in (COUNTY, MUNICIPALITY) or (year and year not in years):
        raise BadChoiceError
    newest = visit.site.source.releases().upcoming
    soonest = min(newest, key=lambda each: each.due_on, default=None)
    trend = _trend(visit, months[-TREND_MONTHS:])
    return visit.show(
        "start.html",
        title=visit.words("start.title"),
        cards=_cards(visit, months, years, trend[1]),
        next=soonest and {"what": visit.release_name(soonest), "day": visit.formats.day(soonest.due_on)},
        map=_map(visit, level, year, years) if years else None,
        places=_places(),
        trend=trend[0],
    )


def _trend(visit: Visit, months: tuple[str, ...]) -> tuple[Drawn | None, Figures | None]:
    if not months:
        return None, None
    found = visit.figures(TableId.NATION_MONTH, [Selection(TIME, months)])
    cells = [(month, found.cell(**{TIME: month})) for month in months]
    what = f"{visit.words('word.children_long')}, {visit.words('word.nation').lower()}"
    return draw(cells, what, visit.words, visit.formats), found


def _cards(
    visit: Visit, months: tuple[str, ...], years: tuple[str, ...], by_month: Figures | None
) -> list[dict[str, Any]]:
    cards: list[dict[str, Any]] = []
    if by_month is not None:
        what = visit.words("start.card_month", period=visit.formats.period(months[-1]))
        cards.append({"what": what, "cell": by_month.cell(**{TIME: months[-1]})})
    if years:
        found = visit.figures(TableId.MUNICIPALITY_YEAR, [Selection(REGION, (NATION,)), Selection(TIME, years[-1:])])
        what = visit.words("start.card_year", period=years[-1])
        cards.append({"what": what, "cell": found.cell(**{REGION: NATION, TIME: years[-1]})})
    return cards


def _map(visit: Visit, level: str, year: str, years: tuple[str, ...]) -> dict[str, Any]:
    places = geography()
    drawn = maps.outlines()
    names = places.counties if level == COUNTY else places.municipalities
    found = visit.figures(
        TableId.MUNICIPALITY_YEAR,
        [Selection(REGION, (*places.counties, *places.municipalities)), Selection(TIME, (year,))],
    )
    cells = {code: found.cell(**{REGION: code, TIME: year}) for code in (*places.counties, *names)}
    steps = maps.scale(cell.value for code in names if (cell := cells[code]).value is not None and not cell.may_be_none)
    paths = drawn.counties if level == COUNTY else drawn.municipalities
    areas = {
        code: maps.Area(
            code,
            name,
            paths[code],
            maps.shade(cells[code], steps),
            sentence(name, cells[code], visit.words, visit.formats),
        )
        for code, name in names.items()
    }
    entries = {code: Entry(code, area.name, cells[code], area.shade) for code, area in areas.items()}
    return {
        "level": level,
        "year": year,
        "years": years,
        "heading": visit.words(f"start.map_heading_{level}", year=year),
        "width": drawn.width,
        "height": drawn.height,
        "areas": tuple(areas.values()),
        "outlines": tuple(drawn.counties.values()) if level == MUNICIPALITY else (),
        "insets": _insets(visit, areas) if level == MUNICIPALITY else (),
        "legend": _legend(visit, steps, {area.shade for area in areas.values()}, level),
        "groups": _groups(level, entries, cells),
        "exports": visit.exports(
            visit.table(TableId.MUNICIPALITY_YEAR), [Selection(REGION, tuple(names)), Selection(TIME, (year,))]
        ),
    }


def _groups(level: str, entries: dict[str, Entry], cells: dict[str, Cell]) -> tuple[Group, ...]:
    if level == COUNTY:
        return (Group("", "", Cell(None), tuple(entries.values())),)
    return tuple(
        Group(county, name, cells[county], tuple(each for code, each in entries.items() if county_of(code) == county))
        for county, name in geography().counties.items()
    )


def _insets(visit: Visit, areas: dict[str, maps.Area]) -> tuple[dict[str, Any], ...]:
    counties = maps.outlines().counties
    return tuple(
        {
            "view": inset.view,
            "at": inset.at,
            "name": visit.words(f"start.inset_{inset.key}"),
            "areas": tuple(areas[code] for code in sorted(maps.within(areas, inset.view))),
            "outlines": tuple(counties[code] for code in sorted(maps.within(counties, inset.view))),
        }
        for inset in maps.INSETS
    )


def _legend(visit: Visit, steps: tuple[maps.Step, ...], shades: set[str], level: str) -> list[tuple[str, str]]:
    """The scale whole, and of the rest what the map holds."""
    words, whole = visit.words, visit.formats.whole
    entries: list[tuple[str, str]] = []
    for index, step in enumerate(steps, start=1):
        if step.high is None:
            text = words("legend.open", low=whole(step.low))
        elif step.high == step.low:
            text = words("legend.single", low=whole(step.low))
        else:
            text = words("legend.range", low=whole(step.low), high=whole(step.high))
        entries.append((f"step-{index}", text))
    silent = "legend.silent_county" if level == COUNTY else "legend.silent"
    rest = {"near-zero": "legend.near_zero", "suppressed": "legend.suppressed", "silent": silent}
    entries += [(shade, words(key)) for shade, key in rest.items() if shade in shades]
    if "missing" in shades:
        entries.append(("missing", words("legend.missing")))
    return entries


def _places() -> list[dict[str, Any]]:
    places = geography()
    return [
        {
            "code": county,
            "name": name,
            "municipalities": [each for each in places.municipalities.items() if county_of(each[0]) == county],
        }
        for county, name in places.counties.items()
    ]
