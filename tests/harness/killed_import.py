"""An import in a process of its own that is killed on the way: at a row it reads, or at a statement it writes.

    python -m tests.harness.killed_import STORE SOURCE PATH AS_OF read|write COUNT

The process that is not killed in time, because there is less to do, ends well.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import event

from federation.rules.vocabulary import Policy
from node.records.sources import Source, delivery_of

ROOT = Path(__file__).parent.parent.parent
WRITING = ("INSERT", "UPDATE", "DELETE")


def killed(store: str, source: Source, path: Path, as_of: date, at: str, count: int) -> bool:
    """Whether the import was killed before it was done. `at`: "read" or "write"."""
    command = [
        sys.executable,
        "-m",
        "tests.harness.killed_import",
        store,
        source,
        str(path),
        str(as_of),
        at,
        str(count),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode == -signal.SIGKILL


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


def _main(store: str, source: str, path: str, as_of: str, at: str, count: str) -> None:
    from tests.integration.node_alone import make

    node = make(Path(path).parent, store, Policy())
    node.clock.set_today(date.fromisoformat(as_of))
    delivery: Any = delivery_of(Source(source), Path(path))
    if at == "read":
        delivery = _Dying(delivery, int(count))
    else:
        left = int(count)

        def executing(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            nonlocal left
            if statement.lstrip().startswith(WRITING):
                left -= 1
                if left < 0:
                    _die()

        event.listen(node.database.engine, "after_cursor_execute", executing)
    node.importing.take(delivery, date.fromisoformat(as_of))


if __name__ == "__main__":
    _main(*sys.argv[1:])
