"""What the registry's own files and its store tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from federation.descriptor import Descriptor
from federation.descriptor_store import DescriptorStore
from federation.doctor.findings import Finding, Topic, failed, refused, warning, well
from federation.errors import Code, UppropError
from federation.observability import Log
from registry.certificates.issuing import open_issuer
from registry.doctor.english import DoctorText
from registry.keys import PseudonymKeys
from registry.schedule import behind, behind_by_hand
from registry.settings import RegistrySettings
from registry.store import Transaction, closes, openings

_HOURS_GIVEN = 1.0
"""A close of the nation takes minutes; it is late after an hour."""


def epoch_keys(settings: RegistrySettings, descriptor: Descriptor) -> Iterator[Finding]:
    try:
        keys = PseudonymKeys.read(settings.epoch_keys, settings.epoch_key_dir)
    except UppropError as error:
        yield refused(Topic.KEYS, error)
        return
    epochs = [each.epoch for each in descriptor.epochs]
    lacking = [epoch for epoch in epochs if not keys.has(epoch)]
    for epoch in lacking:
        yield failed(Topic.KEYS, Code.EPOCH_UNKNOWN, DoctorText.EPOCH_WITHOUT_KEY, epoch=epoch)
    if not lacking:
        yield well(Topic.KEYS, DoctorText.KEYS_HELD, epochs=", ".join(map(str, epochs)))


def ledger() -> Iterator[Finding]:
    """Says what is not looked at, so that "all is well" promises no more than was seen."""
    yield well(Topic.LEDGER, DoctorText.LEDGER_BY_ITSELF)


def authority(settings: RegistrySettings) -> Iterator[Finding]:
    """The federation's own CA, where this registry has it."""
    if settings.ca_certificate is None and settings.ca_key is None:
        return
    try:
        open_issuer(settings, DescriptorStore.of(settings, looks_only=True), Log(level="error"))
    except UppropError as error:
        yield refused(Topic.CA, error)
    else:
        yield well(Topic.CA, DoctorText.CA_IN_ORDER)


def close(tx: Transaction, zone: str, now: datetime, today: date | None) -> Iterator[Finding]:
    """`today` is the business date of a manual clock, by which alone closes are then due."""
    finished = closes.newest(tx, finished=True)
    if finished is None:
        yield well(Topic.CLOSE, DoctorText.NO_CLOSE_YET)
        return
    late = (
        behind(now, ZoneInfo(zone), finished.closed_on, finished.finished_at)
        if today is None
        else behind_by_hand(today, finished.closed_on)
    )
    hours = late.seconds / 3_600
    if hours > _HOURS_GIVEN:
        told = {"hours": round(hours), "days": late.days, "newest": finished.closed_on}
        yield warning(Topic.CLOSE, DoctorText.CLOSE_MISSED, **told)
    else:
        yield well(Topic.CLOSE, DoctorText.CLOSED, day=finished.closed_on)


def waiting(tx: Transaction) -> Iterator[Finding]:
    """By members, never by how many: each opening is a child."""
    members = {member for member, _ in openings.waiting(tx)}
    if members:
        yield warning(Topic.BACKLOG, DoctorText.OPENINGS_WAIT, members=len(members))
    else:
        yield well(Topic.BACKLOG, DoctorText.NO_OPENINGS_WAIT)
