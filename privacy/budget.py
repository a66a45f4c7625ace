"""What the privacy of one year's children may be spent on: zero-concentrated differential privacy, in whole nano-ρ.

Pure. A nano-ρ is 1e-9 of a ρ. A profile names what each table costs and what is kept in reserve for further questions;
the sum is its cap. ρ of mechanisms over the same children adds up (Bun and Steinke 2016).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

QUESTIONS = 20
"""Further questions that a year's reserve pays for."""

_ROLE_PERCENT = {"statistics": 60, "oversight": 40}
_READER_PERCENT = 50
"""Of its role's share, what one reader may spend at most: nobody uses up what others need."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one table is drawn at: its cells, its total where that is drawn by itself. In nano-ρ."""

    cells: int = 0
    total: int = 0

    @property
    def whole(self) -> int:
        return self.cells + self.total


@dataclass(frozen=True, slots=True)
class Profile:
    """`tables`: by the names of the catalogue. `reserve` is for further questions."""

    name: str
    tables: Mapping[str, Cost]
    reserve: int

    @property
    def cap(self) -> int:
        """What the children of one year may cost altogether."""
        return sum(cost.whole for cost in self.tables.values()) + self.reserve

    @property
    def question(self) -> int:
        """What one further question costs."""
        return self.reserve // QUESTIONS

    def role_share(self, role: str) -> int:
        """What readers of a role may spend of the reserve together."""
        return self.reserve * _ROLE_PERCENT.get(role, 0) // 100

    def reader_share(self, role: str) -> int:
        """What one reader of a role may spend of it."""
        return self.role_share(role) * _READER_PERCENT // 100


def _profile(name: str, percent: int) -> Profile:
    def of(milli: int) -> int:
        return milli * 1_000_000 * percent // 100

    tables = {
        "nation-month": Cost(total=of(20)),
        "county-month": Cost(cells=of(60)),
        "nation-year": Cost(cells=of(20), total=of(10)),
        "municipality-year": Cost(cells=of(100)),
        "closed-county-year": Cost(cells=of(30)),
    }
    return Profile(name, MappingProxyType(tables), of(10))


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (_profile("standard", 100), _profile("strict", 40))}
)
