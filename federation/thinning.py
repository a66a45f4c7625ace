"""How often the log tells of what others can bring about as often as they like.

A refusal costs whoever is refused nothing, and the log a line. So each caller is granted some lines at a stretch and
then one a second; all whom nobody knows share what one caller has. How often it happened, the metrics tell.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LINES = 600
"""At a stretch: all that members ask in an hour while something is wrong with each of them."""

LINES_PER_SECOND = 1.0

UNKNOWN = ""
"""Stands for all whom nobody knows."""


class Thinning:
    """Grants lines to callers. What is remembered grows with the callers that are named: name known ones only."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def grants(self, caller: str = UNKNOWN) -> bool:
        """Whether one more line may tell of `caller`."""
        now = self._monotonic()
        with self._lock:
            left, at = self._left.get(caller, (float(LINES), now))
            left = min(float(LINES), left + (now - at) * LINES_PER_SECOND)
            granted = left >= 1
            self._left[caller] = (left - granted, now)
            return granted
