"""Until when an answer is wanted: set for the time of one RPC by the guard, asked by whatever may wait.

Invariant: nothing is begun, and no database waited for, on behalf of a caller that has stopped waiting. What was
committed all the same stands; the caller sends the same request again and gets the same answer.
"""

from __future__ import annotations

import contextlib
import contextvars
import time
from collections.abc import Iterator

from federation.errors import Code, UppropError

_until: contextvars.ContextVar[float | None] = contextvars.ContextVar("upprop_deadline", default=None)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """The block's answer is wanted for so many seconds from now."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def remaining() -> float | None:
    """Seconds left, None where nobody waits. Raises UppropError(DEADLINE) once there are none."""
    until = _until.get()
    if until is None:
        return None
    left = until - time.monotonic()
    if left <= 0:
        raise passed()
    return left


def passed() -> UppropError:
    """The error of a deadline that has passed."""
    return UppropError(Code.DEADLINE, "The answer was not ready when it was wanted. Send the same request again.")
