"""What protection costs: how far the shown numbers of a nation's year are from the true ones, and that its intervals
hold. On a synthetic nation of 2 360 children, drawn over and over by the code that releases, and read as readers do.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import fmean

import pytest

from federation.clock import ManualClock
from federation.database import Database
from federation.observability import Log
from privacy import noise
from privacy.budget import STANDARD, STRICT, Profile
from registry.statistics import drawing
from registry.statistics.catalogue import TABLES, DimensionId, ReleaseKind, TableId, codes
from registry.statistics.counting import cell_of, tally
from registry.statistics.geography import NATION, county_of
from registry.statistics.model import Child, Coverage, Period, Record, Release
from registry.statistics.reading import Level
from registry.statistics.released import Held
from registry.statistics.releasing import Releasing
from registry.store import statistics as store
from tests.harness.attack_scoring import lower_limit
from tests.harness.statistics_nation import CHILDREN, Nation, fill

MONTHS = [Period(ReleaseKind.MONTH, 2026, month) for month in range(1, 13)]
YEAR, CLOSED = Period(ReleaseKind.YEAR, 2026), Period(ReleaseKind.CLOSED, 2026)

DRAWS = {**dict.fromkeys(MONTHS, 640), YEAR: 120, CLOSED: 120}
"""So many that a mean above its limit is no chance: what the nation's number of a month is off by has a standard
deviation of 2.8, so that the mean of 7 680 has one of 0.032, where 0.15 are to spare. All others have more to spare."""

PUBLIC_DRAWS = 100
"""Of each release, compared for the public too."""

LIMITS = {
    (TableId.MUNICIPALITY_YEAR, "cell"): 1.65,
    (TableId.COUNTY_MONTH, "cell"): 2.25,
    (TableId.NATION_MONTH, "total"): 3.9,
}
"""Of mean absolute errors at ρ = 0.25."""

MISSED = 0.05
BY_CHANCE = 1e-6
"""Intervals are refuted where they would miss so often by so little a chance, were they right."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[tuple[Database, Nation]]:
    """A nation's year with all of its releases."""
    file = tmp_path_factory.mktemp("nation") / "registry.sqlite"
    shutil.copy(migrated_sqlite, file)
    with contextlib.closing(Database(file)) as database:
        nation = fill(database, 2026, 1)
        clock = ManualClock("Europe/Stockholm", date(2028, 1, 1))
        Releasing(database, lambda: nation.descriptor, clock, Log(level="error")).publish_due()
        yield database, nation


def test_totals_add_up_in_every_release(published: tuple[Database, Nation]) -> None:
    database, _ = published
    releases = database.view("test", store.releases)
    assert len([each for each in releases if each.period.year == 2026]) == 14
    for release in releases:
        tables = database.view("test", functools.partial(store.tables, release_id=release.release_id))
        assert set(tables) == set(release.period.tables)
        for level in ("authority", "public"):
            values = [getattr(table, level) for table in tables.values()]
            assert len({each.total for each in values}) == 1, "all tables of a release are of the same children"
            assert all(sum(each.leaves) == each.total for each in values)


@dataclass
class Errors:
    """Of one kind of cells of one table at one level: how far shown values were from the true ones, and intervals.

    `missed`: of each draw, in how many cells the interval missed, and of how many.
    """

    distances: list[int] = field(default_factory=list)
    missed: list[tuple[int, int]] = field(default_factory=list)


Kind = tuple[TableId, Level, str]
Measured = Mapping[Kind, Errors]


def truth(children: tuple[Child, ...], table: TableId) -> dict[tuple[str, ...], int]:
    """Every combination of a table's codes, totals among them → how many children are in it."""
    dimensions = TABLES[table].leaves
    sums: dict[tuple[str, ...], int] = dict.fromkeys(
        itertools.product(*(codes(TABLES[table], dimension) for dimension in dimensions)), 0
    )
    for child in children:
        ups = [
            {code, *_above(dimension, code)} for dimension, code in zip(dimensions, cell_of(child, table), strict=True)
        ]
        for key in itertools.product(*ups):
            if key in sums:
                sums[key] += 1
    return sums


def _above(dimension: DimensionId, code: str) -> tuple[str, ...]:
    return (NATION, county_of(code)) if dimension is DimensionId.REGION else ("TOT",)


def kind_of(table: TableId, key: tuple[str, ...]) -> str:
    """What is compared together: single cells, sums over some, and the whole."""
    totals = [code in (NATION, "TOT") for code in key]
    if all(totals):
        return "total"
    partly = any(totals) or (table is TableId.MUNICIPALITY_YEAR and len(key[0]) == 2)
    return "sum" if partly else "cell"


@functools.cache
def true_of(
    children: tuple[Child, ...], period: Period
) -> tuple[drawing.Counts, dict[TableId, dict[tuple[str, ...], int]]]:
    counted = tuple(child for child in children if period.month in (None, child.month))
    return (
        {table: tally(counted, table) for table in period.tables},
        {table: truth(counted, table) for table in period.tables},
    )


def release_of(period: Period) -> Release:
    """A release that says of itself what those of the standard profile do."""
    scales = drawing.scales(period, STANDARD, noise)
    record = Record(noise.MECHANISM, noise.library(), STANDARD.name, Coverage(date(2026, 12, 31), 290), scales)
    return Release(period, date(2028, 1, 1), datetime(2028, 1, 1, tzinfo=UTC), record)


def compare(children: tuple[Child, ...], draws: Mapping[Period, int], profile: Profile = STANDARD) -> Measured:
    """All cells of all tables, as many times as `draws` says, drawn by the profile."""
    found: dict[Kind, Errors] = {}
    for period, count in draws.items():
        counts, true = true_of(children, period)
        release = release_of(period)
        for number in range(count):
            for table in drawing.draw(counts, profile, noise):
                for level in Level if number < PUBLIC_DRAWS else (Level.AUTHORITY,):
                    _compare(found, Held(release, table), level, true[table.table_id])
    return found


def _compare(found: dict[Kind, Errors], held: Held, level: Level, true: Mapping[tuple[str, ...], int]) -> None:
    table = held.table.table_id
    missed: dict[str, list[bool]] = {}
    for key, count in true.items():
        cell = held.cell(key, level)
        if cell.value is None:
            # Withheld from the public.
            continue
        assert cell.low is not None
        assert cell.high is not None
        kind = kind_of(table, key)
        found.setdefault((table, level, kind), Errors()).distances.append(abs(cell.value - count))
        missed.setdefault(kind, []).append(not cell.low <= count <= cell.high)
    for kind, each in missed.items():
        found[table, level, kind].missed.append((sum(each), len(each)))


@pytest.fixture(scope="module")
def measured(published: tuple[Database, Nation]) -> Measured:
    _, nation = published
    assert len(nation.children) == CHILDREN
    return compare(nation.children, DRAWS)


def refuted(errors: Errors, kind: str) -> bool:
    """That the intervals miss one in twenty at most.

    Cells have noise of their own. Sums over cells of one draw share theirs: there a draw counts as one trial.
    """
    missed, total = (sum(each) for each in zip(*errors.missed, strict=True))
    if kind == "sum":
        draws = len(errors.missed)
        missed, total = round(missed * draws / total), draws
    return lower_limit(missed, total, 1 - BY_CHANCE) > MISSED


def test_shown_numbers_are_as_near_to_the_true_ones_as_is_promised(measured: Measured) -> None:
    means = {key: fmean(measured[key[0], Level.AUTHORITY, key[1]].distances) for key in LIMITS}
    assert all(means[key] <= limit for key, limit in LIMITS.items()), means


def test_intervals_hold_the_true_number_in_95_of_100_cells(measured: Measured) -> None:
    """Of cells, of sums and of totals, in all tables, for the authority, and for the public where it is shown them."""
    assert {(table, level) for table, level, _ in measured} == {
        (table.table_id, level) for table in TABLES.values() if table.released_with for level in Level
    }
    assert not [key for key, errors in measured.items() if refuted(errors, key[2])]


def test_more_noise_than_a_release_says_would_be_noticed(published: tuple[Database, Nation]) -> None:
    """The control: drawn at the strict profile, and told to be the standard one."""
    _, nation = published
    noisier = compare(nation.children, {YEAR: 20, **dict.fromkeys(MONTHS[:6], 10)}, STRICT)
    assert fmean(noisier[TableId.MUNICIPALITY_YEAR, Level.AUTHORITY, "cell"].distances) > 1.65
    assert fmean(noisier[TableId.COUNTY_MONTH, Level.AUTHORITY, "cell"].distances) > 2.25
    assert refuted(noisier[TableId.MUNICIPALITY_YEAR, Level.AUTHORITY, "cell"], "cell")
    assert refuted(noisier[TableId.COUNTY_MONTH, Level.AUTHORITY, "cell"], "cell")
