"""The federation's own CA: a certificate for a key that the descriptor lists, for whoever proves to hold that key.

Invariants
    - Nobody is admitted here: whom the descriptor in force does not list, with this very key, gets no certificate. So
      whoever holds the CA and this registry still cannot make a member; the authority's key alone can.
    - The CA is one that the descriptor names; a registry with another one does not start, and stops issuing when the
      descriptor names it no longer.
    - What a certificate says is decided here. Of a request only the key and the name of the party are taken.
    - Every certificate stands in the log. Requests can be sent by whoever has seen one, as often as they like: whoever
      asks again within a minute gets the same, so that neither log nor work grows with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from federation import signing_request
from federation.clock import utc_now
from federation.descriptor import Descriptor
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.observability import Event, Level, Log
from federation.pki import CERTIFICATE_LIFETIME, CertificateAuthority, certificate_pem, issue, read_ca
from federation.renewal import Certify
from federation.thinning import Thinning
from registry.settings import RegistrySettings

ISSUED = Event("certificate_issued", ("party", "serial", "expires"))
REFUSED = Event("certificate_refused", ("party", "code"), Level.WARNING)

SAME_FOR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Given:
    key_sha256: str
    at: datetime
    certificate: bytes


class Issuer:
    """Answers requests for certificates. Safe to use from several threads."""

    def __init__(
        self,
        ca: CertificateAuthority,
        descriptors: DescriptorStore,
        log: Log,
        *,
        lifetime: timedelta = CERTIFICATE_LIFETIME,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._ca = ca
        self._descriptors = descriptors
        self._log = log
        self._lifetime = lifetime
        self._now = now
        self._refusals = Thinning()
        self._lock = threading.Lock()
        self._given: dict[Identity, _Given] = {}
        _check_listed(ca, descriptors.current())

    def certify(self, request: bytes) -> bytes:
        """A certificate (PEM) for a signing request (DER).

        Raises UppropError: REQUEST_INVALID and IDENTITY_FOREIGN for a request that is not in order, ADMISSION_PENDING
        where the descriptor does not list the party, ADMISSION_REFUSED where it lists another key, CONFIG_INVALID
        where this CA may issue no longer, DESCRIPTOR_EXPIRED.
        """
        asked = signing_request.read(request)
        descriptor = self._descriptors.current()
        try:
            _check_admitted(asked, descriptor)
            _check_listed(self._ca, descriptor)
        except UppropError as error:
            if self._refusals.grants():
                self._log(REFUSED, party=asked.identity.uri, code=error.code)
            raise
        with self._lock:
            # Whom the descriptor lists: so what is remembered has bounds.
            given, now = self._given.get(asked.identity), self._now()
            # A clock that was set back makes a new one: what was given under the wrong one would not be in force yet.
            soon = given is not None and timedelta(0) <= now - given.at < SAME_FOR
            if given is None or not soon or given.key_sha256 != asked.key_sha256:
                given = self._given[asked.identity] = _Given(asked.key_sha256, now, self._issue(asked, now))
            return given.certificate

    def _issue(self, asked: signing_request.SigningRequest, now: datetime) -> bytes:
        lifetime = min(self._lifetime, self._ca.certificate.not_valid_after_utc - now)
        if lifetime <= timedelta(0):
            raise UppropError(
                Code.CONFIG_INVALID, "The federation's CA has expired. Make a new one and list it in the descriptor."
            )
        certificate = issue(self._ca, asked.identity, asked.public_key, now, lifetime)
        self._log(
            ISSUED,
            party=asked.identity.uri,
            serial=f"{certificate.serial_number:x}",
            expires=certificate.not_valid_after_utc,
        )
        return certificate_pem(certificate)


def open_issuer(settings: RegistrySettings, descriptors: DescriptorStore, log: Log) -> Issuer | None:
    """The CA that the settings name, None where they name none.

    Raises UppropError: CONFIG_INVALID where key and certificate do not belong together or the descriptor does not name
    the CA, SECRET_MODE, SECRET_MISSING.
    """
    if settings.ca_certificate is None and settings.ca_key is None:
        return None
    if settings.ca_certificate is None or settings.ca_key is None:
        raise UppropError(Code.CONFIG_INVALID, "Set both ca_certificate and ca_key, or neither of them.")
    return Issuer(read_ca(settings.ca_certificate, settings.ca_key), descriptors, log)


def certifiers(
    settings: RegistrySettings, descriptors: DescriptorStore, log: Log
) -> Callable[[], Iterable[Certify]] | None:
    """Who gives the registry its own certificate where the one it has is no good: its own CA, where it has one."""
    if settings.ca_key is None:
        return None

    def own() -> Iterable[Certify]:
        issuer = open_issuer(settings, descriptors, log)
        return () if issuer is None else (issuer.certify,)

    return own


def _check_admitted(asked: signing_request.SigningRequest, descriptor: Descriptor) -> None:
    try:
        listed = descriptor.listed_key(asked.identity)
    except UppropError as error:
        raise _pending(asked) from error
    if listed is None:
        raise _pending(asked)
    if listed != asked.key_sha256:
        raise UppropError(
            Code.ADMISSION_REFUSED,
            f"The descriptor lists another key for {asked.identity}. Use the key that was admitted, or have the "
            "authority admit this one in its place.",
        )


def _pending(asked: signing_request.SigningRequest) -> UppropError:
    return UppropError(
        Code.ADMISSION_PENDING,
        f"The descriptor that is in force here lists no key for {asked.identity} yet. "
        "Ask again once the authority has signed one that does.",
    )


def _check_listed(ca: CertificateAuthority, descriptor: Descriptor) -> None:
    own = ca.certificate.public_bytes(Encoding.DER)
    for pem in descriptor.ca_certificates:
        try:
            if x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER) == own:
                return
        except ValueError:
            continue
    raise UppropError(
        Code.CONFIG_INVALID,
        "The descriptor does not name the CA of the settings (ca_certificate). Take the CA that it names, or have the "
        "authority list this one.",
    )
