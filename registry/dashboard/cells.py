"""One value as a page shows it. Pure.

A cell has a value and its interval, or a status that says why not: `..` (too few to be shown) or `:` (nobody reported).
Absence is never zero.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.statistics.cube import SILENT, SUPPRESSED

__all__ = ["NOTHING", "SILENT", "SUPPRESSED", "Cell"]


@dataclass(frozen=True, slots=True)
class Cell:
    """`value`, `low`, `high` in children; None under a status."""

    value: int | None
    low: int | None = None
    high: int | None = None
    status: str = ""

    @property
    def may_be_none(self) -> bool:
        """The interval includes 0: perhaps there was no child at all."""
        return self.value is not None and (self.low or 0) <= 0

    @property
    def bounds(self) -> tuple[int, int] | None:
        """Low and high end; None where no value is shown."""
        if self.value is None:
            return None
        return (self.value if self.low is None else self.low, self.value if self.high is None else self.high)


NOTHING = Cell(None)
"""A cell that no release has (yet)."""
