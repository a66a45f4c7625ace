"""Who may call: decided anew for every RPC, because a connection outlives descriptors and certificates.

Invariant: a caller is let through only while the descriptor in force lists the very key of its certificate, the
certificate is in date and a CA of that descriptor issued it. Nothing that a caller sends is asked who it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import grpc
from cryptography import x509

from federation.clock import utc_now
from federation.descriptor import Descriptor
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.rpc.caller import Caller, Party
from federation.tls import check_certificate, identity_of

_CERTIFICATE_KEY = "x509_pem_cert"
_CACHE_ENTRIES = 4_096
"""More than the members there can be; beyond it the cache starts anew."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call one method: parties of these kinds; of none where a server's callers are no parties."""

    kinds: frozenset[Kind]


class Authorising(Protocol):
    """Decides who may call. It is asked at every RPC, before the handler."""

    def authorise(self, context: grpc.ServicerContext, rule: Rule) -> Caller:
        """The caller, or UppropError why it is refused."""
        ...


def certificate_pem_of(context: grpc.ServicerContext) -> bytes:
    """The certificate (PEM) that the caller proved to hold; raises UppropError(IDENTITY_FOREIGN) without one."""
    pems = context.auth_context().get(_CERTIFICATE_KEY, ())
    if len(pems) != 1:
        raise UppropError(Code.IDENTITY_FOREIGN, "The call carries no certificate.")
    return bytes(pems[0])


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Party
    expires: datetime


Seen = Callable[[Party, datetime], None]
"""Called with every party that was let in, and until when its certificate is in date. It must be quick."""


def unseen(_party: Party, _expires: datetime) -> None:
    """Where nobody asks who called."""


class Authoriser:
    """Lets parties of the federation in by their certificates, which are remembered per descriptor once parsed."""

    def __init__(
        self, descriptors: DescriptorStore, *, now: Callable[[], datetime] = utc_now, seen: Seen = unseen
    ) -> None:
        self._descriptors = descriptors
        self._now = now
        self._seen = seen
        self._lock = threading.Lock()
        self._known: dict[bytes, _Known] = {}
        self._known_by: tuple[Descriptor, Descriptor | None] | None = None

    def authorise(self, context: grpc.ServicerContext, rule: Rule) -> Party:
        """Raises UppropError: IDENTITY_FOREIGN, CERTIFICATE_EXPIRED, IDENTITY_UNLISTED or METHOD_FORBIDDEN."""
        known = self._known_caller(certificate_pem_of(context))
        caller = known.caller
        if caller.identity.kind not in rule.kinds:
            raise UppropError(
                Code.METHOD_FORBIDDEN, f"This request is not open to a party of kind {caller.identity.kind.value}."
            )
        self._seen(caller, known.expires)
        return caller

    def _known_caller(self, pem: bytes) -> _Known:
        descriptor, offer, now = self._descriptors.current(), self._descriptors.offer(), self._now()
        with self._lock:
            if self._known_by is None or self._known_by[0] is not descriptor or self._known_by[1] is not offer:
                self._known, self._known_by = {}, (descriptor, offer)
            known = self._known.get(pem)
            if known is None or now >= known.expires:
                known = _check(pem, descriptor, now)
                if offer is not None:
                    # What waits to be accepted lets nobody in; whoever it lists no longer is out at once.
                    _check(pem, offer, now)
                if len(self._known) >= _CACHE_ENTRIES:
                    self._known.clear()
                self._known[pem] = known
            return known


def _check(pem: bytes, descriptor: Descriptor, now: datetime) -> _Known:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise UppropError(Code.IDENTITY_FOREIGN, "The certificate of the call is not readable.") from error
    identity = identity_of(certificate)
    # Our own check at start lets a party without a listed key pass; to be a caller a key must be listed.
    if descriptor.listed_key(identity) is None:
        raise UppropError(Code.IDENTITY_UNLISTED, f"The descriptor lists no key for {identity}.")
    check_certificate(certificate, descriptor, now)
    return _Known(Party.of(identity), certificate.not_valid_after_utc)
