"""A municipality's own figures: months add up, and what somebody may not see is not counted."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from federation.rules.vocabulary import CaseStatus
from node.casework.actor import Role
from node.casework.files.counting import MONTHS, Counted, figures, since
from node.casework.files.model import Classification
from node.console.figures.chart import HEIGHT, TOP, chart
from tests.harness.console import actor

TODAY = date(2026, 11, 23)


def counted(opened: date, closed: date | None = None, *, protected: bool = False) -> Counted:
    status = CaseStatus.NEW if closed is None else CaseStatus.CLOSED
    return Counted(opened, closed, status, Classification.UNDETERMINED, protected)


def test_a_case_file_counts_in_the_month_it_opened_in_and_in_that_it_closed_in() -> None:
    found = figures([counted(date(2026, 10, 31), date(2026, 11, 1)), counted(date(2026, 11, 1))], actor(), TODAY)
    october, november = found.months[-2:]
    assert (october.opened, october.closed, october.open) == (1, 0, 1)
    assert (november.opened, november.closed, november.open) == (1, 1, 1)
    assert found.open == 1


def test_protected_case_files_are_counted_for_their_role_alone() -> None:
    files = [counted(date(2026, 11, 2)), counted(date(2026, 11, 2), protected=True)]
    assert figures(files, actor(), TODAY).open == 1
    assert figures(files, actor(Role.AUDITOR), TODAY).months[-1].opened == 1
    assert figures(files, actor(Role.PROTECTED), TODAY).open == 2


def test_twelve_months_end_with_that_of_today() -> None:
    assert since(date(2026, 1, 31)) == date(2025, 2, 1)
    assert [month.first for month in figures([], actor(), TODAY).months][-1] == date(2026, 11, 1)


DAYS = st.dates(date(2024, 1, 1), TODAY)


@given(st.lists(st.tuples(DAYS, st.none() | st.integers(0, 400))))
def test_each_month_takes_over_what_the_one_before_left_open(drawn: list[tuple[date, int | None]]) -> None:
    files = []
    for opened, days in drawn:
        closed = None if days is None else opened + timedelta(days=days)
        files.append(counted(opened, closed if closed is None or closed <= TODAY else None))
    months = figures(files, actor(), TODAY).months
    assert len(months) == MONTHS
    for before, after in pairwise(months):
        assert after.open == before.open + after.opened - after.closed
    drawing = chart(months)
    assert all(bar.y >= TOP and bar.y + bar.height <= HEIGHT for bar in drawing.bars)
    assert drawing.ticks[0][0] == 0
