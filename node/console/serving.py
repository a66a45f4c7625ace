"""The console within the node's process: uvicorn in a thread of its own, stopped with the daemon."""

from __future__ import annotations

import threading
import time

from starlette.types import ASGIApp

from federation.errors import Code, UppropError
from federation.web.serving import DRAIN_SECONDS, Server, bind

START_SECONDS = 30


class ConsoleServer:
    """A `federation.runtime.PageServer`."""

    name = "console"

    def __init__(self, app: ASGIApp, listen: str, proxies: tuple[str, ...] = ()) -> None:
        self.listen = listen
        self._server = Server(app, proxies, lambda _signal: None)
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        listening = bind(self.listen)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, name="console")
        self._thread.start()
        give_up = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > give_up:
                listening.close()
                raise UppropError(Code.INTERNAL, "The console did not start. See the log.")
            time.sleep(0.01)
        port: int = listening.getsockname()[1]
        return port

    def stop(self) -> None:
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(DRAIN_SECONDS + 1)
