"""A release published in a process of its own that is killed on the way: before a statement, or about a commit.

The process that is not killed in time, because there is less to do, ends well.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import Any

from sqlalchemy import event

from registry.statistics.model import parse_release_id

LONGEST_SECONDS = 120


def killed(url: str, release_id: str, count: int) -> bool:
    """Whether publishing was killed before it was done: at the writing statement or commit of this number, from 1."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.harness.killed_publish", "tests.store.registry.statistics_scene"])
    process = context.Process(target=_publish, args=(url, release_id, count))
    process.start()
    process.join(LONGEST_SECONDS)
    code = process.exitcode
    process.close()
    assert code in (0, -signal.SIGKILL)
    return code == -signal.SIGKILL


def _publish(url: str, release_id: str, count: int) -> None:
    from federation.database import Database
    from tests.harness.statistics_nation import Nation, descriptor
    from tests.store.registry.statistics_scene import YEAR, Statistics

    database, left = Database(url), count

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before_statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.split()[0] in ("INSERT", "UPDATE", "DELETE"):
            step()

    event.listen(database.engine, "before_cursor_execute", before_statement)
    event.listen(database.engine, "commit", lambda _connection: step())
    Statistics(database, Nation(YEAR, (), descriptor())).releasing.publish(parse_release_id(release_id))
