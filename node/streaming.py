"""Work that reports its progress by calling, made into work that yields it: what a streaming handler needs.

Or work that yields its progress in one form, made into work that yields it in another.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")
From = TypeVar("From")
To = TypeVar("To")

Step = tuple[str, int, int]
"""(step, done, total)."""
Report = Callable[[str, int, int], None]


def streamed(name: str, work: Callable[[Report], T]) -> Generator[Step, None, T]:
    """Run `work` in a thread of its own, yield what it reports, and return its result or raise what it raised."""
    steps: queue.SimpleQueue[Step | None] = queue.SimpleQueue()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work(lambda step, done, total: steps.put((step, done, total))))
        except BaseException as error:  # noqa: BLE001 - carried over to the thread that answers
            errors.append(error)
        finally:
            steps.put(None)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    while (step := steps.get()) is not None:
        yield step
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def relayed(steps: Generator[From, None, T], form: Callable[[From], To]) -> Generator[To, None, T]:
    """The same work with each of its steps in another form; passes its result on."""
    while True:
        try:
            step = next(steps)
        except StopIteration as finished:
            result: T = finished.value
            return result
        yield form(step)
