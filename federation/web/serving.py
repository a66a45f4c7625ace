"""uvicorn as every page of ours is served: one process, drained at a stop, nothing logged of who asks."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from federation.errors import Code, UppropError
from federation.settings import parse_address

DRAIN_SECONDS = 10
MAX_CONNECTIONS = 512
"""Open at once; beyond it callers are told to come back."""


class Server(uvicorn.Server):
    """uvicorn's, but a stop that was asked for is a success, and is told to `stopping` by the signal's name.

    Outside the main thread no signal is taken: whoever owns the process sets `should_exit`. `tls` is asked for once, at
    the start; None where a proxy ends it.
    """

    def __init__(
        self,
        app: ASGIApp,
        proxies: Sequence[str],
        stopping: Callable[[str], None],
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
        if tls is not None:
            config.load()
            config.ssl = tls()
        super().__init__(config)
        self._stopping = stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def told(number: int, _frame: FrameType | None) -> None:
            # A second one ends the process at once.
            signal.signal(number, signal.SIG_DFL)
            self._stopping(signal.Signals(number).name)
            self.should_exit = True

        before = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


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
