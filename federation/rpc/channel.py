"""A gRPC channel that can be renewed underneath its stubs and whose calls raise `UppropError`.

Invariants: no call leaves without a deadline, and none from inside a database transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import grpc

from federation import boundary
from federation.observability import Metrics
from federation.rpc.status import as_call, remote_error

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""gRPC's own default, stated: 1 000 signals with 4 pseudonyms, 8 presences and an opening each take under 600 KiB."""

KEEPALIVE_MS = 60_000
"""How often an idle connection is probed, so that firewalls keep it and dead peers are noticed."""

CHANNEL_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Without these a party that was restarted stays unreachable for up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Despite its name this is how long one attempt may take: where a nation reconnects at once, its handshakes queue.
    ("grpc.min_reconnect_backoff_ms", 20_000),
    # Parties are dialled directly: a proxy from the environment would see who talks to whom.
    ("grpc.enable_http_proxy", 0),
)


class Channel(grpc.Channel):
    """Opens a channel with `open_channel` on first use, and a new one whenever `stamp` changes.

    Stubs made on it stay valid. `peer` names the other side in error sentences, `default_deadline` (seconds) holds
    where a call states none.
    """

    def __init__(
        self,
        open_channel: Callable[[], grpc.Channel],
        *,
        peer: str,
        default_deadline: float,
        stamp: Callable[[], object] = lambda: None,
        metrics: Metrics | None = None,
    ) -> None:
        self._open_channel = open_channel
        self._stamp = stamp
        self._lock = threading.Lock()
        self._open: tuple[object, grpc.Channel] | None = None
        self._closed = False
        self.peer = peer
        self.default_deadline = default_deadline
        self.metrics = metrics

    def current(self) -> grpc.Channel:
        """The channel underneath; for the calls of this module."""
        stamp = self._stamp()
        with self._lock:
            if self._closed:
                raise RuntimeError("the channel is closed")
            if self._open is None or self._open[0] != stamp:
                # Calls under way on the old channel end on it; it closes when the last of them lets go.
                self._open = (stamp, self._open_channel())
            return self._open[1]

    def unary_unary(self, method: str, *serializers: Any, **options: Any) -> Any:
        return _Unary(self, method, lambda inner: inner.unary_unary(method, *serializers, **options))

    def unary_stream(self, method: str, *serializers: Any, **options: Any) -> Any:
        return _Stream(self, method, lambda inner: inner.unary_stream(method, *serializers, **options))

    # grpc.Channel asks for all four kinds of calls. A stub of a method that streams requests fails when it is made: no
    # server here takes one (`rpc.server.handlers`), since it would hold a thread for as long as its caller likes.

    def stream_unary(self, method: str, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(f"{method} streams requests, which no server of the federation takes")

    def stream_stream(self, method: str, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(f"{method} streams requests, which no server of the federation takes")

    def subscribe(self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool = False) -> None:
        self.current().subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        self.current().unsubscribe(callback)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._open is not None:
                self._open[1].close()
                self._open = None

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Method:
    def __init__(self, channel: Channel, method: str, bind: Callable[[grpc.Channel], Any]) -> None:
        self._channel = channel
        self._bind = bind
        self._bound: tuple[grpc.Channel, Any] | None = None
        service, _, name = method.removeprefix("/").rpartition("/")
        self._labels = (service, name)

    def _current(self) -> Any:
        boundary.refuse_inside_transaction()
        inner = self._channel.current()
        bound = self._bound
        if bound is None or bound[0] is not inner:
            bound = (inner, self._bind(inner))
            self._bound = bound
        return bound[1]

    def _timeout(self, timeout: float | None) -> float:
        return self._channel.default_deadline if timeout is None else timeout

    def _count(self, status: grpc.StatusCode) -> None:
        if self._channel.metrics is not None:
            self._channel.metrics.client_handled.labels(*self._labels, status.name).inc()

    def _failed(self, error: grpc.RpcError) -> NoReturn:
        self._count(as_call(error).code())
        # The original holds addresses and library internals: of no use to whoever reads the sentence.
        raise remote_error(error, self._channel.peer) from None


class _Unary(_Method):
    def __call__(self, request: Any, timeout: float | None = None, **options: Any) -> Any:
        try:
            response = self._current()(request, timeout=self._timeout(timeout), **options)
        except grpc.RpcError as error:
            self._failed(error)
        self._count(grpc.StatusCode.OK)
        return response


class _Stream(_Method):
    def __call__(self, request: Any, timeout: float | None = None, **options: Any) -> Iterator[Any]:
        call = self._current()(request, timeout=self._timeout(timeout), **options)
        try:
            yield from call
        except grpc.RpcError as error:
            self._failed(error)
        finally:
            call.cancel()
        self._count(grpc.StatusCode.OK)
