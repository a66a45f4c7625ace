"""What a released table shows: values, intervals, silence, and what the public is not shown."""

from __future__ import annotations

import io
import math
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

import pytest

from federation.web.i18n import Language
from registry.statistics import answers, delimited, jsonstat, workbook
from registry.statistics.answers import Shelf
from registry.statistics.catalogue import TABLES, ReleaseKind, TableId, codes
from registry.statistics.cube import Cell, Cube
from registry.statistics.geography import geography
from registry.statistics.model import Coverage, Period, Record, Release, ReleasedTable, Scale, Values, dimensions
from registry.statistics.reading import Level, Selection
from registry.statistics.released import Held
from registry.statistics.selecting import select

SCALE = Scale(100_000_000, 100_000_000, None, 2.236, None, 2.236, 4, 14, 6, 20)
COVERAGE = Coverage(date(2026, 12, 31), 288, ("0980", "2403"), ("0980", "2403"))


def held(table: TableId, values: list[int], public: list[int] | None = None, coverage: Coverage = COVERAGE) -> Held:
    kind = TABLES[table].released_with
    assert kind is not None
    period = Period(kind, 2026, 9 if kind is ReleaseKind.MONTH else None)
    record = Record("discrete Gaussian", "OpenDP 0.16.0", "standard", coverage, {table: SCALE})
    release = Release(period, date(2027, 2, 14), datetime(2027, 2, 14, 5, 0, 1, tzinfo=UTC), record)
    public = values if public is None else public
    released = ReleasedTable(
        table, dimensions(table), Values(tuple(values), sum(values)), Values(tuple(public), sum(public))
    )
    return Held(release, released)


def municipalities(**values: int) -> list[int]:
    return [values.get(f"_{code}", 0) for code in geography().municipalities]


def cube(*tables: Held, level: Level = Level.AUTHORITY, **selected: tuple[str, ...]) -> Cube:
    table = tables[0].table.table_id
    shelf = Shelf.of(
        [each.release for each in tables],
        {each.release.release_id: {table: each.table} for each in tables},
        {2026: 250_000_000},
    )
    asked = shelf.askable(table)
    chosen = select(asked, [Selection(name, codes) for name, codes in selected.items()])
    return answers.build(shelf, asked, chosen, level, Language.SWEDISH)


def test_a_value_is_shown_with_its_interval_and_as_it_was_drawn() -> None:
    it = held(TableId.MUNICIPALITY_YEAR, municipalities(_0180=48, _0114=-3, _0115=2))
    assert it.cell(("0180",), Level.AUTHORITY) == Cell(48, 44, 52, 48)
    assert it.cell(("0114",), Level.AUTHORITY) == Cell(0, 0, 4, -3)
    assert it.cell(("0115",), Level.AUTHORITY) == Cell(2, 0, 6, 2)


def test_counties_and_the_nation_are_the_sums_of_what_was_drawn() -> None:
    it = held(TableId.MUNICIPALITY_YEAR, municipalities(_0180=48, _0114=-3, _1480=20))
    county, nation = it.cell(("01",), Level.AUTHORITY), it.cell(("00",), Level.AUTHORITY)
    assert (county.value, nation.value) == (45, 65)
    assert (nation.low, nation.high) == (51, 79)


@pytest.mark.parametrize("table", [each for each in TableId if each is not TableId.OWN_SELECTION])
def test_totals_are_the_sums_of_their_parts_in_every_table(table: TableId) -> None:
    random = Random(table)
    size = math.prod(map(len, dimensions(table).values()))
    it = held(
        table, [random.randint(-5, 30) for _ in range(size)], coverage=replace(COVERAGE, silent_municipalities=())
    )
    for place, dimension in enumerate(dimensions(table)):
        others = [codes(TABLES[table], each)[0] for each in dimensions(table)]
        parts = [
            it.cell((*others[:place], code, *others[place + 1 :]), Level.AUTHORITY).unclipped or 0
            for code in dimensions(table)[dimension]
        ]
        assert sum(parts) == it.cell(tuple(others), Level.AUTHORITY).unclipped == it.table.authority.total


@pytest.mark.parametrize("level", list(Level))
def test_silence_is_shown_as_silence_whatever_the_value_is(level: Level) -> None:
    it = held(TableId.MUNICIPALITY_YEAR, municipalities(_2403=40, _0980=0))
    assert it.cell(("2403",), level) == Cell(status=":")
    # Gotland is a county of one municipality.
    assert it.cell(("0980",), level) == it.cell(("09",), level) == Cell(status=":")
    assert it.cell(("24",), level).value == 40


def test_the_nation_is_silent_where_everybody_is() -> None:
    everybody = replace(COVERAGE, silent_municipalities=tuple(geography().municipalities))
    assert held(TableId.NATION_MONTH, [7], coverage=everybody).cell((), Level.AUTHORITY) == Cell(status=":")


@pytest.mark.parametrize(
    ("noisy", "shown"), [(9, Cell(status="..")), (10, Cell(10, 4, 16, 10)), (-2, Cell(status=".."))]
)
def test_the_public_is_not_shown_a_noisy_value_under_ten(noisy: int, shown: Cell) -> None:
    true_or_not = municipalities(_0180=50)
    it = held(TableId.MUNICIPALITY_YEAR, true_or_not, municipalities(_0180=noisy))
    assert it.cell(("0180",), Level.PUBLIC) == shown


def test_a_sum_has_a_wider_interval_than_a_cell_and_the_publics_are_wider_still() -> None:
    it = held(TableId.MUNICIPALITY_YEAR, municipalities())
    for level in Level:
        widths = [it.half_width(cells, level) for cells in (1, 2, 26)]
        assert widths == sorted(set(widths))
    assert it.half_width(26, Level.PUBLIC) > it.half_width(26, Level.AUTHORITY)


def test_a_cube_says_where_it_comes_from_and_what_it_cost() -> None:
    made = cube(held(TableId.MUNICIPALITY_YEAR, municipalities(_0180=48)), Region=("0180", "2403"))
    assert made.cells() == {("0180", "2026"): Cell(48, 44, 52, 48), ("2403", "2026"): Cell(status=":")}
    (drawn,) = made.disclosure.drawn
    assert (drawn.release_id, drawn.nano_rho, drawn.cap_nano_rho) == ("2026", 100_000_000, 250_000_000)
    assert drawn.silent == ("0980", "2403")
    assert any("2 av 290 kommuner var tysta: Gotland, Bjurholm" in note for note in made.notes)
    assert any("ρ = 0,1" in note and "ε ≈ 3,5" in note for note in made.notes)
    assert jsonstat.parse(jsonstat.write(made)) == made


def test_contents_can_be_left_out() -> None:
    made = cube(held(TableId.MUNICIPALITY_YEAR, municipalities()), Region=("01", "2403"), ContentsCode=("CHILDREN",))
    assert made.values == (0, None)
    assert dict(made.status) == {1: ":"}


def test_csv_keeps_codes_as_text_and_marks_where_no_value_is() -> None:
    it = held(TableId.MUNICIPALITY_YEAR, municipalities(_0180=48), municipalities(_0180=48))
    made = cube(it, level=Level.PUBLIC, Region=("0114", "0180", "2403"))
    assert delimited.write(made).decode() == (
        '"Region","region","Tid","år","CHILDREN","CHILDREN_LO95","CHILDREN_HI95","CHILDREN_UNCLIPPED"\r\n'
        '"0114","Upplands Väsby","2026","2026",..,..,..,..\r\n'
        '"0180","Stockholm","2026","2026",48,42,54,48\r\n'
        '"2403","Bjurholm","2026","2026",:,:,:,:\r\n'
    )


def test_a_workbook_is_the_same_bytes_every_time_and_holds_no_formula() -> None:
    made = cube(held(TableId.MUNICIPALITY_YEAR, municipalities(_0180=48)), Region=("0180", "2403"))
    content = workbook.write(made, Language.SWEDISH)
    assert workbook.write(made, Language.SWEDISH) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [archive.read(f"xl/worksheets/sheet{number}.xml").decode() for number in (1, 2)]
        strings = archive.read("xl/sharedStrings.xml").decode()
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
    assert not any("<f>" in sheet for sheet in sheets)
    assert "<v>48</v>" in sheets[0]
    assert "Bjurholm" in strings
    assert "0180" in strings
