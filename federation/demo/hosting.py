"""Nodes inside this process, where hundreds are wanted: a process each would cost more memory than a trial is worth.

All else is as in a node's own process: the same composition, the same store under the same lock, and mutual TLS to the
other parties. Only the control socket is left out: the caller is here already.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from federation.clock import ManualClock
from federation.demo.supervisor import LOG_NAME
from federation.demo.trial import Ask
from federation.descriptor import DescriptorStore
from federation.lock import DaemonLock
from federation.migration import migrate
from federation.observability import Log, Metrics
from federation.runtime import raise_file_limit
from federation.settings import load
from federation.v1 import control_pb2
from node.app import build
from node.settings import STORE_PACKAGE, NodeSettings, open_database


@contextlib.contextmanager
def host(path: Path) -> Iterator[Ask]:
    """The node of the settings file `path`, running until the block ends."""
    raise_file_limit()
    settings = load(path, NodeSettings)
    with contextlib.ExitStack() as stack:
        stack.enter_context(DaemonLock(settings.data_dir))
        _migrate(settings)
        log = Log(stack.enter_context((path.parent / LOG_NAME).open("a", encoding="utf-8")), settings.log_level)
        descriptors = DescriptorStore.of(settings, log)
        clock = ManualClock(descriptors.current().zone, settings.today)
        app = build(settings, clock=clock, metrics=Metrics(CollectorRegistry()), log=log, descriptors=descriptors)
        stack.callback(app.close)

        def ask(method: str, request: Any) -> Any:
            if isinstance(request, control_pb2.SetTodayRequest):
                return clock.set_today(date.fromisoformat(request.today))
            return app.handlers[method](request)

        yield ask


def _migrate(settings: NodeSettings) -> None:
    database = open_database(settings)
    try:
        migrate(database, STORE_PACKAGE)
    finally:
        database.close()
