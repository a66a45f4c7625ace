"""Descriptor, certificate and key, read as far as they can be: peers are asked even where something is not in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import grpc
from cryptography import x509

from federation import renewal
from federation.descriptor import Descriptor, read, read_authority_key, verify
from federation.descriptor_store import DescriptorStore
from federation.doctor.findings import Finding, Says, Topic, refused, warning, well
from federation.errors import Code, UppropError
from federation.files import read_secret
from federation.identity import Identity, Kind
from federation.pki import tls_key
from federation.settings import DaemonSettings
from federation.tls import check_certificate, identity_of

DESCRIPTOR_SOON = timedelta(days=14)
CERTIFICATE_SOON = timedelta(days=21)
"""The alerts warn of the same."""

_LATE = renewal.LEFT + 1
"""A daemon that runs renews when a third of the lifetime is left; when only a quarter is, it does not succeed."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a caller shows and trusts, whatever of it has expired: it is the peer who refuses then, and says so."""

    roots_pem: bytes
    chain_pem: bytes
    key_pem: bytes
    stamp: object = None

    def make(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(
            root_certificates=self.roots_pem, private_key=self.key_pem, certificate_chain=self.chain_pem
        )


@dataclass(slots=True)
class Papers:
    """What could be read. `descriptor` is signed by the pinned authority, but may be expired or older."""

    descriptor: Descriptor | None = None
    offered: int = 0
    identity: Identity | None = None
    credentials: Credentials | None = None
    findings: list[Finding] = field(default_factory=list)


def read_papers(settings: DaemonSettings, kind: Kind, *, takes_up: bool, now: Callable[[], datetime]) -> Papers:
    papers = Papers()
    papers.findings.extend(_descriptor(papers, settings, takes_up=takes_up, now=now))
    papers.findings.extend(_certificate(papers, settings, kind, now()))
    return papers


def _descriptor(
    papers: Papers, settings: DaemonSettings, *, takes_up: bool, now: Callable[[], datetime]
) -> Iterator[Finding]:
    try:
        store = DescriptorStore.of(settings, takes_up=takes_up, looks_only=True, now=now)
        papers.descriptor = store.current()
    except UppropError as error:
        yield refused(Topic.DESCRIPTOR, error)
        papers.descriptor = _signed(settings)
        return
    in_force = papers.descriptor
    left = in_force.expires - now()
    told = {"serial": in_force.serial, "until": _minute(in_force.expires), "days": left.days}
    if left < DESCRIPTOR_SOON:
        yield warning(Topic.DESCRIPTOR, Says.DESCRIPTOR_ENDS, **told)
    else:
        yield well(Topic.DESCRIPTOR, Says.DESCRIPTOR_IN_FORCE, **told)
    offer = store.offer()
    if offer is not None:
        papers.offered = offer.serial
        yield warning(Topic.OFFER, Says.OFFER_WAITS, serial=offer.serial)


def _signed(settings: DaemonSettings) -> Descriptor | None:
    """The file in place, if the authority signed it at all."""
    try:
        return verify(read(settings.descriptor), read_authority_key(settings.authority_key))
    except UppropError:
        return None


def _certificate(papers: Papers, settings: DaemonSettings, kind: Kind, now: datetime) -> Iterator[Finding]:
    try:
        certificate, chain_pem = _read_certificate(settings)
        papers.identity = identity_of(certificate)
        key_pem = _read_key(settings, certificate)
        if papers.descriptor is not None:
            papers.credentials = Credentials(papers.descriptor.roots_pem, chain_pem, key_pem)
            check_certificate(certificate, papers.descriptor, now)
    except UppropError as error:
        yield refused(Topic.CERTIFICATE, error)
        return
    if papers.identity.kind is not kind:
        sentence = f"{settings.certificate} is a certificate of kind {papers.identity.kind}; take one of kind {kind}."
        yield refused(Topic.CERTIFICATE, UppropError(Code.IDENTITY_FOREIGN, sentence))
        return
    if papers.descriptor is None:
        # By which CA and for which key is unknown without one; the descriptor's own line has failed.
        return
    until = certificate.not_valid_after_utc
    left, lifetime = until - now, until - certificate.not_valid_before_utc
    told = {"until": _minute(until), "days": left.days, "path": settings.certificate}
    if settings.renew_certificate and left < lifetime / _LATE:
        yield warning(Topic.CERTIFICATE, Says.CERTIFICATE_NOT_RENEWED, **told)
    elif not settings.renew_certificate and left < min(CERTIFICATE_SOON, lifetime / renewal.LEFT):
        yield warning(Topic.CERTIFICATE, Says.CERTIFICATE_ENDS, **told)
    else:
        yield well(Topic.CERTIFICATE, Says.CERTIFICATE_IN_FORCE, **told)


def _read_certificate(settings: DaemonSettings) -> tuple[x509.Certificate, bytes]:
    try:
        chain_pem = settings.certificate.read_bytes()
        return x509.load_pem_x509_certificates(chain_pem)[0], chain_pem
    except (OSError, ValueError) as error:
        raise UppropError(
            Code.CONFIG_INVALID,
            f"{settings.certificate} does not hold a certificate (PEM). Ask the federation's CA for one.",
        ) from error


def _read_key(settings: DaemonSettings, certificate: x509.Certificate) -> bytes:
    key_pem = read_secret(settings.private_key)
    if tls_key(key_pem, settings.private_key).public_key() != certificate.public_key():
        raise UppropError(
            Code.CONFIG_INVALID,
            f"{settings.private_key} does not belong to the certificate {settings.certificate}. Restore the right one.",
        )
    return key_pem


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
