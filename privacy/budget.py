"""What the privacy of one year's children may be spent on: zero-concentrated differential privacy in nano-ρ (1e-9).

Pure. A profile names what each table costs and what is kept in reserve for further questions; the sum is its cap.
ρ of mechanisms over the same children adds up (Bun and Steinke 2016); (ε, δ) follows from it by `epsilon`.

Invariants
    - Every sum here is a whole number of nano-ρ.
    - No rule looks at data: who is refused a question is refused it whatever the counts are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DELTA = 1e-6
"""At which ε is stated."""

QUESTIONS = 20
"""So many further questions about a year the reserve pays for."""

ROLE_PERCENT: Mapping[str, int] = {"statistics": 60, "oversight": 40}
"""What each role may spend of the reserve; the public nothing."""

READERS = 2
"""One reader spends at most its role's share divided by this, so that nobody uses up what others need."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a table costs: its cells, and its total where that is drawn by itself too."""

    cells: int
    total: int | None = None

    @property
    def nano_rho(self) -> int:
        return self.cells + (self.total or 0)

    @property
    def parts(self) -> tuple[int, ...]:
        """One for each draw: cells, then total."""
        return (self.cells,) if self.total is None else (self.cells, self.total)


@dataclass(frozen=True, slots=True)
class Profile:
    """How a year's budget is divided: what is released, by table, and the reserve."""

    name: str
    tables: Mapping[str, Price]
    reserve: int

    @property
    def cap_nano_rho(self) -> int:
        return sum(price.nano_rho for price in self.tables.values()) + self.reserve

    def cost(self, table: str) -> int:
        """Of a year of a table: its months are of different children, so that all cost what one does."""
        return self.tables[table].nano_rho

    @property
    def question_cost(self) -> int:
        """Of one further question."""
        return self.reserve // QUESTIONS

    def role_share(self, role: str) -> int:
        """What all readers of a role may spend of the reserve together; 0 for a role without a share."""
        return self.reserve * ROLE_PERCENT.get(role, 0) // 100

    def reader_share(self, role: str) -> int:
        """What one reader of a role may spend of it."""
        return self.role_share(role) // READERS


# A year's table of few cells has its total drawn by itself: sums of hundreds of cells would blur it.
STANDARD = Profile(
    "standard",
    {
        "nation-month": Price(20_000_000),
        "county-month": Price(60_000_000),
        "nation-year": Price(20_000_000, 10_000_000),
        "municipality-year": Price(100_000_000),
        "closed-county-year": Price(25_000_000, 5_000_000),
    },
    reserve=10_000_000,
)
"""ρ = 0.25."""

STRICT = Profile(
    "strict",
    {
        "nation-month": Price(8_000_000),
        "county-month": Price(24_000_000),
        "nation-year": Price(8_000_000, 4_000_000),
        "municipality-year": Price(40_000_000),
        "closed-county-year": Price(10_000_000, 2_000_000),
    },
    reserve=4_000_000,
)
"""ρ = 0.10: two fifths of each part."""

PROFILES: Mapping[str, Profile] = {profile.name: profile for profile in (STANDARD, STRICT)}


def epsilon(nano_rho: int, delta: float = DELTA) -> float:
    """The ε that a ρ amounts to at δ; by OpenDP."""
    # Here, so that a process that only speaks of budgets needs no OpenDP.
    from privacy import noise

    return noise.epsilon(nano_rho, delta)
