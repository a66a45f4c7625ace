"""How the newest descriptor comes to every party: each asks the registries for it, and verifies what it is given.

Whoever a registry has to let in or turn away at once (the other registries, the evaluators) asks all of them; anyone
else asks one, at random. So a descriptor that was put in one place is heard of everywhere within `REACHED_SECONDS`.

Invariants: nothing is taken on a registry's word, which can only withhold, and the others are asked too; under an
expired descriptor or with an expired certificate a registry is still asked for new ones, and for nothing else.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import grpc

from federation.clock import utc_now
from federation.descriptor_file import Registry
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.observability import Event, Level, Log, Metrics
from federation.rpc.admission import DEADLINE, Fetched, ServerOnly, descriptor_from
from federation.rpc.client import Peer
from federation.rpc.peers import Peers
from federation.tls import CLOCK_TOLERANCE, ChannelCredentials, OwnIdentity
from federation.workers import LONGEST_FACTOR

POLL_SECONDS = 20.0
"""How often a party asks: one call without content from each, some fifteen a second from the nation."""

REACHED_SECONDS = POLL_SECONDS * LONGEST_FACTOR + 3 * DEADLINE
"""Until a descriptor that one registry has is at every other registry and evaluator, where two others hang."""

CLOCK_WRONG = Event("clock_wrong", ("registry", "seconds"), Level.ERROR)
CLOCK_RIGHT = Event("clock_right", ("registry",))
NOT_TAKEN = Event("descriptor_not_taken", ("registry", "code"), Level.ERROR)

_ASK_ALL = frozenset({Kind.REGISTRY, Kind.EVALUATOR})
_NO_BETTER_UNNAMED = frozenset({Code.DEADLINE, Code.OVERLOADED, Code.NOT_SUPPORTED, Code.INTERNAL})
"""After these it helps nothing to ask the same registry without one's certificate."""

T = TypeVar("T")


class Registries:
    """The registries of the descriptor, as whoever may have no valid certificate asks them. Safe between threads."""

    def __init__(
        self,
        descriptors: DescriptorStore,
        own: OwnIdentity,
        metrics: Metrics | None = None,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._descriptors = descriptors
        self._own = own
        self._metrics = metrics
        self._now = now
        self._peers = Peers(LastCredentials(own), metrics)

    def others(self) -> list[Registry]:
        """All but oneself, in an order that differs every time."""
        listed = self._descriptors.last().registries
        self._peers.forget_others((each.identity, each.address) for each in listed)
        others = [each for each in listed if each.identity != self._own.identity]
        random.shuffle(others)
        return others

    def ask(self, registry: Registry, call: Callable[[Peer], T]) -> T:
        """Make a call of AdmissionService: over mutual TLS, else where parties without a certificate ask."""
        joining = registry.join_address
        try:
            if joining is not None and self._own.expires <= self._now():
                # A handshake with it would only fail.
                return self._unnamed(registry, joining, call)
            [peer] = self._peers.at([(registry.identity, registry.address)])
            return call(peer)
        except UppropError as error:
            if joining is None or error.code in _NO_BETTER_UNNAMED:
                raise
        return self._unnamed(registry, joining, call)

    def close(self) -> None:
        self._peers.close()

    def _unnamed(self, registry: Registry, address: str, call: Callable[[Peer], T]) -> T:
        credentials = ServerOnly(self._descriptors.last().roots_pem)
        peer = Peer(registry.identity, address, credentials, self._metrics)
        try:
            return call(peer)
        finally:
            peer.close()


class LastCredentials:
    """Credentials of a caller by what was in order last, whatever has expired since."""

    def __init__(self, own: OwnIdentity) -> None:
        self._own = own

    @property
    def stamp(self) -> object:
        return self._own.last().stamp

    def make(self) -> grpc.ChannelCredentials:
        return ChannelCredentials.of(self._own.last())


class Courier:
    """Brings a party the newest descriptor. `fetch` is a worker's run."""

    def __init__(
        self,
        descriptors: DescriptorStore,
        registries: Registries,
        kind: Kind,
        metrics: Metrics | None,
        log: Log,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._descriptors = descriptors
        self._registries = registries
        self._asks_all = kind in _ASK_ALL
        self._metrics = metrics
        self._log = log
        self._now = now
        self._clock_wrong: set[str] = set()

    def fetch(self) -> None:
        """Ask, and keep what is newer. Raises the last UppropError where no registry gave an answer that counts."""
        others = self._registries.others()
        failure: UppropError | None = None
        answered = not others
        for registry in others:
            try:
                self._ask(registry)
            except UppropError as error:
                failure = error
                continue
            answered = True
            if not self._asks_all:
                break
        if not answered and failure is not None:
            raise failure
        if self._metrics is not None:
            self._metrics.descriptor_received.set(self._now().timestamp())

    def _ask(self, registry: Registry) -> None:
        begun, begun_at = time.monotonic(), self._now()
        fetched = self._registries.ask(registry, self._fetch)
        half = (time.monotonic() - begun) / 2
        self._watch_clock(registry, begun_at.timestamp() + half - fetched.now.timestamp())
        if fetched.content is None:
            return
        try:
            self._descriptors.receive(fetched.content)
        except UppropError as error:
            self._log(NOT_TAKEN, registry=registry.name, code=error.code)
            raise

    def _watch_clock(self, registry: Registry, skew: float) -> None:
        """Say once that this clock and that registry's differ by more than certificates allow for, and once more when
        they no longer do. `skew`: seconds that ours is ahead."""
        if self._metrics is not None:
            self._metrics.clock_skew.set(skew)
        wrong = abs(skew) > CLOCK_TOLERANCE.total_seconds()
        if wrong and registry.name not in self._clock_wrong:
            self._clock_wrong.add(registry.name)
            self._log(CLOCK_WRONG, registry=registry.name, seconds=round(skew))
        elif not wrong and registry.name in self._clock_wrong:
            self._clock_wrong.discard(registry.name)
            self._log(CLOCK_RIGHT, registry=registry.name)

    def _fetch(self, peer: Peer) -> Fetched:
        offer = self._descriptors.offer()
        serial = self._descriptors.last().serial
        return descriptor_from(peer, serial if offer is None else max(serial, offer.serial))
