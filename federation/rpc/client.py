"""Calling another party.

Invariants: the peer is known by its name in the certificate, whatever address is dialled; every attempt has a
deadline; only what may fare better later is tried again, with pauses that grow and differ; a request is the same in
every attempt, so it must carry an id chosen before the first.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import grpc

from federation.identity import Identity
from federation.observability import Metrics
from federation.rpc.channel import CHANNEL_OPTIONS, Channel
from federation.rpc.status import RemoteError

DEFAULT_DEADLINE = 30.0
"""Seconds for one attempt."""

MAX_ATTEMPTS = 4
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0

RequestT = TypeVar("RequestT", contravariant=True)
ResponseT = TypeVar("ResponseT", covariant=True)


class StubMethod(Protocol[RequestT, ResponseT]):
    """A method of a generated stub, such as `RegistryServiceStub(peer.channel).SubmitSignals`."""

    def __call__(self, request: RequestT, timeout: float | None = None) -> ResponseT: ...


class Credentials(Protocol):
    """With what a channel is opened; a new one is, whenever `stamp` changes."""

    @property
    def stamp(self) -> object: ...
    def make(self) -> grpc.ChannelCredentials: ...


class Peer:
    """Another party at an address. Stubs are made once, on `channel`."""

    def __init__(
        self,
        identity: Identity,
        address: str,
        credentials: Credentials,
        metrics: Metrics | None = None,
        *,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.identity = identity
        self.address = address
        self._credentials = credentials
        self._sleep = sleep
        self.channel = Channel(
            self._open,
            peer=f"{identity.kind.value} {identity.name}",
            default_deadline=DEFAULT_DEADLINE,
            stamp=lambda: credentials.stamp,
            metrics=metrics,
        )

    def call(
        self,
        method: StubMethod[RequestT, ResponseT],
        request: RequestT,
        deadline: float = DEFAULT_DEADLINE,
        *,
        attempts: int = MAX_ATTEMPTS,
    ) -> ResponseT:
        """The response to `request`; `deadline` (seconds) is for each of at most `attempts` attempts.

        Raises RemoteError, a UppropError with the peer's code, or PEER_UNREACHABLE, DEADLINE, OVERLOADED.
        """
        for attempt in range(1, attempts + 1):
            try:
                return method(request, timeout=deadline)
            except RemoteError as error:
                if not error.retry or attempt == attempts:
                    raise
                pause = error.pushback
            if pause is None:
                # Full jitter: nodes that failed together do not come back together.
                pause = random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt))  # noqa: S311 - no secret
            self._sleep(min(pause, _LONGEST_PAUSE))
        raise ValueError("a call needs at least one attempt")

    def close(self) -> None:
        self.channel.close()

    def _open(self) -> grpc.Channel:
        options = (*CHANNEL_OPTIONS, ("grpc.ssl_target_name_override", self.identity.dns_name))
        return grpc.secure_channel(self.address, self._credentials.make(), options=options)
