"""What releases tell of one child to somebody who knows of all others: nobody does better than this attacker.

It reads every number that holds the child, weighs them by the likelihood ratio, and says whether the child is there.
The child is the only one of its municipality, and the tenth of its county and month, and of its kind, age and sex. What
is played against is `drawing.draw`, which draws what is released, with the noise that it is released with. Each attack
is also played against a release that somebody has broken, and then wins.

Of large tables, cells that the child is not in are put together: a few of them stand for all, since each has noise of
its own, and the attacker, who knows what is in them, learns from them what the total's noise is, of fewer cells more.
That every cell of a whole release has the noise of its price is a test of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, pvariance

import pytest

from privacy import noise
from privacy.budget import QUESTIONS, STANDARD
from privacy.disclosure import SUPPRESSED_BELOW, suppressed
from registry.statistics.catalogue import ReleaseKind, TableId
from registry.statistics.counting import tally
from registry.statistics.drawing import Counts, Noise, draw
from registry.statistics.model import Child, Period, ReleasedTable, Values
from tests.attacks.statistics_worlds import Broken
from tests.harness.attack_scoring import (
    Evidence,
    Score,
    best_accuracy,
    holds,
    likelier_present,
    play,
    scored,
    trials,
    wins,
)

CHILD = Child(month=9, municipality="2584", kind="NOT_PLACED", age="13-", sex="2", days="31-90")
MONTH, YEAR, CLOSED = (
    Period(ReleaseKind.MONTH, 2026, CHILD.month),
    Period(ReleaseKind.YEAR, 2026),
    Period(ReleaseKind.CLOSED, 2026),
)
CELLS = 24
"""So many of a table are drawn in each trial, at most."""

NEIGHBOURS = [replace(CHILD, municipality="2580") for _ in range(9)]
ELSEWHERE = [Child(3, "0180", "LEFT", "-9", "1", "0-7") for _ in range(40)]
OTHERS = NEIGHBOURS + ELSEWHERE

Place = tuple[TableId, bool]
"""A table's cell that the child is in, or (True) its total."""


def price_of(*periods: Period) -> int:
    return sum(STANDARD.cost(table) for period in periods for table in period.tables)


def counts(period: Period, *, present: bool) -> Counts:
    children = [child for child in (*OTHERS, *[CHILD] * present) if period.month in (None, child.month)]
    return {table: tally(children, table) for table in period.tables}


@functools.cache
def index(table: TableId) -> int:
    """Where the child's cell is in what is drawn of its table."""
    return tally([CHILD], table).index(1) % CELLS


def folded(cells: Sequence[int], own: int) -> list[int]:
    """At most `CELLS`, the child's alone in its own; the total is the same."""
    at = own % CELLS
    found = [sum(cells[place::CELLS]) for place in range(min(CELLS, len(cells)))]
    beside = (at + 1) % len(found)
    found[beside] += found[at] - cells[own]
    found[at] = cells[own]
    return found


WHOLE = {
    (period, present): counts(period, present=present) for period in (MONTH, YEAR, CLOSED) for present in (True, False)
}
WORLDS = {
    key: {table: folded(cells, tally([CHILD], table).index(1)) for table, cells in tables.items()}
    for key, tables in WHOLE.items()
}


def measured(period: Period) -> list[tuple[Place, float, int]]:
    """What holds the child in a release: the place, the noise that it was drawn with, and what it would be without."""
    found: list[tuple[Place, float, int]] = []
    for table in period.tables:
        cells, *totals = STANDARD.tables[table].parts
        without = WORLDS[period, False][table]
        found.append(((table, False), noise.sigma(cells), without[index(table)]))
        found += [((table, True), noise.sigma(total), sum(without)) for total in totals]
    return found


@dataclass(frozen=True, slots=True)
class Seen:
    """Of a release: what the attacker reads where the child is counted, as authority and as public."""

    authority: Mapping[Place, int]
    public: Mapping[Place, int]


def seen(tables: Sequence[ReleasedTable]) -> Seen:
    def read(values_of: Callable[[ReleasedTable], Values]) -> dict[Place, int]:
        found: dict[Place, int] = {}
        for table in tables:
            values = values_of(table)
            found[table.table_id, False] = values.leaves[index(table.table_id)]
            found[table.table_id, True] = values.total
        return found

    return Seen(read(lambda table: table.authority), read(lambda table: table.public))


def drawn(period: Period, present: bool, by: Noise = noise) -> Seen:
    return seen(draw(WORLDS[period, present], STANDARD, by))


@functools.cache
def years() -> list[tuple[dict[Period, Seen], bool]]:
    """All releases of so many years, the child in every second one: drawn once, and read by several attackers."""
    count = trials(STANDARD.cost(TableId.MUNICIPALITY_YEAR))
    return [
        ({period: drawn(period, present) for period in (MONTH, YEAR, CLOSED)}, present)
        for present in (True, False)
        for _ in range(count // 2)
    ]


def evidence(period: Period, values: Mapping[Place, int]) -> list[Evidence]:
    return [Evidence(values[place], without, sigma) for place, sigma, without in measured(period)]


def reader(*periods: Period) -> Callable[[dict[Period, Seen]], bool]:
    """The attacker that weighs everything that these releases hold for the authority."""

    def guess(releases: dict[Period, Seen]) -> bool:
        return likelier_present([each for period in periods for each in evidence(period, releases[period].authority)])

    return guess


# -- noise -------------------------------------------------------------------------------------------------------------


def least_noise(release: int, by: Noise) -> float:
    """Of whole releases, the table in which cells have the least noise: its variance, that of its price being 1.

    Measured about the mean of a draw's own cells, which fitting moves together. With 600 squares of each table at
    least, less than 0.7 comes out by chance once in ten million times at most.
    """
    period = (MONTH, YEAR, CLOSED)[release]
    found: dict[TableId, tuple[float, int]] = {}
    while not found or min(degrees for _, degrees in found.values()) < 600:
        for table in draw(WHOLE[period, True], STANDARD, by):
            if len(table.authority.leaves) == 1:
                continue
            true = WHOLE[period, True][table.table_id]
            off = [value - count for value, count in zip(table.authority.leaves, true, strict=True)]
            squares, degrees = found.get(table.table_id, (0.0, 0))
            found[table.table_id] = (squares + pvariance(off) * len(off), degrees + len(off) - 1)
    return min(
        squares / degrees / noise.sigma(STANDARD.tables[table].cells) ** 2
        for table, (squares, degrees) in found.items()
    )


@pytest.mark.parametrize("release", range(3), ids=["month", "year", "closed"])
def test_every_cell_of_a_whole_release_has_the_noise_of_its_price(release: int) -> None:
    """However many cells there are: so that the attacks, which are played on a few of them, are on what is released."""
    assert least_noise(release, noise) > 0.7
    assert least_noise(release, Broken(lambda values: len(values) > 1)) < 0.1


# -- existence ---------------------------------------------------------------------------------------------------------


def test_the_only_child_of_a_municipality_is_not_found_in_its_cell() -> None:
    table = TableId.MUNICIPALITY_YEAR
    assert WORLDS[YEAR, False][table][index(table)] == 0
    sigma = noise.sigma(STANDARD.cost(table))

    def guess(releases: dict[Period, Seen]) -> bool:
        return likelier_present([Evidence(releases[YEAR].authority[table, False], 0, sigma)])

    score = scored(years(), guess)
    assert holds(score, STANDARD.cost(table)), score


def test_nor_by_all_that_is_ever_released_of_its_year() -> None:
    """Municipality, county and month, nation and month, kind with age and sex, days, and all totals, put together: the
    municipality's only child of that age and sex, whom no table singles out, is not singled out by all of them."""
    score = scored(years(), reader(MONTH, YEAR, CLOSED))
    assert holds(score, price_of(MONTH, YEAR, CLOSED)), score


def test_the_attack_is_as_strong_as_one_can_be() -> None:
    """It comes near what the likelihood ratio reaches against Gaussian noise, fitted levels or not."""
    score = scored(years(), reader(MONTH, YEAR, CLOSED))
    price = price_of(MONTH, YEAR, CLOSED)
    assert score.accuracy > best_accuracy(price) - 0.05, score


def test_without_noise_it_is_found() -> None:
    """The control."""
    silent = Broken(lambda _: True)
    sigma = 0.1

    def guess(read: Seen) -> bool:
        return likelier_present([Evidence(read.authority[TableId.COUNTY_MONTH, False], len(NEIGHBOURS), sigma)])

    score = play(lambda present: drawn(MONTH, present, silent), guess, 2_000)
    assert score.accuracy == 1
    assert wins(score, price_of(MONTH))


# -- sub-totals --------------------------------------------------------------------------------------------------------


def months(by: Noise, count: int, guess: Callable[[Seen], bool]) -> Score:
    return play(lambda present: drawn(MONTH, present, by), guess, count)


def test_what_is_left_of_a_total_when_the_others_are_taken_away_is_the_released_cell() -> None:
    """Levels add up, so taking the other counties from the nation gives what stands there already."""
    for _ in range(20):
        nation, county = draw(WORLDS[MONTH, True], STANDARD, noise)
        for values, total in ((county.authority, nation.authority.total), (county.public, nation.public.total)):
            own = index(TableId.COUNTY_MONTH)
            others = sum(value for place, value in enumerate(values.leaves) if place != own)
            assert total - others == values.leaves[own]


def test_county_and_nation_of_a_month_together_stay_within_the_months_price() -> None:
    def guess(read: Seen) -> bool:
        return likelier_present(evidence(MONTH, read.authority))

    price = price_of(MONTH)
    score = months(noise, trials(price), guess)
    assert holds(score, price), score


def test_a_total_left_without_noise_would_give_the_child_away() -> None:
    """The control: the cells have their noise, the nation's number is the true one."""
    exact = Broken(lambda values: len(values) == 1)

    def guess(read: Seen) -> bool:
        return likelier_present([Evidence(read.authority[TableId.NATION_MONTH, True], len(NEIGHBOURS), 1.0)])

    def draws(present: bool) -> Seen:
        tables = draw(WORLDS[MONTH, present], STANDARD, exact)
        total = sum(WORLDS[MONTH, present][TableId.NATION_MONTH])
        return seen([replace(table, authority=replace(table.authority, total=total)) for table in tables])

    score = play(draws, guess, 2_000)
    assert wins(score, price_of(MONTH)), score


# -- suppression -------------------------------------------------------------------------------------------------------

FLAGGED = ((MONTH, TableId.COUNTY_MONTH), (YEAR, TableId.NATION_YEAR), (CLOSED, TableId.CLOSED_COUNTY_YEAR))
"""Cells that hold nine others: ten with the child."""


def by_flags(shown: Sequence[bool]) -> bool:
    """The likelihood ratio of flags alone: the public's noise has twice the variance."""
    ratio = 1.0
    for (_, table), is_shown in zip(FLAGGED, shown, strict=True):
        sigma = noise.sigma(STANDARD.tables[table].cells) * 2**0.5
        over = [1 - NormalDist(count, sigma).cdf(SUPPRESSED_BELOW - 0.5) for count in (10, 9)]
        ratio *= over[0] / over[1] if is_shown else (1 - over[0]) / (1 - over[1])
    return ratio > 1


def test_whether_a_tenth_child_is_there_does_not_show_in_what_is_withheld() -> None:
    for period, table in FLAGGED:
        assert WORLDS[period, False][table][index(table)] == SUPPRESSED_BELOW - 1

    def guess(releases: dict[Period, Seen]) -> bool:
        return by_flags([not suppressed(releases[period].public[table, False]) for period, table in FLAGGED])

    price = price_of(*(period for period, _ in FLAGGED))
    score = scored(years(), guess)
    assert holds(score, price), score


def test_withholding_by_the_true_count_would_show_it() -> None:
    """The control."""

    def flags(present: bool) -> list[bool]:
        return [not suppressed(WORLDS[period, present][table][index(table)]) for period, table in FLAGGED]

    score = play(flags, by_flags, 2_000)
    assert score.accuracy == 1
    assert wins(score, STANDARD.cap_nano_rho)


# -- collusion ---------------------------------------------------------------------------------------------------------


def colluding(public_sigmas: float) -> Callable[[tuple[dict[Period, Seen], list[int]]], bool]:
    """All of the authority's, all of the public's and all further questions of both roles, weighed together."""
    sigma = noise.sigma(STANDARD.question_cost)

    def guess(read: tuple[dict[Period, Seen], list[int]]) -> bool:
        releases, answers = read
        found = [Evidence(answer, 0, sigma) for answer in answers]
        for period, what in releases.items():
            found += evidence(period, what.authority)
            found += [replace(each, sigma=each.sigma * public_sigmas) for each in evidence(period, what.public)]
        return likelier_present(found)

    return guess


@pytest.mark.parametrize("public_sigmas", [1e6, 2**0.5], ids=["weighed rightly", "as if it were independent"])
def test_readers_of_all_roles_together_stay_within_the_years_budget(public_sigmas: float) -> None:
    """The public's values are the authority's with more noise: beside those they are worth nothing."""
    both = (
        ((releases, noise.gaussian([int(present)] * QUESTIONS, STANDARD.question_cost)), present)
        for releases, present in years()
    )
    score = scored(both, colluding(public_sigmas))
    assert holds(score, STANDARD.cap_nano_rho), score


def test_a_public_release_drawn_from_the_counts_each_day_would_be_averaged() -> None:
    """The control: the public is given fresh noise of twice the size on the true numbers, ten days running."""
    table = TableId.COUNTY_MONTH
    cost = STANDARD.cost(table) // 2

    def days(present: bool) -> list[int]:
        return noise.gaussian([WORLDS[MONTH, present][table][index(table)]] * 10, cost)

    def guess(values: list[int]) -> bool:
        return likelier_present([Evidence(value, len(NEIGHBOURS), noise.sigma(cost)) for value in values])

    score = play(days, guess, 2_000)
    assert wins(score, price_of(MONTH)), score
