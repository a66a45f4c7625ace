"""How often one address may ask, and by which names it may ask for this site.

Invariants
    - Within a window an address is answered as many calls as `/config` states, whatever others ask; the next one is
      told when to come back.
    - Addresses live in memory for one window, as a keyed digest; no log, metric or answer holds one.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

MAX_ADDRESSES = 20_000
"""Remembered at once; beyond it the ones that began longest ago are forgotten."""

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class CallLimit:
    """`calls` within `seconds` for each address."""

    calls: int
    seconds: int


class Calls:
    """Counts calls by address. Safe to use from several threads."""

    def __init__(self, limit: CallLimit, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._windows: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def admit(self, address: str) -> int | None:
        """None for a call that is within the limit, else the seconds after which one is again."""
        name = hashlib.blake2b(_party(address), key=self._key, digest_size=_DIGEST_BYTES).digest()
        now = self._monotonic()
        with self._lock:
            self._forget(now)
            begun, calls = self._windows.get(name, (now, 0))
            if calls >= self._limit.calls:
                return max(1, int(begun + self._limit.seconds - now) + 1)
            # A window keeps its place, which is by its begin.
            self._windows[name] = (begun, calls + 1)
            return None

    def _forget(self, now: float) -> None:
        while self._windows:
            begun, _ = next(iter(self._windows.values()))
            if begun + self._limit.seconds > now and len(self._windows) < MAX_ADDRESSES:
                return
            self._windows.popitem(last=False)


def _party(address: str) -> bytes:
    """An IPv4 address, or the network of 64 bits that one subscriber of IPv6 has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address.encode()
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return parsed.packed[:8] if mapped is None else mapped.packed
    return parsed.packed


Refuse = Callable[[Scope, int], Response]
"""The answer to a call over the limit, which may be repeated after so many seconds."""


class LimitedCalls:
    """Counts the calls of each face and answers those over the limit with `refuse`.

    `face_of` tells the face from the path; None: such calls are not counted. Whoever fetches data is not kept from the
    pages by it, nor the other way.
    """

    def __init__(self, app: ASGIApp, *, limit: CallLimit, face_of: Callable[[str], str | None], refuse: Refuse) -> None:
        self._app = app
        self._limit = limit
        self._face_of = face_of
        self._calls: dict[str, Calls] = {}
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        face = self._face_of(scope["path"]) if scope["type"] == "http" else None
        if face is not None:
            client = scope.get("client")
            calls = self._calls.setdefault(face, Calls(self._limit))
            seconds = calls.admit(client[0] if client else "")
            if seconds is not None:
                await self._refuse(scope, seconds)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class NamedHosts:
    """Answers only what is asked for by one of `hosts`, empty: by any. Under `exempt` nothing is to be read.

    On loopback this keeps a page of another site from reading the figures by pointing its own name at this machine.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Collection[str], exempt: Collection[str], refuse: Callable[[], Response]
    ) -> None:
        self._app = app
        self._exempt = frozenset(exempt)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._hosts and scope["path"] not in self._exempt:
            asked = Headers(scope=scope).get("host", "").lower()
            name, colon, port = asked.rpartition(":")
            host = name if colon and port.isdigit() else asked
            if host not in self._hosts:
                await self._refuse()(scope, receive, send)
                return
        await self._app(scope, receive, send)
