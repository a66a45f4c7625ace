"""What an operator's tools fetch over HTTP: /metrics, /healthz, /readyz; everything else is 404.

Invariant: nothing served here tells more than the metrics registry and one word about readiness. The port is plain HTTP
and belongs on loopback or in an operator's network: it needs no certificate, which probes cannot present.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

from federation.errors import Code, UppropError
from federation.settings import parse_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READ_TIMEOUT = 10.0
"""Seconds in which a client must have sent its request: a silent one must not hold a thread for ever."""


def application(registry: CollectorRegistry, is_ready: Callable[[], bool]) -> WSGIApplication:
    """The WSGI application. `/healthz`: the process answers. `/readyz`: it takes work (503 while it does not)."""
    metrics: WSGIApplication = make_wsgi_app(registry)

    def serve(environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def answer(status: str, text: str, *more: tuple[str, str]) -> list[bytes]:
            # A list of its own each time: the server adds the length of this body to it.
            start_response(
                status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), *more]
            )
            return [f"{text}\n".encode()]

        if environment.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return answer("405 Method Not Allowed", "method not allowed", ("Allow", "GET, HEAD"))
        match environment.get("PATH_INFO"):
            case "/metrics":
                return metrics(environment, start_response)
            case "/healthz":
                return answer("200 OK", "ok")
            case "/readyz" if is_ready():
                return answer("200 OK", "ready")
            case "/readyz":
                return answer("503 Service Unavailable", "not ready")
            case _:
                return answer("404 Not Found", "not found")

    return serve


class _Handler(WSGIRequestHandler):
    timeout = READ_TIMEOUT

    def log_message(self, *_: Any) -> None:
        """A line per scrape helps nobody, and request lines are not declared events."""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # The inherited one asks the name service for this machine's name, which can take half a minute.
        socketserver.TCPServer.server_bind(self)
        host, port = self.socket.getsockname()[:2]
        self.server_name, self.server_port = host, port
        self.setup_environ()

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no event of ours."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class ProbeServer:
    """Serves `application` on a port of its own."""

    def __init__(self, registry: CollectorRegistry, is_ready: Callable[[], bool]) -> None:
        self._application = application(registry, is_ready)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, listen: str) -> int:
        """Listen on `host:port` and return the port; raises UppropError(PORT_TAKEN) where it cannot be had."""
        host, port = parse_address(listen)
        try:
            server = (_Server6 if ":" in host else _Server)((host, port), _Handler)
        except OSError as error:
            raise UppropError(
                Code.PORT_TAKEN,
                f"{listen} cannot be listened on for metrics ({error.strerror}). "
                "See which process has it, or set metrics_listen to another port.",
            ) from error
        server.set_app(self._application)
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="probes", daemon=True)
        self._thread.start()
        return int(server.server_port)

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None
