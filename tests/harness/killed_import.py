"""An import in a process of its own that is killed on the way: at a row it reads, or at a statement it writes.

The process that is not killed in time, because there is less to do, ends well.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import event

from federation.rules.vocabulary import Policy
from node.records.sources import Source, delivery_of

WRITING = ("INSERT", "UPDATE", "DELETE")
LONGEST_SECONDS = 120


def killed(store: str, source: Source, path: Path, as_of: date, at: str, count: int) -> bool:
    """Whether the import was killed before it was done. `at`: "read" or "write"."""
    # Python and all that a node loads start once, in a process without threads; each import is a fork of it.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.harness.killed_import", "tests.integration.node_alone"])
    process = context.Process(target=_import, args=(store, source, path, as_of, at, count))
    process.start()
    process.join(LONGEST_SECONDS)
    code = process.exitcode
    process.close()
    assert code in (0, -signal.SIGKILL)
    return code == -signal.SIGKILL


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Dying:
    """A delivery whose reader is killed after so many rows."""

    def __init__(self, delivery: Any, count: int) -> None:
        self._delivery = delivery
        self._count = count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._delivery, name)

    def read(self, progress: Any) -> Iterator[Any]:
        for place, item in enumerate(self._delivery.read(progress)):
            if place == self._count:
                _die()
            yield item


def _import(store: str, source: Source, path: Path, as_of: date, at: str, count: int) -> None:
    from tests.integration.node_alone import make

    node = make(path.parent, store, Policy())
    node.clock.set_today(as_of)
    delivery: Any = delivery_of(source, path)
    if at == "read":
        delivery = _Dying(delivery, count)
    else:
        left = count

        def executing(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            nonlocal left
            if statement.lstrip().startswith(WRITING):
                left -= 1
                if left < 0:
                    _die()

        event.listen(node.database.engine, "after_cursor_execute", executing)
    node.importing.take(delivery, as_of)
