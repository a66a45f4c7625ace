"""Which children a release counts, and in which cells."""

from __future__ import annotations

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.descriptor_file import Member
from federation.rules.vocabulary import MemberId
from registry.statistics.calendar import due_on
from registry.statistics.catalogue import TABLES, Days, ReleaseKind, TableId
from registry.statistics.counting import CaseRow, Counted, cell_of, count, tally
from registry.statistics.coverage import coverage, municipalities, silent_counties
from registry.statistics.geography import geography
from registry.statistics.model import Child, Period, dimensions, parse_release_id

STOCKHOLM, GOTHENBURG = MemberId("0180"), MemberId("1480")
RELEASED = [table for table in TABLES if table is not TableId.OWN_SELECTION]
_ids = itertools.count(1)


def case(
    opened: str,
    closed: str | None = None,
    *,
    child: bytes | None = None,
    lead: str = STOCKHOLM,
    kind: str = "LEFT",
    age: str | None = "10-12",
    sex: str | None = "2",
    gaps: int = 1,
    void: int = 0,
    counted: dict[ReleaseKind, str] | None = None,
) -> CaseRow:
    case_id = next(_ids).to_bytes(16)
    return CaseRow(
        case_id=case_id,
        child_year_id=child or case_id,
        opened_on=date.fromisoformat(opened),
        closed_on=None if closed is None else date.fromisoformat(closed),
        lead=MemberId(lead),
        kind=kind,
        age=age,
        sex=sex,
        gaps=gaps,
        void_gaps=void,
        counted_in={each: (counted or {}).get(each) for each in ReleaseKind},
    )


def counted(release_id: str, *cases: CaseRow) -> Counted:
    return count(cases, parse_release_id(release_id), municipalities([]))


def test_a_child_is_counted_in_the_month_of_its_first_case_alone() -> None:
    first, second = case("2026-09-28", child=b"c"), case("2026-10-02", child=b"c", lead=GOTHENBURG, kind="HELD")
    found = counted("2026-09", second, first)
    assert found.children == (Child(9, "0180", "LEFT", "10-12", "2", "OPEN"),)
    assert set(found.case_ids) == {first.case_id, second.case_id}
    assert counted("2026-10", first, second).children == ()


def test_of_two_cases_of_one_day_the_lower_id_is_the_first() -> None:
    one, other = case("2026-09-28", child=b"c"), case("2026-09-28", child=b"c", lead=GOTHENBURG)
    assert counted("2026-09", other, one).children[0].municipality == "0180"


def test_a_child_with_cases_in_two_members_is_one_child_of_the_year() -> None:
    cases = [case("2026-09-28", "2026-10-01", child=b"c"), case("2026-11-02", "2026-11-30", child=b"c", lead="1480")]
    (child,) = counted("2026", *cases).children
    assert child.municipality == "0180"
    # From the first opening to the last close.
    assert child.days == Days.QUARTER


def test_a_child_that_was_counted_is_not_counted_again_whatever_case_of_it_says_so() -> None:
    marked = case("2026-09-28", child=b"c", counted={ReleaseKind.MONTH: "2026-09"})
    merged = case("2026-09-01", child=b"c")
    assert counted("2026-09", marked, merged).children == ()
    # The year counts it all the same: another table, another mark.
    assert len(counted("2026", marked, merged).children) == 1


def test_a_child_of_whom_all_gaps_are_void_is_not_counted() -> None:
    assert counted("2026", case("2026-09-28", gaps=2, void=2)).children == ()
    cases = case("2026-09-28", child=b"c", void=1), case("2026-10-02", child=b"c")
    # What was taken back says neither when nor where the child was missed …
    assert [child.month for child in counted("2026", *cases).children] == [10]
    assert len(counted("2026-10", *cases).children) == 1
    # … and is the child's all the same: counted before, it is not counted again.
    before = case("2026-09-28", child=b"c", void=1, counted={ReleaseKind.MONTH: "2026-09"})
    assert counted("2026-10", before, cases[1]).children == ()
    # Its gap went over to an older case of the child: nothing says that it never was.
    assert len(counted("2026", case("2026-09-28", gaps=0)).children) == 1
    # Those that went over were taken back with the rest: it never was either.
    emptied, void = case("2026-09-28", child=b"c", gaps=0), case("2026-09-01", child=b"c", gaps=2, void=2)
    assert counted("2026", emptied, void).children == ()


@pytest.mark.parametrize(
    ("closed", "days"),
    [
        ("2026-03-01", "0-7"),
        ("2026-03-08", "0-7"),
        ("2026-03-09", "8-30"),
        ("2026-03-31", "8-30"),
        ("2026-04-01", "31-90"),
        ("2026-05-30", "31-90"),
        ("2026-05-31", "91-180"),
        ("2026-08-28", "91-180"),
        ("2026-08-29", "181-365"),
        ("2027-03-01", "181-365"),
        ("2027-03-02", "366-"),
        ("2027-12-31", "366-"),
        ("2028-01-01", "OPEN"),
        (None, "OPEN"),
    ],
)
def test_days_run_from_the_first_opening_to_the_last_close(closed: str | None, days: str) -> None:
    (child,) = counted("2026-closed", case("2026-03-01", closed)).children
    assert child.days == days


def test_what_is_not_stated_has_a_code_of_its_own() -> None:
    (child,) = counted("2026", case("2026-09-28", age=None, sex=None)).children
    assert (child.age, child.sex) == ("US", "US")


def test_an_operators_children_are_counted_in_its_home() -> None:
    operator = Member(
        id="0180-5561234567", kind="operator", population=0, key_sha256="0" * 64, home="0184", calendar="default"
    )
    of = municipalities([operator])
    assert of(operator.member_id) == "0184"
    assert of(STOCKHOLM) == "0180"
    # It has left the federation since.
    assert municipalities([])(operator.member_id) == "0180"


def test_a_municipality_without_a_code_has_no_cell() -> None:
    assert counted("2026", case("2026-09-28", lead="9999")).children == ()


children = st.builds(
    Child,
    month=st.integers(1, 12),
    municipality=st.sampled_from(list(geography().municipalities)),
    kind=st.sampled_from(["LEFT", "NOT_PLACED", "HELD"]),
    age=st.sampled_from(["-9", "10-12", "13-", "US"]),
    sex=st.sampled_from(["1", "2", "US"]),
    days=st.sampled_from(list(Days)),
)


@given(st.lists(children, max_size=20), children, st.sampled_from(RELEASED))
def test_a_child_changes_one_cell_of_a_table_by_one(others: list[Child], child: Child, table: TableId) -> None:
    without, among = tally(others, table), tally([*others, child], table)
    changes = [(cell, new - old) for cell, (old, new) in enumerate(zip(without, among, strict=True)) if new != old]
    assert [change for _, change in changes] == [1]
    cells = list(itertools.product(*dimensions(table).values()))
    assert cells[changes[0][0]] == cell_of(child, table)


def test_a_municipality_is_current_by_itself_or_by_an_operator_of_its_schools() -> None:
    def member(name: str, **more: object) -> Member:
        return Member(id=name, population=0, key_sha256="0" * 64, **more)  # type: ignore[arg-type]  # passed through

    operator = member("0180-5561234567", kind="operator", home="0184")
    listed = [member("0180"), member("1480"), operator, member("1280")]
    heard = {
        MemberId("0180"): date(2026, 9, 30),
        MemberId("1480"): date(2026, 9, 29),
        operator.member_id: date(2026, 12, 1),
        # Of no member any more.
        MemberId("0114"): date(2026, 12, 1),
    }
    found = coverage(listed, heard, date(2026, 9, 30))
    assert found.current_members == 2
    assert found.silent_members == ("1280", "1480")
    assert set(geography().municipalities) - set(found.silent_municipalities) == {"0180", "0184"}
    assert silent_counties(found)["01"] == (24, 26)
    assert silent_counties(found)["14"] == (49, 49)


@pytest.mark.parametrize("release_id", ["2026-09", "2026", "2026-closed", "9997-closed"])
def test_a_release_id_names_its_period(release_id: str) -> None:
    assert parse_release_id(release_id).release_id == release_id
    assert due_on(parse_release_id(release_id)) > date(2026, 9, 30)


@pytest.mark.parametrize(
    "text",
    ["", "26", "2026-", "2026-13", "2026-00", "2026-9", "2026-09-01", "２０２６", "closed", "0000", "9999", "9998-12"],
)
def test_nothing_else_is_a_release_id(text: str) -> None:
    with pytest.raises(ValueError, match="no "):
        parse_release_id(text)


def test_every_table_but_the_readers_own_is_of_one_release() -> None:
    periods = [Period(ReleaseKind.MONTH, 2026, 9), Period(ReleaseKind.YEAR, 2026), Period(ReleaseKind.CLOSED, 2026)]
    assert sorted(table for period in periods for table in period.tables) == sorted(RELEASED)
