"""The dashboard's process: ready, told to stop, drained.

Invariants: it starts whole or not at all; after SIGTERM or SIGINT no new connection is taken and what is being answered
is finished. Nothing is logged of who asks; whatever libraries log becomes a declared event.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from federation import files
from federation.errors import Code, UppropError
from federation.lock import DaemonLock
from federation.observability import Log, Metrics, capture_libraries, version
from federation.probes import ProbeServer
from federation.runtime import (
    CLOCK_IS_MANUAL,
    PORTS_NAME,
    raise_file_limit,
    refuse_beyond_loopback,
    watch_disk,
    watch_validity,
)
from federation.settings import parse_address
from federation.travelling import Registries
from federation.upkeep import upkeep
from federation.workers import Workers
from registry.dashboard.app import build
from registry.dashboard.observability import STARTED, STOPPED, STOPPING, DashboardMetrics
from registry.dashboard.settings import face_of
from registry.dashboard.site import Site
from registry.dashboard.source import CachedSource
from registry.statistics.reader import Reader, connect
from registry.statistics.settings import ReaderSettings

DRAIN_SECONDS = 10
MAX_CONNECTIONS = 512
"""Open at once; beyond it callers are told to come back."""


class Server(uvicorn.Server):
    """uvicorn's, but a stop that was asked for is a success, and is said in our log."""

    def __init__(self, app: ASGIApp, proxies: list[str], log: Log) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=proxies,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )
        self._log = log

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def told(number: int, _frame: FrameType | None) -> None:
            # A second one ends the process at once.
            signal.signal(number, signal.SIG_DFL)
            self._log(STOPPING, signal=signal.Signals(number).name)
            self.should_exit = True

        before = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(settings: ReaderSettings, log: Log) -> None:
    """Run until stopped. For the main thread of a process."""
    capture_libraries(log)
    raise_file_limit()
    metrics = Metrics(CollectorRegistry())
    with contextlib.ExitStack() as running:
        running.enter_context(DaemonLock(settings.data_dir))
        reader = running.enter_context(connect(settings, log, metrics))
        face = face_of(settings, reader.listed.role)
        if settings.clock == "manual":
            refuse_beyond_loopback(settings.http_listen, settings.metrics_listen)
            log(CLOCK_IS_MANUAL, today=reader.clock.today())
        site = Site(CachedSource(reader.client), face.level, reader.clock.today, settings.title)
        app = build(site, face, log=log, metrics=DashboardMetrics(metrics.registry))
        server = Server(app, settings.proxies, log)
        listening = running.enter_context(contextlib.closing(bind(settings.http_listen)))
        probes = ProbeServer(metrics.registry, lambda: server.started and _is_current(reader))
        ports = {"http": listening.getsockname()[1], "metrics": probes.start(settings.metrics_listen)}
        running.callback(probes.stop)
        watch_validity(metrics, reader.descriptors, reader.own)
        watch_disk(metrics, settings.data_dir)
        ports_path = settings.data_dir / PORTS_NAME
        files.replace(ports_path, (json.dumps(ports) + "\n").encode())
        running.callback(lambda: ports_path.unlink(missing_ok=True))
        log(
            STARTED,
            version=version(),
            http_port=ports["http"],
            metrics_port=ports["metrics"],
            shows=face.level,
            clock=settings.clock,
        )
        if settings.clock == "system":
            registries = running.enter_context(contextlib.closing(Registries(reader.descriptors, reader.own, metrics)))
            stop = threading.Event()
            workers = Workers(
                upkeep(settings, reader.descriptors, reader.own, registries, metrics, log), stop, metrics, log
            )
            running.callback(workers.join, DRAIN_SECONDS)
            running.callback(stop.set)
            workers.start()
        metrics.ready.set(1)
        server.run(sockets=[listening])
    log(STOPPED)


def bind(listen: str) -> socket.socket:
    """A socket that listens on `host:port`; raises UppropError(PORT_TAKEN)."""
    host, port = parse_address(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small parts at once (TCP_NODELAY) only where the socket says that it is TCP; else every answer waits
    # 40 ms for the acknowledgement of its head.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(MAX_CONNECTIONS)
    except OSError as error:
        listening.close()
        raise UppropError(
            Code.PORT_TAKEN,
            f"{listen} cannot be listened on ({error.strerror}). See which process has it, or set http_listen to "
            "another port.",
        ) from error
    return listening


def _is_current(reader: Reader) -> bool:
    """Whether there is a descriptor in force, without which no party is spoken to."""
    try:
        reader.descriptors.current()
    except UppropError:
        return False
    return True
