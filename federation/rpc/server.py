"""Taking calls over the network.

Invariants: every method has exactly one rule and every rule a method, or the server does not start; threads, concurrent
calls and message sizes are bounded, in all and for each caller; the port is this process's alone; callers come with
certificates only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, NoReturn

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2

from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.observability import Log, Metrics
from federation.rpc.authorisation import Authorising, Rule
from federation.rpc.channel import KEEPALIVE_MS, MAX_MESSAGE_BYTES
from federation.rpc.fairness import Fairness, Limits
from federation.rpc.guard import Behaviour, Guard
from federation.settings import parse_address

WORKER_THREADS = 16
MAX_CONCURRENT_RPCS = 1_024
"""Running and waiting together, in the order of their arrival: every member of the nation may come at once. What waits
has not been read yet and takes a few kilobytes. Beyond it callers are told at once to come back, which they do with
jitter."""

MAX_STREAMS = 16
"""Calls that one connection may have running and waiting, so that what waits is a queue of many callers."""

DRAIN_SECONDS = 10.0
"""How long running calls may go on after the server was told to stop."""

SERVER_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", 8 * 1024),
    ("grpc.max_concurrent_streams", MAX_STREAMS),
    # Below the callers' interval, or their probes would be answered by closing the connection.
    ("grpc.http2.min_ping_interval_without_data_ms", KEEPALIVE_MS // 2),
    ("grpc.keepalive_permit_without_calls", 1),
    # Two minutes where nothing is said: until then nobody has shown who it is.
    ("grpc.server_handshake_timeout_ms", 30_000),
)

HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"]
_HEALTH_RULES = {f"{HEALTH.full_name}/{method.name}": Rule(frozenset(Kind)) for method in HEALTH.methods}


class Binding(NamedTuple):
    """A service of the contract and the object that serves it: a method of that object per method of the contract."""

    service: ServiceDescriptor
    servicer: object


def check_rules(services: Iterable[ServiceDescriptor], rules: Mapping[str, Rule]) -> None:
    """Raises ValueError unless each method of `services`, by its full name `package.Service/Method`, has its rule."""
    methods = {f"{service.full_name}/{method.name}" for service in services for method in service.methods}
    if missing := sorted(methods - rules.keys()):
        raise ValueError(f"methods without a rule: {', '.join(missing)}")
    if superfluous := sorted(rules.keys() - methods):
        raise ValueError(f"rules without a method: {', '.join(superfluous)}")


def handlers(service: ServiceDescriptor, behaviours: Mapping[str, Behaviour], guard: Guard) -> grpc.GenericRpcHandler:
    """The handlers of a service, each inside the guard. Raises ValueError where a method has no behaviour."""
    made: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for method in service.methods:
        behaviour = behaviours.get(method.name)
        if behaviour is None:
            raise ValueError(f"nobody serves {service.full_name}/{method.name}")
        if method.client_streaming:
            raise ValueError(f"{service.full_name}/{method.name} would hold a thread for as long as a caller likes")
        full_name = f"{service.full_name}/{method.name}"
        wrap, make = (
            (guard.stream, grpc.unary_stream_rpc_method_handler)
            if method.server_streaming
            else (guard.unary, grpc.unary_unary_rpc_method_handler)
        )
        made[method.name] = make(
            wrap(full_name, behaviour),
            request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
            response_serializer=message_factory.GetMessageClass(method.output_type).SerializeToString,
        )
    return grpc.method_handlers_generic_handler(service.full_name, made)


def _health(is_ready: Callable[[], bool]) -> dict[str, Behaviour]:
    def check(_request: Any, _context: grpc.ServicerContext) -> Any:
        kinds = health_pb2.HealthCheckResponse
        return kinds(status=kinds.SERVING if is_ready() else kinds.NOT_SERVING)

    def refuse(_request: Any, _context: grpc.ServicerContext) -> NoReturn:
        # A watcher would hold one of the threads for as long as it likes.
        raise UppropError(Code.NOT_SUPPORTED, "Only Check is served here.")

    return {method.name: check if method.name == "Check" else refuse for method in HEALTH.methods}


def _methods(binding: Binding) -> dict[str, Behaviour]:
    named = {method.name: getattr(binding.servicer, method.name, None) for method in binding.service.methods}
    return {name: behaviour for name, behaviour in named.items() if callable(behaviour)}


class RpcServer:
    """A gRPC server over TLS. Makes no thread and opens no port before `start`.

    `limits` are those of each caller; `options` (gRPC's) stand beside SERVER_OPTIONS, or in place of them.
    """

    def __init__(
        self,
        services: Iterable[Binding],
        rules: Mapping[str, Rule],
        *,
        credentials: grpc.ServerCredentials,
        authoriser: Authorising,
        metrics: Metrics,
        log: Log,
        log_answered: bool = False,
        threads: int = WORKER_THREADS,
        max_concurrent_rpcs: int = MAX_CONCURRENT_RPCS,
        limits: Limits | None = None,
        options: Mapping[str, int] | None = None,
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._rules = {**rules, **_HEALTH_RULES}
        bindings = tuple(services)
        check_rules((*(each.service for each in bindings), HEALTH), self._rules)
        fairness = Fairness(limits) if limits is not None else None
        guard = Guard(self._rules, authoriser, metrics, log, log_answered=log_answered, fairness=fairness)
        self._handlers = (
            *(handlers(each.service, _methods(each), guard) for each in bindings),
            handlers(HEALTH, _health(is_ready), guard),
        )
        self._credentials = credentials
        self._options = {**dict(SERVER_OPTIONS), **(options or {})}
        self._threads = threads
        self._max_concurrent_rpcs = max_concurrent_rpcs
        self._server: grpc.Server | None = None
        self._pool: ThreadPoolExecutor | None = None

    def start(self, listen: str) -> int:
        """Listen on `host:port` and return the port; raises UppropError(PORT_TAKEN) where it cannot be had."""
        parse_address(listen)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="rpc")
        server = grpc.server(
            self._pool,
            options=tuple(self._options.items()),
            maximum_concurrent_rpcs=self._max_concurrent_rpcs,
        )
        server.add_generic_rpc_handlers(self._handlers)
        try:
            port = server.add_secure_port(listen, self._credentials)
        except RuntimeError as error:
            port = 0
            cause: Exception | None = error
        else:
            cause = None
        if port == 0:
            self._pool.shutdown(wait=False)
            raise UppropError(
                Code.PORT_TAKEN, f"{listen} cannot be listened on. See which process has it, or choose another port."
            ) from cause
        server.start()
        self._server = server
        return port

    def stop(self, grace: float = DRAIN_SECONDS) -> None:
        """Take no new calls, let running ones end within `grace` seconds, and return when all is over."""
        if self._server is not None:
            self._server.stop(grace).wait()
            self._server = None
        if self._pool is not None:
            with contextlib.suppress(RuntimeError):
                self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
