"""What is asked of something that may hang or fail, by somebody who cannot wait: a scrape, a probe.

Invariants: asked at most once in `seconds`, by one thread at a time; nobody waits longer than `patience`; what could
not be had anew within `lasts` seconds is told as unknown, never as it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

SECONDS = 15.0
"""Between two questions: what is asked for here changes by the minute."""

PATIENCE = 2.0
"""Seconds: a scrape, which may wait for several such answers, is given up after ten."""

LASTS = 60.0
"""Seconds for which an answer is told while the next is awaited."""

T = TypeVar("T")


class Fresh(Generic[T]):
    """The answer of `ask`, or None. An exception of `ask` is told to `failed` and makes the answer unknown at once."""

    def __init__(
        self,
        ask: Callable[[], T],
        *,
        seconds: float = SECONDS,
        patience: float = PATIENCE,
        lasts: float = LASTS,
        failed: Callable[[Exception], None] = lambda _error: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._failed, self._monotonic = ask, failed, monotonic
        self._seconds, self._patience, self._lasts = seconds, patience, lasts
        self._lock = threading.Lock()
        self._answer: T | None = None
        self._answered_at: float | None = None
        self._asked: threading.Event | None = None

    def get(self) -> T | None:
        with self._lock:
            if self._answered_at is not None and self._monotonic() - self._answered_at < self._seconds:
                return self._answer
            done = self._asked
            if done is None:
                done = self._asked = threading.Event()
                threading.Thread(target=self._run, args=(done,), name="fresh", daemon=True).start()
        done.wait(self._patience)
        with self._lock:
            if self._answered_at is None or self._monotonic() - self._answered_at >= self._lasts:
                return None
            return self._answer

    def _run(self, done: threading.Event) -> None:
        answer: T | None = None
        try:
            answer = self._ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever asks gets no answer
            self._failed(error)
        with self._lock:
            self._answer, self._answered_at, self._asked = answer, self._monotonic(), None
        done.set()
