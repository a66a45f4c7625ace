"""What an operator may see: metrics, and events declared with the fields they may carry.

Invariants: nothing is logged that was not declared; an event carries only its declared fields, and those only as
numbers, booleans, dates, times or short words, so that no name, number, pseudonym or handle slips into a log with the
text of an exception. Log lines are JSON with UTC times. Metrics live in a registry that the caller passes in.
"""

from __future__ import annotations

import contextlib
import enum
import json
import logging
import re
import sys
import threading
import traceback
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path, PurePath
from typing import IO, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: from a row read on the same machine to the longest deadline of the contract."""

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
        self.certificate_expires = Gauge(
            "upprop_certificate_expires_timestamp_seconds", "When the own certificate expires.", registry=registry
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


def version() -> str:
    """The installed version; `0` where the project runs without being installed."""
    try:
        return metadata.version("upprop")
    except metadata.PackageNotFoundError:
        return "0"
