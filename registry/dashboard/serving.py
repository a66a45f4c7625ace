"""The dashboard's process: ready, told to stop, drained.

Invariants: it starts whole or not at all; after SIGTERM or SIGINT no new connection is taken and what is being answered
is finished. Nothing is logged of who asks; whatever libraries log becomes a declared event.
"""

from __future__ import annotations

import contextlib
import json
import threading

from prometheus_client import CollectorRegistry

from federation import files
from federation.errors import UppropError
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
from federation.travelling import Registries
from federation.upkeep import upkeep
from federation.web.serving import DRAIN_SECONDS, Server, bind
from federation.workers import Workers
from registry.dashboard.app import build
from registry.dashboard.observability import STARTED, STOPPED, STOPPING, DashboardMetrics
from registry.dashboard.settings import face_of
from registry.dashboard.site import Site
from registry.dashboard.source import CachedSource
from registry.statistics.reader import Reader, connect
from registry.statistics.settings import ReaderSettings


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
        server = Server(app, settings.proxies, lambda name: log(STOPPING, signal=name))
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


def _is_current(reader: Reader) -> bool:
    """Whether there is a descriptor in force, without which no party is spoken to."""
    try:
        reader.descriptors.current()
    except UppropError:
        return False
    return True
