"""What every process of a party does besides its own work: ask for the newest descriptor, renew its certificate.

A manual clock, under which nothing happens by itself, stops these too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from federation import renewal, travelling
from federation.descriptor_store import DescriptorStore
from federation.observability import Log, Metrics
from federation.renewal import Renewal, from_registries
from federation.settings import DaemonSettings
from federation.tls import OwnIdentity
from federation.travelling import Courier, Registries
from federation.workers import Worker

DESCRIPTOR_WORKER = "descriptor"
CERTIFICATE_WORKER = "certificate"


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds between two looks; tests shorten them."""

    descriptor: float = travelling.POLL_SECONDS
    certificate: float = renewal.LOOK_SECONDS


def upkeep(
    settings: DaemonSettings,
    descriptors: DescriptorStore,
    own: OwnIdentity,
    registries: Registries,
    metrics: Metrics,
    log: Log,
    intervals: Intervals = Intervals(),
) -> Sequence[Worker]:
    """The workers of a party with these settings."""
    courier = Courier(descriptors, registries, own.identity.kind, metrics, log)
    workers = [Worker(DESCRIPTOR_WORKER, intervals.descriptor, courier.fetch)]
    if settings.renew_certificate:
        renewing = Renewal(settings.certificate, descriptors, own, from_registries(registries), log)
        workers.append(Worker(CERTIFICATE_WORKER, intervals.certificate, renewing.run))
    return workers
