"""A dashboard on loopback, as browsers and analysts' tools meet it: a real server around a source of figures."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from federation.observability import Log
from federation.web.limits import CallLimit
from federation.web.serving import Server, bind
from registry.dashboard.app import build
from registry.dashboard.settings import LOOPBACK_HOSTS, Face
from registry.dashboard.site import Site
from registry.statistics.reading import Level, Source

LIMIT = CallLimit(10_000, 60)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class HttpFace:
    """Speaks HTTP to a server on loopback; `log` is what that server has logged."""

    port: int
    log: io.StringIO

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: object = None,
        host: str | None = None,
        **headers: str,
    ) -> Answer:
        """`headers` by names with `_` for `-`. A body that is no bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if body is not None and not isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/json")
        if host is not None:
            sent["Host"] = host
        with contextlib.closing(connection):
            connection.request(method, path, body=content, headers=sent)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


@contextlib.contextmanager
def face(
    source: Source,
    *,
    level: Level = Level.PUBLIC,
    limit: CallLimit = LIMIT,
    today: date = date(2026, 11, 22),
    title: str = "",
    base_url: str = "",
    hosts: tuple[str, ...] = LOOPBACK_HOSTS,
    data_license: str = "",
    proxies: tuple[str, ...] = (),
) -> Iterator[HttpFace]:
    """Serves the source until left."""
    written = io.StringIO()
    log = Log(written)
    app = build(Site(source, level, lambda: today, title), Face(level, hosts, base_url, limit, data_license), log=log)
    listening = bind("127.0.0.1:0")
    server = Server(app, proxies, lambda _signal: None)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="http-face")
    thread.start()
    try:
        give_up = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive(), "the server ended"
            assert time.monotonic() < give_up, "the server did not start"
            time.sleep(0.01)
        yield HttpFace(listening.getsockname()[1], written)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
