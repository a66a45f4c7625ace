"""What every process of a party does besides its own work: ask for the newest descriptor, renew its certificate.

A manual clock, under which nothing happens by itself, stops these too. A command that ends by itself does them once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from federation import renewal, travelling
from federation.descriptor_store import DescriptorStore
from federation.errors import UppropError
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
    metrics: Metrics | None,
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


def once(settings: DaemonSettings, descriptors: DescriptorStore, own: OwnIdentity, log: Log) -> None:
    """What the workers do, once: for a command that no daemon runs beside. What fails is left for the next time."""
    if settings.clock == "manual":
        return
    with contextlib.closing(Registries(descriptors, own)) as registries:
        for worker in upkeep(settings, descriptors, own, registries, None, log):
            with contextlib.suppress(UppropError):
                worker.run()
