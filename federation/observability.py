"""What an operator may see: metrics, and events declared with the fields they may carry.

Invariants: nothing is logged that was not declared; an event carries only its declared fields, and those only as
numbers, booleans, dates, times or short words, so that no name, number, pseudonym or handle slips into a log with the
text of an exception. Log lines are JSON with UTC times. Metrics live in a registry that the caller passes in.
"""

from __future__ import annotations

import contextlib
import enum
import functools
import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path, PurePath
from typing import IO, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from federation.coarse import Steps
from federation.fresh import SECONDS, Fresh

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: from a row read on the same machine to the longest deadline of the contract."""

COUNTED_STEP = 1_000
"""Of counters of what is counted by the pupil: the nation sends some 270 signals a day."""

_LONGEST_VALUE = 300
_IDENTITY_NUMBER = re.compile(
    r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])[-+ ]?(?:\d{4}|[A-Z]{2}\d{2})"
)
"""What looks like an identity number is never written, whoever passed it. Organisation numbers, which are part of
member ids, have a month of 20 or more."""


class Level(enum.IntEnum):
    DEBUG = logging.DEBUG
    INFO = logging.INFO
    WARNING = logging.WARNING
    ERROR = logging.ERROR


_OF_EVERY_LINE = frozenset({"time", "level", "event"})


class Event:
    """A declared log event: `name` and the only fields it may carry."""

    _declared: dict[str, Event] = {}  # noqa: RUF012 - the catalogue of all events, filled by their declarations

    def __init__(self, name: str, fields: tuple[str, ...] = (), level: Level = Level.INFO) -> None:
        if name in self._declared:
            raise ValueError(f"the event {name} is declared twice")
        if taken := _OF_EVERY_LINE & set(fields):
            raise ValueError(f"the event {name} declares {sorted(taken)}, which every line has")
        self.name = name
        self.fields = frozenset(fields)
        self.level = level
        self._declared[name] = self

    def __repr__(self) -> str:
        return f"Event({self.name!r})"


Value = str | int | float | bool | date | datetime | Path | enum.Enum | None


def _shown(value: Value) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = str(value)
    if _IDENTITY_NUMBER.search(text):
        return "withheld"
    return text[:_LONGEST_VALUE]


class Log:
    """Writes declared events as one JSON object a line; safe to use from several threads."""

    def __init__(self, stream: IO[str] | None = None, level: str = "info", **constant: Value) -> None:
        self._stream = stream
        self._level = Level[level.upper()]
        self._constant = {name: _shown(value) for name, value in constant.items()}
        self._lock = threading.Lock()

    def __call__(self, event: Event, **fields: Value) -> None:
        """Log `event`; raises ValueError for a field that the event does not declare."""
        undeclared = fields.keys() - event.fields
        if undeclared:
            raise ValueError(f"{event.name} does not declare {sorted(undeclared)}")
        if event.level < self._level:
            return
        line: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": event.level.name.lower(),
            "event": event.name,
            **self._constant,
            **{name: _shown(value) for name, value in fields.items()},
        }
        text = json.dumps(line, ensure_ascii=False)
        with self._lock, contextlib.suppress(OSError, ValueError):
            # Whoever read the log is gone: no reason to stop the work.
            stream = self._stream or sys.stderr
            stream.write(text + "\n")
            stream.flush()


METRICS_UNREAD = Event("metrics_unread", ("of", "exception", "where"), Level.WARNING)
LIBRARY_MESSAGE = Event("library_message", ("logger", "severity", "exception", "where"), Level.WARNING)
THREAD_FAILED = Event("thread_failed", ("exception", "where"), Level.ERROR)


class _LibraryMessages(logging.Handler):
    """Says that a library had something to say, and where; what it says may quote what is being handled."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        exception = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        where = f"{record.module}:{record.lineno}"
        self._log(LIBRARY_MESSAGE, logger=record.name, severity=record.levelname, exception=exception, where=where)


def capture_libraries(log: Log) -> None:
    """For a daemon's own process: whatever libraries log, warn of, or let a thread die of, becomes a declared event."""

    def thread_failed(failure: threading.ExceptHookArgs) -> None:
        log(THREAD_FAILED, exception=failure.exc_type.__name__, where=place_of(failure.exc_value))

    root = logging.getLogger()
    root.handlers[:] = [_LibraryMessages(log)]
    logging.captureWarnings(capture=True)
    threading.excepthook = thread_failed


def place_of(error: BaseException | None) -> str:
    """File and line where an exception was raised: enough to find the cause, and no data."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    if not frames:
        return "unknown"
    parts = PurePath(frames[-1].filename).parts
    return f"{'/'.join(parts[-3:])}:{frames[-1].lineno}"


class Metrics:
    """The metrics every role has; a role's own are made against `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        rpc_labels = ("grpc_type", "grpc_service", "grpc_method")
        # The names that the ecosystem's dashboards and alerts expect.
        self.rpc_started = Counter("grpc_server_started", "RPCs started on the server.", rpc_labels, registry=registry)
        self.rpc_handled = Counter(
            "grpc_server_handled",
            "RPCs completed on the server, whatever the outcome.",
            (*rpc_labels, "grpc_code"),
            registry=registry,
        )
        self.rpc_seconds = Histogram(
            "grpc_server_handling_seconds",
            "Seconds from the arrival of an RPC to its end.",
            (*rpc_labels, "grpc_code"),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        client_labels = ("grpc_service", "grpc_method", "grpc_code")
        self.client_handled = Counter(
            "grpc_client_handled", "Attempts of RPCs completed by the client.", client_labels, registry=registry
        )
        self.transactions = Counter(
            "upprop_transactions",
            "Database transactions by name and outcome (committed, retried, failed).",
            ("name", "outcome"),
            registry=registry,
        )
        self.transaction_seconds = Histogram(
            "upprop_transaction_seconds",
            "Seconds from the start of a database transaction to its end.",
            ("name",),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.descriptor_serial = Gauge(
            "upprop_descriptor_serial", "Serial of the descriptor in force.", registry=registry
        )
        self.descriptor_expires = Gauge(
            "upprop_descriptor_expires_timestamp_seconds", "When the descriptor in force expires.", registry=registry
        )
        self.descriptor_offered = Gauge(
            "upprop_descriptor_offered_serial",
            "Serial of a descriptor that waits to be accepted; 0 where none does.",
            registry=registry,
        )
        self.descriptor_received = Gauge(
            "upprop_descriptor_received_timestamp_seconds",
            "When a registry was last asked for the newest descriptor and answered; 0 before the first time.",
            registry=registry,
        )
        self.clock_skew = Gauge(
            "upprop_clock_skew_seconds",
            "The own clock less that of the registry that was last asked.",
            registry=registry,
        )
        self.certificate_expires = Gauge(
            "upprop_certificate_expires_timestamp_seconds", "When the own certificate expires.", registry=registry
        )
        self.certificate_issued = Gauge(
            "upprop_certificate_issued_timestamp_seconds",
            "When the own certificate began to be in force: another value is another certificate.",
            registry=registry,
        )
        self.data_free = Gauge(
            "upprop_data_directory_free_bytes",
            "Bytes free on the file system of the data directory, in steps of a 256th of it or of 4 MiB.",
            registry=registry,
        )
        self.data_size = Gauge(
            "upprop_data_directory_size_bytes", "Size of the file system of the data directory.", registry=registry
        )
        self._connections = Gauge(
            "upprop_database_connections",
            "Connections to the database: in use, idle, and (of these) beyond the size of the pool.",
            ("state",),
            registry=registry,
        )
        self._connections_limit = Gauge(
            "upprop_database_connections_limit",
            "Connections that the pool opens at most; infinite where the store is a file.",
            registry=registry,
        )
        self.worker_runs = Counter(
            "upprop_worker_runs",
            "Runs of periodic workers by outcome (ok, failed).",
            ("worker", "outcome"),
            registry=registry,
        )
        self.worker_last_success = Gauge(
            "upprop_worker_last_success_timestamp_seconds",
            "When a periodic worker last succeeded.",
            ("worker",),
            registry=registry,
        )
        self.ready = Gauge("upprop_ready", "1 while the daemon takes work.", registry=registry)
        build = Info("upprop_build", "The running version.", registry=registry)
        build.info({"version": version(), "python": f"{sys.version_info.major}.{sys.version_info.minor}"})

    def watch_pool(self, connections: Callable[[], Mapping[str, int]], limit: float) -> None:
        """Show the connections of the process's database; `connections` gives their number by state."""
        for state in connections():
            self._connections.labels(state).set_function(functools.partial(_of, connections, state))
        self._connections_limit.set(limit)


def _of(connections: Callable[[], Mapping[str, int]], state: str) -> float:
    return connections()[state]


class CoarseCounter(Collector):
    """A counter by one label that moves in steps (`federation.coarse`), for what is counted by the pupil.

    `day` gives the business date: what is counted on a day is then shown once that day is over, so that nobody sees at
    which hour it came. What a process counts is gone when it ends, as with every counter.
    """

    def __init__(
        self,
        name: str,
        documentation: str,
        label: str,
        values: Iterable[str],
        *,
        steps: Steps,
        registry: CollectorRegistry,
        step: int = COUNTED_STEP,
        day: Callable[[], date] | None = None,
    ) -> None:
        self._name, self._documentation, self._label = name, documentation, label
        self._steps, self._step, self._day = steps, step, day
        self._lock = threading.Lock()
        self._told = dict.fromkeys(values, 0)
        self._kept_back = dict.fromkeys(self._told, 0)
        self._since = None if day is None else day()
        registry.register(self)

    def add(self, value: str, count: int) -> None:
        with self._lock:
            self._turn()
            (self._told if self._day is None else self._kept_back)[value] += count

    def describe(self) -> Iterable[Metric]:
        return [CounterMetricFamily(self._name, self._documentation, labels=(self._label,))]

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._documentation, labels=(self._label,))
        with self._lock:
            self._turn()
            for value, count in self._told.items():
                family.add_metric((value,), self._steps.shown(count, self._step, self._name, value))
        return [family]

    def _turn(self) -> None:
        today = None if self._day is None else self._day()
        if today != self._since:
            self._since = today
            for value, count in self._kept_back.items():
                self._told[value] += count
            self._kept_back = dict.fromkeys(self._told, 0)


@dataclass(frozen=True, slots=True)
class Shown:
    """A gauge that is read rather than set."""

    name: str
    documentation: str
    labels: tuple[str, ...] = ()


Readings = Mapping[str, Mapping[tuple[str, ...], float]]
"""Name of a gauge → the values of its labels → value."""


class Sampled(Collector):
    """Gauges that are read together, from a store that may be down: then they are not shown, rather than as they were.

    Read at most every `seconds`, however often they are scraped.
    """

    def __init__(
        self,
        of: str,
        gauges: Sequence[Shown],
        read: Callable[[], Readings],
        *,
        registry: CollectorRegistry,
        log: Log | None = None,
        seconds: float = SECONDS,
    ) -> None:
        def failed(error: Exception) -> None:
            if log is not None:
                log(METRICS_UNREAD, of=of, exception=type(error).__name__, where=place_of(error))

        self._gauges = gauges
        self._readings = Fresh(read, seconds=seconds, failed=failed)
        registry.register(self)

    def describe(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(each.name, each.documentation, labels=each.labels) for each in self._gauges]

    def collect(self) -> Iterable[Metric]:
        readings = self._readings.get() or {}
        for each in self._gauges:
            family = GaugeMetricFamily(each.name, each.documentation, labels=each.labels)
            for values, value in readings.get(each.name, {}).items():
                family.add_metric(values, value)
            yield family


def version() -> str:
    """The installed version; `0` where the project runs without being installed."""
    try:
        return metadata.version("upprop")
    except metadata.PackageNotFoundError:
        return "0"
