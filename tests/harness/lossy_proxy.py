"""A TCP proxy that loses requests, and separately answers: the work was done, and the caller never hears of it."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections import Counter
from dataclasses import dataclass, field

CHUNK = 65_536
HANDSHAKE_BYTES = 2_500
"""More than a handshake takes in either direction: what comes after it is calls."""
ODDS = 0.12
"""Of a chunk being lost, and the connection with it."""


@dataclass
class LossyProxy:
    """Forwards `address` to `target`. `lost` counts the chunks that were lost on the way there ("request") and on the
    way back ("answer"), each with its connection.
    """

    target: tuple[str, int]
    seed: int
    lost: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for each in self._open:
                _shut(each)
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target)
            except OSError:
                caller.close()
                continue
            with self._lock:
                self._open |= {caller, server}
            ways = (
                threading.Thread(target=self._carry, args=("request", caller, server), daemon=True),
                threading.Thread(target=self._carry, args=("answer", server, caller), daemon=True),
            )
            for way in ways:
                way.start()
            threading.Thread(target=self._clear, args=(ways, caller, server), daemon=True).start()

    def _carry(self, name: str, source: socket.socket, sink: socket.socket) -> None:
        carried = 0
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK):
                if carried > HANDSHAKE_BYTES and self._loses():
                    self.lost[name] += 1
                    break
                sink.sendall(chunk)
                carried += len(chunk)
        _shut(source)
        _shut(sink)

    def _loses(self) -> bool:
        with self._lock:
            return self._rng.random() < ODDS

    def _clear(self, ways: tuple[threading.Thread, ...], *ends: socket.socket) -> None:
        for way in ways:
            way.join()
        with self._lock:
            self._open -= set(ends)
        for end in ends:
            end.close()


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
