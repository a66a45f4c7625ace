"""The console within the node's process: uvicorn in a thread of its own, stopped with the daemon."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable

from starlette.types import ASGIApp

from federation.errors import Code, UppropError
from federation.web.serving import DRAIN_SECONDS, Server, bind

START_SECONDS = 30


def _no_tls() -> ssl.SSLContext | None:
    return None


class ConsoleServer:
    """A `federation.runtime.PageServer`. `tls` is asked for once, at the start; None where a proxy ends it."""

    name = "console"

    def __init__(
        self,
        app: ASGIApp,
        listen: str,
        proxies: tuple[str, ...] = (),
        *,
        tls: Callable[[], ssl.SSLContext | None] = _no_tls,
    ) -> None:
        self.listen = listen
        self._app, self._proxies, self._tls = app, proxies, tls
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        context = self._tls()
        tls = None if context is None else lambda: context
        server = self._server = Server(self._app, self._proxies, lambda _signal: None, tls)
        listening = bind(self.listen)
        self._thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="console")
        self._thread.start()
        give_up = time.monotonic() + START_SECONDS
        while not server.started:
            if not self._thread.is_alive() or time.monotonic() > give_up:
                listening.close()
                raise UppropError(Code.INTERNAL, "The console did not start. See the log.")
            time.sleep(0.01)
        port: int = listening.getsockname()[1]
        return port

    def stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(DRAIN_SECONDS + 1)
