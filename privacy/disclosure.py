"""What is shown of a noisy value: never less than nothing, with its interval, and to the public none that is small.

Pure. Invariant: everything here hangs on the noisy value alone. What is left out is left out for what the noise made of it,
never for what is true.
"""

from __future__ import annotations

PUBLIC_LEAST = 10
"""The public sees no noisy value under this one."""

SUPPRESSED = ".."
SILENT = ":"


def shown(value: int) -> int:
    """The value as it is shown: there are no fewer than no children."""
    return max(value, 0)


def interval(value: int, half_width: int) -> tuple[int, int]:
    """The lowest and the highest number of children that go with the value, for 95 of 100 values."""
    return max(value - half_width, 0), max(value + half_width, 0)


def suppressed(noisy: int) -> bool:
    """Whether the public is not shown this value."""
    return noisy < PUBLIC_LEAST
