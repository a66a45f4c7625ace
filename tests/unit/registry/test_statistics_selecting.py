"""What can be asked of a table, and what a question means."""

from __future__ import annotations

import pytest

from federation.errors import Code, UppropError
from federation.web.i18n import Language
from registry.statistics.catalogue import TABLES, DimensionId, Measure, TableId
from registry.statistics.geography import geography
from registry.statistics.questions import Question
from registry.statistics.reading import Selection
from registry.statistics.selecting import Askable, askable, code_lists, described, select, table_named

CONTENTS = tuple(Measure)
MONTHS = tuple(f"{year}M{month:02d}" for year in (2025, 2026) for month in range(1, 13))


def asked(table: TableId = TableId.MUNICIPALITY_YEAR, *times: str) -> Askable:
    return askable(TABLES[table], times or ("2025", "2026"))


def one(selection: Selection, table: TableId = TableId.MUNICIPALITY_YEAR) -> tuple[str, ...]:
    it = asked(table)
    return dict(zip(it.codes, select(it, [selection]), strict=True))[DimensionId(selection.dimension)]


def test_without_a_selection_a_dimension_has_all_its_codes() -> None:
    regions, times, contents = select(asked(), [])
    assert (len(regions), regions[0], times, contents) == (312, "00", ("2025", "2026"), CONTENTS)


def test_codes_come_in_the_order_of_the_catalogue_and_once() -> None:
    assert one(Selection("Region", ("0180", "01", "0180", "0114"))) == ("01", "0114", "0180")


@pytest.mark.parametrize(
    ("pattern", "first", "count"),
    [("018*", "0180", 8), ("0*80", "0180", 8), ("****0180", "0180", 1), ("*", "00", 312), ("0180*", "0180", 1)],
)
def test_a_star_stands_for_any_letters(pattern: str, first: str, count: int) -> None:
    codes = one(Selection("Region", (pattern,)))
    assert (codes[0], len(codes)) == (first, count)


@pytest.mark.parametrize("pattern", ["01.*", "??", "[0-9]*", "^01"])
def test_nothing_else_stands_for_other_letters(pattern: str) -> None:
    with pytest.raises(UppropError):
        one(Selection("Region", (pattern,)))


def test_code_lists_are_the_nation_the_counties_and_each_countys_municipalities() -> None:
    lists = code_lists(asked(), DimensionId.REGION)
    assert lists["nation"] == ("00",)
    assert len(lists["counties"]) == 21
    assert len(lists["municipalities"]) == 290
    assert one(Selection("Region", code_list_id="county-09")) == ("0980",)
    assert sum(len(codes) for name, codes in lists.items() if name.startswith("county-")) == 290
    assert set(code_lists(asked(TableId.COUNTY_MONTH, *MONTHS), DimensionId.REGION)) == {"nation", "counties"}
    assert code_lists(asked(TableId.COUNTY_MONTH, *MONTHS), DimensionId.TIME)["year-2026"] == MONTHS[12:]


def test_codes_beside_a_code_list_choose_from_it() -> None:
    assert one(Selection("Region", ("*80",), "county-01")) == ("0180",)


@pytest.mark.parametrize(
    "selections",
    [
        [Selection("Region", ("0100",))],
        [Selection("Region", ("180",))],
        [Selection("Region", code_list_id="schools")],
        [Selection("Kon", ("1",))],
        [Selection("Alder")],
        [Selection("Tid", ("2027",))],
        [Selection("Tid", ("2026M01",))],
        [Selection("ContentsCode", ("TRUE",))],
        [Selection("Region"), Selection("Region")],
        [Selection("Region", ("01",) * 1_001)],
        [Selection("Region", ("*" * 40,))],
    ],
)
def test_what_is_not_in_the_catalogue_is_refused_with_where_to_look(selections: list[Selection]) -> None:
    with pytest.raises(UppropError) as refusal:
        select(asked(), selections)
    assert refusal.value.code is Code.REQUEST_INVALID
    assert "What municipality-year can be asked stands in its metadata" in refusal.value.sentence


def test_a_refusal_does_not_repeat_what_may_be_a_number_of_a_person() -> None:
    with pytest.raises(UppropError) as refusal:
        select(asked(), [Selection("Region", ("201301012393",))])
    assert "201301012393" not in refusal.value.sentence


def test_municipality_by_month_age_or_sex_is_in_no_table() -> None:
    for table in TABLES.values():
        there = askable(table, ()).codes
        municipal = len(there.get(DimensionId.REGION, ())) > 22
        months = table.table_id in (TableId.NATION_MONTH, TableId.COUNTY_MONTH)
        finer = months or not there.keys().isdisjoint({DimensionId.AGE, DimensionId.SEX, DimensionId.KIND})
        assert not (municipal and finer), table.table_id


def test_an_unknown_table_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UppropError, match="municipality-year"):
        table_named("municipality-month")


def test_a_table_without_releases_is_refused_by_that() -> None:
    with pytest.raises(UppropError, match="no release of it has been drawn"):
        select(askable(TABLES[TableId.NATION_YEAR], ()), [])


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("table", list(TableId))
def test_every_code_of_every_table_has_a_name(table: TableId, language: Language) -> None:
    for dimension in described(asked(table), language):
        assert dimension.label
        assert all(code.label for code in dimension.codes)
        assert all(each.label and each.codes for each in dimension.code_lists)


def own(*selections: Selection) -> Question:
    it = asked(TableId.OWN_SELECTION, *MONTHS)
    return Question.of(it, select(it, selections))


def test_questions_that_mean_the_same_children_are_the_same_question() -> None:
    months = Selection("Tid", ("2026M0*",))
    by_county = own(Selection("Region", ("09", "0180")), months)
    by_list = own(Selection("Region", ("0180", "0980")), Selection("Tid", tuple(reversed(MONTHS[12:21]))))
    assert by_county == by_list
    assert by_county.query_id == by_list.query_id
    assert own(Selection("Region", ("0180",)), months).query_id != by_county.query_id
    assert Question.read(by_county.selection) == by_county
    assert len(by_county.query_id) == 32


def test_a_question_shows_its_places_in_few_codes() -> None:
    year = Selection("Tid", code_list_id="year-2026")
    assert own(year).places == ("00",)
    assert own(Selection("Region", code_list_id="municipalities"), year).places == ("00",)
    assert own(Selection("Region", ("01", "0980", "1480")), year).places == ("01", "09", "1480")
    assert own(Selection("Region", ("01",)), year).municipalities == tuple(
        code for code in geography().municipalities if code.startswith("01")
    )


def test_a_question_is_about_one_year() -> None:
    with pytest.raises(UppropError, match="one year"):
        own()
