"""The registry's part in admission, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from federation.descriptor_store import DescriptorStore
from federation.observability import Log
from federation.renewal import LOOK_SECONDS, Renewal
from federation.rpc.authorisation import Rule
from federation.rpc.server import Binding
from federation.runtime import LocalServer
from federation.tls import OwnIdentity
from federation.upkeep import CERTIFICATE_WORKER
from federation.workers import Worker
from registry.certificates import joining, servicers
from registry.certificates.issuing import Issuer, open_issuer
from registry.certificates.servicers import AdmissionServicer
from registry.settings import RegistrySettings


@dataclass(frozen=True, slots=True)
class Admission:
    """What the rest of the registry uses of it."""

    issuer: Issuer | None
    service: Binding
    rules: Mapping[str, Rule]
    workers: Sequence[Worker]
    local_servers: Sequence[LocalServer]


def build(
    settings: RegistrySettings,
    *,
    descriptors: DescriptorStore,
    own: OwnIdentity,
    log: Log,
    look_seconds: float = LOOK_SECONDS,
) -> Admission:
    """Raises UppropError where the CA is not in order."""
    issuer = open_issuer(settings, descriptors, log)
    service = servicers.binding(AdmissionServicer(descriptors, issuer))
    workers = []
    if issuer is not None and settings.renew_certificate:
        # Its own certificate it gives itself, and so asks no other registry for it.
        certify = issuer.certify
        renewal = Renewal(settings.certificate, descriptors, own, lambda: [certify], log)
        workers.append(Worker(CERTIFICATE_WORKER, look_seconds, renewal.run))
    port = settings.join_listen
    return Admission(
        issuer=issuer,
        service=service,
        rules=servicers.RULES,
        workers=workers,
        local_servers=() if port is None else (joining.local_server(port, service, own),),
    )
