"""Connections to the parties that the descriptor names: made on first use, kept for as long as it names them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.observability import Metrics
from federation.rpc.client import Credentials, Peer

Address = tuple[Identity, str]
"""Who, and where."""

_TRY_ANOTHER = frozenset({Code.PEER_UNREACHABLE, Code.DEADLINE, Code.OVERLOADED})
"""After these the same request goes to the next address of a party."""

T = TypeVar("T")


class Peers:
    """One connection for each address. Safe to use from several threads."""

    def __init__(self, credentials: Credentials, metrics: Metrics | None = None) -> None:
        self._credentials = credentials
        self._metrics = metrics
        self._lock = threading.Lock()
        self._peers: dict[Address, Peer] = {}

    def at(self, addresses: Iterable[Address]) -> list[Peer]:
        """The peers at these addresses, in their order."""
        with self._lock:
            return [self._peer(address) for address in addresses]

    def forget_others(self, named: Iterable[Address]) -> None:
        """Close the connections to all but these."""
        kept = set(named)
        with self._lock:
            for address in self._peers.keys() - kept:
                self._peers.pop(address).close()

    def close(self) -> None:
        self.forget_others(())

    def _peer(self, address: Address) -> Peer:
        if address not in self._peers:
            self._peers[address] = Peer(*address, self._credentials, self._metrics)
        return self._peers[address]


def at_any(registries: Sequence[Peer], call: Callable[[Peer], T]) -> T:
    """Make a call to the registry at the first of its addresses that answers. Raises the last one's UppropError."""
    failure = UppropError(Code.CONFIG_INVALID, "The descriptor names no registry. Ask the authority for another.")
    for peer in registries:
        try:
            return call(peer)
        except UppropError as error:
            if error.code not in _TRY_ANOTHER:
                raise
            failure = error
    raise failure
