"""What one child may change in all the counts of its year: one cell of each table by one, whatever its cases.

The noise is made for that. Histories of a child are counted by the code that releases, release after release, with and
without the child; the distance between the worlds is priced by OpenDP's own map, and must be the table's ρ, not more.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

import pytest

from privacy import noise
from privacy.budget import STANDARD, STRICT, Profile
from registry.statistics.catalogue import TABLES, UNKNOWN, Days, TableId
from registry.statistics.counting import CaseRow, tally
from registry.statistics.model import Child, Period
from tests.attacks.statistics_worlds import YEAR, Counts, History, counted, distances, opened
from tests.harness.attack_scoring import TRIALS, Evidence, Score, holds, likelier_present, play, scored, wins

OTHERS = [
    [opened(1)],
    [opened(9, lead="1480"), opened(10, lead="0180")],
    [opened(9, lasting=None, kind="NOT_PLACED", age=None, sex=None)],
    [opened(12, lead="2584", lasting=300)],
]
"""The children that both worlds have."""

AGAIN_IN_THE_CELL = [opened(9, 2, lasting=5), opened(9, 20, lasting=5)]
IN_TWO_MEMBERS = [opened(9, 2), opened(9, 3, lead="1480", kind="NOT_PLACED")]
IN_TWO_MONTHS = [opened(3, lead="0180"), opened(11, lead="0180", lasting=None)]
TAKEN_BACK_LATE = [opened(3, void=(date(YEAR, 7, 1), date.max))]
TAKEN_BACK_AT_FIRST = [opened(3, void=(date(YEAR, 3, 4), date(YEAR, 7, 1))), opened(10)]
TAKEN_BACK_BETWEEN = [
    opened(3, void=(date(YEAR, 4, 1), date(YEAR, 9, 1))),
    opened(3, 28, void=(date(YEAR, 4, 1), date.max)),
]

HISTORIES = {
    "one case": [opened(9)],
    "a case closed and opened again in the same cell": AGAIN_IN_THE_CELL,
    "two cases in two members": IN_TWO_MEMBERS,
    "two cases in two months": IN_TWO_MONTHS,
    "five cases, one after the other": [opened(month, lasting=10) for month in (2, 4, 6, 8, 10)],
    "taken back once its month was released": TAKEN_BACK_LATE,
    "taken back at first, and missed again": TAKEN_BACK_AT_FIRST,
    "taken back while its month was released": TAKEN_BACK_BETWEEN,
    "never described": [opened(5, age=None, sex=None)],
}


@pytest.fixture(scope="module")
def without() -> Counts:
    return counted(OTHERS)


def cost(table: TableId, distance: float, profile: Profile = STANDARD) -> int:
    """What the table costs where the worlds are so far apart, by OpenDP's map, in nano-ρ.

    Of its cells, and of its total where that is drawn by itself: at a distance of 1 one cell has moved by one, and the
    total has too.
    """
    return sum(noise.cost_nano_rho(part, distance) for part in profile.tables[table].parts)


def each_case(rows: list[CaseRow], period: Period) -> list[list[int]]:
    """How it is not counted: by cases."""
    each = [
        Child(row.opened_on.month, row.lead, row.kind, row.age or UNKNOWN, row.sex or UNKNOWN, Days.OPEN)
        for row in rows
        if period.month in (None, row.opened_on.month)
    ]
    return [tally(each, table) for table in period.tables]


@pytest.mark.parametrize("name", HISTORIES)
def test_a_child_costs_each_table_its_price_whatever_its_cases(name: str, without: Counts) -> None:
    apart = distances(counted([*OTHERS, HISTORIES[name]]), without)
    assert set(apart) == {table.table_id for table in TABLES.values() if table.released_with is not None}
    for table, distance in apart.items():
        assert distance in (0, 1), table
        assert cost(table, distance) <= STANDARD.cost(table)


def test_the_worst_of_many_histories_costs_no_more_than_one_case(without: Counts) -> None:
    random = Random(20261)
    worst = dict.fromkeys(TableId, 0.0)
    for _ in range(1_000):
        for table, distance in distances(counted([*OTHERS, any_history(random)]), without).items():
            worst[table] = max(worst[table], distance)
    worst.pop(TableId.OWN_SELECTION)
    assert set(worst.values()) == {1.0}
    for profile, cap in ((STANDARD, 250_000_000), (STRICT, 100_000_000)):
        assert profile.cap_nano_rho == cap
        assert sum(cost(table, distance, profile) for table, distance in worst.items()) + profile.reserve <= cap


def test_counting_cases_for_children_would_cost_four_times_as_much(without: Counts) -> None:
    """The control: what the tests above measure is there to be found."""
    others = counted(OTHERS, each_case)
    apart = distances(counted([*OTHERS, AGAIN_IN_THE_CELL], each_case), others)
    assert apart[TableId.MUNICIPALITY_YEAR] == 2
    assert cost(TableId.MUNICIPALITY_YEAR, 2) == pytest.approx(4 * STANDARD.cost(TableId.MUNICIPALITY_YEAR), rel=1e-6)
    elsewhere = distances(counted([*OTHERS, IN_TWO_MEMBERS], each_case), others)
    assert elsewhere[TableId.MUNICIPALITY_YEAR] == pytest.approx(2**0.5)


# -- scored ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Differing:
    """A count by which the worlds differ: without the child, what the child adds, and the price of its noise."""

    without: int
    adds: int
    nano_rho: int


def differing(present: Counts, absent: Counts) -> list[Differing]:
    """All counts that tell the worlds apart, totals that are drawn by themselves included; the others tell nothing."""
    found = []
    for (period, table), cells in present.items():
        others = absent[period, table]
        for price, levels in zip(
            STANDARD.tables[table].parts, ((cells, others), ([sum(cells)], [sum(others)])), strict=False
        ):
            found += [Differing(b, a - b, price) for a, b in zip(*levels, strict=True) if a != b]
    return found


def told_apart(counts: list[Differing]) -> Score:
    """An attacker that knows both worlds and reads every number by which they differ, not even fitted to each other.

    Each number is drawn for all trials at once: noise is independent, however many are drawn together.
    """

    truths = list(itertools.islice(itertools.cycle((True, False)), TRIALS))
    drawn = [
        noise.gaussian([each.without + each.adds * present for present in truths], each.nano_rho) for each in counts
    ]

    def guess(seen: tuple[int, ...]) -> bool:
        return likelier_present(
            [
                Evidence(value, each.without, noise.sigma(each.nano_rho), each.adds)
                for value, each in zip(seen, counts, strict=True)
            ]
        )

    return scored(zip(zip(*drawn, strict=True), truths, strict=True), guess)


RELEASED = STANDARD.cap_nano_rho - STANDARD.reserve


@pytest.mark.parametrize(
    "name",
    [
        "a case closed and opened again in the same cell",
        "two cases in two members",
    ],
)
def test_a_child_with_two_cases_is_told_no_better_than_one_with_one(name: str, without: Counts) -> None:
    counts = differing(counted([*OTHERS, HISTORIES[name]]), without)
    # Of month, county and month, kind with age and sex and all of those, municipality, days and all of those.
    assert len(counts) <= 7
    score = told_apart(counts)
    assert holds(score, RELEASED), score


def test_were_its_cases_counted_it_would_be() -> None:
    """The control."""
    counts = differing(counted([*OTHERS, AGAIN_IN_THE_CELL], each_case), counted(OTHERS, each_case))
    score = told_apart(counts)
    assert wins(score, RELEASED), score


def test_a_late_correction_tells_no_more_than_the_month_that_it_came_too_late_for(without: Counts) -> None:
    """Taken back once its month was released: the month stays as it was drawn, and the year never held the child."""
    corrected = counted([*OTHERS, TAKEN_BACK_LATE])
    assert {period.release_id for (period, table), cells in corrected.items() if cells != without[period, table]} == {
        "2026-03"
    }
    counts = differing(corrected, without)
    assert sum(each.nano_rho for each in counts) == STANDARD.cost("nation-month") + STANDARD.cost("county-month")
    score = told_apart(counts)
    assert holds(score, RELEASED), score


def test_a_month_released_anew_with_its_correction_would_tell_all(without: Counts) -> None:
    """The control: a revision that keeps the noise and takes the child out of the count."""
    [month] = [key for key in without if key[0].release_id == "2026-03" and key[1] is TableId.COUNTY_MONTH]
    counts = without[month]

    def both(present: bool) -> tuple[int, int]:
        drawn = noise.gaussian([sum(counts) + present], STANDARD.cost(month[1]))[0]
        return drawn, drawn - present

    assert play(both, lambda seen: seen[0] != seen[1], 2_000).accuracy == 1


def any_history(random: Random) -> list[History]:
    return [any_case(random) for _ in range(random.choice((1, 2, 2, 3)))]


def any_case(random: Random) -> History:
    on = date(YEAR, 1, 1) + timedelta(days=random.randrange(365))
    void = None
    if random.random() < 0.5:
        begins = on + timedelta(days=random.randrange(200))
        void = (begins, begins + timedelta(days=random.choice((30, 100, 1_000))))
    return History(
        on,
        random.choice(("0180", "0180", "1480", "2584")),
        None if random.random() < 0.2 else on + timedelta(days=random.randrange(500)),
        void,
        random.choice(("LEFT", "NOT_PLACED")),
        random.choice(("13-", None)),
        random.choice(("2", None)),
    )
