"""How much of a server one caller may have, so that no member starves another by haste, error or ill will.

Two limits for each caller, whatever the others do: calls handled at once, and bytes asked and answered over time (a
token bucket). Invariants: a caller within its limits is never refused for another's; a refusal says when to come back;
what is counted is kept in memory only, for this process, and forgotten once the caller is quiet.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from federation.errors import Code, UppropError


@dataclass(frozen=True, slots=True)
class Limits:
    """`calls` at once; `burst` bytes at a stretch, refilled by `bytes_per_second`. A call with fewer than
    `least` bytes counts as so many: it costs more than its bytes.

    A batch of 1 000 signals takes at most 600 KiB: the burst lets a member send twenty of them without a pause, more
    than a city has on its busiest day, and the refill another one every second.
    """

    calls: int = 4
    burst: int = 12 * 1024 * 1024
    bytes_per_second: int = 600 * 1024
    least: int = 0


MEMBER_LIMITS = Limits()

BUSY_SECONDS = 1.0
"""When to come back for a call that was one too many at once: a batch is taken in far less."""

_QUIET_SECONDS = 3_600.0


class OverloadedError(UppropError):
    """OVERLOADED, with the seconds after which the same request may fare better."""

    def __init__(self, sentence: str, retry_after: float) -> None:
        super().__init__(Code.OVERLOADED, sentence)
        self.retry_after = retry_after


@dataclass(slots=True)
class _Used:
    calls: int
    tokens: float
    at: float


class Fairness:
    """Admits the calls of each caller within the limits. Safe to use from several threads."""

    def __init__(self, limits: Limits = MEMBER_LIMITS, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._used: dict[str, _Used] = {}
        self._swept = monotonic()

    @contextlib.contextmanager
    def admit(self, caller: str, size: int) -> Iterator[None]:
        """One call of `caller` with a request of `size` bytes; raises OverloadedError where it is too much."""
        self._begin(caller, size)
        try:
            yield
        finally:
            with self._lock:
                self._used[caller].calls -= 1

    def answered(self, caller: str, size: int) -> None:
        """Count the bytes of an answer. It is given all the same: what it costs, the next request has less."""
        with self._lock:
            self._refilled(caller).tokens -= size

    def _begin(self, caller: str, size: int) -> None:
        with self._lock:
            used = self._refilled(caller)
            if used.calls >= self._limits.calls:
                raise OverloadedError(
                    f"At most {self._limits.calls} calls of one caller are handled at once. Come back in a moment.",
                    BUSY_SECONDS,
                )
            # A request larger than what is left is let in while anything is: else one that fills the bucket never is.
            if used.tokens <= 0:
                wait = (1 - used.tokens) / self._limits.bytes_per_second
                raise OverloadedError("Too many bytes were sent and asked for in a short time. Come back later.", wait)
            used.tokens -= max(size, self._limits.least)
            used.calls += 1

    def _refilled(self, caller: str) -> _Used:
        now = self._monotonic()
        self._sweep(now)
        used = self._used.get(caller)
        if used is None:
            used = self._used[caller] = _Used(0, self._limits.burst, now)
        used.tokens = min(self._limits.burst, used.tokens + (now - used.at) * self._limits.bytes_per_second)
        used.at = now
        return used

    def _sweep(self, now: float) -> None:
        if now - self._swept > _QUIET_SECONDS:
            self._swept = now
            for caller in [each for each, used in self._used.items() if not used.calls and self._full(used, now)]:
                del self._used[caller]

    def _full(self, used: _Used, now: float) -> bool:
        return used.tokens + (now - used.at) * self._limits.bytes_per_second >= self._limits.burst
