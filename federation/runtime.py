"""A daemon's life: lock, ports, workers; ready; told to stop; drained; nothing left behind.

Invariants: either everything has started or nothing stays open; after SIGTERM or SIGINT no new work is taken, running
calls end, and the process leaves no socket, lock or thread. A manual clock is for trials: it warns, runs no periodic
worker and is refused on any address but loopback.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import math
import resource
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Protocol

import grpc

from federation import control, files
from federation.clock import Clock, ManualClock, SystemClock
from federation.coarse import Steps
from federation.control import ControlServer, Handlers
from federation.database import Database
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.fresh import Fresh
from federation.lock import DaemonLock
from federation.observability import Event, Level, Log, Metrics, capture_libraries, version
from federation.probes import ProbeServer
from federation.rpc.authorisation import Authoriser, Authorising, Rule, unseen
from federation.rpc.fairness import MEMBER_LIMITS, Limits
from federation.rpc.server import DRAIN_SECONDS, MAX_CONCURRENT_RPCS, WORKER_THREADS, Binding, RpcServer
from federation.settings import DaemonSettings, parse_address
from federation.tls import OwnIdentity, server_credentials
from federation.travelling import Registries
from federation.upkeep import Intervals, upkeep
from federation.workers import Worker as Worker
from federation.workers import Workers

PORTS_NAME = "ports.json"

STORE_SECONDS = 5.0
"""How long a probe may believe that the store still answers."""
SIGNAL_SECONDS = 1.0
"""A signal that does not wake the main thread is heard after so long."""

STARTED = Event("daemon_started", ("version", "rpc_port", "metrics_port", "clock"))
STOPPING = Event("daemon_stopping", ("signal",))
STOPPED = Event("daemon_stopped")
CLOCK_IS_MANUAL = Event("unsafe_manual_clock", ("today",), Level.WARNING)


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server for callers who show no certificate of the federation: systems in the network of whoever runs the role,
    or parties that have no certificate yet.

    It has an address, certificates, an authoriser and bounds of its own. `name` stands in `ports.json`.
    """

    name: str
    listen: str
    service: Binding
    credentials: Callable[[], grpc.ServerCredentials]
    authoriser: Authorising
    limits: Limits | None = None
    threads: int = WORKER_THREADS
    max_concurrent_rpcs: int = MAX_CONCURRENT_RPCS
    options: Mapping[str, int] = field(default_factory=dict)
    log_answered: bool = True

    @property
    def rules(self) -> Mapping[str, Rule]:
        """No party of the federation is a caller here."""
        service = self.service.service
        return {f"{service.full_name}/{method.name}": Rule(frozenset()) for method in service.methods}


class PageServer(Protocol):
    """Pages that a role serves to people of its own beside its other work, in threads of its own."""

    @property
    def name(self) -> str:
        """Stands in `ports.json`."""
        ...

    @property
    def listen(self) -> str: ...
    def start(self) -> int:
        """Listens and returns the port; raises UppropError(PORT_TAKEN)."""
        ...

    def stop(self) -> None: ...


class App(Protocol):
    """What a role's `app.build` returns. `services` and `rules` are empty for a node, which no other party calls."""

    @property
    def services(self) -> Sequence[Binding]: ...
    @property
    def rules(self) -> Mapping[str, Rule]: ...
    @property
    def local_servers(self) -> Sequence[LocalServer]: ...
    @property
    def page_servers(self) -> Sequence[PageServer]: ...
    @property
    def handlers(self) -> Handlers: ...
    @property
    def workers(self) -> Sequence[Worker]: ...
    def close(self) -> None: ...


def make_clock(settings: DaemonSettings, descriptors: DescriptorStore) -> SystemClock:
    """The clock that the settings ask for, in the zone of the descriptor."""
    zone = descriptors.current().zone
    return ManualClock(zone, settings.today) if settings.clock == "manual" else SystemClock(zone)


def raise_file_limit() -> None:
    """Allow as many open files as the system grants: each peer and each caller takes some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Daemon:
    """One role, running. `build` makes the app once the data directory is locked."""

    def __init__(
        self,
        settings: DaemonSettings,
        build: Callable[[], App],
        *,
        clock: Clock,
        metrics: Metrics,
        log: Log,
        descriptors: DescriptorStore,
        own: OwnIdentity,
        intervals: Intervals = Intervals(),  # noqa: B008 - immutable
    ) -> None:
        self._intervals = intervals
        self._settings = settings
        self._build = build
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._descriptors = descriptors
        self._own = own
        self._stop = threading.Event()
        self._ready = False
        self._store: Fresh[bool] | None = None
        self._running = contextlib.ExitStack()
        self.ports: dict[str, int] = {}

    @property
    def is_ready(self) -> bool:
        """Ready: everything has started, nothing was told to stop, the descriptor in force has not expired, and the
        store answers.
        """
        if not self._ready or (self._store is not None and self._store.get() is None):
            return False
        try:
            self._descriptors.current()
        except UppropError:
            return False
        return True

    def run(self) -> None:
        """Start, wait for SIGTERM or SIGINT, stop. For the main thread of a process."""
        capture_libraries(self._log)
        with self._signals():
            self.start()
            try:
                # Python's handlers run in this thread alone, and a signal that another thread got does not wake it.
                while not self._stop.wait(SIGNAL_SECONDS):
                    pass
            finally:
                self.stop()

    def start(self) -> None:
        """Start everything, or raise UppropError with nothing left open."""
        with contextlib.ExitStack() as started:
            self._start(started)
            self._running = started.pop_all()
        self._ready = True
        self._metrics.ready.set_function(lambda: self.is_ready)
        self._log(
            STARTED,
            version=version(),
            rpc_port=self.ports.get("rpc"),
            metrics_port=self.ports["metrics"],
            clock=self._settings.clock,
        )

    def stop(self) -> None:
        """Take no new work, let running work end, release everything. Safe to call twice."""
        self._stop.set()
        if self._ready:
            self._ready = False
            self._running.close()
            self._log(STOPPED)

    def _start(self, started: contextlib.ExitStack) -> None:
        settings = self._settings
        if isinstance(self._clock, ManualClock):
            refuse_beyond_loopback(settings.listen, settings.metrics_listen)
            self._log(CLOCK_IS_MANUAL, today=self._clock.today())
        raise_file_limit()
        started.enter_context(DaemonLock(settings.data_dir))
        app = self._build()
        started.callback(app.close)
        watch_validity(self._metrics, self._descriptors, self._own)
        watch_disk(self._metrics, settings.data_dir)
        database = getattr(app, "database", None)
        if isinstance(database, Database):
            self._store = Fresh(lambda: _answers(database), seconds=STORE_SECONDS)

        probes = ProbeServer(self._metrics.registry, lambda: self.is_ready)
        self.ports["metrics"] = probes.start(settings.metrics_listen)
        started.callback(probes.stop)

        if app.services:
            if settings.listen is None:
                raise UppropError(Code.CONFIG_INVALID, 'The settings lack listen = "host:port".')
            server = RpcServer(
                app.services,
                app.rules,
                credentials=server_credentials(self._own),
                authoriser=Authoriser(self._descriptors, seen=getattr(app, "seen", unseen)),
                metrics=self._metrics,
                log=self._log,
                limits=MEMBER_LIMITS,
                is_ready=lambda: self.is_ready,
            )
            self.ports["rpc"] = server.start(settings.listen)
            started.callback(server.stop)

        for local in app.local_servers:
            if isinstance(self._clock, ManualClock):
                refuse_beyond_loopback(local.listen)
            server = RpcServer(
                [local.service],
                local.rules,
                credentials=local.credentials(),
                authoriser=local.authoriser,
                metrics=self._metrics,
                log=self._log,
                log_answered=local.log_answered,
                threads=local.threads,
                max_concurrent_rpcs=local.max_concurrent_rpcs,
                limits=local.limits,
                options=local.options,
                # What is taken in here does not wait for a descriptor in force.
                is_ready=lambda: self._ready,
            )
            self.ports[local.name] = server.start(local.listen)
            started.callback(server.stop)

        for pages in app.page_servers:
            if isinstance(self._clock, ManualClock):
                refuse_beyond_loopback(pages.listen)
            self.ports[pages.name] = pages.start()
            started.callback(pages.stop)

        handlers = {"Status": control.status(self._own.identity, self._clock), **app.handlers}
        commands = ControlServer(settings.data_dir, handlers, clock=self._clock, metrics=self._metrics, log=self._log)
        commands.start()
        started.callback(commands.stop)

        ports_path = settings.data_dir / PORTS_NAME
        files.replace(ports_path, (json.dumps(self.ports) + "\n").encode())
        started.callback(lambda: ports_path.unlink(missing_ok=True))

        if not isinstance(self._clock, ManualClock):
            workers = Workers([*app.workers, *self._upkeep(app, started)], self._stop, self._metrics, self._log)
            started.callback(workers.join, DRAIN_SECONDS)
            workers.start()
        # Last on the stack, so that the first thing that happens at a stop is that workers learn of it.
        started.callback(self._stop.set)

    def _upkeep(self, app: App, started: contextlib.ExitStack) -> Sequence[Worker]:
        """What every role does besides its own work; a worker of the same name of its own takes the place of ours."""
        registries = Registries(self._descriptors, self._own, self._metrics)
        started.callback(registries.close)
        workers = upkeep(
            self._settings, self._descriptors, self._own, registries, self._metrics, self._log, self._intervals
        )
        own = {worker.name for worker in app.workers}
        return [worker for worker in workers if worker.name not in own]

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def told(number: int, _frame: FrameType | None) -> None:
            # A second one ends the process at once.
            signal.signal(number, signal.SIG_DFL)
            self._log(STOPPING, signal=signal.Signals(number).name)
            self._stop.set()

        before = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def watch_validity(metrics: Metrics, descriptors: DescriptorStore, own: OwnIdentity) -> None:
    """Show until when descriptor and certificate are in force."""

    # Asked at every scrape, and of what was last accepted: that it has expired must show, not fail the scrape.
    def serial() -> float:
        return descriptors.last().serial

    def descriptor_expires() -> float:
        return descriptors.last().expires.timestamp()

    def descriptor_offered() -> float:
        try:
            offer = descriptors.offer()
        except UppropError:
            return math.nan
        return 0 if offer is None else offer.serial

    def certificate_expires() -> float:
        return own.expires.timestamp()

    def certificate_issued() -> float:
        return own.issued.timestamp()

    metrics.descriptor_serial.set_function(serial)
    metrics.descriptor_expires.set_function(descriptor_expires)
    metrics.descriptor_offered.set_function(descriptor_offered)
    metrics.certificate_expires.set_function(certificate_expires)
    metrics.certificate_issued.set_function(certificate_issued)


DISK_STEPS = 256
LEAST_DISK_STEP = 4 * 1024 * 1024


def watch_disk(metrics: Metrics, directory: Path) -> None:
    """Show how full the file system of a directory is, in steps that no single signal, case or notice is seen by: a
    database on a disk of its own grows page by page.
    """
    steps = Steps()

    def free() -> float:
        try:
            usage = shutil.disk_usage(directory)
        except OSError:
            return math.nan
        step = max(LEAST_DISK_STEP, usage.total // DISK_STEPS)
        return min(usage.total, steps.shown(usage.free, step, "disk"))

    def size() -> float:
        try:
            return shutil.disk_usage(directory).total
        except OSError:
            return math.nan

    metrics.data_free.set_function(free)
    metrics.data_size.set_function(size)


def _answers(database: Database) -> bool:
    database.ping()
    return True


def refuse_beyond_loopback(*addresses: str | None) -> None:
    """Raises UppropError(CONFIG_INVALID) where a manual clock would be served to other machines."""
    for listen in addresses:
        if listen is not None and not is_loopback(parse_address(listen)[0]):
            raise UppropError(
                Code.CONFIG_INVALID,
                f'clock = "manual" is for trials and allows loopback addresses only, not {listen}.',
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine can dial what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
