"""Many nodes in one process, where hundreds are wanted: one each would cost more memory than a trial is worth.

All else is as in a node's own process: the same composition, the same store under the same lock, and mutual TLS to the
other parties. Hosted in a process of their own, nodes also have each its control socket; inside the caller's they need
none. Of the nodes of a process one imports at a time: what a large roster takes in memory is taken once.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from federation.clock import ManualClock
from federation.control import ControlServer, Handler
from federation.demo.supervisor import LOG_NAME, interrupted_once, until_interrupted
from federation.demo.trial import Ask
from federation.descriptor_store import DescriptorStore
from federation.lock import DaemonLock
from federation.migration import migrate
from federation.observability import Log, Metrics
from federation.runtime import raise_file_limit
from federation.settings import load
from federation.v1 import control_pb2
from node.app import App, build
from node.settings import STORE_PACKAGE, NodeSettings, open_database


@dataclass(frozen=True)
class _Node:
    """A node, running."""

    app: App
    data_dir: Path
    clock: ManualClock
    metrics: Metrics
    log: Log


@contextlib.contextmanager
def host(path: Path) -> Iterator[Ask]:
    """The node of the settings file `path`, running in this process until the block ends."""
    raise_file_limit()
    with _running(path) as node:

        def ask(method: str, request: Any) -> Any:
            if isinstance(request, control_pb2.SetTodayRequest):
                return node.clock.set_today(date.fromisoformat(request.today))
            return node.app.handlers[method](request)

        yield ask


def serve(paths: Sequence[Path]) -> None:
    """Run the nodes of these settings files, each on its control socket, until SIGTERM. For the main thread."""
    raise_file_limit()
    importing = threading.Lock()
    with (
        contextlib.suppress(KeyboardInterrupt),
        interrupted_once(),
        contextlib.ExitStack() as stack,
        _stopped_together() as servers,
    ):
        for path in paths:
            node = stack.enter_context(_running(path))
            handlers = {**node.app.handlers, "Import": _one_at_a_time(node.app.handlers["Import"], importing)}
            server = ControlServer(node.data_dir, handlers, clock=node.clock, metrics=node.metrics, log=node.log)
            servers.append(server)
            server.start()
        until_interrupted()


@contextlib.contextmanager
def _stopped_together() -> Iterator[list[ControlServer]]:
    """One after the other, a hundred servers would take longer to stop than a supervisor waits."""
    servers: list[ControlServer] = []
    try:
        yield servers
    finally:
        with ThreadPoolExecutor(max(1, len(servers))) as pool:
            list(pool.map(ControlServer.stop, servers))


def _one_at_a_time(handler: Handler, lock: threading.Lock) -> Handler:
    def handle(request: Any) -> Iterator[Any]:
        with lock:
            yield from handler(request)

    return handle


@contextlib.contextmanager
def _running(path: Path) -> Iterator[_Node]:
    settings = load(path, NodeSettings)
    with contextlib.ExitStack() as stack:
        stack.enter_context(DaemonLock(settings.data_dir))
        _migrate(settings)
        log = Log(stack.enter_context((path.parent / LOG_NAME).open("a", encoding="utf-8")), settings.log_level)
        descriptors = DescriptorStore.of(settings, log)
        clock = ManualClock(descriptors.current().zone, settings.today)
        metrics = Metrics(CollectorRegistry())
        app = build(settings, clock=clock, metrics=metrics, log=log, descriptors=descriptors)
        stack.callback(app.close)
        yield _Node(app, settings.data_dir, clock, metrics, log)


def _migrate(settings: NodeSettings) -> None:
    database = open_database(settings)
    try:
        migrate(database, STORE_PACKAGE)
    finally:
        database.close()
