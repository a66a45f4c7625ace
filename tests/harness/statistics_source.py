"""A source of figures that are known beforehand: every kind of cell there is, no registry behind it.

Values follow from the codes alone. In the newest year 0880 Kalmar is silent, so is all of 09 Gotland; of the public's
values those under 10 are suppressed.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime

from federation.errors import Code, UppropError
from federation.web.i18n import Language
from registry.statistics import delimited, jsonstat, workbook
from registry.statistics.catalogue import TABLES, DimensionId, Measure, ReleaseKind, TableId, codes
from registry.statistics.cube import SILENT, SUPPRESSED, Axis, Cube, Disclosure, Drawn
from registry.statistics.geography import NATION, county_of, geography
from registry.statistics.reading import (
    Asked,
    CodeList,
    Dimension,
    Document,
    Format,
    Level,
    NamedCode,
    Pending,
    Release,
    Releases,
    Selection,
    Spend,
    TableInfo,
    TableSummary,
    Upcoming,
    YearBudget,
)

SILENT_PLACES = frozenset({"0880", "0980", "09"})
YEARS = ("2024", "2025")
MONTHS = tuple(f"{year}M{month:02d}" for year in (2024, 2025, 2026) for month in range(1, 13))[:33]
SILENT_MONTH = "2025M02"
PERIODS = {
    ReleaseKind.MONTH: MONTHS,
    ReleaseKind.YEAR: YEARS,
    ReleaseKind.CLOSED: YEARS[:1],
}
LARGE = {"0180": 210, "1480": 130, "1280": 90, "0380": 48, "0580": 40, "1880": 35, "1980": 33, "1283": 31}
SEASONS = (1.0, 0.8, 0.9, 0.8, 0.7, 1.3, 0.4, 2.1, 1.6, 1.2, 1.0, 0.8)
MECHANISM, LIBRARY = "discrete Gaussian", "OpenDP 0.16.0"


@dataclass
class FixedSource:
    """A `Source`. `down`: the registry does not answer. `empty`: nothing has been released yet."""

    down: bool = False
    empty: bool = False

    def _asked(self) -> None:
        if self.down:
            raise UppropError(Code.PEER_UNREACHABLE, "The registry does not answer. Try again later.")

    def tables(self, language: Language) -> tuple[TableSummary, ...]:
        self._asked()
        return tuple(self.table(each, language).summary for each in TableId)

    def table(self, table_id: str, language: Language) -> TableInfo:
        self._asked()
        if table_id not in list(TableId):
            raise UppropError(Code.REQUEST_INVALID, "There is no such table. Ask for the list of tables.")
        table = TABLES[TableId(table_id)]
        periods = () if table.released_with is None or self.empty else PERIODS[table.released_with]
        dimensions = [
            Dimension(
                str(each),
                str(each),
                "geo" if each is DimensionId.REGION else "",
                tuple(NamedCode(code, _name(code)) for code in codes(table, each)),
                _lists(codes(table, each)) if each is DimensionId.REGION else (),
            )
            for each in table.leaves
        ]
        dimensions.append(Dimension("Tid", "period", "time", tuple(NamedCode(each, each) for each in periods), ()))
        dimensions.append(
            Dimension("ContentsCode", "value", "metric", tuple(NamedCode(each, each) for each in Measure), ())
        )
        summary = TableSummary(
            table_id,
            f"Table {table_id}",
            "What it holds.",
            tuple(each.name for each in dimensions),
            periods[0] if periods else None,
            periods[-1] if periods else None,
            date(2026, 11, 14) if periods else None,
        )
        return TableInfo(summary, tuple(dimensions), "children", MECHANISM, 100_000_000, ("A note.",))

    def data(
        self, table_id: str, selections: tuple[Selection, ...], level: Level, form: Format, language: Language
    ) -> Document | Pending:
        info = self.table(table_id, language)
        chosen = {each.dimension: each for each in selections}
        axes = tuple(Axis(each.name, each.label, _selected(each, chosen.get(each.name))) for each in info.dimensions)
        values: list[int | None] = []
        status: dict[int, str] = {}
        for key in itertools.product(*(axis.codes for axis in axes[:-1])):
            cell = figure(table_id, dict(zip((axis.name for axis in axes), key, strict=False)), level)
            for measure in axes[-1].codes:
                if isinstance(cell, str):
                    status[len(values)] = cell
                    values.append(None)
                else:
                    values.append(cell[list(Measure).index(Measure(measure))])
        drawn = Drawn("2025", date(2026, 2, 14), "standard", LIBRARY, 100_000_000, 250_000_000, 2025, 2.24, 4)
        disclosure = Disclosure(MECHANISM, level, (drawn,), {SUPPRESSED: "few", SILENT: "silent"})
        cube = Cube(
            table_id,
            info.summary.label,
            "registry",
            datetime(2026, 2, 14, tzinfo=UTC),
            axes,
            tuple(values),
            status,
            "children",
            (),
            disclosure,
        )
        written, media_type = {
            Format.JSON_STAT2: (jsonstat.write, jsonstat.MEDIA_TYPE),
            Format.CSV: (delimited.write, delimited.MEDIA_TYPE),
            Format.XLSX: (lambda cube: workbook.write(cube, language), workbook.MEDIA_TYPE),
        }[form]
        return Document(written(cube), media_type, ("2025",))

    def releases(self) -> Releases:
        self._asked()
        upcoming = (
            Upcoming(ReleaseKind.MONTH, "2026-10", date(2026, 12, 15)),
            Upcoming(ReleaseKind.YEAR, "2026", date(2027, 2, 14)),
            Upcoming(ReleaseKind.CLOSED, "2025", date(2027, 1, 1)),
        )
        drawn = [
            Release(
                f"{period}-closed" if kind is ReleaseKind.CLOSED else period.replace("M", "-"),
                kind,
                period.replace("M", "-"),
                date(int(period[:4]) + 1, 2, 14) if len(period) == 4 else date(2026, 11, 14),
                tuple(str(each.table_id) for each in TABLES.values() if each.released_with is kind),
                MECHANISM,
                LIBRARY,
                "standard",
                288,
                ("0880", "0980") if period >= "2025" else tuple(geography().municipalities)[:30],
            )
            for kind, periods in PERIODS.items()
            for period in periods
        ]
        return Releases(() if self.empty else tuple(drawn), upcoming)

    def budget(self) -> tuple[YearBudget, ...]:
        self._asked()
        if self.empty:
            return ()
        spends = (
            Spend("2025/table/municipality-year", 100_000_000, date(2026, 2, 14)),
            Spend("2025/table/nation-month", 20_000_000, date(2025, 3, 17)),
            Spend("2025/query/2a5c", 500_000, date(2026, 3, 2)),
        )
        return (YearBudget(2025, "standard", 250_000_000, 120_500_000, spends, 5_500_000, 2_500_000),)

    def asked(self) -> tuple[Asked, ...]:
        return ()


def figure(table_id: str, key: dict[str, str], level: Level) -> tuple[int, int, int, int] | str:
    """Value, low, high and unclipped value; or a status."""
    region, period = key.get("Region", NATION), key["Tid"]
    if (region in SILENT_PLACES and period == YEARS[-1]) or (region != NATION and period == SILENT_MONTH):
        return SILENT
    value, half = _value(table_id, key), 4 if level is Level.AUTHORITY else 6
    if level is Level.PUBLIC and value < 10:
        return SUPPRESSED
    return max(value, 0), max(value - half, 0), max(value + half, 0), value


def _value(table_id: str, key: dict[str, str]) -> int:
    region, period = key.get("Region", NATION), key["Tid"]
    wobble = hashlib.sha256("/".join([table_id, *key.values()]).encode()).digest()[0]
    year = 1 + (int(period[:4]) - 2024) * 0.06
    season = (
        (1.0, 0.8, 0.9, 0.8, 0.7, 1.3, 0.4, 2.1, 1.6, 1.2, 1.0, 0.8)[int(period[5:]) - 1] / 12 if "M" in period else 1
    )
    if len(region) == 4:
        base = LARGE.get(region, wobble % 14 - 1)
    elif region == NATION:
        base = 2360
    else:
        base = sum(LARGE.get(code, 6) for code in geography().municipalities if county_of(code) == region)
    for name, of in (("Art", 3), ("Alder", 4), ("Kon", 3), ("Dagar", 7)):
        if key.get(name, "TOT") != "TOT":
            base //= of
    return round(base * year * season) + wobble % 7 - 3


def _selected(dimension: Dimension, selection: Selection | None) -> tuple[NamedCode, ...]:
    if selection is None:
        return dimension.codes
    listed = dimension.code_list(selection.code_list_id or "")
    wanted = {*selection.codes, *(listed.codes if listed else ())}
    if unknown := wanted - {each.code for each in dimension.codes}:
        raise UppropError(Code.REQUEST_INVALID, f"There is no {min(unknown)}. Ask for the table's codes.")
    return tuple(each for each in dimension.codes if each.code in wanted)


def _lists(of: tuple[str, ...]) -> tuple[CodeList, ...]:
    counties = tuple(code for code in of if len(code) == 2 and code != NATION)
    places = tuple(code for code in of if len(code) == 4)
    lists = (CodeList("counties", "All counties", counties), CodeList("municipalities", "All municipalities", places))
    return lists if places else ()


def _name(code: str) -> str:
    places = geography()
    return places.counties.get(code) or places.municipalities.get(code) or code
