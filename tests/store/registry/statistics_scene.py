"""A registry store with a synthetic nation, noise that can be watched and broken, and short ways to publish."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import sqlalchemy as sa

from federation.clock import ManualClock
from federation.database import Database
from federation.observability import Log
from registry.statistics.model import ReleaseId, parse_release_id
from registry.statistics.outside import Outside
from registry.statistics.releasing import Published, Releasing
from registry.store import statistics as store
from registry.store import statistics_budget as budget_store
from tests.harness.statistics_nation import Nation, fill

YEAR = 2026
ALL = date(2028, 1, 1)
"""The day on which all of the year is due."""


class CrashError(Exception):
    """Stands for a process that ends here."""


@dataclass
class WatchedNoise:
    """Noise of the right size, fast and seeded; counts how often it was asked and can do something first."""

    random: Random = field(default_factory=lambda: Random(5))
    before: Callable[[], object] = lambda: None
    drawn: int = 0
    MECHANISM: str = "none"

    def library(self) -> str:
        return "none"

    def gaussian(self, values: Sequence[int], nano_rho: int) -> list[int]:
        self.before()
        self.drawn += 1
        sigma = self.sigma(nano_rho)
        return [value + round(self.random.gauss(0, sigma)) for value in values]

    def sigma(self, nano_rho: int) -> float:
        return math.sqrt(1e9 / (2 * nano_rho))


class Statistics:
    """A registry's releases on a business date that the test sets."""

    def __init__(
        self,
        database: Database,
        nation: Nation,
        today: date = ALL,
        noise: Any = None,
        outside: Outside | None = None,
    ) -> None:
        self.database, self.nation = database, nation
        self.clock = ManualClock("Europe/Stockholm", today)
        self.noise = noise or WatchedNoise()
        self.log = io.StringIO()
        self.releasing = Releasing(
            database, lambda: self.nation.descriptor, self.clock, Log(self.log, level="error"), self.noise, outside
        )

    @classmethod
    def filled(cls, database: Database, today: date = ALL, *, children: int = 60, **options: Any) -> Statistics:
        return cls(database, fill(database, YEAR, 1, children, closed_on=today, **options), today)

    @staticmethod
    def now() -> datetime:
        return datetime(2026, 11, 22, 12, tzinfo=UTC)

    def publish(self, release_id: str) -> Published:
        return self.releasing.publish(parse_release_id(release_id))

    def rows(self, table: str) -> list[Any]:
        """All rows of a table, as they stand."""
        with self.database.read("test") as tx:
            return list(tx.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1, 2")))

    def drawn(self) -> set[ReleaseId]:
        return self.database.view("test", store.drawn)

    def spent(self, year: int = YEAR) -> int:
        budget = self.database.view("test", lambda tx: budget_store.budget(tx, year))
        return 0 if budget is None else budget.spent_nano_rho

    def spends(self, year: int = YEAR) -> dict[str, int]:
        found = self.database.view("test", lambda tx: budget_store.spends(tx, year))
        return {each.spend_id: each.nano_rho for each in found}
