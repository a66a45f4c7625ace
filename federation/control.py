"""How the command line speaks to a daemon on the same machine: gRPC over a Unix socket in its data directory.

Invariants: the socket's mode (0600) is the authorisation; it exists only while its daemon lock is held. A command that
finds no daemon takes the lock and serves itself over the same socket, so there is one code path whether a daemon runs
or not, and never two processes at work on one store.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, NoReturn, Protocol

import grpc
from prometheus_client import CollectorRegistry

from federation import files
from federation.clock import Clock, ManualClock
from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.lock import DaemonLock
from federation.observability import Event, Level, Log, Metrics
from federation.rpc.channel import Channel
from federation.rpc.guard import LONGEST_DEADLINE, Behaviour, Guard
from federation.rpc.server import handlers as rpc_handlers
from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub

SERVICE = control_pb2.DESCRIPTOR.services_by_name["ControlService"]
METHODS = frozenset(method.name for method in SERVICE.methods)

SOCKET_NAME = "control.sock"
POINTER_NAME = "control.path"
LONGEST_SOCKET_PATH = 100
"""Bytes. The system's limit is 108 (Linux) or 104 (macOS), the ending zero included."""

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""Lists of case files and of rejected rows are longer here than anything between parties."""

CONTROL_DEADLINE = LONGEST_DEADLINE - 60.0
"""Seconds: a first import of a large municipality takes minutes."""

READY_SECONDS = 20.0
"""How long a command waits for a daemon that holds the lock to open its socket."""

LOOK_AGAIN_SECONDS = 1.0
"""After which a caller who waits looks anew where the socket is."""

_NOTE_SECONDS = 0.05
"""After which who waits looks anew whether there is a note of where the socket is."""

_THREADS = 8
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.enable_http_proxy", 0),
)

TODAY_SET = Event("business_date_set", ("today",), Level.WARNING)

Handler = Callable[[Any], Any]
Handlers = Mapping[str, Handler]
"""What a role supports, by the method's name: a function of the request that returns the response, or for a streaming
method an iterator of responses. A method that is not there answers NOT_SUPPORTED."""


Stub = ControlServiceStub
"""What a command line speaks through; for those who only hand it on."""


class Hosted(Protocol):
    """What a role's `app.build` returns, as far as the control socket is concerned."""

    @property
    def handlers(self) -> Handlers: ...

    def close(self) -> None: ...


class ControlServer:
    """Serves `handlers` on the socket of `data_dir`. The caller holds the daemon lock of that directory.

    SetToday is served here for every role, under a manual clock only.
    """

    def __init__(self, data_dir: Path, handlers: Handlers, *, clock: Clock | None, metrics: Metrics, log: Log) -> None:
        if unknown := sorted(handlers.keys() - METHODS):
            raise ValueError(f"no such control methods: {', '.join(unknown)}")
        self._data_dir = data_dir
        self._clock = clock
        self._log = log
        served: dict[str, Handler] = {"SetToday": self._set_today, **handlers}
        behaviours = {name: _behaviour(name, served.get(name)) for name in METHODS}
        # Whoever can open the socket is this daemon's own user.
        self._handlers = rpc_handlers(SERVICE, behaviours, Guard({}, None, metrics, log))
        self._server: grpc.Server | None = None

    def start(self) -> Path:
        """Open the socket and return its path."""
        files.private_directory(self._data_dir)
        _remove(self._data_dir)
        path = _place(self._data_dir)
        server = grpc.server(ThreadPoolExecutor(_THREADS, thread_name_prefix="control"), options=_OPTIONS)
        server.add_generic_rpc_handlers((self._handlers,))
        # Set before the socket exists, so that there is no moment in which others could open it.
        before = os.umask(0o177)
        try:
            bound = server.add_insecure_port(f"unix:{path}")
        except RuntimeError as error:
            raise UppropError(Code.PORT_TAKEN, f"The control socket {path} cannot be opened.") from error
        finally:
            os.umask(before)
        if not bound:
            raise UppropError(Code.PORT_TAKEN, f"The control socket {path} cannot be opened.")
        path.chmod(files.SECRET_MODE)
        server.start()
        self._server = server
        return path

    def stop(self, grace: float = 10.0) -> None:
        if self._server is not None:
            self._server.stop(grace).wait()
            self._server = None
            _remove(self._data_dir)

    def _set_today(self, request: control_pb2.SetTodayRequest) -> control_pb2.SetTodayResponse:
        if not isinstance(self._clock, ManualClock):
            raise UppropError(
                Code.CLOCK_NOT_MANUAL, 'The business date can be set only where the settings say clock = "manual".'
            )
        try:
            today = date.fromisoformat(request.today)
        except ValueError as error:
            raise UppropError(Code.REQUEST_INVALID, "This is not a date; write it as 2026-10-19.") from error
        self._clock.set_today(today)
        self._log(TODAY_SET, today=today)
        return control_pb2.SetTodayResponse()


def status(identity: Identity, clock: Clock) -> Handler:
    """The Status of a daemon that has nothing to add to its identity and business date."""

    def answer(_request: control_pb2.StatusRequest) -> control_pb2.StatusResponse:
        return control_pb2.StatusResponse(identity=identity.uri, business_date=clock.today().isoformat())

    return answer


def _behaviour(name: str, handler: Handler | None) -> Behaviour:
    def unsupported(_request: Any, _context: grpc.ServicerContext) -> NoReturn:
        raise UppropError(Code.NOT_SUPPORTED, f"This daemon has no {name}; another role has.")

    def supported(request: Any, _context: grpc.ServicerContext) -> Any:
        assert handler is not None
        return handler(request)

    return unsupported if handler is None else supported


def _place(data_dir: Path) -> Path:
    path = data_dir.absolute() / SOCKET_NAME
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    # A directory of our own (0700) with a short name, and a note in the data directory that says where.
    path = Path(tempfile.mkdtemp(prefix="upprop-")) / SOCKET_NAME
    files.replace(data_dir / POINTER_NAME, os.fsencode(path), mode=files.SECRET_MODE)
    return path


def socket_path(data_dir: Path) -> Path:
    """Where the socket of a data directory is, or would be."""
    try:
        return Path(os.fsdecode((data_dir / POINTER_NAME).read_bytes()))
    except OSError:
        return data_dir.absolute() / SOCKET_NAME


def _remove(data_dir: Path) -> None:
    path = socket_path(data_dir)
    path.unlink(missing_ok=True)
    if path.parent != data_dir.absolute():
        shutil.rmtree(path.parent, ignore_errors=True)
        (data_dir / POINTER_NAME).unlink(missing_ok=True)


@contextlib.contextmanager
def connect(data_dir: Path, *, wait: float = READY_SECONDS) -> Iterator[ControlServiceStub]:
    """A stub that speaks to the daemon of `data_dir`; its methods raise UppropError.

    Raises UppropError(PEER_UNREACHABLE) where nothing answers within `wait` seconds.
    """
    with contextlib.ExitStack() as stack:
        yield ControlServiceStub(stack.enter_context(_channel(data_dir, time.monotonic() + wait)))


def answers(data_dir: Path) -> bool:
    """Whether a daemon listens for commands; asks it nothing and takes no lock."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        try:
            caller.connect(str(socket_path(data_dir)))
        except OSError:
            return False
        return True


def business_date(data_dir: Path) -> date | None:
    """The business date of the daemon of `data_dir`; None where none answers."""
    if not answers(data_dir):
        return None
    try:
        with connect(data_dir, wait=LOOK_AGAIN_SECONDS) as stub:
            return date.fromisoformat(stub.Status(control_pb2.StatusRequest(), timeout=5.0).business_date)
    except (UppropError, ValueError):
        return None


def _channel(data_dir: Path, give_up: float) -> Channel:
    while True:
        # A daemon that is starting may yet say that its socket is elsewhere.
        path = socket_path(data_dir)
        remaining = give_up - time.monotonic()
        if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
            # No socket can be there: it is where a note will say, which a daemon that starts has yet to write.
            if remaining <= 0:
                raise _unanswered(data_dir)
            time.sleep(_NOTE_SECONDS)
            continue
        dial = functools.partial(grpc.insecure_channel, f"unix:{path}", options=_OPTIONS)
        channel = Channel(dial, peer="The daemon", default_deadline=CONTROL_DEADLINE)
        try:
            grpc.channel_ready_future(channel.current()).result(timeout=max(0.05, min(LOOK_AGAIN_SECONDS, remaining)))
        except grpc.FutureTimeoutError as error:
            channel.close()
            if remaining <= LOOK_AGAIN_SECONDS:
                raise _unanswered(data_dir) from error
        else:
            return channel


def _unanswered(data_dir: Path) -> UppropError:
    return UppropError(Code.PEER_UNREACHABLE, f"No daemon answers for {data_dir}. Start it, or look into its log.")


@contextlib.contextmanager
def session(
    data_dir: Path, host: Callable[[], Hosted], *, clock: Clock | None = None, log: Log | None = None
) -> Iterator[ControlServiceStub]:
    """A stub that speaks to the running daemon or, where none runs, to what `host` builds in this process.

    Raises UppropError(STORE_LOCKED) where another process holds the data directory and does not answer.
    """
    lock = DaemonLock(data_dir)
    give_up = time.monotonic() + READY_SECONDS
    while True:
        try:
            lock.acquire()
            break
        except UppropError as error:
            if error.code is not Code.STORE_LOCKED:
                raise
            with contextlib.ExitStack() as stack:
                try:
                    stub = stack.enter_context(connect(data_dir, wait=1.0))
                except UppropError:
                    # Starting, or ended in between: look again until the time is up.
                    if time.monotonic() > give_up:
                        raise
                    continue
                yield stub
                return
    try:
        hosted = host()
        try:
            server = ControlServer(
                data_dir,
                hosted.handlers,
                clock=clock,
                metrics=Metrics(CollectorRegistry()),
                log=log or Log(level="warning"),
            )
            server.start()
            try:
                with connect(data_dir) as stub:
                    yield stub
            finally:
                server.stop()
        finally:
            hosted.close()
    finally:
        lock.release()
