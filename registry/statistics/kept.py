"""Answers kept in memory, up to so many bytes: what was asked least recently goes first.

Invariant: an answer is given for the state that it was kept under alone. Another state (other releases) begins anew.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

MAX_BYTES = 64 * 1024 * 1024
"""Of the answers and the questions they answer. The largest document is under a megabyte."""

A = TypeVar("A")


class Kept(Generic[A]):
    """Safe to use from several threads."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._state: object = None
        self._answers: OrderedDict[Hashable, tuple[A, int]] = OrderedDict()
        self._bytes = 0

    def find(self, state: object, question: Hashable) -> A | None:
        """What was kept under this state."""
        with self._lock:
            if self._state != state or question not in self._answers:
                return None
            self._answers.move_to_end(question)
            return self._answers[question][0]

    def keep(self, state: object, question: Hashable, answer: A, size: int) -> None:
        """Keep an answer of so many bytes; the first one to a question stays."""
        with self._lock:
            if self._state != state:
                self._begin(state)
            if question in self._answers:
                return
            self._answers[question] = (answer, size)
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, (_, gone) = self._answers.popitem(last=False)
                self._bytes -= gone

    def clear(self) -> None:
        """Keep nothing of what is there."""
        with self._lock:
            self._begin(None)

    def _begin(self, state: object) -> None:
        self._answers.clear()
        self._state, self._bytes = state, 0
