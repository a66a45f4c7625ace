"""What a process does again and again, each thing in a thread of its own.

Invariants: a run that fails is counted and logged, without what the exception says, and the next one comes all the
same; once the process was told to stop no run begins.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from federation.errors import UppropError
from federation.observability import Event, Level, Log, Metrics, place_of

WORKER_REFUSED = Event("worker_refused", ("worker", "code"), Level.WARNING)
WORKER_FAILED = Event("worker_failed", ("worker", "exception", "where"), Level.ERROR)

LONGEST_FACTOR = 1.2
"""By how much a pause may be longer than its worker's `seconds`."""

_FIRST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Worker:
    """Something done again and again: `run` every `seconds`, with up to a fifth more at random.

    Without the random part all nodes of the country would ask in the same second.
    """

    name: str
    seconds: float
    run: Callable[[], object]


class Workers:
    """The workers of a process; each begins soon after `start`, and none after `stop` is set."""

    def __init__(self, workers: Sequence[Worker], stop: threading.Event, metrics: Metrics, log: Log) -> None:
        self._stop = stop
        self._metrics = metrics
        self._log = log
        self._threads = [
            threading.Thread(target=self._work, args=(worker,), name=worker.name, daemon=True) for worker in workers
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the runs under way, at most so long."""
        # Whoever is in the middle of a call is left behind: every transaction is whole or absent.
        give_up = time.monotonic() + seconds
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, give_up - time.monotonic()))

    def _work(self, worker: Worker) -> None:
        # The first run comes soon, but not at once: whoever restarts a whole country does not hit one second.
        pause = random.uniform(0, min(worker.seconds, _FIRST_PAUSE))  # noqa: S311 - no secret
        while not self._stop.wait(pause):
            pause = worker.seconds * random.uniform(1.0, LONGEST_FACTOR)  # noqa: S311 - no secret
            try:
                worker.run()
            except UppropError as error:
                self._metrics.worker_runs.labels(worker.name, "failed").inc()
                self._log(WORKER_REFUSED, worker=worker.name, code=error.code)
            except Exception as error:  # noqa: BLE001 - a worker that died of one bad run would be silent for ever
                self._metrics.worker_runs.labels(worker.name, "failed").inc()
                self._log(WORKER_FAILED, worker=worker.name, exception=type(error).__name__, where=place_of(error))
            else:
                self._metrics.worker_runs.labels(worker.name, "ok").inc()
                self._metrics.worker_last_success.labels(worker.name).set(time.time())
