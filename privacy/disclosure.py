"""What of a drawn value is shown, to whom: never below zero, with its interval; to the public with further noise, and
nothing below ten. Pure; the noise is passed in.

Invariants
    - Everything here hangs on values that hold their noise already: no rule looks at a true count, so none tells of it.
    - The public's values are drawn and fitted once, with the release, and kept: asking again gives no fresh noise to
      average away. Together with the authority's they tell no more than the authority's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from privacy.fitting import Fitted, Level, fit

SUPPRESSED_BELOW = 10
"""The public is shown no value below this, noise included."""

PUBLIC_TIMES = 2
"""So many times the authority's variance has what the public sees: noise of the same size is added once more."""

PUBLIC_ALPHA = 0.025
"""Of the intervals of the public's cells: half of what others may miss. Some values are shown because their noise took
them to ten, so that more of those shown lie too high than of all; this wide, 95 of 100 hold of them as well."""

Draw = Callable[[Sequence[int], int], list[int]]
"""Counts and nano-ρ → the counts with noise: `privacy.noise.gaussian`."""


def shown(value: int) -> int:
    """A drawn value as it is shown: there are not fewer children than none."""
    return max(0, value)


def interval(value: int, half_width: int) -> tuple[int, int]:
    """Lowest and highest number of children that the drawn value leaves likely, about the value that is shown."""
    middle = shown(value)
    return shown(middle - half_width), middle + half_width


def suppressed(value: int) -> bool:
    """Whether a value of the public's, noise included, is withheld from it."""
    return value < SUPPRESSED_BELOW


def further_noise(fitted: Fitted, nano_rhos: Sequence[int], draw: Draw) -> Fitted:
    """The public's values of a release: the authority's with noise of the same size once more, adding up again."""
    return fit(
        [
            Level(tuple(draw(values, nano_rho)), nano_rho)
            for values, nano_rho in zip(fitted.levels, nano_rhos, strict=True)
        ]
    )
