"""The port for parties that have no certificate yet, or one that has expired.

Invariants
    - It asks nobody for a certificate, serves AdmissionService alone, and proves by the registry's own certificate who
      answers.
    - Whoever calls is unknown, so all of it is bounded: threads, calls, connections and how long these may last, the
      size of what is sent, and for each address calls at once, calls and bytes over time. What is remembered of
      addresses does not grow with their number, what is logged does not grow with the calls, and no address stands in a
      log.
"""

from __future__ import annotations

import functools
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import unquote

import grpc

from federation.rpc.authorisation import Rule
from federation.rpc.fairness import Limits
from federation.rpc.server import Binding
from federation.runtime import LocalServer
from federation.tls import OwnIdentity, server_credentials

NAME = "join"

THREADS = 4
MAX_CALLS = 64
"""Running and waiting together; a nation joins over weeks."""

LIMITS = Limits(calls=4, burst=4 * 1024 * 1024, bytes_per_second=64 * 1024, least=8 * 1024)
"""Of each address: some descriptors of a whole nation (under 1 MiB each) at once, and one every 15 seconds. Of calls
that get next to nothing 500 at once, and 8 a second: the members that share one computing centre."""

OPTIONS: Mapping[str, int] = {
    "grpc.max_receive_message_length": 16 * 1024,
    "grpc.max_connection_idle_ms": 30_000,
    "grpc.max_connection_age_ms": 60_000,
    "grpc.max_connection_age_grace_ms": 10_000,
    # Two minutes where nothing is said: enough for anybody to hold as many connections as the process may have.
    "grpc.server_handshake_timeout_ms": 10_000,
    # Also before a handshake: whoever says nothing must not take the files that parties' connections and stores need.
    "grpc.max_allowed_incoming_connections": 1_024,
}

_BUCKETS = 4_096


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody at an address; `uri` stands for all addresses that fall together, and tells none."""

    uri: str


class Strangers:
    """Lets anybody in."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)

    def authorise(self, context: grpc.ServicerContext, rule: Rule) -> Stranger:  # noqa: ARG002 - there is one rule here
        return Stranger(f"joining/{self.bucket(context.peer())}")

    def bucket(self, peer: str) -> int:
        """Where the address of a gRPC peer falls. Nobody can choose an address that falls together with another's."""
        digest = blake2b(network(peer).encode(), key=self._secret, digest_size=4).digest()
        return int.from_bytes(digest, "big") % _BUCKETS


def network(peer: str) -> str:
    """What of a peer (`ipv4:192.0.2.1:5000`, `ipv6:[2001:db8::1]:5000`) is one's own to change least."""
    kind, _, rest = unquote(peer).partition(":")
    host = rest.rpartition(":")[0].strip("[]")
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return kind
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        # One customer of a network has at least that many.
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)


def local_server(listen: str, service: Binding, own: OwnIdentity) -> LocalServer:
    """The port at `listen`."""
    return LocalServer(
        NAME,
        listen,
        service,
        functools.partial(server_credentials, own, asks_callers=False),
        Strangers(),
        limits=LIMITS,
        threads=THREADS,
        max_concurrent_rpcs=MAX_CALLS,
        options=OPTIONS,
        log_answered=False,
    )
